/* SPDX-License-Identifier: MIT */
/*
 * The service that a sweep interrupts: its arguments, and the checks of its
 * result. One row of a table describes each service.
 */
#include "lib/swept_service.h"

#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/time.h>

#define FILLED 0xa5
#define SCRIBBLED 0x5a
#define SLACK_SECONDS 2 /* a clock of whole seconds is read twice */
/* The overhead of a variable in the store, with its name. */
#define HEADER_BYTES 256

static struct {
	struct store *store;
	struct prng *prng;
	size_t value_bytes;
	/* The value of the latest SetVariable. */
	uint8_t written[MAX_VALUE_BYTES];
	/* The clock and the counter when the clock was last set. */
	uint64_t first_seconds, first_tick;
	uint64_t set_seconds;
	uint64_t maximum_storage, remaining_storage, maximum_size;
	bool count_known;
	uint32_t count;
} expected;

static bool complain(const char *what)
{
	kprintf("# %s\n", what);
	return false;
}

/* ---- Time --------------------------------------------------------------- */

bool time_valid(const struct cz_efi_time *time)
{
	return time->year >= 1900 && time->year <= 9999 && time->month >= 1 &&
	       time->month <= 12 && time->day >= 1 && time->day <= 31 &&
	       time->hour <= 23 && time->minute <= 59 && time->second <= 59 &&
	       time->nanosecond < 1000000000;
}

uint64_t time_seconds(const struct cz_efi_time *time)
{
	/* The number of the day, in a calendar whose years begin on 1 March (H.
	 * Hinnant's days_from_civil). */
	uint64_t year = time->year - (time->month <= 2);
	uint64_t month = (time->month + 9u) % 12;
	uint64_t days = 365 * year + year / 4 - year / 100 + year / 400 +
			(153 * month + 2) / 5 + time->day;

	return ((days * 24 + time->hour) * 60 + time->minute) * 60 +
	       time->second;
}

static uint64_t elapsed_seconds(void)
{
	return (ticks_now() - expected.first_tick) / ticks_hz();
}

static bool close_to(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= SLACK_SECONDS;
}

static void prepare_get_time(struct arguments *given)
{
	(void)given;
}

static cz_status call_get_time(struct arguments *given, uint64_t deadline_ns)
{
	return cz_get_time(firmware, &given->time, &given->caps, deadline_ns);
}

static bool check_get_time(const struct arguments *got)
{
	uint64_t due = expected.first_seconds + elapsed_seconds();

	if (!time_valid(&got->time)) {
		return complain("GetTime: a field is out of bounds");
	}
	if (expected.first_seconds == 0) {
		expected.first_seconds = time_seconds(&got->time);
		expected.first_tick = ticks_now();
		return true;
	}
	return close_to(time_seconds(&got->time), due) ||
	       complain("GetTime: the time is wrong");
}

/* Sets another day, so that a call without effect is noticed. */
static void prepare_set_time(struct arguments *given)
{
	cz_get_time(firmware, &given->time, NULL, CZ_FOREVER);
	given->time.day = given->time.day == 1 ? 2 : given->time.day - 1;
	expected.set_seconds = time_seconds(&given->time);
}

static cz_status call_set_time(struct arguments *given, uint64_t deadline_ns)
{
	return cz_set_time(firmware, &given->time, deadline_ns);
}

static bool check_set_time(const struct arguments *got)
{
	struct cz_efi_time time = {0};

	(void)got;
	cz_get_time(firmware, &time, NULL, CZ_FOREVER);
	return (time_valid(&time) &&
		close_to(time_seconds(&time), expected.set_seconds)) ||
	       complain("SetTime: the clock does not show the time that was "
			"set");
}

static cz_status call_get_wakeup_time(struct arguments *given,
				      uint64_t deadline_ns)
{
	return cz_get_wakeup_time(firmware, &given->enabled, &given->pending,
				  &given->time, deadline_ns);
}

static bool check_get_wakeup_time(const struct arguments *got)
{
	return (got->enabled <= 1 && got->pending <= 1) ||
	       complain("GetWakeupTime: a flag is neither 0 nor 1");
}

static cz_status call_set_wakeup_time(struct arguments *given,
				      uint64_t deadline_ns)
{
	return cz_set_wakeup_time(firmware, 0, &given->time, deadline_ns);
}

