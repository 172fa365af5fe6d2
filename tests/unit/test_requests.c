/* SPDX-License-Identifier: MIT */
/* The queue: order, inheritance, cancelling, releasing, withdrawing. */
#include "fixture.h"

#include "interleave.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUESTS 4 /* max_requests in the fixture's configuration */

static bool is_held(void *argument)
{
	struct fixture *fixture = argument;

	return __atomic_load_n(&fixture->sim.entered_hold, __ATOMIC_SEQ_CST);
}

/* Submits a SetTime and holds it in firmware. */
static cz_request_id hold(struct fixture *fixture, struct cz_call *call)
{
	static const struct cz_efi_time time = {.year = 2026, .month = 1};
	cz_request_id id = 0;

	fixture->sim.hook[CZ_SET_TIME] = sim_hold;
	fixture->sim.held = true;
	fixture->sim.entered_hold = false;
	cz_prepare_set_time(call, &time);
	assert_status(cz_submit(&fixture->cz, call, &id), CZ_OK);
	assert_true(sim_until(is_held, fixture));
	fixture->sim.order_count = 0;
	return id;
}

static void let_go(struct fixture *fixture, cz_request_id id,
		   const struct cz_call *call)
{
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, call, LATER), CZ_OK);
}

static struct cz_stats stats_of(struct fixture *fixture)
{
	struct cz_stats stats;

	cz_get_stats(&fixture->cz, &stats);
	return stats;
}

/* Requires that every request is free and firmware has no owner. */
static void assert_all_free(struct fixture *fixture)
{
	assert_int_equal(fixture->cz.free_requests, (1u << REQUESTS) - 1);
	assert_int_equal(fixture->cz.queued_requests, 0);
	assert_null(fixture->cz.in_flight);
}

/* ---- Without waiting ---- */

static void submit_and_wait(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time = {0};
	struct cz_call call;
	cz_request_id id = 0;

	cz_prepare_get_time(&call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	assert_int_not_equal(id, 0);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
	assert_int_equal(time.year, 2026);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_ARGUMENT);
	assert_status(cz_cancel(&fixture->cz, id), CZ_E_ARGUMENT);
	cz_release(&fixture->cz, id);
	assert_int_equal(stats_of(fixture).submitted, 1);
	assert_int_equal(stats_of(fixture).completed, 1);
	assert_all_free(fixture);
}

static void inputs_are_copied(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call held;
	struct cz_call call;
	cz_request_id hold_id = hold(fixture, &held);
	cz_request_id id;
	uint8_t data[4] = "abc";
	uint16_t name[] = u"A";

	cz_prepare_set_variable(&call, name, &test_guid, 7, data, 4);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	memset(data, 0, sizeof(data));
	name[0] = 'B';
	let_go(fixture, hold_id, &held);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
	assert_memory_equal(fixture->sim.variables[0].data, "abc", 4);
	assert_int_equal(fixture->sim.variables[0].name[0], 'A');
}

static void stale_ids(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call call;
	cz_request_id ids[8];

	cz_prepare_null_service(&call);
	for (int i = 0; i < 8; i++) {
		assert_status(cz_submit(&fixture->cz, &call, &ids[i]), CZ_OK);
		assert_status(cz_wait(&fixture->cz, ids[i], &call, LATER),
			      CZ_OK);
		for (int j = 0; j < i; j++) {
			assert_int_not_equal(ids[i], ids[j]);
		}
	}
	for (int i = 0; i < 8; i++) {
		assert_status(cz_wait(&fixture->cz, ids[i], &call, LATER),
			      CZ_E_ARGUMENT);
		assert_status(cz_cancel(&fixture->cz, ids[i]), CZ_E_ARGUMENT);
		cz_release(&fixture->cz, ids[i]);
	}
	assert_status(cz_cancel(&fixture->cz, 0), CZ_E_ARGUMENT);
	assert_status(cz_cancel(&fixture->cz, REQUESTS + 1), CZ_E_ARGUMENT);
	assert_status(cz_cancel(&fixture->cz, 0xffffffff), CZ_E_ARGUMENT);
	assert_all_free(fixture);
}

