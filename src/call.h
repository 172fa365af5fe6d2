/* SPDX-License-Identifier: MIT */
/*
 * What is the same for every call into firmware, through the queue or outside
 * it: who owns firmware, what came of the call, what is counted. Most is on the
 * path that is counted in instructions, and so in place.
 */
#ifndef CAESURA_CALL_H
#define CAESURA_CALL_H

#include "core.h"

/* Every service of firmware's; the library's own touch none of it. */
#define CZ_FIRMWARE_SERVICES ((1u << CZ_NULL_SERVICE) - 1)

/* What one call left behind. */
struct cz_outcome {
	cz_status status;
	uint32_t anomalies;
	uint64_t enter_ns, exit_ns;
};

/* ---- The owner of firmware ---- */

/* False when firmware has another owner. */
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

/* owner.c: for cz_call_now(). Waits for nothing. */
bool cz_owner_try(struct cz *cz);

/* ---- The watch over the call in flight: watch.c ---- */

/* cz->watch_state: the number of the latest call, times CZ_WATCH_CALL, and whether
 * the timer is on. */
#define CZ_WATCH_ON 1ull
#define CZ_WATCH_CALL 2ull

/* From cz_init(), before any call; from cz_fini(), after the last. */
void cz_watch_init(struct cz *cz);
void cz_watch_stop(struct cz *cz);
void cz_watch_start(struct cz *cz);

/* The owner begins a call, which gets a number of its own. True when the timer is
 * to be started, where that may be: it may want a lock of the host's. */
static inline bool cz_watch_number(struct cz *cz)
{
	return (__atomic_fetch_add(&cz->watch_state, CZ_WATCH_CALL,
				   __ATOMIC_RELEASE) &
		CZ_WATCH_ON) == 0;
}

/* ---- policy.c ---- */

/* The services that the ending withdraws. */
cz_service_mask cz_policy_withdraws(const struct cz *cz,
				    const struct cz_ending *ending);

/* ---- device_writes.c ---- */

/* A secure call is made for firmware. */
void cz_note_secure_call(struct cz *cz);
/* After a call that touched something: closes the devices again. cz->touched stays
 * for cz_call_judge(). */
void cz_protect_devices(struct cz *cz);

/* ---- ending.c ---- */

/* Fills cz->ending; reports it. */
void cz_ending_fill(struct cz *cz, enum cz_service service, uint64_t ran_ns);
void cz_ending_report(struct cz *cz, const char *service);

/* ---- One call, by the owner ---- */

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

/* ending.c: says what was returned as a status and is none, once in a row for each
 * service. */
void cz_status_report(struct cz *cz, const struct cz_request *request,
		      uint64_t value);

/* ending.c: counts a size that firmware returned and that is none, and says the first of
 * each service. Any context, also without owning firmware. */
void cz_size_report(struct cz *cz, const struct cz_request *request);

/* ending.c: says each kind of anomaly the first time. */
void cz_call_report(struct cz *cz, const struct cz_request *request,
		    uint32_t anomalies);

/* Firmware that used its whole stack. The page below is not mapped: this is the
 * last word before a fault. */
static inline uint32_t cz_check_canary(struct cz *cz)
{
	uint64_t *canary = (uint64_t *)cz->stack.alias;

	if (*canary == CZ_STACK_CANARY) {
		return 0;
	}
	*canary = CZ_STACK_CANARY;
	return 1u << CZ_ANOMALY_STACK_CANARY;
}

/* ending.c: after a call that was ended, or touched more than RAM. */
void cz_call_aftermath(struct cz *cz, const struct cz_request *request,
		       const struct cz_outcome *outcome);

/* Fills outcome->status and completes its anomalies. */
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

/* worker.c: counts what seldom happens. True when firmware was cut off: services
 * may be withdrawn, and what is queued for them is to end. */
bool cz_call_count_failure(struct cz *cz, const struct cz_outcome *outcome);

/* As above. */
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
