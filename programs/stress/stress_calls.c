/* SPDX-License-Identifier: MIT */
/*
 * What the stress test asks of firmware: one row of a table for each kind of
 * call, with a check whether the answer can be true. Values carry their
 * version.
 */
#include "stress/stress.h"

#include "lib/swept_service.h"
#include "stress/history.h"
#include "stress/stress_names.h"

#include <kernel/print.h>
#include <kernel/string.h>

#define REFUSED_ATTRIBUTES \
	(CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS | CZ_EFI_VARIABLE_RUNTIME_ACCESS)
#define DELETIONS 8 /* one write in so many */
#define MAX_COUNTS 16u /* each takes as long as a write */
#define ROUNDS 8u
#define WRITES_PERCENT 40u /* of the calls at the beginning of a round */
/* An upper bound for the header and the name of any of our variables. */
#define OVERHEAD_BYTES 256u

struct operation_kind {
	enum cz_service service;
	/* Relative frequency; 0: decided by a rule of its own. */
	unsigned weight;
	void (*prepare)(struct agent *agent, struct operation *operation);
	/* Returns NULL if firmware may give this status and these outputs, else
	 * what is wrong. */
	const char *(*check)(const struct agent *agent,
			     struct operation *operation, cz_status status);
};

/* What ended calls have shown of values that only grow or only shrink. */
static struct {
	uint64_t seconds, count, remaining_storage;
	uint64_t maximum_storage;
	/* When a write was refused because the store was full; or 0. */
	uint64_t full_since;
} known = {.remaining_storage = UINT64_MAX};

static void raise(uint64_t *value, uint64_t to)
{
	uint64_t seen = counter_read(value);

	while (seen < to && !__atomic_compare_exchange_n(
				    value, &seen, to, false, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE)) {
	}
}

static void lower(uint64_t *value, uint64_t to)
{
	uint64_t seen = counter_read(value);

	while (seen > to && !__atomic_compare_exchange_n(
				    value, &seen, to, false, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE)) {
	}
}

static const char *expect(cz_status status, cz_status due)
{
	return status == due ? NULL : "another status was due";
}

/* ---- Values ---- */

static void value_fill(uint8_t *data, uint32_t version)
{
	struct prng prng;

	prng_init(&prng, 'v' + ((uint64_t)version << 8));
	prng_fill(&prng, data, stress.value_bytes);
	memcpy(data, &version, sizeof(version));
}

/* Returns the version of a value, or 0 when it was never written. */
static uint32_t value_version(struct operation *operation)
{
	size_t size_bytes = operation->size_bytes;
	uint32_t version;

	if (size_bytes != stress.value_bytes) {
		return 0;
	}
	memcpy(&version, operation->data, sizeof(version));
	value_fill(operation->due, version);
	return memcmp(operation->data, operation->due, size_bytes) == 0
		       ? version
		       : 0;
}

/* Returns the agent's own variable or a shared one. */
static unsigned choose_variable(struct agent *agent)
{
	if (prng_below(&agent->prng, 2) == 0) {
		return STRESS_SHARED + agent->number;
	}
	return (unsigned)prng_below(&agent->prng, STRESS_SHARED);
}

/* ---- GetVariable ---- */

static void prepare_read_of(struct operation *operation, unsigned variable,
			    size_t room_bytes)
{
	operation->variable = variable;
	operation->size_bytes = room_bytes;
	name_make(operation->name, variable);
	cz_prepare_get_variable(&operation->call, operation->name, &test_guid,
				&operation->attributes, operation->data,
				&operation->size_bytes);
}

static void prepare_read(struct agent *agent, struct operation *operation)
{
	prepare_read_of(operation, choose_variable(agent),
			stress.value_bytes + 8);
}

static const char *check_read(const struct agent *agent,
			      struct operation *operation, cz_status status)
{
	uint32_t version;

	(void)agent;
	if (status == CZ_EFI_NOT_FOUND) {
		return history_may_be(operation->variable, false,
				      operation->start, 0)
			       ? NULL
			       : "the variable is there";
	}
	if (status != CZ_OK) {
		return expect(status, CZ_OK);
	}
	version = value_version(operation);
	operation->found = version;
	if (version == 0 || operation->attributes != TEST_ATTRIBUTES) {
		return "a value that nobody wrote";
	}
	if (!history_found(operation->variable, version, operation->start)) {
		return "another value was due";
	}
	return NULL;
}