/* An id stays invalid when its slot is in use again for another request. */
static void stale_id_in_use(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call held, call;
	cz_request_id stale, held_id, id;

	cz_prepare_null_service(&call);
	assert_status(cz_submit(&fixture->cz, &call, &stale), CZ_OK);
	assert_status(cz_wait(&fixture->cz, stale, &call, LATER), CZ_OK);
	held_id = hold(fixture, &held);
	assert_int_equal(held_id & 0xffff, stale & 0xffff);
	assert_status(cz_wait(&fixture->cz, stale, &held, SOON), CZ_E_ARGUMENT);
	assert_status(cz_cancel(&fixture->cz, stale), CZ_E_ARGUMENT);
	cz_release(&fixture->cz, stale);
	let_go(fixture, held_id, &held);
	/* The same for a request that is queued, and could be cancelled. */
	held_id = hold(fixture, &held);
	assert_status(cz_submit(&fixture->cz, &call, &stale), CZ_OK);
	assert_status(cz_cancel(&fixture->cz, stale), CZ_OK);
	assert_status(cz_wait(&fixture->cz, stale, &call, LATER),
		      CZ_E_CANCELLED);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	assert_int_equal(id & 0xffff, stale & 0xffff);
	assert_status(cz_cancel(&fixture->cz, stale), CZ_E_ARGUMENT);
	cz_release(&fixture->cz, stale);
	assert_status(cz_wait(&fixture->cz, stale, &call, SOON), CZ_E_ARGUMENT);
	let_go(fixture, held_id, &held);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
	assert_all_free(fixture);
}

static void waiting_with_another_call(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	struct cz_call call;
	struct cz_call other;
	cz_request_id id;

	cz_prepare_null_service(&call);
	cz_prepare_get_time(&other, &time, NULL);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	assert_status(cz_wait(&fixture->cz, id, &other, LATER), CZ_E_ARGUMENT);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
}

struct caller {
	struct fixture *fixture;
	struct sim_thread *thread;
	uint64_t deadline_ns;
	enum cz_service service;
	cz_request_id id;
	const struct cz_call *call;
	cz_status status;
};

static void wait_for_id(void *argument)
{
	struct caller *caller = argument;

	caller->status = cz_wait(&caller->fixture->cz, caller->id, caller->call,
				 CZ_FOREVER);
}

static bool has_waiter(void *argument)
{
	struct caller *caller = argument;
	struct cz_request *request =
		&caller->fixture->cz.requests[(caller->id & 0xffff) - 1];

	return __atomic_load_n(&request->waiter, __ATOMIC_SEQ_CST) != NULL;
}

/* Only one thread can wait for a request. While it waits, cz_release() by
 * another thread has no effect. */
static void second_waiter_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct caller caller = {.fixture = fixture};
	struct cz_call held;

	caller.id = hold(fixture, &held);
	caller.call = &held;
	caller.thread = sim_spawn(&fixture->sim, 20, wait_for_id, &caller);
	assert_true(sim_until(has_waiter, &caller));
	assert_status(cz_wait(&fixture->cz, caller.id, &held, LATER),
		      CZ_E_ARGUMENT);
	cz_release(&fixture->cz, caller.id);
	sim_release_hold(&fixture->sim);
	sim_join(&fixture->sim, caller.thread);
	assert_status(caller.status, CZ_OK);
}

static void all_requests_in_use(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call held;
	struct cz_call call;
	cz_request_id hold_id = hold(fixture, &held);
	cz_request_id ids[REQUESTS];

	cz_prepare_null_service(&call);
	for (int i = 0; i < REQUESTS - 1; i++) {
		assert_status(cz_submit(&fixture->cz, &call, &ids[i]), CZ_OK);
	}
	assert_status(cz_submit(&fixture->cz, &call, &ids[3]), CZ_E_BUSY);
	/* A call that may wait for a free request does so until its
	 * deadline. */
	assert_status(cz_null_service(&fixture->cz, SOON), CZ_E_DEADLINE);
	let_go(fixture, hold_id, &held);
	for (int i = 0; i < REQUESTS - 1; i++) {
		assert_status(cz_wait(&fixture->cz, ids[i], &call, LATER),
			      CZ_OK);
	}
	assert_int_equal(stats_of(fixture).deadlines, 1);
	assert_all_free(fixture);
}

static void call_service(void *argument)
{
	struct caller *caller = argument;
	struct cz *cz = &caller->fixture->cz;
	struct cz_efi_time time;
	uint32_t count;
	uint64_t word;

	switch (caller->service) {
	case CZ_GET_TIME:
		caller->status =
			cz_get_time(cz, &time, NULL, caller->deadline_ns);
		break;
	case CZ_GET_NEXT_HIGH_MONOTONIC_COUNT:
		caller->status = cz_get_next_high_monotonic_count(
			cz, &count, caller->deadline_ns);
		break;
	case CZ_QUERY_VARIABLE_INFO:
		caller->status = cz_query_variable_info(
			cz, 7, &word, &word, &word, caller->deadline_ns);
		break;
	case CZ_RESET_SYSTEM:
		caller->status = cz_reset_system(cz, CZ_EFI_RESET_COLD, CZ_OK,
						 NULL, 0, caller->deadline_ns);
		break;
	default:
		caller->status = cz_null_service(cz, caller->deadline_ns);
		break;
	}
}

