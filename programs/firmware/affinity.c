/* SPDX-License-Identifier: MIT */
/*
 * Runs firmware that fails when it continues on another CPU than it started on.
 * Rivals take each CPU in turn away from the worker while the other CPUs are
 * idle, so that a thread that is allowed to move would move.
 *
 * The worker may run anywhere only while it is certain to be in firmware, and
 * is back on its first CPU before firmware returns. A pinned worker does not
 * notice this. A worker that is not pinned then fails in firmware, and not in
 * the gate, which would write one CPU's registers into another.
 */
#include "lib/adversary.h"
#include "lib/common.h"

#include <kernel/ktap.h>
#include <kernel/machine.h>
#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

/* The least number of rounds that an operation takes. It is large, because time
 * advances irregularly where QEMU runs several CPUs in turn. */
#define ROUNDS 32u
/* In the sandbox, reading MPIDR_EL1 takes so much longer. */
#define TRAPPED_POLL 100u
#define NAP_NS 4096u
#define MAX_CALLS 10000u
#define MIN_PREEMPTIONS 2u /* in each call */
#define TURN_NS 32768u /* for how long one CPU is taken */
#define TAKEN_NS 16384u
#define PRIORITY_RIVAL 50
#define PRIORITY_CALLER 55
#define PRIORITY_WAITING 40

static struct rival {
	struct thread *thread;
	unsigned turn; /* the index of this rival's turn */
} rivals[MACHINE_MAX_CPUS];

static uint32_t cpus;
static bool stopping;

/* Returns how long one round of all turns takes. */
static uint64_t round_ns(void)
{
	return (uint64_t)TURN_NS * cpus;
}

/* Returns when the next of these turns begins. */
static uint64_t next_turn(unsigned turn)
{
	uint64_t round = ns_to_ticks(round_ns());
	uint64_t now = ticks_now();
	uint64_t at = now / round * round + turn * ns_to_ticks(TURN_NS);

	return at > now ? at : at + round;
}

static void rival_entry(void *argument)
{
	struct rival *rival = argument;

	while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
		uint64_t start = next_turn(rival->turn);

		thread_sleep_until(start);
		while (ticks_now() < start + ns_to_ticks(TAKEN_NS)) {
		}
	}
}

static void start_rivals(void)
{
	uint64_t left = cpus_online();

	cpus = cpus_online_count();
	for (unsigned i = 0; left != 0; i++, left &= left - 1) {
		rivals[i].turn = i;
		rivals[i].thread = thread_create("rival", PRIORITY_RIVAL,
						 rival_entry, &rivals[i]);
		(void)thread_set_cpus(rivals[i].thread, left & -left);
	}
}

static void stop_rivals(void)
{
	__atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < cpus; i++) {
		thread_join(rivals[i].thread);
	}
}

static bool read_record(struct adversary_affinity_record *record)
{
	size_t size_bytes = sizeof(*record);
	cz_status status =
		cz_get_variable(firmware, ADVERSARY_AFFINITY, &adversary_guid,
				NULL, record, &size_bytes, CZ_FOREVER);

	return status == CZ_OK && size_bytes == sizeof(*record);
}

static void nap(uint64_t ns)
{
	thread_sleep_until(tick_after_ns(ns));
}

static void let_worker_run_on(uint64_t on)
{
	(void)thread_set_cpus((struct thread *)firmware->worker, on);
}

/* Returns a number that grows once the call in flight is certain to be, or to
 * have been, in firmware. */
static uint64_t interrupts_and_calls(void)
{
	static struct cz_stats stats;
	const struct cz_service_stats *service =
		&stats.service[CZ_SET_VARIABLE];

	cz_get_stats(firmware, &stats);
	return service->interrupts + service->calls;
}

static uint64_t call_instructions(void)
{
	uint64_t instructions = round_ns() * ROUNDS;

	return firmware->gate == CZ_GATE_SANDBOX ? instructions / TRAPPED_POLL
						 : instructions;
}

/* Makes a call that starts on one CPU. */
static cz_status one_call(uint64_t on)
{
	uint64_t instructions = call_instructions();
	struct cz_call call;
	uint64_t before = interrupts_and_calls();
	cz_request_id id;
	cz_status status;

	let_worker_run_on(on);
	cz_prepare_set_variable(&call, ADVERSARY_AFFINITY, &adversary_guid,
				ADVERSARY_ATTRIBUTES, &instructions,
				sizeof(instructions));
	status = cz_submit(firmware, &call, &id);
	if (status != CZ_OK) {
		return status;
	}
	while (interrupts_and_calls() == before) {
		nap(NAP_NS);
	}
	let_worker_run_on(cpus_online());
	nap(2 * round_ns());
	let_worker_run_on(on);
	/* The worker inherits this priority. It is low enough that others
	 * preempt the worker. */
	thread_set_priority(this_thread(), PRIORITY_WAITING);
	status = cz_wait(firmware, id, &call, CZ_FOREVER);
	thread_set_priority(this_thread(), PRIORITY_CALLER);
	return status;
}

/* Makes calls that start on each CPU in turn. Returns how many ended in neither
 * success nor a failed operation. */
static uint64_t make_calls(uint64_t calls)
{
	uint64_t others = 0;
	uint64_t left = 0;

	for (uint64_t i = 0; i < calls; i++, left &= left - 1) {
		cz_status status;

		left = left == 0 ? cpus_online() : left;
		status = one_call(left & -left);

		if (status != CZ_OK && status != CZ_EFI_DEVICE_ERROR) {
			kprintf("# SetVariable: %s\n", cz_status_name(status));
			others++;
		}
		if (i % 10 == 9) {
			progress(i + 1, calls);
		}
	}
	return others;
}

static uint64_t preemptions(void)
{
	static struct cz_stats stats;

	cz_get_stats(firmware, &stats);
	return stats.service[CZ_SET_VARIABLE].preemptions;
}

static void report(const struct adversary_affinity_record *record,
		   uint64_t calls, uint64_t others, uint64_t preempted)
{
	ktap_result(others == 0 && record->calls == calls,
		    "affinity: every call reaches the driver and returns");
	if (record->failures != 0) {
		kprintf("# started on CPU %llx, continued on CPU %llx\n",
			(unsigned long long)record->started_on,
			(unsigned long long)record->found_on);
	}
	ktap_result(record->failures == 0,
		    "affinity: a call ends on the CPU that it started on");
	ktap_result(preempted >= MIN_PREEMPTIONS * calls,
		    "affinity: the calls were preempted often enough");
	kprintf("affinity cpus=%u calls=%llu failures=%llu preempted=%llu\n",
		cpus, (unsigned long long)calls,
		(unsigned long long)record->failures,
		(unsigned long long)preempted);
}

PROGRAM(affinity, "firmware that fails when it is moved to another CPU")
{
	struct adversary_affinity_record record;
	uint64_t calls = option_number("calls", 100);
	uint64_t others, preempted;

	if (!read_record(&record)) {
		return without_adversary();
	}
	if (calls == 0 || calls > MAX_CALLS) {
		return could_not_run("calls is not in 1..10000");
	}
	ktap_begin(3);
	thread_set_priority(this_thread(), PRIORITY_CALLER);
	start_rivals();
	others = make_calls(calls);
	preempted = preemptions();
	stop_rivals();
	if (!read_record(&record)) {
		others++;
	}
	report(&record, calls, others, preempted);
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
