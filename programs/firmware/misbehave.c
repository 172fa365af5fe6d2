/* SPDX-License-Identifier: MIT */
/*
 * Runs one misbehaviour of the adversary and prints one line of a matrix: the
 * result of the call, what it touched, what still works, whether any wake-up
 * was late, and whether the variables are unchanged, now and (with step=read)
 * in the next boot.
 */
#include "lib/adversary.h"
#include "lib/common.h"
#include "lib/probe.h"
#include "lib/store.h"
#include "lib/swept_service.h"
#include "lib/watch.h"

#include <kernel/ktap.h>
#include <kernel/mm.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define OUTCOME_BYTES 128u
#define CALL_BYTES 64u
#define VALUE_BYTES 64u
#define PERIOD_NS 100000u /* 10 kHz */
#define SAMPLES (1u << 19)
#define LIMIT_MS 1000
#define LATE_MS 500 /* until a call without a caller has ended */
/* The factor for time limits where QEMU follows real time: a busy machine may
 * stop QEMU's CPUs for long. */
#define REAL_TIME_FACTOR 20u
#define UNTOUCHED 0x600df00du

static struct probe probe;
static uint64_t patience = 1; /* the factor for LIMIT_MS and LATE_MS */
static struct store store;
static struct store_digest digest;
static const uint16_t digest_name[] = u"CaesuraDigest";
static volatile uint32_t kernel_data;
static const volatile uint32_t kernel_constant = UNTOUCHED;

static __attribute__((noinline)) void kernel_text(void)
{
	__asm__ volatile("");
}

static struct {
	struct cz_stats before, after;
	struct cz_ending ending;
	bool ended;
	cz_status status;
	uint64_t took_ns;
	char outcome[OUTCOME_BYTES];
} row;

/* ---- The call ---- */

static uint64_t address_of(const char *word)
{
	if (strcmp(word, "data") == 0) {
		return (uintptr_t)&kernel_data;
	}
	if (strcmp(word, "text") == 0) {
		return (uintptr_t)kernel_text;
	}
	if (strcmp(word, "constants") == 0) {
		return (uintptr_t)&kernel_constant;
	}
	return firmware->window_address + firmware->window_pages * PAGE_SIZE;
}

/* "Read:0xffff800000001000" */
static void write_name(uint16_t *name)
{
	const char *address = option_string("address", "");
	char text[CZ_MAX_NAME_BYTES / 2];

	ksnprintf(text, sizeof(text), "%s", option_string("name", ""));
	if (address[0] != '\0') {
		ksnprintf(text, sizeof(text), "%s:0x%llx",
			  option_string("name", ""),
			  (unsigned long long)address_of(address));
	}
	for (size_t i = 0; i <= strlen(text); i++) {
		name[i] = (uint8_t)text[i];
	}
}

static cz_status call(const uint16_t *name)
{
	uint64_t ms = option_number("deadline_ms", 0);
	uint64_t deadline_ns = ms == 0 ? CZ_FOREVER : deadline_in_ms(ms);
	uint8_t data[CALL_BYTES] = {0};
	size_t size_bytes = sizeof(data);

	if (strcmp(option_string("by", "set"), "get") == 0) {
		return cz_get_variable(firmware, name, &adversary_guid, NULL,
				       data, &size_bytes, deadline_ns);
	}
	return cz_set_variable(firmware, name, &adversary_guid,
			       ADVERSARY_ATTRIBUTES, data, sizeof(data),
			       deadline_ns);
}

/* Calls another service, which uses the pointer of the first call. */
static cz_status call_then(void)
{
	uint8_t data[VALUE_BYTES];
	size_t size_bytes = sizeof(data);

	return cz_get_variable(firmware, stored_name[STORED_STILL], &test_guid,
			       NULL, data, &size_bytes, CZ_FOREVER);
}

static void latest_ending(void)
{
	struct cz_ending ending;

	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		if (cz_get_ending(firmware, (enum cz_service)i, &ending) &&
		    ending.number > row.ending.number) {
			row.ending = ending;
			row.ended = true;
		}
	}
}

static void misbehave(void)
{
	static uint16_t name[CZ_MAX_NAME_BYTES / 2];
	uint64_t start;

	write_name(name);
	cz_get_stats(firmware, &row.before);
	start = ticks_now();
	row.status = call(name);
	if (option_present("then")) {
		start = ticks_now();
		row.status = call_then();
	}
	row.took_ns = ticks_to_ns(ticks_now() - start);
	latest_ending();
}

/* ---- What came of it, in one word ---- */

static void append(const char *format, const char *word)
{
	size_t length = strlen(row.outcome);

	ksnprintf(row.outcome + length, sizeof(row.outcome) - length, format,
		  word);
}