/* The alarm must be off, whatever the previous call did. */
static bool check_set_wakeup_time(const struct arguments *got)
{
	struct cz_efi_time time;
	uint8_t enabled = 0, pending = 0;
	cz_status status = cz_get_wakeup_time(firmware, &enabled, &pending,
					      &time, CZ_FOREVER);

	(void)got;
	return (enabled == 0 &&
		(status == CZ_OK || status == CZ_EFI_UNSUPPORTED)) ||
	       complain("SetWakeupTime: still set");
}

/* An accepted capsule has no effect that another service could show. */
static bool check_nothing(const struct arguments *got)
{
	(void)got;
	return true;
}

/* ---- Variables ---------------------------------------------------------- */

static void give_name(struct arguments *given, enum stored which)
{
	memcpy(given->name, stored_name[which],
	       2 * name_length(stored_name[which]) + 2);
	given->guid = test_guid;
}

static void prepare_get_variable(struct arguments *given)
{
	give_name(given, STORED_STILL);
	given->size_bytes = MAX_VALUE_BYTES;
}

static cz_status call_get_variable(struct arguments *given,
				   uint64_t deadline_ns)
{
	return cz_get_variable(firmware, given->name, &given->guid,
			       &given->attributes, given->data,
			       &given->size_bytes, deadline_ns);
}

/* Returns whether the buffer after `size_bytes` still holds what it was filled
 * with, or what swept_scribble() wrote. */
static bool rest_untouched(const struct arguments *got, size_t size_bytes)
{
	uint8_t first = got->data[size_bytes];

	for (size_t i = size_bytes; i < sizeof(got->data); i++) {
		if (got->data[i] != first) {
			return false;
		}
	}
	return first == FILLED || first == SCRIBBLED;
}

static bool check_get_variable(const struct arguments *got)
{
	size_t size = expected.value_bytes;

	if (got->size_bytes != size || got->attributes != TEST_ATTRIBUTES) {
		return complain("GetVariable: wrong size or attributes");
	}
	if (memcmp(got->data, expected.store->value[STORED_STILL].data, size) !=
	    0) {
		return complain("GetVariable: wrong data");
	}
	return rest_untouched(got, size) ||
	       complain("GetVariable: wrote beyond the value");
}

static void prepare_next_name(struct arguments *given)
{
	give_name(given, STORED_STILL);
	given->size_bytes = sizeof(given->name);
}

static cz_status call_next_name(struct arguments *given, uint64_t deadline_ns)
{
	return cz_get_next_variable_name(firmware, &given->size_bytes,
					 given->name, &given->guid,
					 deadline_ns);
}

/* store_create() wrote STORED_SUBJECT right after STORED_STILL. */
static bool check_next_name(const struct arguments *got)
{
	const uint16_t *next = stored_name[STORED_SUBJECT];

	return (got->size_bytes == 2 * name_length(next) + 2 &&
		name_equal(got->name, next) &&
		memcmp(&got->guid, &test_guid, sizeof(test_guid)) == 0) ||
	       complain("GetNextVariableName: not the next name");
}

static void prepare_set_variable(struct arguments *given)
{
	give_name(given, STORED_SUBJECT);
	given->attributes = TEST_ATTRIBUTES;
	given->size_bytes = expected.value_bytes;
	prng_fill(expected.prng, given->data, given->size_bytes);
	memcpy(expected.written, given->data, given->size_bytes);
}

static cz_status call_set_variable(struct arguments *given,
				   uint64_t deadline_ns)
{
	return cz_set_variable(firmware, given->name, &given->guid,
			       given->attributes, given->data,
			       given->size_bytes, deadline_ns);
}

static bool check_set_variable(const struct arguments *got)
{
	(void)got;
	store_expect(expected.store, STORED_SUBJECT, expected.written,
		     expected.value_bytes);
	return store_check(expected.store, STORED_SUBJECT);
}

static cz_status call_query_info(struct arguments *given, uint64_t deadline_ns)
{
	return cz_query_variable_info(
		firmware, TEST_ATTRIBUTES, &given->maximum_storage,
		&given->remaining_storage, &given->maximum_size, deadline_ns);
}

/* Between two such calls, another thread writes at most one variable. */
static bool check_query_info(const struct arguments *got)
{
	if (expected.maximum_storage == 0) {
		expected.maximum_storage = got->maximum_storage;
		expected.remaining_storage = got->remaining_storage;
		expected.maximum_size = got->maximum_size;
	}
	if (got->maximum_storage != expected.maximum_storage ||
	    got->maximum_size != expected.maximum_size ||
	    got->remaining_storage > expected.remaining_storage ||
	    got->remaining_storage + expected.value_bytes + HEADER_BYTES <
		    expected.remaining_storage ||
	    got->remaining_storage > got->maximum_storage ||
	    got->maximum_size > got->maximum_storage) {
		return complain("QueryVariableInfo: the sizes are wrong");
	}
	expected.remaining_storage = got->remaining_storage;
	return true;
}

