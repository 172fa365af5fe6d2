/* SPDX-License-Identifier: MIT */
/*
 * The steps that every call into firmware has in common, through the queue or
 * outside it: who owns firmware, what the call's outcome is, what is counted.
 * Most of this is on the path whose instructions are counted, so it is inline.
 */
#ifndef CAESURA_CALL_H
#define CAESURA_CALL_H

#include "core.h"

/* A mask of all services of firmware's, without the library's own. */
#define CZ_FIRMWARE_SERVICES ((1u << CZ_NULL_SERVICE) - 1)

/* The outcome of one call. */
struct cz_outcome {
	cz_status status;
	uint32_t anomalies; /* a mask of 1u << enum cz_anomaly */
	uint64_t enter_ns, exit_ns;
};

/* ---- The owner of firmware ---- */

/* Makes the request the owner of firmware. Returns false when firmware already
 * has an owner. */
static inline bool cz_owner_take(struct cz *cz, struct cz_request *request)
{
	struct cz_request *nobody = NULL;

	return __atomic_compare_exchange_n(&cz->in_flight, &nobody, request,
					   false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void cz_owner_release(struct cz *cz)
{
	__atomic_store_n(&cz->in_flight, NULL, __ATOMIC_RELEASE);
}

/* owner.c: makes cz->direct_request the owner of firmware, for cz_call_now().
 * Returns false at once when cz_call_now() has to return CZ_E_BUSY. */
bool cz_owner_try(struct cz *cz);

/* ---- The watch over the call in flight: watch.c ---- */

/* cz->watch_state is the number of the latest call times CZ_WATCH_CALL, plus
 * CZ_WATCH_ON while the timer is on. */
#define CZ_WATCH_ON 1ull
#define CZ_WATCH_CALL 2ull

/* Prepares the watch, in cz_init() before any call. */
void cz_watch_init(struct cz *cz);
/* Stops the timer, in cz_fini() after the last call. */
void cz_watch_stop(struct cz *cz);
/* Starts the timer. Only in the worker: the host may need a lock for it. */
void cz_watch_start(struct cz *cz);

/* Gives the call that the owner of firmware begins a number of its own. Returns
 * true when the timer is off: then the worker calls cz_watch_start(). */
static inline bool cz_watch_number(struct cz *cz)
{
	return (__atomic_fetch_add(&cz->watch_state, CZ_WATCH_CALL,
				   __ATOMIC_RELEASE) &
		CZ_WATCH_ON) == 0;
}

/* ---- policy.c ---- */

/* Returns the services that the policy withdraws after this ending. */
cz_service_mask cz_policy_withdraws(const struct cz *cz,
				    const struct cz_ending *ending);

/* ---- device_writes.c ---- */

/* Notes that the call in flight has made a secure call. */
void cz_note_secure_call(struct cz *cz);
/* Maps the devices that the call has written to read-only again, after the
 * call. Does not clear cz->touched, which cz_call_judge() still needs. */
void cz_protect_devices(struct cz *cz);

/* ---- ending.c ---- */

/* Fills cz->ending after a call that was ended. */
void cz_ending_fill(struct cz *cz, enum cz_service service, uint64_t ran_ns);
/* Logs cz->ending; `service` is the name that the log lines begin with. */
void cz_ending_report(struct cz *cz, const char *service);

/* ---- One call, by the owner ---- */

/* Returns the mapping of the request's arguments in firmware's space. */
static inline struct cz_mapping
cz_call_mapping(const struct cz_request *request)
{
	return (struct cz_mapping){
		.address = request->address,
		.cookie = request->pages.cookie,
		.page_count = request->used_pages,
		.backing = CZ_BACKING_PAGES,
		.type = CZ_MEMORY_WRITE_BACK,
		.prot = CZ_PROT_READ | CZ_PROT_WRITE,
	};
}

/* ending.c: logs an invalid status returned by firmware, unless it is the same
 * value that was logged last for this service. */
void cz_status_report(struct cz *cz, const struct cz_request *request,
		      uint64_t value);

/* ending.c: counts an invalid size returned by firmware, and logs the first one
 * of each service. Any context; the caller need not own firmware. */
void cz_size_report(struct cz *cz, const struct cz_request *request);

/* ending.c: logs each kind of anomaly when it occurs for the first time. */
void cz_call_report(struct cz *cz, const struct cz_request *request,
		    uint32_t anomalies);

/* Checks whether firmware has used its whole stack, and restores the canary.
 * The page below is not mapped, so the canary is the last word before a
 * fault. */
static inline uint32_t cz_check_canary(struct cz *cz)
{
	uint64_t *canary = (uint64_t *)cz->stack.alias;

	if (*canary == CZ_STACK_CANARY) {
		return 0;
	}
	*canary = CZ_STACK_CANARY;
	return 1u << CZ_ANOMALY_STACK_CANARY;
}

/* ending.c: reports a call that was ended, and cleans up after a call that
 * accessed more than firmware's RAM. */
void cz_call_aftermath(struct cz *cz, const struct cz_request *request,
		       const struct cz_outcome *outcome);

/* Fills outcome->status from the value that firmware returned, and completes
 * outcome->anomalies. */
static inline void cz_call_judge(struct cz *cz,
				 const struct cz_request *request,
				 uint64_t value, struct cz_outcome *outcome)
{
	outcome->status = value;
	if (cz->ended_by != 0) {
		outcome->status = cz->ended_by;
	} else if (value != CZ_EFI_SUCCESS) {
		outcome->status = cz_worker_status(value);
		if (outcome->status == CZ_E_BAD_STATUS) {
			cz_status_report(cz, request, value);
		}
	}
	outcome->anomalies |= cz_check_canary(cz);
	if ((cz->ended_by | cz->touched) != 0) {
		cz_call_aftermath(cz, request, outcome);
	}
	if (outcome->anomalies != 0) {
		cz_call_report(cz, request, outcome->anomalies);
	}
}

/* worker.c: counts a call that failed or left an anomaly. Returns as
 * cz_call_count() does. */
bool cz_call_count_failure(struct cz *cz, const struct cz_outcome *outcome);

/* Counts a call. Returns true when the call was ended: services may have been
 * withdrawn, and the caller must end the queued requests for them. */
static inline bool cz_call_count(struct cz *cz,
				 const struct cz_request *request,
				 const struct cz_outcome *outcome)
{
	struct cz_service_stats *stats = &cz->stats.service[request->service];
	uint64_t ns = outcome->exit_ns - outcome->enter_ns;

	if (stats->calls++ == 0 || ns < stats->min_ns) {
		stats->min_ns = ns;
	}
	if (ns > stats->max_ns) {
		stats->max_ns = ns;
	}
	stats->total_ns += ns;
	stats->last_enter_ns = outcome->enter_ns;
	stats->last_exit_ns = outcome->exit_ns;
	if (outcome->status != CZ_OK) {
		stats->failures++;
	}
	if (outcome->status != CZ_OK || outcome->anomalies != 0) {
		return cz_call_count_failure(cz, outcome);
	}
	return false;
}

#endif
