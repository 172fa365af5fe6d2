/* SPDX-License-Identifier: MIT */
/*
 * The expected state of the variable store: the values of a sweep's variables,
 * and a digest of everything else.
 */
#include "lib/store.h"

#include "lib/adversary.h"

#include <kernel/print.h>
#include <kernel/string.h>

/* Limit of one call: hundreds of times the longest observed. */
#define LIMIT_MS 1000
#define MAX_VARIABLES 2000
#define MAX_STORED_BYTES 32768

const uint16_t *const stored_name[STORED_COUNT] = {
	[STORED_STILL] = u"CaesuraStill",
	[STORED_SUBJECT] = u"CaesuraSubject",
	[STORED_RIVAL] = u"CaesuraRival",
};

bool store_create(struct store *store, struct prng *prng, size_t size_bytes)
{
	for (int i = 0; i < STORED_COUNT; i++) {
		cz_status status;

		prng_fill(prng, store->value[i].data, size_bytes);
		store->value[i].size_bytes = (uint32_t)size_bytes;
		status = cz_set_variable(firmware, stored_name[i], &test_guid,
					 TEST_ATTRIBUTES, store->value[i].data,
					 size_bytes, deadline_in_ms(LIMIT_MS));
		if (status != CZ_OK) {
			kprintf("error: SetVariable: %s\n",
				cz_status_name(status));
			return false;
		}
	}
	return true;
}

void store_expect(struct store *store, enum stored which, const void *data,
		  size_t size_bytes)
{
	store->value[which].size_bytes = (uint32_t)size_bytes;
	memcpy(store->value[which].data, data, size_bytes);
}

bool store_check(const struct store *store, enum stored which)
{
	static uint8_t data[MAX_VALUE_BYTES];
	size_t size_bytes = sizeof(data);
	size_t expected = store->value[which].size_bytes;
	uint32_t attributes = 0;
	cz_status status;

	status = cz_get_variable(firmware, stored_name[which], &test_guid,
				 &attributes, data, &size_bytes,
				 deadline_in_ms(LIMIT_MS));
	if (status != CZ_OK) {
		kprintf("# variable %d: GetVariable: %s\n", which,
			cz_status_name(status));
		return false;
	}
	if (size_bytes != expected || attributes != TEST_ATTRIBUTES ||
	    memcmp(data, store->value[which].data, expected) != 0) {
		kprintf("# variable %d: not the written value\n", which);
		return false;
	}
	return true;
}

/* FNV-1a */
static uint64_t hash(uint64_t seed, const void *data, size_t size_bytes)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size_bytes; i++) {
		seed = (seed ^ bytes[i]) * 0x100000001b3ull;
	}
	return seed;
}

#define HASH_START 0xcbf29ce484222325ull

/* GetNextHighMonotonicCount keeps its count in "MTC". */
static bool value_changes(const uint16_t *name, const struct cz_efi_guid *guid)
{
	static const uint16_t count_name[] = u"MTC";

	return memcmp(guid, &test_guid, sizeof(*guid)) == 0 ||
	       name_equal(name, count_name);
}

static bool add_variable(struct store_digest *digest, const uint16_t *name,
			 const struct cz_efi_guid *guid, uint32_t wanted)
{
	static uint8_t data[MAX_STORED_BYTES];
	size_t size_bytes = sizeof(data);
	uint32_t attributes = 0;
	uint64_t name_hash = hash(hash(HASH_START, guid, sizeof(*guid)), name,
				  2 * name_length(name));
	cz_status status;

	status = cz_get_variable(firmware, name, guid, &attributes, data,
				 &size_bytes, deadline_in_ms(LIMIT_MS));
	if (status != CZ_OK) {
		kprintf("# a listed variable: GetVariable: %s\n",
			cz_status_name(status));
		return false;
	}
	if ((attributes & wanted) != wanted) {
		return true;
	}
	digest->count++;
	digest->names += name_hash;
	if (!value_changes(name, guid)) {
		digest->values +=
			hash(name_hash ^ attributes, data, size_bytes);
	}
	return true;
}

bool store_read_digest(struct store_digest *digest, uint32_t attributes)
{
	static uint16_t name[CZ_MAX_NAME_BYTES / 2];
	struct cz_efi_guid guid = {0};

	*digest = (struct store_digest){0};
	name[0] = 0;
	for (unsigned i = 0; i < MAX_VARIABLES; i++) {
		size_t size_bytes = sizeof(name);
		cz_status status = cz_get_next_variable_name(
			firmware, &size_bytes, name, &guid,
			deadline_in_ms(LIMIT_MS));

		if (status == CZ_EFI_NOT_FOUND) {
			return true;
		}
		if (status != CZ_OK) {
			kprintf("# GetNextVariableName: %s\n",
				cz_status_name(status));
			return false;
		}
		if (memcmp(&guid, &adversary_guid, sizeof(guid)) != 0 &&
		    !add_variable(digest, name, &guid, attributes)) {
			return false;
		}
	}
	kprintf("# GetNextVariableName does not end\n");
	return false;
}

bool store_same(const struct store_digest *a, const struct store_digest *b)
{
	return a->count == b->count && a->names == b->names &&
	       a->values == b->values;
}