/* CZ_E_FAULT/data_abort,_read/exact; EFI_SUCCESS/mended:PAN */
static void describe(void)
{
	append("%s", cz_status_name(row.status));
	if (row.ended) {
		if (row.ending.what != NULL) {
			append("/%s", row.ending.what);
		}
		append("/%s", row.ending.touched == 0 ? "exact" : "dirty");
	}
	for (int i = 0; i < CZ_ANOMALY_COUNT; i++) {
		if (row.after.anomalies[i] != row.before.anomalies[i]) {
			append("/mended:%s",
			       cz_anomaly_name((enum cz_anomaly)i));
		}
	}
	if (row.after.stuck != row.before.stuck) {
		append("/%s", "stuck");
	}
	if (row.after.secure_refused != row.before.secure_refused) {
		append("/%s", "refused");
	}
	if (kernel_data != UNTOUCHED) {
		append("/%s", "kernel_written");
	}
	for (char *at = row.outcome; *at != '\0'; at++) {
		*at = *at == ' ' ? '_' : *at;
	}
}

/* Waits for the end of the call that its caller gave up, unless nothing can end
 * it. */
static void await_end(void)
{
	uint64_t end =
		ticks_now() + ns_to_ticks(patience * LATE_MS * 1000000ull);

	do {
		thread_sleep_until(tick_after_ns(PERIOD_NS));
		cz_get_stats(firmware, &row.after);
	} while (__atomic_load_n(&firmware->in_flight, __ATOMIC_ACQUIRE) !=
			 NULL &&
		 row.after.stuck == 0 && ticks_now() < end);
}

/* ---- What still works ---- */

static bool get_time_works(void)
{
	struct cz_efi_time time;

	return cz_get_time(firmware, &time, NULL,
			   deadline_in_ms(patience * LIMIT_MS)) == CZ_OK &&
	       time_valid(&time);
}

static bool get_variable_works(void)
{
	return store_check(&store, STORED_STILL) &&
	       store_check(&store, STORED_RIVAL);
}

static bool next_name_works(void)
{
	static uint16_t name[CZ_MAX_NAME_BYTES / 2];
	struct cz_efi_guid guid = {0};
	size_t size_bytes = sizeof(name);

	name[0] = 0;
	return cz_get_next_variable_name(firmware, &size_bytes, name, &guid,
					 deadline_in_ms(patience * LIMIT_MS)) ==
	       CZ_OK;
}

static bool set_variable_works(void)
{
	uint8_t data[VALUE_BYTES];

	memcpy(data, store.value[STORED_SUBJECT].data, sizeof(data));
	data[0]++;
	if (cz_set_variable(firmware, stored_name[STORED_SUBJECT], &test_guid,
			    TEST_ATTRIBUTES, data, sizeof(data),
			    deadline_in_ms(patience * LIMIT_MS)) != CZ_OK) {
		return false;
	}
	store_expect(&store, STORED_SUBJECT, data, sizeof(data));
	return !cz_service_available(firmware, CZ_GET_VARIABLE) ||
	       store_check(&store, STORED_SUBJECT);
}

static bool query_works(void)
{
	uint64_t total, left, largest;

	return cz_query_variable_info(
		       firmware, TEST_ATTRIBUTES, &total, &left, &largest,
		       deadline_in_ms(patience * LIMIT_MS)) == CZ_OK;
}

static const struct {
	enum cz_service service;
	bool (*works)(void);
} checks[] = {
	{CZ_GET_TIME, get_time_works},
	{CZ_GET_VARIABLE, get_variable_works},
	{CZ_GET_NEXT_VARIABLE_NAME, next_name_works},
	{CZ_SET_VARIABLE, set_variable_works},
	{CZ_QUERY_VARIABLE_INFO, query_works},
};

/* Checks every available service. `text` gets the names of those that work. */
static bool all_work(char *text, uint32_t size)
{
	bool all = true;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		enum cz_service service = checks[i].service;
		size_t length = strlen(text);

		if (!cz_service_available(firmware, service)) {
			continue;
		}
		if (!checks[i].works()) {
			kprintf("# %s does not work\n",
				cz_service_name(service));
			all = false;
			continue;
		}
		ksnprintf(text + length, size - length, "%s%s",
			  length == 0 ? "" : ",", cz_service_name(service));
	}
	return all;
}

static bool variables_kept(void)
{
	struct store_digest now;

	return store_read_digest(&now, CZ_EFI_VARIABLE_NON_VOLATILE) &&
	       store_same(&now, &digest) && get_variable_works();
}

/* ---- The line ---- */

static bool is_dirty(void)
{
	return row.ended && row.ending.touched != 0;
}

/* Returns the time from the fault, or from the limit, until the caller of an
 * ended call continues. A fault ends a call at once. */
static uint64_t recovery_ns(void)
{
	uint64_t limit_ns = option_number("kill_ms", 0) * 1000000;

	if (!row.ended) {
		return 0;
	}
	return row.status == CZ_E_KILLED ? row.took_ns - limit_ns : row.took_ns;
}