static void start(struct fixture *fixture, struct caller *caller, int priority,
		  enum cz_service service, uint64_t deadline_ns)
{
	caller->fixture = fixture;
	caller->service = service;
	caller->deadline_ns = deadline_ns;
	caller->thread =
		sim_spawn(&fixture->sim, priority, call_service, caller);
}

static cz_status join(struct fixture *fixture, struct caller *caller)
{
	sim_join(&fixture->sim, caller->thread);
	return caller->status;
}

static uint32_t wanted_queued;

static bool has_queued(void *argument)
{
	struct fixture *fixture = argument;
	uint64_t queued =
		__atomic_load_n(&fixture->cz.queued_requests, __ATOMIC_SEQ_CST);

	return (uint32_t)__builtin_popcountll(queued) == wanted_queued;
}

/* Starts a caller and waits until its request is queued. */
static void start_queued(struct fixture *fixture, struct caller *caller,
			 int priority, enum cz_service service)
{
	wanted_queued =
		(uint32_t)__builtin_popcountll(fixture->cz.queued_requests) + 1;
	start(fixture, caller, priority, service, CZ_FOREVER);
	assert_true(sim_until(has_queued, fixture));
}

static int wanted_priority;

static bool has_priority(void *argument)
{
	struct fixture *fixture = argument;

	return sim_priority(&fixture->sim,
			    (struct sim_thread *)fixture->cz.worker) ==
	       wanted_priority;
}

/* Waits until the worker has inherited this priority from the threads that wait
 * for it. */
static void assert_lent(struct fixture *fixture, int priority)
{
	wanted_priority = priority;
	assert_true(sim_until(has_priority, fixture));
}

static bool has_room_waiters(void *argument)
{
	struct fixture *fixture = argument;

	return __atomic_load_n(&fixture->cz.room_waiters, __ATOMIC_SEQ_CST) ==
	       3;
}

/* Three callers wait for a free request. Each of them gets one. */
static void waiting_for_a_free_request(void **state)
{
	struct fixture *fixture = *state;
	struct caller callers[3];
	struct cz_call held;
	struct cz_call call;
	cz_request_id hold_id = hold(fixture, &held);
	cz_request_id ids[REQUESTS];

	cz_prepare_null_service(&call);
	for (int i = 0; i < REQUESTS - 1; i++) {
		assert_status(cz_submit(&fixture->cz, &call, &ids[i]), CZ_OK);
	}
	for (int i = 0; i < 3; i++) {
		start(fixture, &callers[i], 30 + i, CZ_GET_TIME, CZ_FOREVER);
	}
	assert_true(sim_until(has_room_waiters, fixture));
	/* The worker inherits their priority, though they have no request. */
	assert_lent(fixture, 32);
	assert_status(cz_cancel(&fixture->cz, ids[0]), CZ_OK);
	assert_status(cz_wait(&fixture->cz, ids[0], &call, LATER),
		      CZ_E_CANCELLED);
	cz_release(&fixture->cz, ids[1]);
	let_go(fixture, hold_id, &held);
	for (int i = 0; i < 3; i++) {
		assert_status(join(fixture, &callers[i]), CZ_OK);
	}
	assert_status(cz_wait(&fixture->cz, ids[2], &call, LATER), CZ_OK);
	assert_all_free(fixture);
}

/* A caller that stops where it reads its request's state, as if it were not
 * scheduled any more. Its request completes, but it does not take the
 * result. */
struct stopped {
	struct caller caller;
	bool stopped, go_on;
};

static void stop_here(void *argument)
{
	struct stopped *stopped = argument;

	__atomic_store_n(&stopped->stopped, true, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&stopped->go_on, __ATOMIC_SEQ_CST)) {
		usleep(100);
	}
}

static void stopped_entry(void *argument)
{
	struct stopped *stopped = argument;
	struct cz *cz = &stopped->caller.fixture->cz;
	int first = __builtin_ctzll(cz->free_requests);

	interleave_at(&cz->requests[first].state, 0, stop_here, stopped);
	call_service(&stopped->caller);
}

