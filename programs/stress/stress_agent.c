/* SPDX-License-Identifier: MIT */
/*
 * How a thread of the stress test spends its time: it makes a call in one of
 * several ways; then it does nothing, sleeps, computes, or changes its priority
 * or its CPU.
 */
#include "stress/stress.h"

#include <kernel/machine.h>
#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define MAX_SHOWN 6u /* mismatches */
#define WALKS 300u /* one choice in so many */
#define LOWEST 2u
#define HIGHEST 55u
#define SHORT_NS 40000u /* too short for some of the calls */

static void set_doing(struct agent *agent, const char *doing,
		      enum cz_service service)
{
	agent->service = service;
	__atomic_store_n(&agent->doing, doing, __ATOMIC_RELEASE);
	counter_add(&agent->steps);
}

bool agent_mismatch(const struct agent *agent, const char *what)
{
	bool shown = counter_add(&stress.mismatches) <= MAX_SHOWN;

	if (shown) {
		kprintf("# mismatch: thread %u, priority %u, CPU %u: %s\n",
			agent->number, agent->priority,
			thread_cpu(agent->thread), what);
	}
	return shown;
}

static bool chance(struct agent *agent, unsigned percent)
{
	return prng_below(&agent->prng, 100) < percent;
}

/* ---- Ways to make a call ---- */

cz_status agent_call(struct agent *agent, const struct cz_call *call,
		     uint64_t deadline_ns)
{
	cz_status status;

	set_doing(agent, "is in a call of", call->service);
	status = cz_call_and_wait(agent->cz, call, deadline_ns);
	set_doing(agent, NULL, CZ_SERVICE_COUNT);
	return status;
}

static uint64_t near_deadline(struct agent *agent)
{
	return now_ns() + prng_below(&agent->prng, SHORT_NS);
}

static void call_directly(struct agent *agent, struct operation *operation)
{
	bool timed = chance(agent, 15);
	uint64_t deadline = timed ? near_deadline(agent) : CZ_FOREVER;

	operation_end(agent, operation,
		      agent_call(agent, &operation->call, deadline), timed);
}

/* Makes the call outside the queue, if firmware is free. */
static void call_now(struct agent *agent, struct operation *operation)
{
	cz_status status = cz_call_now(agent->cz, &operation->call);

	if (status == CZ_E_BUSY) {
		call_directly(agent, operation);
	} else {
		counter_add(&stress.outside);
		operation_end(agent, operation, status, false);
	}
}

static cz_status wait_for(struct agent *agent, struct operation *operation,
			  cz_request_id id, uint64_t deadline_ns)
{
	cz_status status;

	set_doing(agent, "waits for", operation->call.service);
	status = cz_wait(agent->cz, id, &operation->call, deadline_ns);
	set_doing(agent, NULL, CZ_SERVICE_COUNT);
	return status;
}

static void release(struct agent *agent, struct operation *operation,
		    cz_request_id id)
{
	cz_release(agent->cz, id);
	counter_add(&stress.given_up);
	operation_forget(operation);
}

/* Cancels a request. A cancelled request must end as cancelled; one that could
 * not be cancelled ends like any other. */
static void cancel(struct agent *agent, struct operation *operation,
		   cz_request_id id)
{
	cz_status cancelled = cz_cancel(agent->cz, id);
	cz_status status = wait_for(agent, operation, id, CZ_FOREVER);

	if (cancelled == CZ_OK) {
		counter_add(&stress.cancelled);
	}
	if (cancelled != CZ_OK && cancelled != CZ_E_IN_FLIGHT) {
		agent_mismatch(agent, "cz_cancel() does not know the request");
	} else if ((cancelled == CZ_OK) != (status == CZ_E_CANCELLED)) {
		agent_mismatch(agent, "cz_cancel() and cz_wait() disagree");
	}
	operation_end(agent, operation, status, false);
}

static void wait_a_while(struct agent *agent, struct operation *operation,
			 cz_request_id id)
{
	cz_status status = wait_for(agent, operation, id, near_deadline(agent));

	if (status != CZ_E_DEADLINE) {
		operation_end(agent, operation, status, false);
	} else if (chance(agent, 50)) {
		release(agent, operation, id);
	} else {
		operation_end(agent, operation,
			      wait_for(agent, operation, id, CZ_FOREVER),
			      false);
	}
}

static void begin_call(struct agent *agent)
{
	agent->quota--;
	counter_add(&stress.calls_begun);
}

static void pass_time(struct agent *agent);

/* Makes a call while the thread holds a request. The call waits for a free
 * request if there is none. If as many threads as there are requests did this,
 * they would wait for each other, so one thread must not. */
