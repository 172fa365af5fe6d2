/* SPDX-License-Identifier: MIT */
/* Firmware that misbehaves: invalid statuses, faults, hangs, changed state. */
#include "fixture.h"

#include "call.h"
#include "interleave.h"

#include <unistd.h>

static struct cz_stats stats_of(struct fixture *fixture)
{
	struct cz_stats stats;

	cz_get_stats(&fixture->cz, &stats);
	return stats;
}

static void statuses(void **state)
{
	static const struct {
		uint64_t value;
		bool good;
	} cases[] = {
		{CZ_EFI_SUCCESS, true},
		{1, true},
		{7, true},
		{8, false},
		{0x7fffffffffffffff, false},
		{0x4000000000000001, false},
		{0x00000000ffffffff, false},
		{CZ_EFI_ERROR(1), true},
		{CZ_EFI_ERROR(0x1000), true},
		{CZ_EFI_ERROR(0x1001), false},
		{0x8000000080000003, false},
		{0xa000000000000001, false},
		{0xbfffffffffffffff, false},
		{0xc000000000000001, true}, /* an OEM's error */
		{UINT64_MAX, true},
		{CZ_ERROR_BASE, false}, /* reserved for the library */
		{CZ_E_DEADLINE, false},
		{CZ_ERROR_BASE + 0xffff, false},
		{CZ_ERROR_BASE + 0x10000, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_status(cz_worker_status(cases[i].value),
			      cases[i].good ? cases[i].value : CZ_E_BAD_STATUS);
	}
}

static uint64_t lie(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	struct cz_efi_time *time = (struct cz_efi_time *)r[0];

	(void)sim;
	(void)cz;
	time->year = 1;
	return CZ_E_DEADLINE;
}

static uint64_t warn(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	lie(sim, cz, r);
	return 4;
}

static void bad_status(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time = {.year = 1999};

	fixture->sim.hook[CZ_GET_TIME] = lie;
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER),
		      CZ_E_BAD_STATUS);
	assert_int_equal(time.year, 1999);
	assert_int_equal(stats_of(fixture).bad_statuses, 1);
	assert_true(
		sim_logged(&fixture->sim,
			   "1 GetTime (RuntimeDxe) returned "
			   "0xc0000000435a0001, which is not a valid status"));
	fixture->sim.log_bytes = 0;
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER),
		      CZ_E_BAD_STATUS);
	assert_int_equal(fixture->sim.log_bytes, 0);
	assert_int_equal(stats_of(fixture).service[CZ_GET_TIME].failures, 2);
	assert_true(cz_service_available(&fixture->cz, CZ_GET_TIME));
	/* The caller gets a warning's status, but none of the outputs. */
	fixture->sim.hook[CZ_GET_TIME] = warn;
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), 4);
	assert_int_equal(time.year, 1999);
}

/* ---- Faults and aborts ---- */

static volatile uint64_t fault_address;

static uint64_t touch(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	(void)r;
	*(volatile uint8_t *)fault_address = 1;
	return CZ_EFI_SUCCESS;
}

/* Requires that GetTime is withdrawn, and no other service. */
static void assert_withdrawn(struct fixture *fixture)
{
	for (uint32_t i = 0; i < CZ_NULL_SERVICE; i++) {
		bool there =
			cz_service_available(&fixture->cz, (enum cz_service)i);

		assert_int_equal(there, i != CZ_GET_TIME);
	}
	assert_status(cz_null_service(&fixture->cz, LATER), CZ_OK);
}

static void faults(void **state)
{
	static const uint64_t addresses[] = {
		16, /* null */
		SIM_CODE, /* read-only */
		SIM_CODE_2 + 0x5000, /* not in the attributes table */
		SIM_BOOT, /* boot services data */
		SIM_WINDOW, /* the trampoline */
		SIM_WINDOW + 2 * SIM_PAGE - 1, /* below the stack */
		SIM_WINDOW + 10 * SIM_PAGE, /* above the stack */
	};
	struct fixture *fixture = *state;
	struct cz_efi_time time;

	fixture->sim.hook[CZ_GET_TIME] = touch;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		fault_address = addresses[i];
		assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER),
			      CZ_E_FAULT);
		assert_int_equal(stats_of(fixture).faults, i + 1);
		assert_withdrawn(fixture);
		for (uint32_t j = 0; j < CZ_NULL_SERVICE; j++) {
			cz_restore(&fixture->cz, (enum cz_service)j);
		}
	}
	assert_true(sim_logged(&fixture->sim,
			       "0 GetTime: data abort at RuntimeDxe+0x1010 "
			       "(0x40201010)"));
	assert_true(
		sim_logged(&fixture->sim,
			   "0 address 0x40200000: not allowed; runtime code "
			   "0x40200000-0x"));
	/* Firmware can write its own data and device. */
	fault_address = SIM_STATE;
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	fault_address = SIM_MMIO;
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
}

