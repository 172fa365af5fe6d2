/* SPDX-License-Identifier: MIT */
/*
 * The try-lock of cz_call_now(). Firmware has one owner: the worker, from
 * before a call until after it, however often it is preempted in between, or
 * one cz_call_now() on one CPU. A cz_call_now() whose call was ended keeps the
 * worker out of firmware until the queued requests for withdrawn services have
 * ended. It does not keep out the next cz_call_now(): in a panic, no thread is
 * left that could end those requests.
 */
#include "call.h"

/* Returns whether firmware is reserved for the worker, which found it owned and
 * polls until it is free. Without this, callers of cz_call_now() that make one
 * call after another would keep the worker out. */
static bool is_workers_turn(const struct cz *cz)
{
	uint64_t until_ns =
		__atomic_load_n(&cz->worker_turn_until_ns, __ATOMIC_RELAXED);

	return until_ns != 0 && cz_host_now_ns(cz->host) < until_ns;
}

/* Takes firmware over from a cz_call_now() whose call was ended. */
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
