/* SPDX-License-Identifier: MIT */
/*
 * Tests of the queue: calls that continue without their caller, the order of
 * queued requests, cancelling, withdrawing. "Slow" is a SetVariable, which
 * takes firmware hundreds of microseconds.
 */
#include "lib/adversary.h"
#include "lib/common.h"
#include "selftest/selftest.h"

#include <kernel/ktap.h>
#include <kernel/options.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define URGENT (PRIORITY_NORMAL + 6)
#define FILLED 0xa5
#define SLOW_BYTES 1024
#define MAX_NAPS 1000
#define NAP_NS 50000

static const uint16_t slow_name[] = u"CaesuraSlow";

static uint8_t slow_value[SLOW_BYTES];
static struct cz_stats stats;

/* Lets other threads run, for a small part of the duration of "slow". */
static void nap(void)
{
	thread_sleep_until(ticks_now() + ns_to_ticks(NAP_NS));
}

/* Returns whether slow=masked was given: the slow call is then one of the
 * misbehaving driver at EL1 that cannot be preempted. */
static bool slow_is_masked(void)
{
	return strcmp(option_string("slow", ""), "masked") == 0;
}

static bool slow_submit(struct cz_call *call, cz_request_id *id)
{
	static const uint64_t masked_instructions = 1000000;

	if (slow_is_masked()) {
		cz_prepare_set_variable(call, ADVERSARY_MASK_IRQ,
					&adversary_guid, ADVERSARY_ATTRIBUTES,
					&masked_instructions,
					sizeof(masked_instructions));
		return cz_submit(firmware, call, id) == CZ_OK;
	}
	slow_value[0]++;
	cz_prepare_set_variable(call, slow_name, &test_guid, TEST_ATTRIBUTES,
				slow_value, sizeof(slow_value));
	return cz_submit(firmware, call, id) == CZ_OK;
}

static struct cz_request *in_flight(void)
{
	return __atomic_load_n(&firmware->in_flight, __ATOMIC_ACQUIRE);
}

/* Submits a slow call and waits until it is in firmware. */
static bool slow_start(struct cz_call *call, cz_request_id *id)
{
	bool started = slow_submit(call, id);

	for (int i = 0; started && in_flight() == NULL && i < MAX_NAPS; i++) {
		nap();
	}
	return started && in_flight() != NULL;
}

static bool slow_is_written(void)
{
	uint8_t data[SLOW_BYTES];
	size_t size_bytes = sizeof(data);

	if (slow_is_masked()) {
		return true; /* this call writes nothing */
	}
	return cz_get_variable(firmware, slow_name, &test_guid, NULL, data,
			       &size_bytes, CZ_FOREVER) == CZ_OK &&
	       size_bytes == sizeof(data) &&
	       memcmp(data, slow_value, sizeof(data)) == 0;
}

/* Returns whether the slow call can be preempted. Firmware may spend the call
 * in the secure world or with interrupts masked; a thread that wants to watch
 * the call then wakes up when it is over. */
static bool slow_can_be_preempted(void)
{
	struct cz_call call;
	cz_request_id id;
	uint64_t due, woken;

	if (!slow_submit(&call, &id)) {
		return false;
	}
	due = now_ns() + NAP_NS;
	nap();
	woken = now_ns();
	return cz_wait(firmware, id, &call, CZ_FOREVER) == CZ_OK &&
	       woken - due < NAP_NS;
}

/* ---- Submitting ---------------------------------------------------------- */

static void test_submit(void)
{
	struct cz_efi_time time;
	struct cz_call call;
	cz_request_id id = 0;
	uint8_t *bytes = (uint8_t *)&time;
	bool untouched = true;

	memset(&time, FILLED, sizeof(time));
	cz_prepare_get_time(&call, &time, NULL);
	test_status(cz_submit(firmware, &call, &id), CZ_OK,
		    "submit: a request is accepted");
	nap();
	for (size_t i = 0; i < sizeof(time); i++) {
		untouched = untouched && bytes[i] == FILLED;
	}
	ktap_result(id != 0 && untouched,
		    "submit: no result is written before the wait");
	test_status(cz_wait(firmware, id, &call, CZ_FOREVER), CZ_OK,
		    "wait: returns the status");
	ktap_result(time.year >= 1998 && time.year < 3000,
		    "wait: writes the results");
	ktap_result(cz_wait(firmware, id, &call, CZ_FOREVER) != CZ_OK,
		    "wait: a second wait for the same request is refused");
}