static void prepare_read_small(struct agent *agent, struct operation *operation)
{
	prepare_read_of(operation, choose_variable(agent),
			prng_below(&agent->prng, stress.value_bytes));
}

static const char *check_read_small(const struct agent *agent,
				    struct operation *operation,
				    cz_status status)
{
	bool there = status == CZ_EFI_BUFFER_TOO_SMALL;

	(void)agent;
	if (!there && status != CZ_EFI_NOT_FOUND) {
		return expect(status, CZ_EFI_BUFFER_TOO_SMALL);
	}
	if (there && operation->size_bytes != stress.value_bytes) {
		return "a size that nobody wrote";
	}
	return history_may_be(operation->variable, there, operation->start, 0)
		       ? NULL
	       : there ? "the variable is not there"
		       : "the variable is there";
}

static void prepare_miss(struct agent *agent, struct operation *operation)
{
	prepare_read_of(operation, choose_variable(agent), stress.value_bytes);
	operation->name[0] = u'c';
}

static const char *check_miss(const struct agent *agent,
			      struct operation *operation, cz_status status)
{
	(void)agent;
	(void)operation;
	return expect(status, CZ_EFI_NOT_FOUND);
}

/* ---- SetVariable ---- */

static void prepare_write(struct agent *agent, struct operation *operation)
{
	bool exists = prng_below(&agent->prng, DELETIONS) != 0;

	operation->variable = choose_variable(agent);
	operation->version = history_write(operation->variable, exists);
	operation->known = counter_read(&known.full_since);
	operation->size_bytes = exists ? stress.value_bytes : 0;
	name_make(operation->name, operation->variable);
	value_fill(operation->data, operation->version);
	cz_prepare_set_variable(&operation->call, operation->name, &test_guid,
				TEST_ATTRIBUTES, operation->data,
				operation->size_bytes);
}

static const char *check_deletion(struct operation *operation, cz_status status)
{
	bool there = status == CZ_OK;
	bool may_be;

	if (!there && status != CZ_EFI_NOT_FOUND) {
		return expect(status, CZ_OK);
	}
	may_be = history_may_be(operation->variable, there, operation->start,
				operation->version);
	history_wrote(operation->version, WRITE_DONE);
	return may_be  ? NULL
	       : there ? "the variable is not there"
		       : "the variable is there";
}

/* Firmware reports a full store: then only little room may be left. */
static const char *check_full(const struct agent *agent,
			      const struct operation *operation)
{
	uint64_t maximum, remaining = 0, size;

	counter_add(&stress.out_of_resources);
	raise(&known.full_since, history_now());
	if (cz_query_variable_info(agent->cz, TEST_ATTRIBUTES, &maximum,
				   &remaining, &size, CZ_FOREVER) != CZ_OK) {
		return "QueryVariableInfo failed as well";
	}
	return remaining < operation->size_bytes + OVERHEAD_BYTES
		       ? NULL
		       : "there is room enough";
}

static const char *check_write(const struct agent *agent,
			       struct operation *operation, cz_status status)
{
	if (operation->size_bytes == 0) {
		return check_deletion(operation, status);
	}
	if (status == CZ_EFI_OUT_OF_RESOURCES) {
		history_wrote(operation->version, WRITE_VOID);
		return check_full(agent, operation);
	}
	history_wrote(operation->version, WRITE_DONE);
	if (status == CZ_OK && operation->known != 0) {
		return "there was no room before, and none is made";
	}
	return expect(status, CZ_OK);
}

/* At run time no volatile variable can be created (UEFI 2.11, section 8.2), and
 * a variable cannot change its attributes. */
static void prepare_refused(struct agent *agent, struct operation *operation)
{
	operation->variable = choose_variable(agent);
	name_make(operation->name, operation->variable);
	value_fill(operation->data, 0);
	cz_prepare_set_variable(&operation->call, operation->name, &test_guid,
				REFUSED_ATTRIBUTES, operation->data,
				stress.value_bytes);
}