static bool is_held(void *argument)
{
	struct fixture *fixture = argument;

	return __atomic_load_n(&fixture->sim.entered_hold, __ATOMIC_SEQ_CST);
}

static void hold(struct fixture *fixture, struct cz_call *call,
		 cz_request_id *id, sim_service how)
{
	static struct cz_efi_time time;

	fixture->sim.hook[CZ_GET_TIME] = how;
	fixture->sim.held = true;
	fixture->sim.entered_hold = false;
	cz_prepare_get_time(call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, call, id), CZ_OK);
	assert_true(sim_until(is_held, fixture));
}

static void abort_in_flight(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call queued_call;
	struct cz_call null_call;
	struct cz_call call;
	struct cz_efi_time time;
	cz_request_id id;
	cz_request_id queued;
	cz_request_id null;

	hold(fixture, &call, &id, sim_hold);
	cz_prepare_get_time(&queued_call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, &queued_call, &queued), CZ_OK);
	cz_prepare_null_service(&null_call);
	assert_status(cz_submit(&fixture->cz, &null_call, &null), CZ_OK);
	cz_abort_in_flight(&fixture->cz);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_ABORTED);
	/* The service is withdrawn, so the queued request ends, too. */
	assert_status(cz_wait(&fixture->cz, queued, &queued_call, LATER),
		      CZ_E_WITHDRAWN);
	assert_status(cz_wait(&fixture->cz, null, &null_call, LATER), CZ_OK);
	assert_withdrawn(fixture);
	assert_int_equal(stats_of(fixture).aborts, 1);
	assert_int_equal(stats_of(fixture).faults, 0);
	assert_int_equal(stats_of(fixture).submitted,
			 stats_of(fixture).completed +
				 stats_of(fixture).cancelled);
}

static uint64_t deaf(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)cz;
	(void)r;
	__atomic_store_n(&sim->entered_hold, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&sim->held, __ATOMIC_SEQ_CST)) {
		;
	}
	return CZ_EFI_SUCCESS;
}

/* Acts as if the abort's first interrupt arrived before firmware was entered:
 * it takes only the second one, which the watch sends. */
static uint64_t late_to_hear(struct cz_host *sim, struct cz *cz,
			     const uint64_t *r)
{
	deaf(sim, cz, r);
	while (__atomic_load_n(&sim->interrupts_sent, __ATOMIC_SEQ_CST) < 2) {
		;
	}
	sim_interrupt(cz);
	return CZ_EFI_SUCCESS;
}

static void abort_sent_again(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call call;
	cz_request_id id;

	hold(fixture, &call, &id, late_to_hear);
	cz_abort_in_flight(&fixture->cz);
	assert_int_equal(fixture->sim.interrupts_sent, 1);
	sim_release_hold(&fixture->sim);
	sim_fire(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_ABORTED);
	assert_int_equal(fixture->sim.interrupts_sent, 2);
}

/* An abort without a call in flight does not end the next call. */
static void abort_without_a_call(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call call;
	cz_request_id id;

	cz_abort_in_flight(&fixture->cz);
	assert_int_equal(fixture->cz.end_request, 0);
	hold(fixture, &call, &id, sim_hold);
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
	assert_int_equal(stats_of(fixture).aborts, 0);
}

/* Returns by itself once its end has been asked for, and takes no interrupt. */
static uint64_t outrun(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)r;
	__atomic_store_n(&sim->entered_hold, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&cz->end_request, __ATOMIC_ACQUIRE) == 0) {
		;
	}
	return CZ_EFI_SUCCESS;
}

static uint64_t interrupted(struct cz_host *sim, struct cz *cz,
			    const uint64_t *r)
{
	(void)sim;
	(void)r;
	sim_interrupt(cz);
	return CZ_EFI_SUCCESS;
}