static bool is_stopped(void *argument)
{
	struct stopped *stopped = argument;

	return __atomic_load_n(&stopped->stopped, __ATOMIC_SEQ_CST);
}

static bool has_inherited(void *argument)
{
	struct caller *caller = argument;

	return sim_priority(&caller->fixture->sim, caller->thread) == 30;
}

static void stop_a_caller(struct fixture *fixture, struct stopped *stopped)
{
	memset(stopped, 0, sizeof(*stopped));
	stopped->caller.fixture = fixture;
	stopped->caller.service = CZ_GET_TIME;
	stopped->caller.deadline_ns = CZ_FOREVER;
	stopped->caller.thread =
		sim_spawn(&fixture->sim, 5, stopped_entry, stopped);
	assert_true(sim_until(is_stopped, stopped));
}

static void let_it_go_on(struct fixture *fixture, struct stopped *stopped)
{
	__atomic_store_n(&stopped->go_on, true, __ATOMIC_SEQ_CST);
	assert_status(join(fixture, &stopped->caller), CZ_OK);
}

/* A caller that waits for a free request passes its priority on to a caller
 * that has not taken its result yet. The other requests here have no waiter. */
static void priority_of_unread_results(void **state)
{
	struct fixture *fixture = *state;
	struct stopped stopped[2];
	struct caller urgent;
	struct cz_call call;
	cz_request_id ids[REQUESTS - 2];

	stop_a_caller(fixture, &stopped[0]);
	stop_a_caller(fixture, &stopped[1]);
	cz_prepare_null_service(&call);
	for (int i = 0; i < REQUESTS - 2; i++) {
		assert_status(cz_submit(&fixture->cz, &call, &ids[i]), CZ_OK);
	}
	start(fixture, &urgent, 30, CZ_QUERY_VARIABLE_INFO, CZ_FOREVER);
	assert_true(sim_until(has_inherited, &stopped[0].caller));
	let_it_go_on(fixture, &stopped[0]);
	assert_status(join(fixture, &urgent), CZ_OK);
	assert_int_equal(sim_priority(&fixture->sim, stopped[1].caller.thread),
			 5);
	let_it_go_on(fixture, &stopped[1]);
	for (int i = 0; i < REQUESTS - 2; i++) {
		assert_status(cz_wait(&fixture->cz, ids[i], &call, LATER),
			      CZ_OK);
	}
	assert_all_free(fixture);
}

static uint64_t wanted_completed;

static bool has_completed(void *argument)
{
	return stats_of(argument).completed >= wanted_completed;
}

static bool one_room_waiter(void *argument)
{
	struct fixture *fixture = argument;

	return __atomic_load_n(&fixture->cz.room_waiters, __ATOMIC_SEQ_CST) ==
	       1;
}

/* A caller that cannot run, and so does not take its result, delays no queued
 * request. */
static void unread_result_delays_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct stopped stopped;
	struct caller queued, urgent;
	struct cz_call held, null;
	cz_request_id hold_id, id;

	stop_a_caller(fixture, &stopped);
	hold_id = hold(fixture, &held);
	start_queued(fixture, &queued, 50, CZ_GET_NEXT_HIGH_MONOTONIC_COUNT);
	cz_prepare_null_service(&null);
	assert_status(cz_submit(&fixture->cz, &null, &id), CZ_OK);
	start(fixture, &urgent, 30, CZ_QUERY_VARIABLE_INFO, CZ_FOREVER);
	assert_true(sim_until(one_room_waiter, fixture));
	sim_release_hold(&fixture->sim);
	wanted_completed = 3;
	assert_true(sim_until(has_completed, fixture));
	let_it_go_on(fixture, &stopped);
	assert_status(join(fixture, &queued), CZ_OK);
	assert_status(cz_wait(&fixture->cz, hold_id, &held, LATER), CZ_OK);
	assert_status(cz_wait(&fixture->cz, id, &null, LATER), CZ_OK);
	assert_status(join(fixture, &urgent), CZ_OK);
	assert_all_free(fixture);
}

static bool has_deadline(void *argument)
{
	return stats_of(argument).deadlines == 1;
}

static bool lends_to_nobody(void *argument)
{
	struct fixture *fixture = argument;
	struct sim_thread *worker = (struct sim_thread *)fixture->cz.worker;

	return __atomic_load_n(&worker->waits_for, __ATOMIC_SEQ_CST) == NULL;
}

