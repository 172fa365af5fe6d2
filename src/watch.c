/* SPDX-License-Identifier: MIT */
/*
 * The watch: a timer that looks, while firmware is in use, whether the call in
 * flight is still the same, and counts the time for which the worker was seen
 * running it. Past the service's kill limit the call is ended; where no interrupt
 * comes through, which only the direct gate allows, that is said. A timer for each
 * call would cost every call what one for many does not.
 */
#include "call.h"

#define LOOKS_PER_LIMIT 16u /* looks in a limit */
#define LOOKS_UNTIL_STUCK 8u /* looks until an interrupt has not come through */

static uint64_t step_of(uint64_t limit_ns)
{
	return limit_ns / LOOKS_PER_LIMIT + 1;
}

void cz_watch_init(struct cz *cz)
{
	uint64_t least_ns = CZ_FOREVER;

	for (uint32_t i = 0; i < CZ_NULL_SERVICE; i++) {
		if (cz->policy.service[i].kill_limit_ns < least_ns) {
			least_ns = cz->policy.service[i].kill_limit_ns;
		}
	}
	if (least_ns == CZ_FOREVER) {
		cz->watch_state = CZ_WATCH_ON; /* and never off: no timer */
		return;
	}
	cz->watch_period_ns = step_of(least_ns);
}

static uint64_t limit_of(const struct cz *cz, const struct cz_request *request)
{
	uint32_t service = request->service;

	return service < CZ_NULL_SERVICE
		       ? cz->policy.service[service].kill_limit_ns
		       : CZ_FOREVER;
}

static void log_stuck(struct cz *cz, const struct cz_request *request)
{
	__atomic_fetch_add(&cz->stats.stuck, 1, __ATOMIC_RELAXED);
	cz_error(cz->host,
		 "%s has run for %llu ms and takes no interrupt: it cannot be "
		 "ended, and its CPU is lost; firmware has masked interrupts, "
		 "or "
		 "is below the kernel",
		 cz_service_name(request->service),
		 cz_ull(cz->watch_ran_ns / 1000000));
}

/* A newer call may have begun, and its end may have been asked for: that stays. */
static void ask_for_end(struct cz *cz, const struct cz_request *request,
			uint64_t number, uint64_t asked)
{
	if (asked >= cz_end_of(number + 1, false) ||
	    !__atomic_compare_exchange_n(&cz->end_request, &asked,
					 cz_end_of(number, true), false,
					 __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
		return;
	}
	cz_host_interrupt(cz->host, cz->worker);
	cz->watch_asked++;
	if (cz->watch_asked == LOOKS_UNTIL_STUCK + 1) {
		log_stuck(cz, request);
	}
}

/*
 * The worker runs the call at this moment, and so counts as having run it since the
 * last look. But no look counts more than a step of the service's own limit: a timer
 * that is very late, or a clock that went on while the machine slept, ends no call.
 */
static void count_running_time(struct cz *cz, const struct cz_request *request,
			       uint64_t number, uint64_t passed_ns,
			       uint64_t asked)
{
	uint64_t limit_ns = limit_of(cz, request);
	uint64_t step_ns = step_of(limit_ns);

	cz->watch_ran_ns += passed_ns < step_ns ? passed_ns : step_ns;
	/* Asked for once; while nobody has acted on it, again. */
	if (limit_ns != CZ_FOREVER && cz->watch_ran_ns >= limit_ns &&
	    (cz->watch_asked == 0 || asked != 0)) {
		ask_for_end(cz, request, number, asked);
	}
}

/* The number was read before the request, which may be a later one's: then what
 * is asked for is stale, and nobody does it. */
static void look(struct cz *cz, const struct cz_request *request,
		 uint64_t number)
{
	uint64_t now_ns = cz_host_now_ns(cz->host);
	uint64_t passed_ns = now_ns - cz->watch_looked_ns;
	uint64_t asked;

	cz->watch_looked_ns = now_ns;
	/* What the host and the library do then may take as long as it does. */
	if (__atomic_load_n(&cz->left_firmware, __ATOMIC_RELAXED)) {
		return;
	}
	/* cz_abort_in_flight() has sent one, which may have come before firmware
	 * was entered: then it passed nothing. */
	asked = __atomic_load_n(&cz->end_request, __ATOMIC_RELAXED);
	if (asked == cz_end_of(number, false)) {
		cz_host_interrupt(cz->host, cz->worker);
	}
	if (number != cz->watch_number) {
		cz->watch_number = number;
		cz->watch_ran_ns = 0;
		cz->watch_asked = 0;
	} else if (request == &cz->direct_request ||
		   cz_host_is_running(cz->host, cz->worker)) {
		count_running_time(cz, request, number, passed_ns, asked);
	}
}

/* Nobody is in firmware; a cz_call_now() that was cut off has left it, too. */
static bool is_idle(const struct cz *cz, const struct cz_request *request)
{
	return request == NULL ||
	       (request == &cz->direct_request &&
		__atomic_load_n(&cz->direct_request.state, __ATOMIC_RELAXED) ==
			CZ_REQUEST_DONE);
}

/* In an interrupt, on any CPU. */
static void fire(void *argument)
{
	struct cz *cz = argument;
	uint64_t watched = __atomic_load_n(&cz->watch_state, __ATOMIC_ACQUIRE);
	const struct cz_request *request =
		__atomic_load_n(&cz->in_flight, __ATOMIC_ACQUIRE);

	if (!is_idle(cz, request)) {
		look(cz, request, watched / CZ_WATCH_CALL);
	} else if (__atomic_compare_exchange_n(
			   &cz->watch_state, &watched, watched & ~CZ_WATCH_ON,
			   false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		return; /* the next call starts it again */
	}
	cz_host_timer_start(cz->host, &cz->watch_timer,
			    cz_host_now_ns(cz->host) + cz->watch_period_ns,
			    fire, cz);
}

CZ_COLD void cz_watch_start(struct cz *cz)
{
	__atomic_fetch_or(&cz->watch_state, CZ_WATCH_ON, __ATOMIC_RELAXED);
	cz_host_timer_start(cz->host, &cz->watch_timer,
			    cz_host_now_ns(cz->host) + cz->watch_period_ns,
			    fire, cz);
}

void cz_watch_stop(struct cz *cz)
{
	cz_host_timer_stop(cz->host, &cz->watch_timer);
}