/* An abort that came too late for its call does not end the next call. */
static void abort_too_late(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	struct cz_call call;
	cz_request_id id;

	fixture->sim.hook[CZ_GET_TIME] = outrun;
	fixture->sim.entered_hold = false;
	cz_prepare_get_time(&call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	assert_true(sim_until(is_held, fixture));
	cz_abort_in_flight(&fixture->cz);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
	fixture->sim.hook[CZ_GET_TIME] = interrupted;
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_int_equal(stats_of(fixture).aborts, 0);
}

static void abort_of_a_released_call(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call call;
	cz_request_id id;

	hold(fixture, &call, &id, sim_hold);
	cz_release(&fixture->cz, id);
	cz_abort_in_flight(&fixture->cz);
	while (stats_of(fixture).late != 1) {
		;
	}
	assert_int_equal(stats_of(fixture).aborts, 1);
	assert_int_equal(fixture->cz.free_requests, 15);
}

/* ---- Limits ---- */

/* Fires the timer until the request is done, at most `most` times. Returns how
 * many times. */
static int fire_until_done(struct fixture *fixture, cz_request_id id, int most)
{
	struct cz_request *request = &fixture->cz.requests[(id & 0xffff) - 1];
	int periods = 0;

	while (__atomic_load_n(&request->state, __ATOMIC_ACQUIRE) !=
		       CZ_REQUEST_DONE &&
	       periods < most) {
		sim_fire(&fixture->sim);
		periods++;
		usleep(2000);
	}
	return periods;
}

static void killed_at_the_limit(void **state)
{
	struct fixture *fixture = *state;
	struct cz_ending ending;
	struct cz_call call;
	cz_request_id id;
	int periods;

	assert_false(cz_get_ending(&fixture->cz, CZ_GET_TIME, &ending));
	hold(fixture, &call, &id, sim_hold);
	periods = fire_until_done(fixture, id, 100);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_KILLED);
	assert_in_range(periods, 16, 19);
	assert_int_equal(stats_of(fixture).kills, 1);
	assert_int_equal(stats_of(fixture).dirty, 0);
	assert_true(fixture->sim.interrupts_sent > 0);
	assert_true(sim_logged(&fixture->sim,
			       "0 GetTime: past its kill limit of 2000 ms"));
	assert_true(sim_logged(&fixture->sim, "exact: it touched nothing"));
	assert_withdrawn(fixture);
	assert_true(cz_get_ending(&fixture->cz, CZ_GET_TIME, &ending));
	assert_status(ending.status, CZ_E_KILLED);
	assert_int_equal(ending.number, 1);
	/* The running time of one call does not count for the next one. */
	sim_release_hold(&fixture->sim);
	cz_restore(&fixture->cz, CZ_GET_TIME);
	hold(fixture, &call, &id, sim_hold);
	for (int i = 0; i < 10; i++) {
		sim_fire(&fixture->sim);
	}
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
	hold(fixture, &call, &id, sim_hold);
	for (int i = 0; i < 10; i++) {
		sim_fire(&fixture->sim);
	}
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
}

/* ---- Timers that are late ---- */

#define SECOND 1000000000ull

/* Holds a GetTime, whose limit is 2 s. SetTime has the smallest limit that is
 * allowed, so that the timer's period is short. */
static struct cz_request *hold_beside_a_small_limit(struct fixture *fixture,
						    struct cz_call *call,
						    cz_request_id *id)
{
	static struct cz_policy policy;

	policy = cz_default_policy;
	policy.service[CZ_SET_TIME].kill_limit_ns = CZ_MIN_KILL_LIMIT_NS;
	fixture->config.policy = &policy;
	assert_status(fixture_start(fixture), CZ_OK);
	hold(fixture, call, id, sim_hold);
	return &fixture->cz.requests[(*id & 0xffff) - 1];
}

static bool is_done(void *argument)
{
	const struct cz_request *request = argument;

	return __atomic_load_n(&request->state, __ATOMIC_ACQUIRE) ==
	       CZ_REQUEST_DONE;
}

/* Fires the timer so many times, each time late by late_ns. */
static void fire_late(struct fixture *fixture, unsigned times, uint64_t late_ns)
{
	for (unsigned i = 0; i < times; i++) {
		sim_leap(&fixture->sim, fixture->sim.timer_ns + late_ns);
		assert_true(sim_fire(&fixture->sim));
	}
}