static void test_full(void)
{
	cz_request_id ids[CZ_MAX_REQUESTS];
	cz_request_id extra;
	struct cz_call call;
	uint32_t count = 0;
	bool passed = true;

	cz_prepare_null_service(&call);
	while (count < firmware->request_count &&
	       cz_submit(firmware, &call, &ids[count]) == CZ_OK) {
		count++;
	}
	ktap_result(count == firmware->request_count,
		    "submit: every free request can be used");
	test_status(cz_submit(firmware, &call, &extra), CZ_E_BUSY,
		    "submit: returns busy when all requests are in use");
	for (uint32_t i = 0; i < count; i++) {
		passed = passed &&
			 cz_wait(firmware, ids[i], &call, CZ_FOREVER) == CZ_OK;
	}
	ktap_result(passed, "wait: all submitted requests succeed");
}

/* ---- Deadlines ----------------------------------------------------------- */

static void test_deadline(void)
{
	uint64_t deadline = now_ns() + 100000;
	struct cz_efi_time time;

	slow_value[1]++;
	test_status(cz_set_variable(firmware, slow_name, &test_guid,
				    TEST_ATTRIBUTES, slow_value,
				    sizeof(slow_value), deadline),
		    CZ_E_DEADLINE, "deadline: a call returns at its deadline");
	ktap_result(now_ns() >= deadline && in_flight() != NULL,
		    "deadline: the return is not early, the call is in flight");
	ktap_result(slow_is_written(),
		    "deadline: the late call has written its variable");
	cz_get_stats(firmware, &stats);
	ktap_result(stats.deadlines == 1 && stats.late == 1,
		    "deadline: the deadline and the late call are counted");
	test_status(cz_get_time(firmware, &time, NULL, 1), CZ_E_DEADLINE,
		    "deadline: a call with a past deadline ends at once");
	test_status(cz_get_time(firmware, &time, NULL, CZ_FOREVER), CZ_OK,
		    "deadline: GetTime succeeds after a late call");
}

static void test_wait_deadline(void)
{
	struct cz_call call;
	cz_request_id id;

	ktap_result(slow_start(&call, &id), "wait: setup: a call is in flight");
	test_status(cz_wait(firmware, id, &call, now_ns() + 20000),
		    CZ_E_DEADLINE, "wait: returns at its deadline");
	test_status(cz_wait(firmware, id, &call, CZ_FOREVER), CZ_OK,
		    "wait: a second wait after a deadline succeeds");
	ktap_result(slow_is_written(),
		    "wait: the call has written its variable");
}

/* ---- Cancelling and giving up -------------------------------------------- */

static void test_cancel(void)
{
	struct cz_call slow, queued;
	cz_request_id slow_id, queued_id;
	struct cz_efi_time time;
	uint64_t late, cancelled;

	cz_get_stats(firmware, &stats);
	late = stats.late;
	cancelled = stats.cancelled;
	ktap_result(slow_start(&slow, &slow_id),
		    "cancel: setup: a call is in flight");
	cz_prepare_get_time(&queued, &time, NULL);
	cz_submit(firmware, &queued, &queued_id);
	test_status(cz_cancel(firmware, queued_id), CZ_OK,
		    "cancel: a queued request can be cancelled");
	test_status(cz_wait(firmware, queued_id, &queued, CZ_FOREVER),
		    CZ_E_CANCELLED,
		    "cancel: a wait for a cancelled request says so");
	test_status(cz_cancel(firmware, slow_id), CZ_E_IN_FLIGHT,
		    "cancel: a call in flight cannot be cancelled");
	cz_release(firmware, slow_id);
	test_status(cz_get_time(firmware, &time, NULL, CZ_FOREVER), CZ_OK,
		    "release: GetTime succeeds after the released call");
	ktap_result(slow_is_written(),
		    "release: the released call has written its variable");
	cz_get_stats(firmware, &stats);
	ktap_result(stats.late == late + 1 && stats.cancelled == cancelled + 1,
		    "release: late and cancelled requests are counted");
}

