/* SPDX-License-Identifier: MIT */
/*
 * Ends calls that would not return by themselves, from a more urgent thread.
 * The caller must come back, the services must be withdrawn until they are
 * restored, and firmware must then work as before, whatever it had in the
 * registers and whichever stack pointer it had selected.
 */
#include "lib/adversary.h"
#include "lib/common.h"
#include "lib/watch.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define SPIN_ITERATIONS 1000000000ull /* takes seconds */
#define FILL_ITERATIONS 10000000ull
#define ABORT_AFTER_NS 960000u
#define PRIORITY_ABORT 60

static uint64_t aborted_tick;
static uint64_t aborts;

static void abort_entry(void *argument)
{
	(void)argument;
	do {
		thread_sleep_until(tick_after_ns(ABORT_AFTER_NS));
	} while (__atomic_load_n(&firmware->in_flight, __ATOMIC_ACQUIRE) ==
		 NULL);
	aborted_tick = ticks_now();
	cz_abort_in_flight(firmware);
}

static void check_withdrawn(void)
{
	struct cz_efi_time time;

	ktap_result(!cz_service_available(firmware, CZ_SET_VARIABLE) &&
			    cz_get_time(firmware, &time, NULL,
					deadline_in_ms(100)) == CZ_OK,
		    "abort: only the service of the aborted call is withdrawn");
	ktap_result(cz_set_variable(firmware, ADVERSARY_SPIN, &adversary_guid,
				    ADVERSARY_ATTRIBUTES, &time, sizeof(time),
				    deadline_in_ms(100)) == CZ_E_WITHDRAWN,
		    "abort: a call of the withdrawn service is refused");
	restore_services();
	ktap_result(cz_service_available(firmware, CZ_SET_VARIABLE),
		    "abort: a restored service is available");
}

static void check_stats(void)
{
	static struct cz_stats stats;
	uint64_t anomalies = 0;

	cz_get_stats(firmware, &stats);
	for (int i = 0; i < CZ_ANOMALY_COUNT; i++) {
		anomalies += stats.anomalies[i];
	}
	ktap_result(stats.aborts == aborts && anomalies == 0,
		    "abort: aborts are counted, and no anomaly is");
}

static bool adversary_works(void)
{
	struct adversary_registers_order order = {.seed = 1, .iterations = 2};

	return cz_set_variable(firmware, ADVERSARY_REGISTERS, &adversary_guid,
			       ADVERSARY_ATTRIBUTES, &order, sizeof(order),
			       deadline_in_ms(100)) == CZ_OK;
}

/* Makes the call, queues another one after it, and ends the first. */
static bool end_call(const uint16_t *name, const void *order, size_t size_bytes,
		     cz_status *queued_status)
{
	struct cz_call call, queued;
	cz_request_id call_id, queued_id;
	uint64_t none = 0;
	struct thread *thread;
	cz_status status;

	cz_prepare_set_variable(&call, name, &adversary_guid,
				ADVERSARY_ATTRIBUTES, order, size_bytes);
	cz_prepare_set_variable(&queued, ADVERSARY_SPIN, &adversary_guid,
				ADVERSARY_ATTRIBUTES, &none, sizeof(none));
	thread = thread_create("abort", PRIORITY_ABORT, abort_entry, NULL);
	if (cz_submit(firmware, &call, &call_id) != CZ_OK ||
	    cz_submit(firmware, &queued, &queued_id) != CZ_OK) {
		panic("cannot submit");
	}
	status = cz_wait(firmware, call_id, &call, CZ_FOREVER);
	kprintf("# %s, %llu ns after the abort\n", cz_status_name(status),
		(unsigned long long)ticks_to_ns(ticks_now() - aborted_tick));
	aborts++;
	thread_join(thread);
	*queued_status = cz_wait(firmware, queued_id, &queued, CZ_FOREVER);
	return status == CZ_E_ABORTED;
}

static void check_abort(void)
{
	uint64_t iterations = SPIN_ITERATIONS;
	cz_status queued;

	ktap_result(end_call(ADVERSARY_SPIN, &iterations, sizeof(iterations),
			     &queued),
		    "abort: the call is ended");
	ktap_result(queued == CZ_E_WITHDRAWN,
		    "abort: a call that had not started is withdrawn");
}

/* The worker must continue with its own registers, not with firmware's. */
static void check_registers(void)
{
	struct adversary_registers_order order = {
		.seed = 1, .iterations = FILL_ITERATIONS};
	cz_status queued;
	bool ended =
		end_call(ADVERSARY_REGISTERS, &order, sizeof(order), &queued);

	restore_services();
	ktap_result(ended && adversary_works(),
		    "abort: a call that uses every register is ended");
}

/* With the other stack selected, firmware's interrupts arrive as the kernel's
 * own do. */
static void check_stack_select(void)
{
	struct adversary_leave_order order = {
		.what = 1ull << ADVERSARY_LEAVE_SPSEL,
		.iterations = SPIN_ITERATIONS,
	};
	cz_status queued;
	bool ended = end_call(ADVERSARY_LEAVE, &order, sizeof(order), &queued);

	restore_services();
	ktap_result(ended && adversary_works(),
		    "abort: a call on the kernel's stack pointer is ended");
}

PROGRAM(abort, "ends long calls from a more urgent thread")
{
	struct adversary_registers_record record;

	if (!adversary_record(&record)) {
		return without_adversary();
	}
	ktap_begin(9);
	check_abort();
	check_withdrawn();
	ktap_result(adversary_works(),
		    "abort: the service of the aborted call works again");
	check_registers();
	check_stack_select();
	check_stats();
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