static void print_row(const char *works, uint64_t worst_ns)
{
	kprintf("row name=%s gate=%s outcome=%s recovery_ns=%llu worst_ns=%llu "
		"works=%s\n",
		option_string("name", ""),
		firmware->gate == CZ_GATE_SANDBOX ? "sandbox" : "direct",
		row.outcome, (unsigned long long)recovery_ns(),
		(unsigned long long)worst_ns, works[0] == '\0' ? "-" : works);
}

static void check_latency(uint64_t worst_ns)
{
	uint64_t bound_ns = option_number("bound", 0);

	if (bound_ns == 0) {
		return;
	}
	kprintf("# worst wake-up %llu ns of %llu\n",
		(unsigned long long)worst_ns, (unsigned long long)bound_ns);
	ktap_result(worst_ns <= bound_ns,
		    "misbehave: no thread wakes up later than the bound");
}

static void check_rest(char *works, uint32_t size)
{
	char again[128];

	ktap_result(all_work(works, size),
		    "misbehave: services that are not withdrawn work");
	if (is_dirty()) {
		ktap_result(
			!cz_service_available(firmware, CZ_SET_VARIABLE) &&
				cz_service_available(firmware, CZ_GET_VARIABLE),
			"misbehave: after a dirty end, only writing is "
			"withdrawn");
		return;
	}
	restore_services();
	ktap_result(all_work(again, sizeof(again)),
		    "misbehave: services that are restored work");
	ktap_result(variables_kept(), "misbehave: the variables are unchanged");
}

static void check_outcome(void)
{
	const char *due = option_string("outcome", "");

	if (strcmp(row.outcome, due) != 0) {
		kprintf("# %s instead of %s\n", row.outcome, due);
	}
	ktap_result(strcmp(row.outcome, due) == 0,
		    "misbehave: the outcome is the expected one");
}

static void run_row(void)
{
	struct schedule schedule = {
		.period = ns_to_ticks(PERIOD_NS),
		.dither = ns_to_ticks(PERIOD_NS / 2),
		.count = UINT64_MAX,
	};
	char works[128] = "";
	uint64_t worst_ns;
	bool stuck;

	probe_init(&probe, SAMPLES);
	/* Allocating room for the samples took longer than one period. */
	schedule.first = tick_after_ns(PERIOD_NS);
	probe_start(&probe, &schedule);
	misbehave();
	await_end();
	probe_stop(&probe);
	worst_ns = ticks_to_ns(samples_max(&probe.samples));
	stuck = __atomic_load_n(&firmware->in_flight, __ATOMIC_ACQUIRE) != NULL;
	describe();
	check_outcome();
	check_latency(worst_ns);
	if (!stuck) {
		check_rest(works, sizeof(works));
	}
	print_row(works, worst_ns);
}

/* ---- Before, and in the next boot ---- */

static bool prepare(void)
{
	struct prng prng;

	prng_init(&prng, 'b');
	kernel_data = UNTOUCHED;
	return store_create(&store, &prng, VALUE_BYTES) &&
	       cz_set_variable(firmware, digest_name, &test_guid,
			       TEST_ATTRIBUTES, &digest, sizeof(digest),
			       CZ_FOREVER) == CZ_OK &&
	       store_read_digest(&digest, CZ_EFI_VARIABLE_NON_VOLATILE) &&
	       cz_set_variable(firmware, digest_name, &test_guid,
			       TEST_ATTRIBUTES, &digest, sizeof(digest),
			       CZ_FOREVER) == CZ_OK;
}

static int read_back(void)
{
	struct prng prng;
	size_t size_bytes = sizeof(digest);

	prng_init(&prng, 'b');
	for (int i = 0; i < STORED_COUNT; i++) {
		store.value[i].size_bytes = VALUE_BYTES;
		prng_fill(&prng, store.value[i].data, VALUE_BYTES);
	}
	ktap_begin(1);
	ktap_result(cz_get_variable(firmware, digest_name, &test_guid, NULL,
				    &digest, &size_bytes,
				    CZ_FOREVER) == CZ_OK &&
			    size_bytes == sizeof(digest) && variables_kept(),
		    "misbehave: the variables are unchanged in the next boot");
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}

PROGRAM(misbehave, "one misbehaviour, and what comes of it")
{
	struct adversary_registers_record record;

	if (strcmp(option_string("step", "do"), "read") == 0) {
		return read_back();
	}
	if (!adversary_record(&record)) {
		return without_adversary();
	}
	if (!time_is_counted()) {
		patience = REAL_TIME_FACTOR;
	}
	if (!prepare()) {
		return could_not_run("the variable store takes no variables");
	}
	if (cpus_online_count() > 1) {
		/* Other threads on the worker's CPU may be lost with it. */
		(void)thread_set_cpus((struct thread *)firmware->worker, 1);
		(void)thread_set_cpus(this_thread(), 2);
	}
	ktap_begin(0);
	run_row();
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