/* ---- Withdrawing --------------------------------------------------------- */

static void test_withdraw(void)
{
	struct cz_call slow, queued;
	cz_request_id slow_id, queued_id;
	struct cz_efi_time time;
	uint64_t start;

	ktap_result(slow_start(&slow, &slow_id),
		    "withdraw: setup: a call is in flight");
	cz_prepare_get_time(&queued, &time, NULL);
	cz_submit(firmware, &queued, &queued_id);
	cz_withdraw(firmware, CZ_GET_TIME);
	ktap_result(!cz_service_available(firmware, CZ_GET_TIME) &&
			    cz_service_available(firmware, CZ_SET_VARIABLE),
		    "withdraw: only the withdrawn service is unavailable");
	start = in_flight() != NULL;
	test_status(cz_wait(firmware, queued_id, &queued, CZ_FOREVER),
		    CZ_E_WITHDRAWN, "withdraw: a queued request ends");
	test_status(cz_get_time(firmware, &time, NULL, CZ_FOREVER),
		    CZ_E_WITHDRAWN, "withdraw: a new call is refused");
	ktap_result(start == 1 && in_flight() != NULL,
		    "withdraw: refusals do not wait for the call in flight");
	test_status(cz_wait(firmware, slow_id, &slow, CZ_FOREVER), CZ_OK,
		    "withdraw: the call in flight of another service succeeds");
	cz_restore(firmware, CZ_GET_TIME);
	test_status(cz_get_time(firmware, &time, NULL, CZ_FOREVER), CZ_OK,
		    "restore: a restored service works");
}

/* ---- Order --------------------------------------------------------------- */

struct requester {
	struct thread *thread;
	unsigned priority;
	cz_status (*call)(void);
	cz_status status;
};

static cz_status ask_time(void)
{
	struct cz_efi_time time;

	return cz_get_time(firmware, &time, NULL, CZ_FOREVER);
}

static cz_status ask_info(void)
{
	uint64_t a, b, c;

	return cz_query_variable_info(firmware, TEST_ATTRIBUTES, &a, &b, &c,
				      CZ_FOREVER);
}

static cz_status ask_nothing(void)
{
	return cz_null_service(firmware, CZ_FOREVER);
}

static void requester_entry(void *argument)
{
	struct requester *self = argument;

	self->status = self->call();
}

static uint64_t submitted(void)
{
	cz_get_stats(firmware, &stats);
	return stats.submitted;
}

/* Returns once its request is queued. */
static void start_requester(struct requester *requester)
{
	uint64_t before = submitted();

	requester->thread = thread_create("requester", requester->priority,
					  requester_entry, requester);
	for (int i = 0; submitted() == before && i < MAX_NAPS; i++) {
		nap();
	}
}

static uint64_t entered(enum cz_service service)
{
	return stats.service[service].last_enter_ns;
}