static const char *check_refused(const struct agent *agent,
				 struct operation *operation, cz_status status)
{
	(void)agent;
	(void)operation;
	return expect(status, CZ_EFI_INVALID_PARAMETER);
}

/* ---- The others ---- */

static void prepare_info(struct agent *agent, struct operation *operation)
{
	(void)agent;
	operation->known = counter_read(&known.remaining_storage);
	cz_prepare_query_variable_info(
		&operation->call, TEST_ATTRIBUTES, &operation->maximum_storage,
		&operation->remaining_storage, &operation->maximum_size);
}

static const char *check_info(const struct agent *agent,
			      struct operation *operation, cz_status status)
{
	(void)agent;
	if (status != CZ_OK) {
		return expect(status, CZ_OK);
	}
	lower(&known.remaining_storage, operation->remaining_storage);
	if (operation->maximum_storage != known.maximum_storage) {
		return "the store has another size";
	}
	return operation->remaining_storage <= operation->known
		       ? NULL
		       : "there was less room before";
}

static void prepare_time(struct agent *agent, struct operation *operation)
{
	(void)agent;
	operation->known = counter_read(&known.seconds);
	cz_prepare_get_time(&operation->call, &operation->time, NULL);
}

static const char *check_time(const struct agent *agent,
			      struct operation *operation, cz_status status)
{
	uint64_t seconds = time_seconds(&operation->time);

	(void)agent;
	if (status != CZ_OK || !time_valid(&operation->time)) {
		return "no time";
	}
	raise(&known.seconds, seconds);
	return seconds >= operation->known ? NULL : "it was later before";
}

static void prepare_count(struct agent *agent, struct operation *operation)
{
	(void)agent;
	operation->variable = name_count_variable();
	operation->version = history_write(operation->variable, true);
	operation->known = counter_read(&known.count);
	cz_prepare_get_next_high_monotonic_count(&operation->call,
						 &operation->count);
}

static const char *check_count(const struct agent *agent,
			       struct operation *operation, cz_status status)
{
	(void)agent;
	history_wrote(operation->version, WRITE_DONE);
	if (status == CZ_EFI_OUT_OF_RESOURCES) {
		return NULL; /* the count is kept in a variable */
	}
	if (status != CZ_OK) {
		return expect(status, CZ_OK);
	}
	raise(&known.count, operation->count);
	return operation->count > operation->known ? NULL
						   : "it was as high before";
}

static void prepare_null(struct agent *agent, struct operation *operation)
{
	(void)agent;
	cz_prepare_null_service(&operation->call);
}

static const char *check_null(const struct agent *agent,
			      struct operation *operation, cz_status status)
{
	(void)agent;
	(void)operation;
	return expect(status, CZ_OK);
}

/* ---- The table ---- */

static const struct operation_kind kinds[] = {
	{CZ_SET_VARIABLE, 0, prepare_write, check_write},
	{CZ_GET_NEXT_HIGH_MONOTONIC_COUNT, 0, prepare_count, check_count},
	{CZ_GET_VARIABLE, 35, prepare_read, check_read},
	{CZ_GET_VARIABLE, 10, prepare_read_small, check_read_small},
	{CZ_GET_VARIABLE, 8, prepare_miss, check_miss},
	{CZ_SET_VARIABLE, 4, prepare_refused, check_refused},
	{CZ_QUERY_VARIABLE_INFO, 10, prepare_info, check_info},
	{CZ_GET_TIME, 20, prepare_time, check_time},
	{CZ_NULL_SERVICE, 13, prepare_null, check_null},
};

enum { KIND_WRITE, KIND_COUNT, KIND_OTHERS };

/* Returns whether one of the limited calls is due. Each round has its share of
 * them and begins with it, so that writes coincide with writes. */
static bool due(struct agent *agent, uint64_t *begun, uint64_t most)
{
	uint64_t calls = counter_read(&stress.calls_begun) - 1;
	uint64_t round = calls * ROUNDS / stress.calls;

	if (counter_read(begun) >= most * (round + 1) / ROUNDS ||
	    prng_below(&agent->prng, 100) >= WRITES_PERCENT) {
		return false;
	}
	if (counter_add(begun) > most) {
		__atomic_sub_fetch(begun, 1, __ATOMIC_ACQ_REL);
		return false;
	}
	return true;
}