static void call_meanwhile(struct agent *agent)
{
	if (counter_add(&stress.keeping) < agent->cz->request_count) {
		begin_call(agent);
		operation_choose(agent, &agent->other);
		call_directly(agent, &agent->other);
	}
	__atomic_sub_fetch(&stress.keeping, 1, __ATOMIC_ACQ_REL);
}

/* The request has been submitted. Meanwhile the thread does something else. */
static void finish_later(struct agent *agent, struct operation *operation,
			 cz_request_id id)
{
	unsigned choice = (unsigned)prng_below(&agent->prng, 100);

	pass_time(agent);
	if (agent->quota != 0 && chance(agent, 50)) {
		call_meanwhile(agent);
	}
	if (choice < 50) {
		operation_end(agent, operation,
			      wait_for(agent, operation, id, CZ_FOREVER),
			      false);
	} else if (choice < 65) {
		cancel(agent, operation, id);
	} else if (choice < 80) {
		release(agent, operation, id);
	} else {
		wait_a_while(agent, operation, id);
	}
}

static void make_call(struct agent *agent)
{
	struct operation *operation = &agent->operation;
	cz_request_id id;
	cz_status status;

	begin_call(agent);
	operation_choose(agent, operation);
	if (chance(agent, 10)) {
		call_now(agent, operation);
		return;
	}
	if (chance(agent, 65)) {
		call_directly(agent, operation);
		return;
	}
	status = cz_submit(agent->cz, &operation->call, &id);
	if (status == CZ_E_BUSY) {
		call_directly(agent, operation);
	} else if (status != CZ_OK) {
		agent_mismatch(agent, cz_status_name(status));
	} else {
		finish_later(agent, operation, id);
	}
}

/* ---- Between calls ---- */

static void work(uint64_t ns)
{
	uint64_t end = tick_after_ns(ns);

	while (ticks_now() < end) {
	}
}

/* Restricts the thread to one CPU, or allows all of them. */
static void hop(struct agent *agent)
{
	uint32_t cpu = (uint32_t)prng_below(&agent->prng, machine.cpu_count);
	uint64_t cpus = chance(agent, 30) ? stress.cpus : 1ull << cpu;

	if ((cpus & stress.cpus) != 0) {
		(void)thread_set_cpus(agent->thread, cpus);
	}
}

static void set_priority(struct agent *agent, unsigned priority)
{
	agent->priority = priority;
	__atomic_store_n(&agent->hurried, false, __ATOMIC_RELEASE);
	thread_set_priority(agent->thread, priority);
}

static void pass_time(struct agent *agent)
{
	unsigned choice = (unsigned)prng_below(&agent->prng, 100);

	counter_add(&agent->steps);
	if (__atomic_load_n(&agent->hurried, __ATOMIC_ACQUIRE)) {
		set_priority(agent, agent->priority);
	}
	if (choice < 45) {
		set_doing(agent, "sleeps", CZ_SERVICE_COUNT);
		thread_sleep_until(
			tick_after_ns(16 * prng_below(&agent->prng, 8192)));
		set_doing(agent, NULL, CZ_SERVICE_COUNT);
	} else if (choice < 55) {
		work(16 * prng_below(&agent->prng, 512));
	} else if (choice < 65) {
		set_priority(agent,
			     LOWEST + (unsigned)prng_below(&agent->prng,
							   HIGHEST - LOWEST));
	} else if (choice < 75) {
		hop(agent);
	}
}

static void agent_entry(void *argument)
{
	struct agent *agent = argument;

	agent->thread = this_thread();
	while (agent->quota != 0) {
		if (prng_below(&agent->prng, WALKS) == 0) {
			walk(agent);
		} else {
			make_call(agent);
		}
		pass_time(agent);
	}
	__atomic_store_n(&agent->ended, true, __ATOMIC_RELEASE);
	if (__atomic_sub_fetch(&stress.agents_left, 1, __ATOMIC_ACQ_REL) == 0) {
		completion_set(&stress.over);
	}
}

void agent_start(struct agent *agent, unsigned number)
{
	agent->number = number;
	agent->walk = walk_alloc();
	agent->quota = stress.calls / stress.threads +
		       (number < stress.calls % stress.threads);
	prng_init(&agent->prng, 't' + ((uint64_t)number << 8));
	agent->priority =
		LOWEST + (unsigned)prng_below(&agent->prng, HIGHEST - LOWEST);
	agent->thread =
		thread_create("agent", agent->priority, agent_entry, agent);
}