static void test_order(void)
{
	static struct requester requesters[] = {
		{.priority = URGENT - 4, .call = ask_time},
		{.priority = URGENT - 2, .call = ask_nothing},
		{.priority = URGENT, .call = ask_info},
	};
	struct cz_call slow;
	cz_request_id id;
	bool passed = true;

	ktap_result(slow_start(&slow, &id),
		    "order: setup: a call is in flight");
	/* More urgent than the worker, which inherits from each requester, and
	 * each more urgent than the previous one. Otherwise it would not be
	 * able to make its request before the call ends. */
	thread_set_priority(this_thread(), URGENT + 1);
	for (unsigned i = 0; i < 3; i++) {
		start_requester(&requesters[i]);
	}
	ktap_result(thread_priority((struct thread *)firmware->worker) ==
			    URGENT,
		    "order: the worker inherits the most urgent priority");
	thread_set_priority(this_thread(), PRIORITY_NORMAL);
	for (unsigned i = 0; i < 3; i++) {
		thread_join(requesters[i].thread);
		passed = passed && requesters[i].status == CZ_OK;
	}
	ktap_result(passed, "order: all queued calls succeed");
	test_status(cz_wait(firmware, id, &slow, CZ_FOREVER), CZ_OK,
		    "order: the call in flight succeeds");
	cz_get_stats(firmware, &stats);
	ktap_result(entered(CZ_QUERY_VARIABLE_INFO) <
				    entered(CZ_NULL_SERVICE) &&
			    entered(CZ_NULL_SERVICE) < entered(CZ_GET_TIME),
		    "order: more urgent callers are served first");
	ktap_result(stats.service[CZ_SET_VARIABLE].last_exit_ns <=
			    entered(CZ_QUERY_VARIABLE_INFO),
		    "order: no call starts before the one in flight has ended");
	ktap_result(stats.service[CZ_SET_VARIABLE].preemptions != 0,
		    "order: the call in flight was preempted");
}

static void test_age(void)
{
	struct cz_call first, second;
	cz_request_id first_id, second_id;
	struct cz_efi_time time;

	cz_prepare_null_service(&first);
	cz_prepare_get_time(&second, &time, NULL);
	cz_submit(firmware, &first, &first_id);
	cz_submit(firmware, &second, &second_id);
	cz_wait(firmware, second_id, &second, CZ_FOREVER);
	cz_wait(firmware, first_id, &first, CZ_FOREVER);
	cz_get_stats(firmware, &stats);
	ktap_result(entered(CZ_NULL_SERVICE) < entered(CZ_GET_TIME),
		    "order: equal priorities are served in order of arrival");
}

struct hog {
	bool stop;
	bool ended; /* ended by itself, and was not stopped */
};

static void hog_entry(void *argument)
{
	struct hog *hog = argument;
	uint64_t limit = ticks_now() + 2 * ticks_hz();

	while (!__atomic_load_n(&hog->stop, __ATOMIC_ACQUIRE)) {
		if (ticks_now() > limit) {
			hog->ended = true;
			return;
		}
	}
}

/* A busy thread, less urgent than the caller and more urgent than the worker
 * without inheritance. */
static void test_inheritance(void)
{
	struct hog hog = {0};
	struct cz_call slow;
	cz_request_id id;
	struct thread *thread;
	cz_status status;

	ktap_result(slow_start(&slow, &id),
		    "inheritance: setup: a call is in flight");
	thread = thread_create("hog", PRIORITY_NORMAL - 5, hog_entry, &hog);
	nap();
	status = ask_time();
	ktap_result(status == CZ_OK && !hog.ended,
		    "inheritance: a less urgent busy thread delays no caller");
	__atomic_store_n(&hog.stop, true, __ATOMIC_RELEASE);
	thread_join(thread);
	cz_wait(firmware, id, &slow, CZ_FOREVER);
}

void test_requests(void)
{
	test_full();
	if (skip_without(CZ_GET_TIME, "requests: tests with GetTime")) {
		return;
	}
	test_submit();
	test_age();
	if (skip_without(CZ_SET_VARIABLE,
			 "requests: tests while a call is in flight")) {
		return;
	}
	if (!time_is_counted()) {
		ktap_skip("requests: tests while a call is in flight",
			  why_time_is_not_counted());
		return;
	}
	if (slow_can_be_preempted()) {
		test_deadline();
		test_wait_deadline();
		test_order();
	} else {
		ktap_skip("requests: tests of deadlines and of the order of "
			  "calls",
			  "this firmware's SetVariable cannot be preempted");
	}
	test_cancel();
	test_withdraw();
	test_inheritance();
}