/* A limit counts time, not how often the timer has fired. */
static void killed_by_a_late_timer(void **state)
{
	struct fixture *fixture = *state;
	struct cz_request *request;
	struct cz_call call;
	cz_request_id id;

	request = hold_beside_a_small_limit(fixture, &call, &id);
	/* The first time the watch finds a new call; 19 more make 1.9 s. */
	fire_late(fixture, 20, SECOND / 10 - fixture->cz.watch_period_ns);
	assert_int_equal(fixture->sim.interrupts_sent, 0);
	fire_late(fixture, 1, SECOND / 10);
	assert_true(sim_until(is_done, request));
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_KILLED);
	sim_release_hold(&fixture->sim);
}

/* When the machine slept for an hour, the call has not run for an hour: at most
 * a sixteenth of the limit counts at once. */
static void not_killed_by_one_late_timer(void **state)
{
	struct fixture *fixture = *state;
	struct cz_request *request;
	struct cz_call call;
	cz_request_id id;

	request = hold_beside_a_small_limit(fixture, &call, &id);
	fire_late(fixture, 16, 3600 * SECOND);
	assert_int_equal(fixture->sim.interrupts_sent, 0);
	fire_late(fixture, 1, 3600 * SECOND);
	assert_true(sim_until(is_done, request));
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_KILLED);
	sim_release_hold(&fixture->sim);
}

/* ---- The watch meets a newer call ---- */

struct newer {
	struct fixture *fixture;
	cz_request_id id, older_id;
	struct cz_call call, older;
};

/* Takes no interrupt while it is held, and one after that. */
static uint64_t interrupted_late(struct cz_host *sim, struct cz *cz,
				 const uint64_t *r)
{
	deaf(sim, cz, r);
	sim_interrupt(cz);
	return CZ_EFI_SUCCESS;
}

/* Lets the call that is past its limit return by itself, starts another call,
 * and aborts that one. */
static void abort_the_next(void *argument)
{
	struct newer *newer = argument;
	struct fixture *fixture = newer->fixture;

	sim_release_hold(&fixture->sim);
	assert_status(
		cz_wait(&fixture->cz, newer->older_id, &newer->older, LATER),
		CZ_OK);
	hold(fixture, &newer->call, &newer->id, interrupted_late);
	cz_abort_in_flight(&fixture->cz);
}

/* Runs abort_the_next() while the watch asks for the end of the older call. If
 * `loads` is 0, that is before the watch reads end_request; if it is 1, between
 * that and the watch's compare-and-swap. */
static void abort_while_the_watch_asks(struct fixture *fixture, unsigned loads)
{
	struct newer newer = {.fixture = fixture};

	hold(fixture, &newer.older, &newer.older_id, deaf);
	for (unsigned i = 0; i < 16; i++) {
		sim_fire(&fixture->sim);
	}
	assert_int_equal(fixture->cz.end_request & 1, 0); /* no kill */
	interleave_at(&fixture->cz.end_request, loads, abort_the_next, &newer);
	sim_fire(&fixture->sim);
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, newer.id, &newer.call, LATER),
		      CZ_E_ABORTED);
	cz_restore(&fixture->cz, CZ_GET_TIME);
	assert_int_equal(stats_of(fixture).kills, 0);
}

static void abort_during_a_kill(void **state)
{
	struct fixture *fixture = *state;

	abort_while_the_watch_asks(fixture, 0);
	abort_while_the_watch_asks(fixture, 1);
	assert_int_equal(stats_of(fixture).aborts, 2);
}

static void hold_the_next(void *argument)
{
	struct newer *newer = argument;

	hold(newer->fixture, &newer->call, &newer->id, sim_hold);
}

/* A call begins at the moment when the watch is about to stop. The watch stays
 * on for that call. */
static void watch_stays_on_for_a_new_call(void **state)
{
	struct fixture *fixture = *state;
	struct newer newer = {.fixture = fixture};
	struct cz_efi_time time;

	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	interleave_at(&fixture->cz.watch_state, 1, hold_the_next, &newer);
	assert_true(sim_fire(&fixture->sim));
	(void)fire_until_done(fixture, newer.id, 100);
	assert_status(cz_wait(&fixture->cz, newer.id, &newer.call, LATER),
		      CZ_E_KILLED);
	sim_release_hold(&fixture->sim);
}

/* ---- The time after a call has left firmware ---- */

static uint64_t read_null(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	(void)r;
	return *(volatile uint8_t *)16;
}

static void watch_the_report(struct fixture *fixture)
{
	assert_true(sim_until(is_held, fixture));
	for (int i = 0; i < 100; i++) {
		sim_fire(&fixture->sim);
	}
	assert_int_equal(fixture->sim.interrupts_sent, 0);
	sim_release_hold(&fixture->sim);
}

