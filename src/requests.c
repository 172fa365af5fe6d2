/* SPDX-License-Identifier: MIT */
/*
 * Requests: slots with pages of their own, from submission through the queue to
 * the caller that waits, cancels or gives up. One mutex guards them; nobody
 * blocks or copies data while holding it.
 *
 * An event is set after the mutex has been released, so that the thread that it
 * wakes does not block on the mutex. The event may therefore be set late, when
 * the request already belongs to somebody else. For this reason a waiter checks
 * the state again after it wakes. If the request is not done, it clears the
 * event under the mutex: the set that belongs to it is still to come.
 */
#include "call.h"

/* A request's id: its number, from 1, below its generation. */
#define ID_NUMBER_MASK 0xffffu
#define ID_GENERATION_SHIFT 16

static inline void lock(struct cz *cz)
{
	cz_host_mutex_lock(cz->host, &cz->mutex);
}

static inline void unlock(struct cz *cz)
{
	cz_host_mutex_unlock(cz->host, &cz->mutex);
}

/* ---- Under the mutex ---- */

void cz_requests_free(struct cz *cz, struct cz_request *request)
{
	request->state = CZ_REQUEST_FREE;
	request->waiter = NULL;
	request->generation++;
	cz->free_requests |= request->mask;
}

static void make_done(struct cz *cz, struct cz_request *request,
		      cz_status status)
{
	request->status = status;
	cz->queued_requests &= ~request->mask;
	__atomic_store_n(&request->state, CZ_REQUEST_DONE, __ATOMIC_RELEASE);
}

uint64_t cz_requests_end(struct cz *cz, uint32_t services, cz_status status)
{
	uint64_t left = cz->queued_requests;
	uint64_t ended = 0;

	for (; left != 0; left &= left - 1) {
		struct cz_request *request =
			&cz->requests[__builtin_ctzll(left)];

		if ((services >> request->service & 1) != 0) {
			make_done(cz, request, status);
			cz->stats.cancelled++;
			ended |= request->mask;
		}
	}
	return ended;
}

/*
 * A cz_call_now() whose call was ended cannot take the mutex, so it leaves the
 * queue to the worker. If another cz_call_now() has taken firmware over from it
 * since, end_withdrawn_due stays set, and this is done again after that one.
 */
