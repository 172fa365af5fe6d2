/* SPDX-License-Identifier: MIT */
/*
 * The worker: the one thread that makes the queued calls into firmware, one at
 * a time. It can be preempted at any point. One lock for all services is
 * stricter than UEFI 2.11 section 8.1 demands, because real drivers call across
 * the groups of services that the section names. A call that has started is
 * never overtaken by another one.
 */
#include "call.h"
#include "gate.h"

/* While a cz_call_now() on another CPU owns firmware, the worker polls at this
 * interval: a cz_call_now() cannot wake anyone. */
#define OTHER_OWNER_NS (CZ_TURN_NS / 2)

/* The highest of the specification's warnings, and the highest error that the
 * library passes on. */
#define LAST_WARNING 7u /* EFI_WARN_RESET_REQUIRED */
#define LAST_ERROR CZ_EFI_ERROR(0x1000)

uint64_t cz_worker_enter(struct cz *cz, uint64_t function,
			 const uint64_t *registers, uint32_t *anomalies,
			 uint64_t *enter_ns, uint64_t *exit_ns)
{
	struct cz_host *host = cz->host;
	uint64_t value;

	cz_host_space_enter(host, cz->space);
	cz_host_fp_begin(host);
	*enter_ns = cz_host_now_ns(host);
	value = cz_gate_call(cz, function, registers, anomalies);
	*exit_ns = cz_host_now_ns(host);
	cz_host_fp_end(host);
	cz_host_space_leave(host, cz->space);
	return value;
}

/* The valid values are those that caesura.h lists at cz_status. */
cz_status cz_worker_status(uint64_t value)
{
	if (cz_is_own_status(value)) {
		return CZ_E_BAD_STATUS;
	}
	if (value >> 63 == 0) {
		return value <= LAST_WARNING ? value : CZ_E_BAD_STATUS;
	}
	if (value >> 62 == 3 || value <= LAST_ERROR) {
		return value;
	}
	return CZ_E_BAD_STATUS;
}

CZ_COLD bool cz_call_count_failure(struct cz *cz,
				   const struct cz_outcome *outcome)
{
	uint32_t anomalies = outcome->anomalies;
	cz_status ended_by = cz->ended_by;

	for (uint32_t i = 0; i < CZ_ANOMALY_COUNT; i++) {
		cz->stats.anomalies[i] += anomalies >> i & 1;
	}
	if (outcome->status == CZ_E_BAD_STATUS) {
		cz->stats.bad_statuses++;
	}
	if (ended_by == 0) {
		return false;
	}
	cz->ended_by = 0;
	if (ended_by == CZ_E_FAULT) {
		cz->stats.faults++;
	} else if (ended_by == CZ_E_KILLED) {
		cz->stats.kills++;
	} else {
		cz->stats.aborts++;
	}
	cz->stats.dirty += cz->ending.touched != 0;
	if (cz->ending.service < CZ_NULL_SERVICE) {
		cz->endings[cz->ending.service] = cz->ending;
	}
	__atomic_fetch_or(&cz->withdrawn, cz->ending.withdrawn,
			  __ATOMIC_RELAXED);
	return true;
}

/* Performs CZ_SET_WORKER_CPUS. The worker is not pinned, and firmware is idle
 * because this request owns it. */
static CZ_COLD void set_cpus(struct cz *cz, const struct cz_request *request,
			     struct cz_outcome *outcome)
{
	const void *cpus = request->argument_alias[0];

	outcome->enter_ns = cz_host_now_ns(cz->host);
	outcome->status = cz_host_worker_set_cpus(cz->host, cpus)
				  ? CZ_OK
				  : CZ_EFI_UNSUPPORTED;
	outcome->exit_ns = cz_host_now_ns(cz->host);
	outcome->anomalies = 0;
}

static void run(struct cz *cz, struct cz_request *request,
		struct cz_outcome *outcome)
{
	struct cz_host *host = cz->host;
	struct cz_mapping mapping = cz_call_mapping(request);
	uint64_t value;
	bool kept;

	if (request->service == CZ_SET_WORKER_CPUS) {
		set_cpus(cz, request, outcome);
		return;
	}
	cz_host_pin(host);
	if (mapping.page_count != 0) {
		/* Mapped before, in cz_init(): cannot fail. */
		(void)cz_host_space_map(host, cz->space, &mapping);
	}
	__atomic_store_n(&cz->left_firmware, false, __ATOMIC_RELAXED);
	value = cz_worker_enter(cz, cz->function[request->service],
				request->registers, &outcome->anomalies,
				&outcome->enter_ns, &outcome->exit_ns);
	__atomic_store_n(&cz->left_firmware, true, __ATOMIC_RELAXED);
	if (mapping.page_count != 0) {
		cz_host_space_unmap(host, cz->space, mapping.address,
				    mapping.page_count);
	}
	kept = cz_host_call_end(host, request->service, cz->ended_by == 0);
	cz_host_unpin(host);
	cz_call_judge(cz, request, value, outcome);
	if (!kept && outcome->status == CZ_OK) {
		outcome->status = CZ_E_HOST;
	}
}

/* ---- The loop ---- */

/* Called when a cz_call_now() owns firmware: puts the request back, reserves
 * the next turn for the worker, and waits for the poll interval. Called with
 * the mutex held, and releases it. */
