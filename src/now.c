/* SPDX-License-Identifier: MIT */
/*
 * cz_call_now(): calls outside the queue, for contexts that must not sleep.
 * Interrupts are masked before firmware is taken, so that its owner is never
 * switched out while somebody waits for it.
 */
#include "call.h"
#include "gate.h"

/* Assigns the request addresses in cz_call_now()'s own part of the window. The
 * rules are those of the queue: an address is not used again soon, and the page
 * after the last one is not mapped. */
static void place(struct cz *cz, struct cz_request *request,
		  uint32_t page_count)
{
	uint64_t page = cz->next_direct_page;

	if (page < cz->direct_window_page ||
	    page + page_count + 1 > cz->window_pages) {
		page = cz->direct_window_page;
	}
	cz->next_direct_page = page + page_count + 1;
	request->used_pages = page_count;
	request->address = cz->window_address + page * CZ_PAGE;
}

/* Makes the call: maps the arguments, borrows the CPU and passes the gate. The
 * steps are those of run() in worker.c. */
static void enter(struct cz *cz, struct cz_request *request,
		  struct cz_outcome *outcome)
{
	struct cz_host *host = cz->host;
	struct cz_mapping mapping = cz_call_mapping(request);
	uint64_t value;

	(void)cz_watch_number(cz);
	__atomic_store_n(&cz->left_firmware, false, __ATOMIC_RELAXED);
	cz_host_borrow_begin(host, cz->space, &cz->borrow);
	if (mapping.page_count != 0) {
		/* Mapped before, in cz_init(): cannot fail. */
		(void)cz_host_space_map(host, cz->space, &mapping);
	}
	outcome->enter_ns = cz_host_now_ns(host);
	value = cz_gate_call(cz, cz->function[request->service],
			     request->registers, &outcome->anomalies);
	outcome->exit_ns = cz_host_now_ns(host);
	__atomic_store_n(&cz->left_firmware, true, __ATOMIC_RELAXED);
	if (mapping.page_count != 0) {
		cz_host_space_unmap(host, cz->space, mapping.address,
				    mapping.page_count);
	}
	if (cz->touched != 0) {
		/* The space must not be changed after cz_host_borrow_end(). */
		cz_protect_devices(cz);
	}
	cz_host_borrow_end(host, cz->space, &cz->borrow);
	cz_call_judge(cz, request, value, outcome);
}

/* Counts the call, without the mutex: cz_get_stats() reads the statistics again
 * when stats_seq has changed. Returns true when the call was ended. */
static bool count(struct cz *cz, const struct cz_request *request,
		  const struct cz_outcome *outcome)
{
	bool cut_off;

	__atomic_store_n(&cz->stats_seq, cz->stats_seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	cut_off = cz_call_count(cz, request, outcome);
	cz->stats.now++;
	__atomic_store_n(&cz->stats_seq, cz->stats_seq + 1, __ATOMIC_RELEASE);
	return cut_off;
}

/* Makes the call, with its arguments, as the owner of firmware. Sets *cut_off
 * when the call was ended. */
static cz_status call_owned(struct cz *cz, const struct cz_call *call,
			    const struct cz_layout *layout, bool *cut_off)
{
	struct cz_request *request = &cz->direct_request;
	struct cz_outcome outcome;
	cz_status status;

	/* Another call may have been ended since this one was admitted. */
	if (!cz_service_available(cz, call->service)) {
		return CZ_E_WITHDRAWN;
	}
	place(cz, request, layout->page_count);
	request->service = call->service;
	request->argument_count = call->argument_count;
	status = cz_arguments_in(request, call, layout);
	if (status != CZ_OK) {
		return status;
	}
	enter(cz, request, &outcome);
	*cut_off = count(cz, request, &outcome);
	request->status = outcome.status;
	status = cz_arguments_out(request, call);
	if (status == CZ_E_BAD_SIZE) {
		cz_size_report(cz, request);
	}
	return status;
}

/* Releases firmware. If a call was ended, it stays owned, with direct_request
 * DONE, until somebody who can take the mutex has ended the queued requests for
 * the services that are withdrawn now. */
static void disown(struct cz *cz, bool cut_off)
{
	if (cut_off) {
		cz->end_withdrawn_due = true;
	}
	if (cz->end_withdrawn_due) {
		__atomic_store_n(&cz->direct_request.state, CZ_REQUEST_DONE,
				 __ATOMIC_RELEASE);
	} else {
		cz_owner_release(cz);
	}
}

cz_status cz_call_now(struct cz *cz, const struct cz_call *call)
{
	struct cz_layout layout;
	uint64_t interrupts;
	bool cut_off = false;
	cz_status status = cz_requests_admit(cz, call, &layout);

	if (status != CZ_OK) {
		return status;
	}
	if (call->service == CZ_SET_WORKER_CPUS) {
		return CZ_E_ARGUMENT;
	}
	interrupts = cz_host_interrupts_off(cz->host);
	if (cz_owner_try(cz)) {
		__atomic_store_n(&cz->direct_request.state,
				 CZ_REQUEST_IN_FLIGHT, __ATOMIC_RELAXED);
		status = call_owned(cz, call, &layout, &cut_off);
		disown(cz, cut_off);
	} else {
		__atomic_fetch_add(&cz->stats.now_busy, 1, __ATOMIC_RELAXED);
		status = CZ_E_BUSY;
	}
	cz_host_interrupts_restore(cz->host, interrupts);
	return status;
}