CZ_COLD uint64_t cz_requests_end_withdrawn(struct cz *cz)
{
	enum cz_request_state cut_off = CZ_REQUEST_DONE;

	if (__atomic_compare_exchange_n(&cz->direct_request.state, &cut_off,
					CZ_REQUEST_FREE, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		cz->end_withdrawn_due = false;
		cz_owner_release(cz);
	}
	return cz_requests_end(
		cz, __atomic_load_n(&cz->withdrawn, __ATOMIC_RELAXED),
		CZ_E_WITHDRAWN);
}

/* Returns whether a goes before b: resets first, then by priority, then by
 * age. */
static bool goes_before(const struct cz_request *a, int a_priority,
			const struct cz_request *b, int b_priority)
{
	bool a_resets = a->service == CZ_RESET_SYSTEM;
	bool b_resets = b->service == CZ_RESET_SYSTEM;

	if (a_resets != b_resets) {
		return a_resets;
	}
	if (a_priority != b_priority) {
		return a_priority > b_priority;
	}
	return a->age < b->age;
}

/* Returns the waiter's priority; for a submitted request the submitter's, if
 * that is higher. */
static int present_priority(struct cz *cz, const struct cz_request *request)
{
	int priority;

	if (request->waiter == NULL) {
		return request->priority;
	}
	priority = cz_host_priority(cz->host, request->waiter);
	return request->keeps_priority && request->priority > priority
		       ? request->priority
		       : priority;
}

static CZ_COLD struct cz_request *first_of_many(struct cz *cz)
{
	uint64_t left = cz->queued_requests;
	struct cz_request *first = NULL;
	int first_priority = 0;

	for (; left != 0; left &= left - 1) {
		struct cz_request *request =
			&cz->requests[__builtin_ctzll(left)];
		int priority = present_priority(cz, request);

		if (first == NULL ||
		    goes_before(request, priority, first, first_priority)) {
			first = request;
			first_priority = priority;
		}
	}
	return first;
}

struct cz_request *cz_requests_take(struct cz *cz)
{
	uint64_t queued = cz->queued_requests;
	struct cz_request *request;

	if (queued == 0) {
		return NULL;
	}
	if ((queued & (queued - 1)) == 0) {
		request = &cz->requests[__builtin_ctzll(queued)];
	} else {
		request = first_of_many(cz);
	}
	cz->queued_requests = queued & ~request->mask;
	__atomic_store_n(&request->state, CZ_REQUEST_IN_FLIGHT,
			 __ATOMIC_RELAXED);
	return request;
}

CZ_COLD void cz_requests_put_back(struct cz *cz, struct cz_request *request)
{
	__atomic_store_n(&request->state, CZ_REQUEST_QUEUED, __ATOMIC_RELAXED);
	cz->queued_requests |= request->mask;
}

static cz_request_id id_of(const struct cz *cz,
			   const struct cz_request *request)
{
	return (uint32_t)request->generation << ID_GENERATION_SHIFT |
	       (uint32_t)(request - cz->requests + 1);
}

/* Returns the request with this id, or NULL if the id is stale. */
static struct cz_request *find(struct cz *cz, cz_request_id id)
{
	uint32_t number = (id & ID_NUMBER_MASK) - 1;
	struct cz_request *request;

	if (number >= cz->request_count) {
		return NULL;
	}
	request = &cz->requests[number];
	if (request->generation != id >> ID_GENERATION_SHIFT ||
	    request->given_up || request->state < CZ_REQUEST_QUEUED) {
		return NULL;
	}
	return request;
}

/* Cancels the request, or lets its call continue without a caller. */
static void give_up(struct cz *cz, struct cz_request *request)
{
	if (request->state == CZ_REQUEST_IN_FLIGHT) {
		request->waiter = NULL;
		request->given_up = true;
		return;
	}
	if (request->state == CZ_REQUEST_QUEUED) {
		cz->queued_requests &= ~request->mask;
		cz->stats.cancelled++;
	}
	cz_requests_free(cz, request);
}

/* ---- Without the mutex ---- */

void cz_requests_signal(struct cz *cz, uint64_t requests)
{
	for (; requests != 0; requests &= requests - 1) {
		cz_host_event_set(
			cz->host,
			&cz->requests[__builtin_ctzll(requests)].done);
	}
}

/* Releases the mutex after a request may have become free, and wakes the
 * threads that wait for one. */
static void unlock_and_signal_room(struct cz *cz)
{
	bool wanted = cz->room_waiters != 0;

	unlock(cz);
	if (wanted) {
		cz_host_event_set(cz->host, &cz->room);
		/* While no request is free, the worker lends its priority to a
		 * thread that can free one, which may be this thread. Wake the
		 * worker, so that it stops lending. */
		cz_host_event_set(cz->host, &cz->work);
	}
}

static inline cz_status admit(struct cz *cz, const struct cz_call *call,
			      struct cz_layout *layout)
{
	uint32_t service = call->service;

	if (service >= CZ_SERVICE_COUNT) {
		return CZ_E_ARGUMENT;
	}
	if (cz->function[service] == 0) {
		return CZ_EFI_UNSUPPORTED;
	}
	if ((__atomic_load_n(&cz->withdrawn, __ATOMIC_RELAXED) >> service &
	     1) != 0) {
		return CZ_E_WITHDRAWN;
	}
	return cz_arguments_measure(cz, call, layout);
}

cz_status cz_requests_admit(struct cz *cz, const struct cz_call *call,
			    struct cz_layout *layout)
{
	return admit(cz, call, layout);
}

/* Waits until a request may be free. Called with the mutex held; releases it
 * while waiting. Returns false at the deadline. */
static CZ_COLD bool wait_for_room(struct cz *cz, uint64_t deadline_ns)
{
	bool idle = cz->worker_idle;
	bool came;

	cz_host_event_clear(cz->host, &cz->room);
	cz->room_waiters++;
	unlock(cz);
	/* The worker inherits this thread's priority from now on. Wake it, so
	 * that it lends that to a thread that holds a request. */
	if (idle) {
		cz_host_event_set(cz->host, &cz->work);
	}
	came = cz_host_event_wait(cz->host, &cz->room, cz->worker, deadline_ns);
	lock(cz);
	cz->room_waiters--;
	if (!came && cz->free_requests == 0) {
		cz->stats.deadlines++;
		return false;
	}
	return true;
}

/* Assigns the request addresses in the window. They advance with each request,
 * so that an address is not used again soon. */
static void place(struct cz *cz, struct cz_request *request,
		  uint32_t page_count)
{
	uint64_t page = cz->next_window_page;

	/* One more page, which stays unmapped, after the last one. */
	if (page + page_count + 1 > cz->direct_window_page) {
		page = CZ_WINDOW_ARGUMENT_PAGE;
	}
	cz->next_window_page = page + page_count + 1;
	request->used_pages = page_count;
	request->address = cz->window_address + page * CZ_PAGE;
}

/* Takes a free request. A synchronous caller is the `waiter`; it waits for a
 * free request until the deadline. Without a waiter, returns CZ_E_BUSY if none
 * is free. */
static cz_status open_request(struct cz *cz, const struct cz_layout *layout,
			      cz_host_thread waiter, uint64_t deadline_ns,
			      struct cz_request **out)
{
	struct cz_request *request;

	lock(cz);
	while (cz->free_requests == 0 && !cz->stopping) {
		if (waiter == NULL) {
			unlock(cz);
			return CZ_E_BUSY;
		}
		if (!wait_for_room(cz, deadline_ns)) {
			unlock(cz);
			return CZ_E_DEADLINE;
		}
	}
	if (cz->stopping) {
		unlock(cz);
		return CZ_E_STOPPED;
	}
	request = &cz->requests[__builtin_ctzll(cz->free_requests)];
	cz->free_requests &= cz->free_requests - 1;
	request->state = CZ_REQUEST_FILLING;
	request->waiter = waiter;
	place(cz, request, layout->page_count);
	cz_host_event_clear(cz->host, &request->done);
	unlock(cz);
	*out = request;
	return CZ_OK;
}

/* Queues a filled request; frees it instead if status is an error. */
static cz_status enqueue(struct cz *cz, struct cz_request *request,
			 cz_status status)
{
	bool idle;

	lock(cz);
	if (status == CZ_OK && cz->stopping) {
		status = CZ_E_STOPPED;
	} else if (status == CZ_OK &&
		   (cz->withdrawn >> request->service & 1) != 0) {
		status = CZ_E_WITHDRAWN;
	}
	if (status != CZ_OK) {
		cz_requests_free(cz, request);
		unlock_and_signal_room(cz);
		return status;
	}
	request->age = cz->next_age++;
	request->state = CZ_REQUEST_QUEUED;
	cz->queued_requests |= request->mask;
	cz->stats.submitted++;
	/* A worker that is not idle looks at the queue before it sleeps. */
	idle = cz->worker_idle;
	unlock(cz);
	if (idle) {
		cz_host_event_set(cz->host, &cz->work);
	}
	return CZ_OK;
}

/* Fills and queues a request, whose waiter or priority is already set. */
static cz_status fill(struct cz *cz, struct cz_request *request,
		      const struct cz_call *call,
		      const struct cz_layout *layout)
{
	request->service = call->service;
	request->argument_count = call->argument_count;
	request->given_up = false;
	return enqueue(cz, request, cz_arguments_in(request, call, layout));
}

/*
 * Waits until a request is done. Returns true when it is; the mutex is not held
 * then, and the caller owns the request. Returns false at the deadline, with
 * the mutex held.
 */
static bool wait_until_done(struct cz *cz, struct cz_request *request,
			    uint64_t deadline_ns)
{
	for (;;) {
		bool came = cz_host_event_wait(cz->host, &request->done,
					       cz->worker, deadline_ns);

		if (__atomic_load_n(&request->state, __ATOMIC_ACQUIRE) ==
		    CZ_REQUEST_DONE) {
			return true;
		}
		lock(cz);
		if (request->state == CZ_REQUEST_DONE) {
			unlock(cz);
			return true;
		}
		if (!came) {
			cz->stats.deadlines++;
			return false;
		}
		cz_host_event_clear(cz->host, &request->done);
		unlock(cz);
	}
}

/* Copies the outputs of a request that is done, and frees it. */
static cz_status collect(struct cz *cz, struct cz_request *request,
			 const struct cz_call *call)
{
	cz_status status = cz_arguments_out(request, call);

	if (status == CZ_E_BAD_SIZE) {
		cz_size_report(cz, request);
	}
	lock(cz);
	cz_requests_free(cz, request);
	unlock_and_signal_room(cz);
	return status;
}

/* ---- What callers call ---- */

cz_status cz_call_and_wait(struct cz *cz, const struct cz_call *call,
			   uint64_t deadline_ns)
{
	struct cz_layout layout;
	struct cz_request *request;
	cz_status status = admit(cz, call, &layout);

	if (status == CZ_OK) {
		status = open_request(cz, &layout, cz_host_self(cz->host),
				      deadline_ns, &request);
	}
	if (status != CZ_OK) {
		return status;
	}
	status = fill(cz, request, call, &layout);
	if (status != CZ_OK) {
		return status;
	}
	if (!wait_until_done(cz, request, deadline_ns)) {
		give_up(cz, request);
		unlock_and_signal_room(cz);
		return CZ_E_DEADLINE;
	}
	return collect(cz, request, call);
}

cz_status cz_submit(struct cz *cz, const struct cz_call *call,
		    cz_request_id *id)
{
	struct cz_layout layout;
	struct cz_request *request;
	cz_status status = admit(cz, call, &layout);
	cz_request_id name;

	if (status == CZ_OK) {
		status = open_request(cz, &layout, NULL, 0, &request);
	}
	if (status != CZ_OK) {
		return status;
	}
	name = id_of(cz, request);
	request->priority = cz_host_priority(cz->host, cz_host_self(cz->host));
	status = fill(cz, request, call, &layout);
	if (status == CZ_OK) {
		*id = name;
	}
	return status;
}

cz_status cz_wait(struct cz *cz, cz_request_id id, const struct cz_call *call,
		  uint64_t deadline_ns)
{
	cz_host_thread self = cz_host_self(cz->host);
	struct cz_request *request;
	bool wanted;

	lock(cz);
	request = find(cz, id);
	if (request == NULL || request->waiter != NULL ||
	    request->service != call->service ||
	    request->argument_count != call->argument_count) {
		unlock(cz);
		return CZ_E_ARGUMENT;
	}
	request->waiter = self;
	request->keeps_priority = true;
	wanted = cz->room_waiters != 0;
	unlock(cz);
	if (wanted) {
		/* The worker may lend its priority to this thread from now
		 * on. */
		cz_host_event_set(cz->host, &cz->work);
	}
	if (!wait_until_done(cz, request, deadline_ns)) {
		request->waiter = NULL;
		request->keeps_priority = false;
		unlock(cz);
		return CZ_E_DEADLINE;
	}
	request->keeps_priority = false;
	return collect(cz, request, call);
}

cz_status cz_cancel(struct cz *cz, cz_request_id id)
{
	struct cz_request *request;

	lock(cz);
	request = find(cz, id);
	if (request == NULL) {
		unlock(cz);
		return CZ_E_ARGUMENT;
	}
	if (request->state != CZ_REQUEST_QUEUED) {
		unlock(cz);
		return CZ_E_IN_FLIGHT;
	}
	make_done(cz, request, CZ_E_CANCELLED);
	cz->stats.cancelled++;
	unlock(cz);
	cz_host_event_set(cz->host, &request->done);
	return CZ_OK;
}

void cz_release(struct cz *cz, cz_request_id id)
{
	struct cz_request *request;

	lock(cz);
	request = find(cz, id);
	if (request != NULL && request->waiter == NULL) {
		give_up(cz, request);
	}
	unlock_and_signal_room(cz);
}

bool cz_service_available(const struct cz *cz, enum cz_service service)
{
	uint32_t number = service;

	return number < CZ_SERVICE_COUNT && cz->function[number] != 0 &&
	       (__atomic_load_n(&cz->withdrawn, __ATOMIC_RELAXED) >> number &
		1) == 0;
}

void cz_withdraw(struct cz *cz, enum cz_service service)
{
	uint32_t number = service;
	uint64_t ended;

	if (number >= CZ_SERVICE_COUNT) {
		return;
	}
	lock(cz);
	__atomic_fetch_or(&cz->withdrawn, 1u << number, __ATOMIC_RELAXED);
	ended = cz_requests_end(cz, 1u << number, CZ_E_WITHDRAWN);
	unlock(cz);
	cz_requests_signal(cz, ended);
}

void cz_restore(struct cz *cz, enum cz_service service)
{
	uint32_t number = service;
	uint64_t ended;

	if (number >= CZ_SERVICE_COUNT) {
		return;
	}
	lock(cz);
	/* Requests that were queued before the withdrawal must not run. */
	ended = cz_requests_end_withdrawn(cz);
	__atomic_fetch_and(&cz->withdrawn, ~(1u << number), __ATOMIC_RELAXED);
	unlock(cz);
	cz_requests_signal(cz, ended);
}

void cz_abort_in_flight(struct cz *cz)
{
	struct cz_request *request;
	uint64_t number;

	/* The worker numbers its calls under the mutex, so the number and the
	 * request belong together. */
	lock(cz);
	request = __atomic_load_n(&cz->in_flight, __ATOMIC_RELAXED);
	number = __atomic_load_n(&cz->watch_state, __ATOMIC_RELAXED) /
		 CZ_WATCH_CALL;
	if (request != NULL && request != &cz->direct_request) {
		__atomic_store_n(&cz->end_request, cz_end_of(number, false),
				 __ATOMIC_RELEASE);
		cz_host_interrupt(cz->host, cz->worker);
	}
	unlock(cz);
}

void cz_get_stats(struct cz *cz, struct cz_stats *stats)
{
	uint32_t before;
	uint32_t after;

	/* The exception hooks write single words on the worker's thread without
	 * the mutex; each is at most one event newer. A cz_call_now() on
	 * another CPU writes without the mutex, too, and changes stats_seq. It
	 * is done within a moment. */
	lock(cz);
	do {
		before = __atomic_load_n(&cz->stats_seq, __ATOMIC_ACQUIRE);
		*stats = cz->stats;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n(&cz->stats_seq, __ATOMIC_RELAXED);
	} while (before != after || (before & 1) != 0);
	unlock(cz);
}