static const struct operation_kind *choose_kind(struct agent *agent)
{
	const struct operation_kind *kind = &kinds[KIND_OTHERS];
	uint64_t choice = prng_below(&agent->prng, 100);

	if (due(agent, &stress.sets_begun, stress.sets)) {
		return &kinds[KIND_WRITE];
	}
	if (due(agent, &stress.counts_begun, MAX_COUNTS)) {
		return &kinds[KIND_COUNT];
	}
	while (choice >= kind->weight) {
		choice -= kind->weight;
		kind++;
	}
	return kind;
}

void operation_choose(struct agent *agent, struct operation *operation)
{
	operation->kind = choose_kind(agent);
	operation->version = 0;
	operation->found = 0;
	operation->start = history_now();
	operation->kind->prepare(agent, operation);
}

static void show(const struct agent *agent, const struct operation *operation,
		 cz_status status, const char *wrong)
{
	char text[160];

	ksnprintf(text, sizeof(text), "%s of variable %u: %s: %s",
		  cz_service_name(operation->kind->service),
		  operation->variable, cz_status_name(status), wrong);
	if (!agent_mismatch(agent, text)) {
		return;
	}
	if (operation->found != 0) {
		kprintf("#   got: version %u\n", operation->found);
	}
	if (operation->kind->service == CZ_GET_VARIABLE) {
		history_explain(operation->variable, operation->start);
	}
}

void operation_forget(struct operation *operation)
{
	if (operation->version != 0) {
		history_wrote(operation->version, WRITE_UNKNOWN);
	}
}

void operation_end(struct agent *agent, struct operation *operation,
		   cz_status status, bool timed)
{
	const char *wrong;

	if (status == CZ_E_DEADLINE && timed) {
		counter_add(&stress.deadlines);
		operation_forget(operation);
		return;
	}
	if (status == CZ_E_CANCELLED || status == CZ_E_BUSY) {
		/* who asked for it has looked at that */
		if (operation->version != 0) {
			history_wrote(operation->version, WRITE_VOID);
		}
		return;
	}
	wrong = operation->kind->check(agent, operation, status);
	if (wrong != NULL) {
		show(agent, operation, status, wrong);
	}
}

/* ---- Before and after ---- */

/* Removes what an earlier run has left. */
static bool remove_variable(unsigned variable)
{
	static uint8_t data[MAX_VALUE_BYTES];
	uint16_t name[STRESS_NAME_UNITS];
	size_t size_bytes = sizeof(data);
	cz_status status;

	name_make(name, variable);
	status = cz_get_variable(firmware, name, &test_guid, NULL, data,
				 &size_bytes, CZ_FOREVER);
	if (status == CZ_OK) {
		status = cz_set_variable(firmware, name, &test_guid,
					 TEST_ATTRIBUTES, NULL, 0, CZ_FOREVER);
		return status == CZ_OK;
	}
	return status == CZ_EFI_NOT_FOUND;
}

bool operations_init(void)
{
	uint64_t remaining, size;

	for (unsigned i = 0; i < STRESS_SHARED + stress.threads; i++) {
		if (!remove_variable(i)) {
			return false;
		}
	}
	history_init(name_count_variable() + 1);
	return cz_query_variable_info(firmware, TEST_ATTRIBUTES,
				      &known.maximum_storage, &remaining, &size,
				      CZ_FOREVER) == CZ_OK;
}

void operations_check_all(struct agent *agent)
{
	struct operation *operation = &agent->operation;

	for (unsigned i = 0; i < STRESS_SHARED + stress.threads; i++) {
		operation->kind = &kinds[KIND_OTHERS];
		operation->version = 0;
		operation->found = 0;
		operation->start = history_now();
		prepare_read_of(operation, i, stress.value_bytes + 8);
		operation_end(agent, operation,
			      cz_call_and_wait(firmware, &operation->call,
					       CZ_FOREVER),
			      false);
	}
}