static void prepare_report(struct fixture *fixture)
{
	fixture->sim.hook[CZ_GET_TIME] = read_null;
	fixture->sim.held = true;
	fixture->sim.entered_hold = false;
	fixture->sim.held_in_log = true;
}

static void call_now_entry(void *argument)
{
	struct fixture *fixture = argument;
	struct cz_efi_time time;
	struct cz_call call;

	cz_prepare_get_time(&call, &time, NULL);
	assert_status(cz_call_now(&fixture->cz, &call), CZ_E_FAULT);
}

/* A slow console delays the report of a fault. That time does not count for the
 * call's limit. */
static void report_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct sim_thread *thread;
	struct cz_efi_time time;
	struct cz_call call;
	cz_request_id id;

	prepare_report(fixture);
	cz_prepare_get_time(&call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	watch_the_report(fixture);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_FAULT);
	cz_restore(&fixture->cz, CZ_GET_TIME);
	prepare_report(fixture);
	thread = sim_spawn(&fixture->sim, 10, call_now_entry, fixture);
	watch_the_report(fixture);
	sim_join(&fixture->sim, thread);
	assert_int_equal(stats_of(fixture).faults, 2);
	assert_int_equal(stats_of(fixture).stuck, 0);
}

/* The library tells the host how each call has ended. If the host does not keep
 * what the call did, the caller gets CZ_E_HOST. */
static void host_keeps_or_refuses(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	struct cz_call call;
	cz_request_id id;

	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_int_equal(fixture->sim.calls_ended, 1);
	assert_int_equal(fixture->sim.calls_completed, 1);
	fixture->sim.keeps_nothing = true;
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_E_HOST);
	fixture->sim.keeps_nothing = false;
	hold(fixture, &call, &id, sim_hold);
	(void)fire_until_done(fixture, id, 100);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_KILLED);
	assert_int_equal(fixture->sim.calls_ended, 3);
	assert_int_equal(fixture->sim.calls_completed, 2);
	sim_release_hold(&fixture->sim);
}

/* Time for which the worker is switched out does not count. */
static void not_killed_while_switched_out(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call call;
	cz_request_id id;

	hold(fixture, &call, &id, sim_hold);
	fixture->sim.not_running = true;
	assert_int_equal(fire_until_done(fixture, id, 60), 60);
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
	assert_int_equal(stats_of(fixture).kills, 0);
}

/* The watch stops when no call is in flight, and the next call starts it. */
static void watch_stops_when_idle(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	int periods = 0;

	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	while (sim_fire(&fixture->sim)) {
		assert_true(++periods < 3);
	}
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_true(sim_fire(&fixture->sim));
	/* It stops and starts a second time. */
	while (sim_fire(&fixture->sim)) {
		;
	}
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_true(sim_fire(&fixture->sim));
}

/* When a call past its limit takes no interrupt, the watch logs that once. */
static void call_takes_no_interrupt(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call call;
	cz_request_id id;

	hold(fixture, &call, &id, deaf);
	for (int i = 0; i < 30; i++) {
		sim_fire(&fixture->sim);
	}
	assert_true(sim_logged(&fixture->sim,
			       "0 GetTime has run for 3000 ms and takes no "
			       "interrupt"));
	assert_int_equal(stats_of(fixture).stuck, 1);
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
}

/* The time that the host needs to keep what a call did does not count for the
 * call's limit. */
static void host_commit_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call call;
	cz_request_id id;

	fixture->sim.held_at_end = true;
	hold(fixture, &call, &id, NULL);
	for (int i = 0; i < 100; i++) {
		sim_fire(&fixture->sim);
	}
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
	assert_int_equal(fixture->sim.interrupts_sent, 0);
	assert_int_equal(stats_of(fixture).stuck, 0);
	/* The next call has its limit as before. */
	fixture->sim.held_at_end = false;
	hold(fixture, &call, &id, sim_hold);
	fire_until_done(fixture, id, 100);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_KILLED);
}

/* ---- Writes to devices ---- */

static uint64_t write_device(struct cz_host *sim, struct cz *cz,
			     const uint64_t *r)
{
	*(volatile uint8_t *)SIM_MMIO = 1;
	*(volatile uint8_t *)(SIM_MMIO + 8) = 1;
	return sim_hold(sim, cz, r);
}