/* The worker still lends its priority to a thread when nobody waits for a free
 * request any more. It stops when that thread's call returns, because the
 * thread may end after that. */
static void lending_ends_with_the_call(void **state)
{
	struct fixture *fixture = *state;
	struct stopped stopped;
	struct caller urgent;
	struct cz_call call;
	cz_request_id ids[REQUESTS - 1];

	stop_a_caller(fixture, &stopped);
	cz_prepare_null_service(&call);
	for (int i = 0; i < REQUESTS - 1; i++) {
		assert_status(cz_submit(&fixture->cz, &call, &ids[i]), CZ_OK);
	}
	start(fixture, &urgent, 30, CZ_QUERY_VARIABLE_INFO, SOON);
	assert_true(sim_until(has_deadline, fixture));
	assert_status(join(fixture, &urgent), CZ_E_DEADLINE);
	let_it_go_on(fixture, &stopped);
	assert_true(sim_until(lends_to_nobody, fixture));
	for (int i = 0; i < REQUESTS - 1; i++) {
		assert_status(cz_wait(&fixture->cz, ids[i], &call, LATER),
			      CZ_OK);
	}
	assert_all_free(fixture);
}

/* ---- Order ---- */

static void by_priority(void **state)
{
	struct fixture *fixture = *state;
	struct caller callers[3];
	struct cz_call held;
	cz_request_id hold_id = hold(fixture, &held);

	start_queued(fixture, &callers[0], 20, CZ_GET_TIME);
	start_queued(fixture, &callers[1], 40, CZ_QUERY_VARIABLE_INFO);
	start_queued(fixture, &callers[2], 30,
		     CZ_GET_NEXT_HIGH_MONOTONIC_COUNT);
	assert_lent(fixture, 40);
	let_go(fixture, hold_id, &held);
	for (int i = 0; i < 3; i++) {
		assert_status(join(fixture, &callers[i]), CZ_OK);
	}
	assert_int_equal(fixture->sim.order[0], CZ_QUERY_VARIABLE_INFO);
	assert_int_equal(fixture->sim.order[1],
			 CZ_GET_NEXT_HIGH_MONOTONIC_COUNT);
	assert_int_equal(fixture->sim.order[2], CZ_GET_TIME);
}

static void by_age(void **state)
{
	struct fixture *fixture = *state;
	struct caller callers[3];
	struct cz_call held;
	cz_request_id hold_id = hold(fixture, &held);

	start_queued(fixture, &callers[0], 20, CZ_GET_TIME);
	start_queued(fixture, &callers[1], 20, CZ_QUERY_VARIABLE_INFO);
	start_queued(fixture, &callers[2], 20,
		     CZ_GET_NEXT_HIGH_MONOTONIC_COUNT);
	let_go(fixture, hold_id, &held);
	for (int i = 0; i < 3; i++) {
		assert_status(join(fixture, &callers[i]), CZ_OK);
	}
	assert_int_equal(fixture->sim.order[0], CZ_GET_TIME);
	assert_int_equal(fixture->sim.order[1], CZ_QUERY_VARIABLE_INFO);
	assert_int_equal(fixture->sim.order[2],
			 CZ_GET_NEXT_HIGH_MONOTONIC_COUNT);
}

static void boosted_while_waiting(void **state)
{
	struct fixture *fixture = *state;
	struct caller callers[2];
	struct cz_call held;
	cz_request_id hold_id = hold(fixture, &held);

	start_queued(fixture, &callers[0], 20, CZ_GET_TIME);
	start_queued(fixture, &callers[1], 15, CZ_QUERY_VARIABLE_INFO);
	sim_set_priority(callers[1].thread, 50);
	assert_lent(fixture, 50);
	let_go(fixture, hold_id, &held);
	assert_status(join(fixture, &callers[0]), CZ_OK);
	assert_status(join(fixture, &callers[1]), CZ_OK);
	assert_int_equal(fixture->sim.order[0], CZ_QUERY_VARIABLE_INFO);
}

/* A request without a waiter has the priority that its submitter had when it
 * submitted the request. */