static CZ_COLD void wait_for_owner(struct cz *cz, struct cz_request *request)
{
	uint64_t now_ns = cz_host_now_ns(cz->host);
	uint64_t ended;

	__atomic_store_n(&cz->worker_turn_until_ns, now_ns + CZ_TURN_NS,
			 __ATOMIC_RELAXED);
	cz_requests_put_back(cz, request);
	ended = cz_requests_end_withdrawn(cz);
	if (ended != 0) {
		cz_host_mutex_unlock(cz->host, &cz->mutex);
		cz_requests_signal(cz, ended);
		return;
	}
	cz_host_event_clear(cz->host, &cz->work);
	cz_host_mutex_unlock(cz->host, &cz->mutex);
	(void)cz_host_event_wait(cz->host, &cz->work, NULL,
				 now_ns + OTHER_OWNER_NS);
}

/* Finds a request that becomes free as soon as its thread runs: the thread is
 * filling it, or has not yet collected its result. Returns NULL when there is
 * none. Called with the mutex held. */
static CZ_COLD struct cz_request *find_thread_to_lend(struct cz *cz)
{
	for (uint32_t i = 0; i < cz->request_count; i++) {
		struct cz_request *request = &cz->requests[i];

		if (request->waiter != NULL &&
		    (request->state == CZ_REQUEST_FILLING ||
		     request->state == CZ_REQUEST_DONE)) {
			return request;
		}
	}
	return NULL;
}

/*
 * Lends the worker's priority to the thread of a request. When callers wait for
 * a free request, the worker inherits their priority. While nothing is queued,
 * it passes that on to a thread that holds a request and does not get to run.
 * It does so only while nothing is queued: such a thread may be blocked for any
 * reason, and queued requests must not wait for it.
 *
 * The worker counts itself in room_waiters, so the thread sets `work` when it
 * has queued or freed the request. Only the worker clears `work`; therefore the
 * thread is alive for as long as the worker waits with it as owner. Called with
 * the mutex held, and releases it.
 */
static CZ_COLD void lend_priority(struct cz *cz, struct cz_request *request)
{
	cz_host_thread thread = request->waiter;
	bool done = request->state == CZ_REQUEST_DONE;

	cz->room_waiters++;
	cz_host_event_clear(cz->host, &cz->work);
	cz_host_mutex_unlock(cz->host, &cz->mutex);
	if (done) {
		/* The thread may still wait for this event, with the worker as
		 * owner, because whoever ended the request has not set it yet.
		 * Then both would wait for each other. */
		cz_host_event_set(cz->host, &request->done);
	}
	(void)cz_host_event_wait(cz->host, &cz->work, thread, CZ_FOREVER);
	cz_host_mutex_lock(cz->host, &cz->mutex);
	cz->room_waiters--;
	cz_host_mutex_unlock(cz->host, &cz->mutex);
}

/* Waits for the next request and returns it, in flight. Returns NULL when
 * cz_fini() was called and nothing is queued. */
static struct cz_request *next(struct cz *cz)
{
	struct cz_request *request;

	for (;;) {
		cz_host_mutex_lock(cz->host, &cz->mutex);
		request = cz_requests_take(cz);
		cz->worker_idle = request == NULL;
		if (request != NULL) {
			if (cz_owner_take(cz, request)) {
				break;
			}
			wait_for_owner(cz, request);
			continue;
		}
		if (cz->stopping) {
			break;
		}
		if (cz->room_waiters != 0) {
			request = find_thread_to_lend(cz);
		}
		if (request != NULL) {
			lend_priority(cz, request);
			continue;
		}
		cz_host_event_clear(cz->host, &cz->work);
		cz_host_mutex_unlock(cz->host, &cz->mutex);
		cz_host_event_wait(cz->host, &cz->work, NULL, CZ_FOREVER);
	}
	/* Under the mutex, because cz_abort_in_flight() reads the number
	 * there. */
	if (request != NULL && cz_watch_number(cz)) {
		cz_watch_start(cz);
	}
	cz_host_mutex_unlock(cz->host, &cz->mutex);
	return request;
}

static void finish(struct cz *cz, struct cz_request *request,
		   const struct cz_outcome *outcome)
{
	uint64_t ended = 0;
	bool room = false;
	bool given_up;

	cz_host_mutex_lock(cz->host, &cz->mutex);
	cz->stats.completed++;
	if (cz_call_count(cz, request, outcome)) {
		ended = cz_requests_end(cz, cz->withdrawn, CZ_E_WITHDRAWN);
	}
	cz_owner_release(cz);
	given_up = request->given_up;
	if (given_up) {
		cz->stats.late++;
		cz_requests_free(cz, request);
		room = cz->room_waiters != 0;
	} else {
		request->status = outcome->status;
		__atomic_store_n(&request->state, CZ_REQUEST_DONE,
				 __ATOMIC_RELEASE);
	}
	cz_host_mutex_unlock(cz->host, &cz->mutex);
	if (!given_up) {
		cz_host_event_set(cz->host, &request->done);
	} else if (room) {
		cz_host_event_set(cz->host, &cz->room);
	}
	cz_requests_signal(cz, ended);
}

void cz_worker(void *argument)
{
	struct cz *cz = argument;
	struct cz_request *request;
	struct cz_outcome outcome;

	while ((request = next(cz)) != NULL) {
		run(cz, request, &outcome);
		finish(cz, request, &outcome);
	}
}