static cz_status call_monotonic(struct arguments *given, uint64_t deadline_ns)
{
	return cz_get_next_high_monotonic_count(firmware, &given->count,
						deadline_ns);
}

static bool check_monotonic(const struct arguments *got)
{
	bool next = !expected.count_known || got->count == expected.count + 1;

	expected.count_known = true;
	expected.count = got->count;
	return next ||
	       complain("GetNextHighMonotonicCount: not the next count");
}

/* ---- Capsules ----------------------------------------------------------- */

static void prepare_capsule(struct arguments *given)
{
	given->capsule = (struct cz_efi_capsule_header){
		.guid = test_guid,
		.header_size = sizeof(given->capsule),
		.capsule_image_size = sizeof(given->capsule),
	};
}

static cz_status call_update_capsule(struct arguments *given,
				     uint64_t deadline_ns)
{
	const struct cz_efi_capsule_header *list[] = {&given->capsule};

	return cz_update_capsule(firmware, list, 1, 0, deadline_ns);
}

static cz_status call_query_capsule(struct arguments *given,
				    uint64_t deadline_ns)
{
	const struct cz_efi_capsule_header *list[] = {&given->capsule};

	return cz_query_capsule_capabilities(firmware, list, 1,
					     &given->maximum_size,
					     &given->reset_type, deadline_ns);
}

static bool check_query_capsule(const struct arguments *got)
{
	return (got->maximum_size >= sizeof(got->capsule) &&
		got->reset_type <= CZ_EFI_RESET_PLATFORM_SPECIFIC) ||
	       complain("QueryCapsuleCapabilities: bad size or reset type");
}

/* ---- The table ---------------------------------------------------------- */

static const struct swept_service services[] = {
	{CZ_GET_TIME, false, prepare_get_time, call_get_time, check_get_time},
	{CZ_SET_TIME, false, prepare_set_time, call_set_time, check_set_time},
	{CZ_GET_WAKEUP_TIME, false, prepare_get_time, call_get_wakeup_time,
	 check_get_wakeup_time},
	{CZ_SET_WAKEUP_TIME, false, prepare_get_time, call_set_wakeup_time,
	 check_set_wakeup_time},
	{CZ_GET_VARIABLE, false, prepare_get_variable, call_get_variable,
	 check_get_variable},
	{CZ_GET_NEXT_VARIABLE_NAME, false, prepare_next_name, call_next_name,
	 check_next_name},
	{CZ_SET_VARIABLE, true, prepare_set_variable, call_set_variable,
	 check_set_variable},
	{CZ_QUERY_VARIABLE_INFO, false, prepare_get_time, call_query_info,
	 check_query_info},
	{CZ_GET_NEXT_HIGH_MONOTONIC_COUNT, true, prepare_get_time,
	 call_monotonic, check_monotonic},
	{CZ_UPDATE_CAPSULE, false, prepare_capsule, call_update_capsule,
	 check_nothing},
	{CZ_QUERY_CAPSULE_CAPABILITIES, false, prepare_capsule,
	 call_query_capsule, check_query_capsule},
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_word(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

enum cz_service service_find(const char *name)
{
	int service = 0;

	while (service < CZ_SERVICE_COUNT &&
	       !same_word(name, cz_service_name((enum cz_service)service))) {
		service++;
	}
	return (enum cz_service)service;
}

const struct swept_service *swept_find(enum cz_service service)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++) {
		if (services[i].service == service) {
			return &services[i];
		}
	}
	return NULL;
}

bool swept_init(struct store *store, struct prng *prng, size_t value_bytes)
{
	expected.store = store;
	expected.prng = prng;
	expected.value_bytes = value_bytes;
	return store_create(store, prng, value_bytes);
}

void swept_prepare(const struct swept_service *swept, struct arguments *given)
{
	memset(given, FILLED, sizeof(*given));
	swept->prepare(given);
}

void swept_scribble(struct arguments *given)
{
	memset(given, SCRIBBLED, sizeof(*given));
}

bool swept_check(const struct swept_service *swept, const struct arguments *got,
		 cz_status status, cz_status reference)
{
	if (status != reference) {
		kprintf("# %s: %s\n", cz_service_name(swept->service),
			cz_status_name(status));
		return false;
	}
	return status != CZ_OK || swept->check(got);
}