static void submitted_priority(void **state)
{
	struct fixture *fixture = *state;
	struct sim_thread *self = sim_self(&fixture->sim);
	struct cz_efi_time time;
	struct cz_call held;
	struct cz_call calls[2];
	uint32_t count;
	cz_request_id hold_id = hold(fixture, &held);
	cz_request_id ids[2];

	cz_prepare_get_time(&calls[0], &time, NULL);
	cz_prepare_get_next_high_monotonic_count(&calls[1], &count);
	sim_set_priority(self, 20);
	assert_status(cz_submit(&fixture->cz, &calls[0], &ids[0]), CZ_OK);
	sim_set_priority(self, 30);
	assert_status(cz_submit(&fixture->cz, &calls[1], &ids[1]), CZ_OK);
	sim_set_priority(self, 5);
	/* A wait that reached its deadline does not change that priority. */
	assert_status(cz_wait(&fixture->cz, ids[0], &calls[0], SOON),
		      CZ_E_DEADLINE);
	let_go(fixture, hold_id, &held);
	assert_status(cz_wait(&fixture->cz, ids[0], &calls[0], LATER), CZ_OK);
	assert_status(cz_wait(&fixture->cz, ids[1], &calls[1], LATER), CZ_OK);
	assert_int_equal(fixture->sim.order[0],
			 CZ_GET_NEXT_HIGH_MONOTONIC_COUNT);
}

/* A request keeps its submitter's priority if its waiter is less urgent. */
static void submitted_priority_is_kept(void **state)
{
	struct fixture *fixture = *state;
	struct sim_thread *self = sim_self(&fixture->sim);
	struct caller caller = {.fixture = fixture};
	struct cz_efi_time time;
	struct cz_call held;
	struct cz_call calls[2];
	uint32_t count;
	cz_request_id hold_id = hold(fixture, &held);
	cz_request_id id;

	cz_prepare_get_time(&calls[0], &time, NULL);
	cz_prepare_get_next_high_monotonic_count(&calls[1], &count);
	sim_set_priority(self, 50);
	assert_status(cz_submit(&fixture->cz, &calls[0], &caller.id), CZ_OK);
	sim_set_priority(self, 20);
	assert_status(cz_submit(&fixture->cz, &calls[1], &id), CZ_OK);
	caller.call = &calls[0];
	caller.thread = sim_spawn(&fixture->sim, 5, wait_for_id, &caller);
	assert_true(sim_until(has_waiter, &caller));
	let_go(fixture, hold_id, &held);
	assert_status(cz_wait(&fixture->cz, id, &calls[1], LATER), CZ_OK);
	assert_status(join(fixture, &caller), CZ_OK);
	assert_int_equal(fixture->sim.order[0], CZ_GET_TIME);
}

static void reset_goes_first(void **state)
{
	struct fixture *fixture = *state;
	struct caller callers[3];
	struct cz_call held;
	cz_request_id hold_id = hold(fixture, &held);

	start_queued(fixture, &callers[0], 90, CZ_GET_TIME);
	start_queued(fixture, &callers[1], 2, CZ_RESET_SYSTEM);
	start_queued(fixture, &callers[2], 95, CZ_QUERY_VARIABLE_INFO);
	let_go(fixture, hold_id, &held);
	for (int i = 0; i < 3; i++) {
		join(fixture, &callers[i]);
	}
	assert_int_equal(fixture->sim.order[0], CZ_RESET_SYSTEM);
	assert_int_equal(fixture->sim.order[1], CZ_QUERY_VARIABLE_INFO);
	assert_status(callers[1].status, CZ_EFI_UNSUPPORTED);
}

/* ---- Deadlines, cancelling, releasing ---- */

static void deadline_in_flight(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time = {.year = 2031, .month = 5};

	fixture->sim.hook[CZ_SET_TIME] = sim_hold;
	fixture->sim.held = true;
	assert_status(cz_set_time(&fixture->cz, &time, SOON), CZ_E_DEADLINE);
	memset(&time, 0, sizeof(time));
	assert_int_equal(stats_of(fixture).deadlines, 1);
	assert_int_equal(stats_of(fixture).late, 0);
	sim_release_hold(&fixture->sim);
	/* The call went on with a copy of its input, and is counted as late. */
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_int_equal(time.year, 2031);
	assert_int_equal(stats_of(fixture).late, 1);
	assert_int_equal(stats_of(fixture).service[CZ_SET_TIME].calls, 1);
	assert_all_free(fixture);
}

static void deadline_in_queue(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	struct cz_call held;
	cz_request_id hold_id = hold(fixture, &held);

	assert_status(cz_get_time(&fixture->cz, &time, NULL, SOON),
		      CZ_E_DEADLINE);
	assert_status(cz_get_time(&fixture->cz, &time, NULL, 0), CZ_E_DEADLINE);
	let_go(fixture, hold_id, &held);
	assert_int_equal(fixture->sim.order_count, 0);
	assert_int_equal(stats_of(fixture).cancelled, 2);
	assert_int_equal(stats_of(fixture).submitted, 3);
	assert_all_free(fixture);
}