static bool device_is_writable(struct fixture *fixture)
{
	return (sim_mapped(&fixture->sim, SIM_MMIO)->prot & CZ_PROT_WRITE) != 0;
}

static void ended_after_a_device_write(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	struct cz_ending ending;
	struct cz_call call;
	cz_request_id id;

	assert_false(device_is_writable(fixture));
	fixture->sim.hook[CZ_GET_TIME] = write_device;
	fixture->sim.held = true;
	fixture->sim.entered_hold = false;
	cz_prepare_get_time(&call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	assert_true(sim_until(is_held, fixture));
	assert_true(device_is_writable(fixture));
	/* After a write to a device only the limit ends a call, not an
	 * abort. */
	cz_abort_in_flight(&fixture->cz);
	usleep(10000);
	assert_int_equal(stats_of(fixture).aborts, 0);
	fire_until_done(fixture, id, 100);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_KILLED);
	assert_int_equal(stats_of(fixture).dirty, 1);
	assert_false(device_is_writable(fixture));
	assert_true(cz_get_ending(&fixture->cz, CZ_GET_TIME, &ending));
	assert_int_equal(ending.touched, CZ_TOUCHED_DEVICE);
	assert_false(cz_service_available(&fixture->cz, CZ_SET_VARIABLE));
	assert_true(cz_service_available(&fixture->cz, CZ_GET_VARIABLE));
	assert_true(cz_service_available(&fixture->cz, CZ_RESET_SYSTEM));
	/* After a call that wrote to a device and returned by itself, nothing
	 * is withdrawn. */
	sim_release_hold(&fixture->sim);
	cz_restore(&fixture->cz, CZ_GET_TIME);
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_false(device_is_writable(fixture));
}

/* ---- State that firmware leaves changed ---- */

static void anomalies(void **state)
{
	struct fixture *fixture = *state;
	struct cz_stats stats;
	struct cz_efi_time time;

	fixture->sim.leave_anomalies = 1u << CZ_ANOMALY_INTERRUPTS |
				       1u << CZ_ANOMALY_PLATFORM_REGISTER;
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_true(sim_logged(&fixture->sim,
			       "1 GetTime (RuntimeDxe) left interrupt mask "
			       "changed: mended"));
	assert_true(
		sim_logged(&fixture->sim, "left platform register changed"));
	/* An anomaly is logged once, but counted every time. */
	sim_forget_log(&fixture->sim);
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_false(sim_logged(&fixture->sim, "left"));
	fixture->sim.leave_anomalies = 0;
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	stats = stats_of(fixture);
	assert_int_equal(stats.anomalies[CZ_ANOMALY_INTERRUPTS], 2);
	assert_int_equal(stats.anomalies[CZ_ANOMALY_PLATFORM_REGISTER], 2);
	assert_int_equal(stats.anomalies[CZ_ANOMALY_PAN], 0);
}

static uint64_t overrun(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)r;
	*(volatile uint64_t *)(cz->stack_top - CZ_STACK_PAGES * SIM_PAGE) = 1;
	return CZ_EFI_NOT_FOUND;
}

static void stack_canary(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;

	fixture->sim.hook[CZ_GET_TIME] = overrun;
	for (int i = 0; i < 2; i++) {
		assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER),
			      CZ_EFI_NOT_FOUND);
	}
	assert_int_equal(stats_of(fixture).anomalies[CZ_ANOMALY_STACK_CANARY],
			 2);
	assert_int_equal(*(uint64_t *)fixture->cz.stack.alias, CZ_STACK_CANARY);
}

int group_trouble(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses),
		STARTED(bad_status),
		STARTED(faults),
		STARTED(abort_in_flight),
		STARTED(abort_without_a_call),
		STARTED(abort_too_late),
		STARTED(abort_of_a_released_call),
		STARTED(killed_at_the_limit),
		FRESH(killed_by_a_late_timer),
		FRESH(not_killed_by_one_late_timer),
		STARTED(abort_during_a_kill),
		STARTED(watch_stays_on_for_a_new_call),
		STARTED(report_does_not_count),
		STARTED(host_keeps_or_refuses),
		STARTED(not_killed_while_switched_out),
		STARTED(watch_stops_when_idle),
		STARTED(call_takes_no_interrupt),
		STARTED(host_commit_does_not_count),
		STARTED(abort_sent_again),
		STARTED(ended_after_a_device_write),
		STARTED(anomalies),
		STARTED(stack_canary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
