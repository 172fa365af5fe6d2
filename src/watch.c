/* SPDX-License-Identifier: MIT */
/*
 * The watch: one timer that enforces the kill limits. While firmware is in use
 * it fires periodically. If the call in flight is still the same and the worker
 * is running, it counts the time since it fired last. When the sum reaches the
 * service's kill limit, it asks for the end of the call. If the worker's CPU
 * does not take the interrupt, the watch logs that. Firmware can prevent
 * interrupts only in the direct gate. One timer serves many calls, because
 * starting and stopping one for each call would make every call slower.
 */
#include "call.h"

#define SAMPLES_PER_LIMIT 16u /* how often the timer fires within a limit */
#define SAMPLES_UNTIL_STUCK 8u /* vain requests for the end of a call */

static uint64_t step_of(uint64_t limit_ns)
{
	return limit_ns / SAMPLES_PER_LIMIT + 1;
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
		/* Marked as on, so that no call starts the timer. */
		cz->watch_state = CZ_WATCH_ON;
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
		 "ended, and its CPU is lost (firmware masks interrupts, or it "
		 "waits for the secure world)",
		 cz_service_name(request->service),
		 cz_ull(cz->watch_ran_ns / 1000000));
}

/* Asks for the end of the call with this number, unless somebody has meanwhile
 * asked for the end of a newer call. */
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
	cz->watch_end_requests++;
	if (cz->watch_end_requests == SAMPLES_UNTIL_STUCK + 1) {
		log_stuck(cz, request);
	}
}

/*
 * Counts the time since the timer fired last as running time of the call: the
 * worker runs it now, and is taken to have run it all that time. At most a
 * sixteenth of the service's limit is counted at once, so that a timer that is
 * very late, or a clock that advanced while the machine slept, does not end a
 * call.
 */
static void count_running_time(struct cz *cz, const struct cz_request *request,
			       uint64_t number, uint64_t passed_ns,
			       uint64_t asked)
{
	uint64_t limit_ns = limit_of(cz, request);
	uint64_t step_ns = step_of(limit_ns);

	cz->watch_ran_ns += passed_ns < step_ns ? passed_ns : step_ns;
	/* Ask once, and again as long as nobody has acted on it. */
	if (limit_ns != CZ_FOREVER && cz->watch_ran_ns >= limit_ns &&
	    (cz->watch_end_requests == 0 || asked != 0)) {
		ask_for_end(cz, request, number, asked);
	}
}

/* Samples the call in flight. The number was read before the request; if a
 * newer call has begun in between, what this asks for is stale, and nobody acts
 * on it. */
static void sample(struct cz *cz, const struct cz_request *request,
		   uint64_t number)
{
	uint64_t now_ns = cz_host_now_ns(cz->host);
	uint64_t passed_ns = now_ns - cz->watch_sampled_ns;
	uint64_t asked;

	cz->watch_sampled_ns = now_ns;
	/* If the call has left firmware, the library reports it or the host
	 * commits it now. That time does not count. */
	if (__atomic_load_n(&cz->left_firmware, __ATOMIC_RELAXED)) {
		return;
	}
	/* The interrupt that cz_abort_in_flight() sent may have arrived before
	 * firmware was entered; then it did not end the call. Send another
	 * one. */
	asked = __atomic_load_n(&cz->end_request, __ATOMIC_RELAXED);
	if (asked == cz_end_of(number, false)) {
		cz_host_interrupt(cz->host, cz->worker);
	}
	if (number != cz->watch_number) {
		cz->watch_number = number;
		cz->watch_ran_ns = 0;
		cz->watch_end_requests = 0;
	} else if (request == &cz->direct_request ||
		   cz_host_is_running(cz->host, cz->worker)) {
		count_running_time(cz, request, number, passed_ns, asked);
	}
}

/* Returns whether no call is in firmware. After a cz_call_now() whose call was
 * ended, firmware still has an owner. */
static bool is_idle(const struct cz *cz, const struct cz_request *request)
{
	return request == NULL ||
	       (request == &cz->direct_request &&
		__atomic_load_n(&cz->direct_request.state, __ATOMIC_RELAXED) ==
			CZ_REQUEST_DONE);
}

/* The timer's function. Called in an interrupt, on any CPU. */
static void fire(void *argument)
{
	struct cz *cz = argument;
	uint64_t watched = __atomic_load_n(&cz->watch_state, __ATOMIC_ACQUIRE);
	const struct cz_request *request =
		__atomic_load_n(&cz->in_flight, __ATOMIC_ACQUIRE);

	if (!is_idle(cz, request)) {
		sample(cz, request, watched / CZ_WATCH_CALL);
	} else if (__atomic_compare_exchange_n(
			   &cz->watch_state, &watched, watched & ~CZ_WATCH_ON,
			   false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		return; /* the next call starts the timer again */
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