static void wait_again_after_deadline(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call held;
	cz_request_id id = hold(fixture, &held);

	assert_status(cz_wait(&fixture->cz, id, &held, SOON), CZ_E_DEADLINE);
	assert_status(cz_wait(&fixture->cz, id, &held, 0), CZ_E_DEADLINE);
	let_go(fixture, id, &held);
	assert_int_equal(stats_of(fixture).deadlines, 2);
	assert_int_equal(stats_of(fixture).late, 0);
}

static bool is_done(void *argument)
{
	struct fixture *fixture = argument;

	return stats_of(fixture).completed == 1;
}

/* cz_wait() returns the result of a call that has completed, even when the
 * deadline has passed. */
static void done_before_the_wait(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time = {0};
	struct cz_call call;
	cz_request_id id;

	cz_prepare_get_time(&call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	assert_true(sim_until(is_done, fixture));
	assert_int_equal(time.year, 0);
	assert_status(cz_cancel(&fixture->cz, id), CZ_E_IN_FLIGHT);
	assert_status(cz_wait(&fixture->cz, id, &call, 0), CZ_OK);
	assert_int_equal(time.year, 2026);
}

static void cancel(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time = {0};
	struct cz_call held;
	struct cz_call call;
	cz_request_id hold_id = hold(fixture, &held);
	cz_request_id id;

	cz_prepare_get_time(&call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	assert_status(cz_cancel(&fixture->cz, hold_id), CZ_E_IN_FLIGHT);
	assert_status(cz_cancel(&fixture->cz, id), CZ_OK);
	assert_status(cz_cancel(&fixture->cz, id), CZ_E_IN_FLIGHT);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_CANCELLED);
	let_go(fixture, hold_id, &held);
	assert_int_equal(fixture->sim.order_count, 0);
	assert_int_equal(time.year, 0);
	assert_int_equal(stats_of(fixture).cancelled, 1);
	assert_all_free(fixture);
}

static void release(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call held;
	struct cz_call call;
	cz_request_id hold_id = hold(fixture, &held);
	cz_request_id id;

	cz_prepare_null_service(&call);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	cz_release(&fixture->cz, id);
	cz_release(&fixture->cz, id);
	cz_release(&fixture->cz, hold_id);
	assert_status(cz_wait(&fixture->cz, hold_id, &held, LATER),
		      CZ_E_ARGUMENT);
	assert_status(cz_cancel(&fixture->cz, hold_id), CZ_E_ARGUMENT);
	sim_release_hold(&fixture->sim);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	while (stats_of(fixture).completed != 2) {
		;
	}
	cz_release(&fixture->cz, id);
	assert_int_equal(stats_of(fixture).late, 1);
	assert_int_equal(stats_of(fixture).cancelled, 1);
	assert_all_free(fixture);
}

/* ---- Withdrawing ---- */

static void withdraw(void **state)
{
	struct fixture *fixture = *state;
	struct caller callers[2];
	struct cz_efi_time time;
	struct cz_call held;
	cz_request_id hold_id = hold(fixture, &held);

	start_queued(fixture, &callers[0], 20, CZ_GET_TIME);
	start_queued(fixture, &callers[1], 20, CZ_QUERY_VARIABLE_INFO);
	cz_withdraw(&fixture->cz, CZ_GET_TIME);
	assert_status(join(fixture, &callers[0]), CZ_E_WITHDRAWN);
	assert_false(cz_service_available(&fixture->cz, CZ_GET_TIME));
	assert_true(cz_service_available(&fixture->cz, CZ_SET_TIME));
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER),
		      CZ_E_WITHDRAWN);
	/* The call in flight goes on, though its service is withdrawn. */
	cz_withdraw(&fixture->cz, CZ_SET_TIME);
	let_go(fixture, hold_id, &held);
	assert_status(join(fixture, &callers[1]), CZ_OK);
	cz_restore(&fixture->cz, CZ_GET_TIME);
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	cz_withdraw(&fixture->cz, CZ_SERVICE_COUNT);
	cz_restore(&fixture->cz, CZ_SERVICE_COUNT);
	assert_int_equal(stats_of(fixture).submitted,
			 stats_of(fixture).completed +
				 stats_of(fixture).cancelled);
}

/* ---- Statistics ---- */

