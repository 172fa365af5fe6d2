/* SPDX-License-Identifier: MIT */
/*
 * The try-lock of cz_call_now(): firmware has one owner, the worker from before
 * a call until after it, however often it is preempted meanwhile, or one
 * cz_call_now() on one CPU. One that was cut off keeps firmware from the worker
 * until the queue has been told, but not from the next cz_call_now(): in a panic
 * nobody is left who could tell the queue.
 */
#include "call.h"

/* The worker that was turned away goes next, if it comes in time: whoever calls
 * without a pause would keep it out, as it cannot be woken. */
static bool is_workers_turn(const struct cz *cz)
{
	uint64_t until_ns =
		__atomic_load_n(&cz->worker_turn_until_ns, __ATOMIC_RELAXED);

	return until_ns != 0 && cz_host_now_ns(cz->host) < until_ns;
}

/* Takes firmware over from a cz_call_now() that was cut off. */
static bool take_over(struct cz *cz)
{
	enum cz_request_state cut_off = CZ_REQUEST_DONE;

	return __atomic_compare_exchange_n(&cz->direct_request.state, &cut_off,
					   CZ_REQUEST_IN_FLIGHT, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

bool cz_owner_try(struct cz *cz)
{
	return !is_workers_turn(cz) &&
	       (cz_owner_take(cz, &cz->direct_request) || take_over(cz));
}
