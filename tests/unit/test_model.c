/* SPDX-License-Identifier: MIT */
/*
 * Requires that the library's requests take every step between states that
 * tests/model/states.h lists, and no other. spin explores all interleavings of
 * these steps in a model. Each time the library's mutex is unlocked, this test
 * compares the state of each request with its previous state.
 */
#include "fixture.h"

#include "../model/states.h"
#include "call.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 400
#define CALLERS 3
#define MAX_SECONDS 30

static const char *const state_names[REQUEST_STATES] = {
	"free",	   "filling", "queued",	 "in flight", "gone",	   "returned",
	"faulted", "killed",  "aborted", "cancelled", "withdrawn",
};

static struct {
	struct fixture *fixture;
	uint8_t state[CZ_MAX_REQUESTS];
	uint32_t taken[REQUEST_STATES][REQUEST_STATES];
	bool stop;
} model;

static uint8_t state_of(const struct cz_request *request)
{
	switch (request->state) {
	case CZ_REQUEST_FREE:
		return REQUEST_FREE;
	case CZ_REQUEST_FILLING:
		return REQUEST_FILLING;
	case CZ_REQUEST_QUEUED:
		return REQUEST_QUEUED;
	case CZ_REQUEST_IN_FLIGHT:
		return request->given_up ? REQUEST_GONE : REQUEST_IN_FLIGHT;
	default:
		break;
	}
	switch (request->status) {
	case CZ_E_FAULT:
		return REQUEST_FAULTED;
	case CZ_E_KILLED:
		return REQUEST_KILLED;
	case CZ_E_ABORTED:
		return REQUEST_ABORTED;
	case CZ_E_CANCELLED:
		return REQUEST_CANCELLED;
	case CZ_E_WITHDRAWN:
		return REQUEST_WITHDRAWN;
	default:
		return REQUEST_RETURNED;
	}
}

/* Counts the steps since its previous call. Called with the mutex held, just
 * before it is unlocked. */
static void compare(void)
{
	const struct cz *cz = &model.fixture->cz;

	for (uint32_t i = 0; i < cz->request_count; i++) {
		uint8_t now = state_of(&cz->requests[i]);

		if (now != model.state[i]) {
			model.taken[model.state[i]][now]++;
			model.state[i] = now;
		}
	}
}

/* ---- Firmware that faults, is interrupted, hangs or returns ---- */

static uint64_t anything(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	static uint32_t turn;

	(void)r;
	switch (__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) % 4) {
	case 0:
		*(volatile uint8_t *)16 = 1;
		return CZ_EFI_SUCCESS;
	case 1:
		for (int i = 0; i < 20; i++) {
			sim_interrupt(cz);
			usleep(50);
		}
		return CZ_EFI_SUCCESS;
	case 2: /* runs until the call is ended */
		while (!__atomic_load_n(&model.stop, __ATOMIC_RELAXED)) {
			sim_interrupt(cz);
			usleep(50);
		}
		return CZ_EFI_SUCCESS;
	default:
		(void)sim;
		return CZ_EFI_SUCCESS;
	}
}

/* ---- Callers that use each function of the queue ---- */

static void one_round(struct cz *cz, unsigned *seed)
{
	struct cz_efi_time time;
	struct cz_call call;
	cz_request_id id;
	int choice = rand_r(seed) % 5;
	uint64_t soon_ns =
		cz_host_now_ns(NULL) + (uint64_t)(rand_r(seed) % 400000);

	if (choice == 0) {
		(void)cz_get_time(cz, &time, NULL, soon_ns);
		return;
	}
	cz_prepare_get_time(&call, &time, NULL);
	if (cz_submit(cz, &call, &id) != CZ_OK) {
		return;
	}
	if (choice == 1) {
		(void)cz_cancel(cz, id);
	}
	if (choice == 2 ||
	    cz_wait(cz, id, &call, choice == 3 ? soon_ns : CZ_FOREVER) ==
		    CZ_E_DEADLINE) {
		cz_release(cz, id);
	}
}

static void caller_entry(void *argument)
{
	unsigned seed = (unsigned)(uintptr_t)argument;

	while (!__atomic_load_n(&model.stop, __ATOMIC_RELAXED)) {
		one_round(&model.fixture->cz, &seed);
	}
}

/* ---- The table of steps ---- */

#define COUNT_STEP(from, to) [REQUEST_##from][REQUEST_##to] = true,
static const bool steps[REQUEST_STATES][REQUEST_STATES] = {STEPS(COUNT_STEP)};

static bool all_taken(void)
{
	for (int i = 0; i < REQUEST_STATES; i++) {
		for (int j = 0; j < REQUEST_STATES; j++) {
			if (steps[i][j] && model.taken[i][j] == 0) {
				return false;
			}
		}
	}
	return true;
}

static unsigned differences(void)
{
	unsigned count = 0;

	for (int i = 0; i < REQUEST_STATES; i++) {
		for (int j = 0; j < REQUEST_STATES; j++) {
			if (steps[i][j] == (model.taken[i][j] != 0)) {
				continue;
			}
			print_message("%s -> %s: %u times, %s\n",
				      state_names[i], state_names[j],
				      model.taken[i][j],
				      steps[i][j] ? "a step" : "not a step");
			count++;
		}
	}
	return count;
}

/* Does what a host may do meanwhile: it fires the timer, aborts a call,
 * withdraws a service and restores it. */
static void disturb(struct cz *cz, unsigned round)
{
	sim_fire(cz->host);
	if (round % 61 == 0) {
		cz_abort_in_flight(cz);
	}
	if (round % 5 == 0) {
		cz_withdraw(cz, CZ_GET_TIME);
	}
	cz_restore(cz, CZ_GET_TIME);
	usleep(300);
}

static void follows_the_model(void **state)
{
	struct fixture *fixture = *state;
	struct sim_thread *threads[CALLERS];
	time_t end = time(NULL) + MAX_SECONDS;

	memset(&model, 0, sizeof(model));
	model.fixture = fixture;
	fixture->sim.hook[CZ_GET_TIME] = anything;
	fixture->sim.unlocking = compare;
	for (uintptr_t i = 0; i < CALLERS; i++) {
		threads[i] = sim_spawn(&fixture->sim, 5, caller_entry,
				       (void *)(i + 1));
	}
	for (unsigned round = 0;
	     round < ROUNDS || (!all_taken() && time(NULL) < end); round++) {
		disturb(&fixture->cz, round);
	}
	__atomic_store_n(&model.stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < CALLERS; i++) {
		sim_join(&fixture->sim, threads[i]);
	}
	fixture->sim.unlocking = NULL;
	assert_int_equal(differences(), 0);
}

int group_model(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(follows_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