static void statistics(void **state)
{
	struct fixture *fixture = *state;
	struct cz_service_stats stats;
	struct cz_efi_time time = {.month = 13};

	for (int i = 0; i < 3; i++) {
		cz_set_time(&fixture->cz, &time, LATER);
	}
	stats = stats_of(fixture).service[CZ_SET_TIME];
	assert_int_equal(stats.calls, 3);
	assert_int_equal(stats.failures, 3);
	assert_true(stats.min_ns > 0 && stats.min_ns <= stats.max_ns);
	assert_true(stats.total_ns >= 3 * stats.min_ns &&
		    stats.total_ns <= 3 * stats.max_ns);
	assert_true(stats.last_exit_ns > stats.last_enter_ns);
	assert_int_equal(stats_of(fixture).service[CZ_GET_TIME].calls, 0);
}

/* ---- Many at once ---- */

struct hammer {
	struct fixture *fixture;
	uint32_t seed, wrong, done;
};

static uint32_t next_random(struct hammer *hammer)
{
	hammer->seed = hammer->seed * 1664525 + 1013904223;
	return hammer->seed >> 16;
}

static void hammer_once(struct hammer *hammer)
{
	struct cz *cz = &hammer->fixture->cz;
	struct cz_efi_time time = {0};
	uint32_t kind = next_random(hammer) % 8;
	uint64_t deadline =
		cz_host_now_ns(NULL) + next_random(hammer) % 64 * 1000;
	struct cz_call call;
	cz_request_id id;
	cz_status status;

	cz_prepare_get_time(&call, &time, NULL);
	if (kind < 3) {
		status = cz_get_time(cz, &time, NULL, CZ_FOREVER);
		hammer->wrong += status != CZ_OK || time.year != 2026;
		return;
	}
	if (kind < 5) {
		status = cz_get_time(cz, &time, NULL, deadline);
		hammer->wrong += status == CZ_OK ? time.year != 2026
						 : status != CZ_E_DEADLINE;
		return;
	}
	if (cz_submit(cz, &call, &id) != CZ_OK) {
		return;
	}
	if (kind == 5) {
		cz_release(cz, id);
		return;
	}
	if (kind == 6) {
		status = cz_cancel(cz, id);
		hammer->wrong += status != CZ_OK && status != CZ_E_IN_FLIGHT;
	}
	while ((status = cz_wait(cz, id, &call, deadline)) == CZ_E_DEADLINE) {
		deadline = cz_host_now_ns(NULL) + 100000;
	}
	hammer->wrong +=
		status == CZ_OK ? time.year != 2026 : status != CZ_E_CANCELLED;
}

static void hammer_thread(void *argument)
{
	struct hammer *hammer = argument;

	for (int i = 0; i < 500; i++) {
		hammer_once(hammer);
		hammer->done++;
	}
}

static bool all_ended(void *argument)
{
	struct cz_stats stats = stats_of(argument);

	return stats.submitted == stats.completed + stats.cancelled;
}

static void many_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct hammer hammers[6];
	struct sim_thread *threads[6];

	for (uint32_t i = 0; i < 6; i++) {
		hammers[i] = (struct hammer){fixture, i * 77, 0, 0};
		threads[i] = sim_spawn(&fixture->sim, 10 + (int)i,
				       hammer_thread, &hammers[i]);
	}
	for (uint32_t i = 0; i < 6; i++) {
		sim_join(&fixture->sim, threads[i]);
		assert_int_equal(hammers[i].wrong, 0);
		assert_int_equal(hammers[i].done, 500);
	}
	assert_true(sim_until(all_ended, fixture));
	assert_all_free(fixture);
}

int group_requests(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(submit_and_wait),
		STARTED(inputs_are_copied),
		STARTED(stale_ids),
		STARTED(stale_id_in_use),
		STARTED(waiting_with_another_call),
		STARTED(second_waiter_is_refused),
		STARTED(all_requests_in_use),
		STARTED(waiting_for_a_free_request),
		STARTED(priority_of_unread_results),
		STARTED(unread_result_delays_nobody),
		STARTED(lending_ends_with_the_call),
		STARTED(by_priority),
		STARTED(by_age),
		STARTED(boosted_while_waiting),
		STARTED(submitted_priority),
		STARTED(submitted_priority_is_kept),
		STARTED(reset_goes_first),
		STARTED(deadline_in_flight),
		STARTED(deadline_in_queue),
		STARTED(wait_again_after_deadline),
		STARTED(done_before_the_wait),
		STARTED(cancel),
		STARTED(release),
		STARTED(withdraw),
		STARTED(statistics),
		STARTED(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
