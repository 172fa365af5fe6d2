/* SPDX-License-Identifier: MIT */
/* Calls outside the queue, resets with a fallback, the worker's CPUs. */
#include "fixture.h"

#include "call.h"
#include "interleave.h"

#include <string.h>

static struct cz_stats stats_of(struct fixture *fixture)
{
	struct cz_stats stats;

	cz_get_stats(&fixture->cz, &stats);
	return stats;
}

static cz_status get_time_now(struct fixture *fixture, struct cz_efi_time *time)
{
	struct cz_call call;

	cz_prepare_get_time(&call, time, NULL);
	return cz_call_now(&fixture->cz, &call);
}

static bool is_held(void *argument)
{
	struct fixture *fixture = argument;

	return __atomic_load_n(&fixture->sim.entered_hold, __ATOMIC_SEQ_CST);
}

static void hold_in(struct fixture *fixture, enum cz_service service)
{
	fixture->sim.hook[service] = sim_hold;
	fixture->sim.entered_hold = false;
	fixture->sim.held = true;
}

/* Submits a GetTime to the queue and holds it in firmware. */
static cz_request_id hold(struct fixture *fixture, struct cz_call *call)
{
	static struct cz_efi_time time;
	cz_request_id id;

	hold_in(fixture, CZ_GET_TIME);
	cz_prepare_get_time(call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, call, &id), CZ_OK);
	assert_true(sim_until(is_held, fixture));
	fixture->sim.order_count = 0;
	return id;
}

static void let_go(struct fixture *fixture, cz_request_id id,
		   struct cz_call *call)
{
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, call, LATER), CZ_OK);
}

/* ---- One call ---- */

static void calls_while_idle(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time = {0};
	uint32_t mappings = fixture->sim.mapping_count;

	for (unsigned i = 0; i < 100; i++) {
		assert_status(get_time_now(fixture, &time), CZ_OK);
		assert_int_equal(time.year, 2026);
		assert_int_equal(fixture->sim.mapping_count, mappings);
	}
	assert_null(fixture->cz.in_flight);
	assert_int_equal(stats_of(fixture).now, 100);
	assert_int_equal(stats_of(fixture).now_busy, 0);
	assert_int_equal(stats_of(fixture).service[CZ_GET_TIME].calls, 100);
	assert_int_equal(stats_of(fixture).submitted, 0);
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
}

/* cz_call_now() has its own part of the window, which the queue does not use.
 * It uses no page for two calls in a row. */
static void addresses(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = fixture->cz.window_address +
			 fixture->cz.direct_window_page * SIM_PAGE;
	uint64_t end = fixture->cz.window_address +
		       fixture->cz.window_pages * SIM_PAGE;
	struct cz_efi_time time;
	uint64_t last = 0;

	for (unsigned i = 0; i < 40; i++) {
		uint64_t at;

		assert_status(get_time_now(fixture, &time), CZ_OK);
		at = fixture->sim.last_registers[0];
		assert_true(at >= start && at + SIM_PAGE < end);
		assert_true(at / SIM_PAGE != last);
		last = at / SIM_PAGE;
	}
	for (unsigned i = 0; i < 3000; i++) {
		assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER),
			      CZ_OK);
		assert_true(fixture->sim.last_registers[0] < start);
	}
}

static void largest_arguments(void **state)
{
	static uint8_t data[4096], back[4096];
	struct fixture *fixture = *state;
	size_t size = sizeof(back);
	struct cz_call call;

	memset(data, 0x3c, sizeof(data));
	cz_prepare_set_variable(&call, u"A", &test_guid, 7, data, sizeof(data));
	assert_status(cz_call_now(&fixture->cz, &call), CZ_OK);
	cz_prepare_get_variable(&call, u"A", &test_guid, NULL, back, &size);
	assert_status(cz_call_now(&fixture->cz, &call), CZ_OK);
	assert_int_equal(size, sizeof(data));
	assert_memory_equal(back, data, sizeof(data));
	cz_prepare_set_variable(&call, u"A", &test_guid, 7, data,
				fixture->cz.max_data_bytes + 1ull);
	assert_status(cz_call_now(&fixture->cz, &call), CZ_E_TOO_LARGE);
	assert_int_equal(stats_of(fixture).now, 2);
}

static void refused_calls(void **state)
{
	const struct cz_cpu_set cpus = {{1}};
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	struct cz_call call;

	cz_withdraw(&fixture->cz, CZ_GET_TIME);
	assert_status(get_time_now(fixture, &time), CZ_E_WITHDRAWN);
	cz_restore(&fixture->cz, CZ_GET_TIME);
	assert_status(get_time_now(fixture, &time), CZ_OK);
	fixture->cz.function[CZ_GET_TIME] = 0;
	assert_status(get_time_now(fixture, &time), CZ_EFI_UNSUPPORTED);
	assert_status(cz_prepare_set_worker_cpus(&call, &cpus), CZ_OK);
	assert_status(cz_call_now(&fixture->cz, &call), CZ_E_ARGUMENT);
	call.service = CZ_SERVICE_COUNT;
	assert_status(cz_call_now(&fixture->cz, &call), CZ_E_ARGUMENT);
	assert_int_equal(stats_of(fixture).now, 1);
}

static void requests_in_use(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call null;
	struct cz_efi_time time;
	cz_request_id ids[CZ_MAX_REQUESTS];
	uint32_t count = fixture->cz.request_count;

	cz_prepare_null_service(&null);
	for (uint32_t i = 0; i < count; i++) {
		assert_status(cz_submit(&fixture->cz, &null, &ids[i]), CZ_OK);
	}
	assert_int_equal(fixture->cz.free_requests, 0);
	while (get_time_now(fixture, &time) == CZ_E_BUSY) {
		;
	}
	assert_int_equal(time.year, 2026);
	for (uint32_t i = 0; i < count; i++) {
		assert_status(cz_wait(&fixture->cz, ids[i], &null, LATER),
			      CZ_OK);
	}
}

/* A thread may call cz_call_now() while it holds the library's mutex, is
 * pinned, and is in a space and in an FP section. The simulated host aborts the
 * test if the library breaks the contract there. */
static void with_all_host_state_in_use(void **state)
{
	struct fixture *fixture = *state;
	struct cz_host *sim = &fixture->sim;
	struct cz_efi_time time = {0};
	uint64_t interrupts;

	cz_host_pin(sim);
	cz_host_space_enter(sim, fixture->cz.space);
	cz_host_fp_begin(sim);
	cz_host_mutex_lock(sim, &fixture->cz.mutex);
	interrupts = cz_host_interrupts_off(sim);
	assert_status(get_time_now(fixture, &time), CZ_OK);
	assert_true(sim_self(sim)->masked);
	cz_host_interrupts_restore(sim, interrupts);
	cz_host_mutex_unlock(sim, &fixture->cz.mutex);
	cz_host_fp_end(sim);
	cz_host_space_leave(sim, fixture->cz.space);
	cz_host_unpin(sim);
	assert_int_equal(time.year, 2026);
}

/* ---- The owner ---- */

static void busy_while_owned(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time = {.year = 1};
	struct cz_call call;
	cz_request_id id = hold(fixture, &call);

	assert_status(get_time_now(fixture, &time), CZ_E_BUSY);
	assert_status(get_time_now(fixture, &time), CZ_E_BUSY);
	assert_int_equal(fixture->sim.order_count, 0);
	assert_int_equal(time.year, 1);
	let_go(fixture, id, &call);
	assert_int_equal(stats_of(fixture).now, 0);
	assert_int_equal(stats_of(fixture).now_busy, 2);
}

static struct fixture *nesting;
static cz_status nested;

static uint64_t nest(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	struct cz_efi_time time;

	(void)sim;
	(void)cz;
	(void)r;
	nested = get_time_now(nesting, &time);
	return CZ_EFI_NOT_FOUND;
}

static void nested_call_is_busy(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;

	nesting = fixture;
	nested = CZ_OK;
	fixture->sim.hook[CZ_GET_TIME] = nest;
	assert_status(get_time_now(fixture, &time), CZ_EFI_NOT_FOUND);
	assert_status(nested, CZ_E_BUSY);
	assert_int_equal(stats_of(fixture).service[CZ_GET_TIME].failures, 1);
}

/* A thread that makes a cz_call_now() as if on another CPU. */
struct other {
	struct fixture *fixture;
	cz_status status;
};

static void other_entry(void *argument)
{
	struct other *other = argument;
	struct cz_efi_time time;

	other->status = get_time_now(other->fixture, &time);
}

static void worker_waits_for_its_turn(void **state)
{
	struct fixture *fixture = *state;
	struct other other = {.fixture = fixture};
	struct sim_thread *thread;
	struct cz_stats stats;
	struct cz_call call;
	uint32_t count;
	cz_request_id id;
	cz_request_id gone;

	hold_in(fixture, CZ_GET_TIME);
	thread = sim_spawn(&fixture->sim, 10, other_entry, &other);
	assert_true(sim_until(is_held, fixture));
	/* An abort does not end a cz_call_now(). */
	cz_abort_in_flight(&fixture->cz);
	cz_prepare_get_next_high_monotonic_count(&call, &count);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	assert_status(cz_submit(&fixture->cz, &call, &gone), CZ_OK);
	assert_status(cz_wait(&fixture->cz, id, &call, SOON), CZ_E_DEADLINE);
	assert_int_equal(fixture->sim.order_count, 1);
	/* A request that waits can still be cancelled. */
	assert_status(cz_cancel(&fixture->cz, gone), CZ_OK);
	assert_status(cz_wait(&fixture->cz, gone, &call, LATER),
		      CZ_E_CANCELLED);
	stats = stats_of(fixture);
	assert_int_equal(stats.completed, 0);
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
	sim_join(&fixture->sim, thread);
	assert_status(other.status, CZ_OK);
	assert_int_equal(stats_of(fixture).aborts, 0);
}

/* A worker that found firmware owned has the next turn, until a deadline. */
static void worker_has_the_next_turn(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;

	worker_waits_for_its_turn(state);
	assert_true(fixture->cz.worker_turn_until_ns != 0);
	fixture->cz.worker_turn_until_ns = CZ_FOREVER;
	assert_status(get_time_now(fixture, &time), CZ_E_BUSY);
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	fixture->cz.worker_turn_until_ns = cz_host_now_ns(&fixture->sim);
	assert_status(get_time_now(fixture, &time), CZ_OK);
}

static uint64_t interrupt(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)r;
	sim_interrupt(cz);
	return CZ_EFI_SUCCESS;
}

/* An end that was asked for after its call had returned does not end the next
 * call. */
static void late_abort(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;

	fixture->sim.hook[CZ_GET_TIME] = interrupt;
	fixture->cz.end_request =
		cz_end_of(fixture->cz.watch_state / CZ_WATCH_CALL, true);
	assert_status(get_time_now(fixture, &time), CZ_OK);
	assert_int_equal(stats_of(fixture).aborts, 0);
}

struct contender {
	struct fixture *fixture;
	uint32_t good, busy, wrong;
};

static void contender_entry(void *argument)
{
	struct contender *self = argument;

	for (int i = 0; i < 300; i++) {
		struct cz_efi_time time = {0};
		cz_status status = get_time_now(self->fixture, &time);

		self->good += status == CZ_OK && time.year == 2026;
		self->busy += status == CZ_E_BUSY;
		self->wrong += status != CZ_OK && status != CZ_E_BUSY;
	}
}

/* Two threads that use cz_call_now() and one that uses the queue call at once.
 * The gate and the host abort the test if two of them are in firmware at the
 * same time. */
static void queue_and_direct_calls(void **state)
{
	struct fixture *fixture = *state;
	struct contender contenders[2] = {{.fixture = fixture},
					  {.fixture = fixture}};
	struct sim_thread *threads[2];
	struct cz_efi_time time;
	struct cz_stats stats;

	for (int i = 0; i < 2; i++) {
		threads[i] = sim_spawn(&fixture->sim, 10, contender_entry,
				       &contenders[i]);
	}
	for (int i = 0; i < 300; i++) {
		assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER),
			      CZ_OK);
	}
	for (int i = 0; i < 2; i++) {
		sim_join(&fixture->sim, threads[i]);
		assert_int_equal(contenders[i].wrong, 0);
		assert_int_equal(contenders[i].good + contenders[i].busy, 300);
	}
	stats = stats_of(fixture);
	assert_int_equal(stats.now, contenders[0].good + contenders[1].good);
	assert_int_equal(stats.now_busy,
			 contenders[0].busy + contenders[1].busy);
	assert_int_equal(stats.service[CZ_GET_TIME].calls, 300 + stats.now);
}

/* ---- Trouble ---- */

static uint64_t fault(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)r;
	(void)cz;
	__atomic_store_n(&sim->entered_hold, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&sim->held, __ATOMIC_SEQ_CST)) {
		;
	}
	*(volatile uint8_t *)16 = 1;
	return CZ_EFI_SUCCESS;
}

/* After a fault, a request for the withdrawn service that was queued during the
 * call does not reach firmware. */
static void fault_withdraws_queued_request(void **state)
{
	struct fixture *fixture = *state;
	struct other other = {.fixture = fixture};
	struct sim_thread *thread;
	struct cz_efi_time time, queued;
	struct cz_call call;
	cz_request_id id;

	fixture->sim.hook[CZ_GET_TIME] = fault;
	fixture->sim.held = true;
	thread = sim_spawn(&fixture->sim, 10, other_entry, &other);
	assert_true(sim_until(is_held, fixture));
	cz_prepare_get_time(&call, &queued, NULL);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	sim_release_hold(&fixture->sim);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_WITHDRAWN);
	sim_join(&fixture->sim, thread);
	assert_status(other.status, CZ_E_FAULT);
	assert_int_equal(fixture->sim.order_count, 1);
	assert_int_equal(stats_of(fixture).faults, 1);
	assert_true(sim_logged(&fixture->sim, "0 GetTime: data abort"));
	assert_status(get_time_now(fixture, &time), CZ_E_WITHDRAWN);
	assert_status(cz_null_service(&fixture->cz, LATER), CZ_OK);
	cz_restore(&fixture->cz, CZ_GET_TIME);
	fixture->sim.hook[CZ_GET_TIME] = NULL;
	assert_status(cz_call_now(&fixture->cz, &call), CZ_OK);
}

static void withdraw_entry(void *argument)
{
	struct fixture *fixture = argument;

	cz_withdraw(&fixture->cz, CZ_GET_TIME);
}

static void withdraw_elsewhere(void *argument)
{
	struct fixture *fixture = argument;

	sim_join(&fixture->sim,
		 sim_spawn(&fixture->sim, 10, withdraw_entry, fixture));
}

/* The service is withdrawn after the check of the arguments, and before the
 * call takes firmware. */
static void withdrawn_before_the_call(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;

	interleave_at(&fixture->cz.in_flight, 0, withdraw_elsewhere, fixture);
	assert_status(get_time_now(fixture, &time), CZ_E_WITHDRAWN);
	assert_int_equal(fixture->sim.order_count, 0);
	assert_null(fixture->cz.in_flight);
	cz_restore(&fixture->cz, CZ_GET_TIME);
	assert_status(get_time_now(fixture, &time), CZ_OK);
}

/* These two functions write what a cz_call_now() on another CPU writes when it
 * counts a call: the end and the beginning. */
static void end_count(void *argument)
{
	struct fixture *fixture = argument;

	fixture->cz.stats.now++;
	fixture->cz.stats_seq++;
}

static void begin_count(void *argument)
{
	struct fixture *fixture = argument;

	fixture->cz.stats_seq++;
	fixture->cz.stats.service[CZ_GET_TIME].calls++;
	/* The count ends only after one copy has been made and rejected. */
	interleave_at(&fixture->cz.stats_seq, 2, end_count, fixture);
}

/* cz_get_stats() copies the statistics again if a call was being counted
 * meanwhile. */
static void consistent_statistics(void **state)
{
	struct fixture *fixture = *state;
	struct cz_stats stats;

	interleave_at(&fixture->cz.stats_seq, 0, begin_count, fixture);
	stats = stats_of(fixture);
	assert_int_equal(stats.service[CZ_GET_TIME].calls, 1);
	assert_int_equal(stats.now, 1);
	/* This count begins between the two reads of stats_seq. */
	interleave_at(&fixture->cz.stats_seq, 1, begin_count, fixture);
	stats = stats_of(fixture);
	assert_int_equal(stats.service[CZ_GET_TIME].calls, 2);
	assert_int_equal(stats.now, 2);
}

/* cz_restore() makes a service available again, even if nothing is queued. */
static void restored_after_a_fault(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;

	fixture->sim.hook[CZ_GET_TIME] = fault;
	for (int i = 0; i < 2; i++) {
		assert_status(get_time_now(fixture, &time), CZ_E_FAULT);
		assert_status(get_time_now(fixture, &time), CZ_E_WITHDRAWN);
		cz_restore(&fixture->cz, CZ_GET_TIME);
		assert_null(fixture->cz.in_flight);
	}
	fixture->sim.hook[CZ_GET_TIME] = NULL;
	assert_status(get_time_now(fixture, &time), CZ_OK);
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_int_equal(stats_of(fixture).faults, 2);
}

static uint64_t write_device(struct cz_host *sim, struct cz *cz,
			     const uint64_t *r)
{
	(void)sim;
	(void)cz;
	(void)r;
	*(volatile uint8_t *)SIM_MMIO = 1;
	return CZ_EFI_SUCCESS;
}

static uint64_t write_device_and_fault(struct cz_host *sim, struct cz *cz,
				       const uint64_t *r)
{
	(void)write_device(sim, cz, r);
	return fault(sim, cz, r);
}

/* The library protects the device again before it gives the CPU back. The
 * simulated host aborts the test if it does so later. */
static void writes_to_a_device(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	struct cz_ending ending;

	fixture->sim.hook[CZ_GET_TIME] = write_device;
	for (int i = 0; i < 2; i++) {
		assert_status(get_time_now(fixture, &time), CZ_OK);
		assert_int_equal(sim_mapped(&fixture->sim, SIM_MMIO)->prot,
				 CZ_PROT_READ);
		assert_int_equal(fixture->cz.touched, 0);
	}
	fixture->sim.hook[CZ_GET_TIME] = write_device_and_fault;
	assert_status(get_time_now(fixture, &time), CZ_E_FAULT);
	assert_int_equal(sim_mapped(&fixture->sim, SIM_MMIO)->prot,
			 CZ_PROT_READ);
	assert_true(cz_get_ending(&fixture->cz, CZ_GET_TIME, &ending));
	assert_int_equal(ending.touched, CZ_TOUCHED_DEVICE);
	assert_int_equal(fixture->cz.touched, 0);
}

static cz_status count_now(struct fixture *fixture)
{
	struct cz_call call;
	uint32_t count;

	cz_prepare_get_next_high_monotonic_count(&call, &count);
	return cz_call_now(&fixture->cz, &call);
}

/* While nothing is queued, firmware keeps its owner after a fault. Still the
 * next cz_call_now() can take firmware, and the watch stops. */
static void after_a_fault(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	unsigned looks = 0;

	assert_status(cz_null_service(&fixture->cz, LATER), CZ_OK);
	fixture->sim.hook[CZ_GET_TIME] = fault;
	assert_status(get_time_now(fixture, &time), CZ_E_FAULT);
	assert_status(get_time_now(fixture, &time), CZ_E_WITHDRAWN);
	assert_status(count_now(fixture), CZ_OK);
	assert_status(count_now(fixture), CZ_OK);
	assert_int_equal(stats_of(fixture).now_busy, 0);
	while (sim_fire(&fixture->sim)) {
		assert_true(++looks < 4);
	}
	assert_status(
		cz_reset_now(&fixture->cz, CZ_EFI_RESET_WARM, CZ_OK, NULL, 0),
		CZ_EFI_UNSUPPORTED);
	assert_int_equal(fixture->sim.reset_type, CZ_EFI_RESET_WARM);
	assert_true(sim_logged(&fixture->sim, "ResetSystem returned"));
	assert_status(cz_null_service(&fixture->cz, LATER), CZ_OK);
	assert_null(fixture->cz.in_flight);
}

/* After a fault, another cz_call_now() takes firmware before the requests for
 * the withdrawn service have been ended. They are ended after it. */
static void taken_over_after_a_fault(void **state)
{
	struct fixture *fixture = *state;
	struct cz_host *sim = &fixture->sim;
	struct other other = {.fixture = fixture};
	struct sim_thread *thread;
	struct cz_efi_time time;
	struct cz_call call;
	cz_request_id id;
	cz_status status;

	sim->hook[CZ_GET_TIME] = fault;
	sim->held = true;
	thread = sim_spawn(sim, 10, other_entry, &other);
	assert_true(sim_until(is_held, fixture));
	cz_prepare_get_time(&call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	/* Keep the worker from the queue. */
	cz_host_mutex_lock(sim, &fixture->cz.mutex);
	sim_release_hold(sim);
	sim_join(sim, thread);
	assert_status(other.status, CZ_E_FAULT);
	do { /* It may be the worker's turn. */
		status = count_now(fixture);
	} while (status == CZ_E_BUSY &&
		 cz_host_now_ns(sim) < fixture->cz.worker_turn_until_ns);
	cz_host_mutex_unlock(sim, &fixture->cz.mutex);
	assert_status(status, CZ_OK);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_E_WITHDRAWN);
	assert_int_equal(stats_of(fixture).service[CZ_GET_TIME].calls, 1);
	assert_status(cz_null_service(&fixture->cz, LATER), CZ_OK);
}

static uint64_t too_much(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	*(uint64_t *)r[3] = 5000;
	return CZ_EFI_SUCCESS;
}

static void bad_size_and_anomalies(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call call;
	uint8_t data[8];
	size_t size = sizeof(data);

	fixture->sim.hook[CZ_GET_VARIABLE] = too_much;
	fixture->sim.leave_anomalies = 1u << CZ_ANOMALY_INTERRUPTS;
	cz_prepare_get_variable(&call, u"A", &test_guid, NULL, data, &size);
	assert_status(cz_call_now(&fixture->cz, &call), CZ_E_BAD_SIZE);
	assert_int_equal(stats_of(fixture).bad_sizes, 1);
	assert_int_equal(stats_of(fixture).anomalies[CZ_ANOMALY_INTERRUPTS], 1);
	assert_true(sim_logged(&fixture->sim, "left interrupt mask changed"));
}

/* ---- Resets ---- */

static cz_status reset(struct fixture *fixture, uint64_t deadline_ns)
{
	return cz_reset_system(&fixture->cz, CZ_EFI_RESET_WARM, CZ_OK, NULL, 0,
			       deadline_ns);
}

static cz_status reset_now(struct fixture *fixture)
{
	return cz_reset_now(&fixture->cz, CZ_EFI_RESET_SHUTDOWN, CZ_OK, NULL,
			    0);
}

static void assert_host_reset(struct fixture *fixture, int times,
			      enum cz_efi_reset_type type, const char *why)
{
	assert_int_equal(fixture->sim.host_resets, times);
	assert_int_equal(fixture->sim.host_reset_type, type);
	if (!sim_logged(&fixture->sim, why)) {
		print_error("wanted: %s\nlog: %s", why, fixture->sim.log);
	}
	assert_true(sim_logged(&fixture->sim, why));
	sim_forget_log(&fixture->sim);
}

static void reset_returns(void **state)
{
	struct fixture *fixture = *state;

	assert_status(reset(fixture, LATER), CZ_EFI_UNSUPPORTED);
	assert_int_equal(fixture->sim.reset_type, CZ_EFI_RESET_WARM);
	assert_host_reset(fixture, 1, CZ_EFI_RESET_WARM,
			  "1 warm reset by the host: ResetSystem");
	assert_status(reset_now(fixture), CZ_EFI_UNSUPPORTED);
	assert_int_equal(fixture->sim.reset_type, CZ_EFI_RESET_SHUTDOWN);
	assert_host_reset(fixture, 2, CZ_EFI_RESET_SHUTDOWN,
			  "2 shutdown: asking firmware's ResetSystem");
	assert_status(cz_reset_now(&fixture->cz, (enum cz_efi_reset_type)4,
				   CZ_OK, NULL, 0),
		      CZ_E_ARGUMENT);
	assert_int_equal(fixture->sim.host_resets, 2);
}

static void reset_withdrawn(void **state)
{
	struct fixture *fixture = *state;

	cz_withdraw(&fixture->cz, CZ_RESET_SYSTEM);
	assert_status(reset(fixture, LATER), CZ_E_WITHDRAWN);
	assert_false(sim_logged(&fixture->sim, "asking"));
	assert_host_reset(fixture, 1, CZ_EFI_RESET_WARM,
			  "ResetSystem is withdrawn (CZ_E_WITHDRAWN)");
	assert_status(reset_now(fixture), CZ_E_WITHDRAWN);
	assert_host_reset(fixture, 2, CZ_EFI_RESET_SHUTDOWN,
			  "ResetSystem is withdrawn");
	fixture->cz.function[CZ_RESET_SYSTEM] = 0;
	assert_status(reset(fixture, LATER), CZ_EFI_UNSUPPORTED);
	assert_host_reset(fixture, 3, CZ_EFI_RESET_WARM,
			  "ResetSystem is absent");
	assert_int_equal(fixture->sim.order_count, 0);
}

static void reset_while_busy(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call call;
	cz_request_id id = hold(fixture, &call);

	assert_status(reset_now(fixture), CZ_E_BUSY);
	assert_host_reset(fixture, 1, CZ_EFI_RESET_SHUTDOWN,
			  "cannot be called: a call is in flight");
	assert_status(reset(fixture, SOON), CZ_E_DEADLINE);
	assert_host_reset(fixture, 2, CZ_EFI_RESET_WARM,
			  "has not ended by the deadline");
	let_go(fixture, id, &call);
	assert_int_equal(fixture->sim.order_count, 0);
}

/* Firmware's ResetSystem does not return, or it faults. */
static void reset_goes_wrong(void **state)
{
	struct fixture *fixture = *state;

	hold_in(fixture, CZ_RESET_SYSTEM);
	assert_status(reset(fixture, SOON), CZ_E_DEADLINE);
	assert_host_reset(fixture, 1, CZ_EFI_RESET_WARM,
			  "has not ended by the deadline");
	sim_release_hold(&fixture->sim);
	while (stats_of(fixture).late != 1) {
		;
	}
	fixture->sim.hook[CZ_RESET_SYSTEM] = fault;
	assert_status(reset(fixture, LATER), CZ_E_FAULT);
	assert_host_reset(fixture, 2, CZ_EFI_RESET_WARM, "ResetSystem faulted");
}

/* ---- The worker's CPUs ---- */

static void set_cpus(void **state)
{
	struct cz_cpu_set cpus = {{0}};
	struct fixture *fixture = *state;

	assert_status(cz_set_worker_cpus(&fixture->cz, &cpus, LATER),
		      CZ_E_ARGUMENT);
	cpus.bits[15] = 1ull << 63;
	assert_status(cz_set_worker_cpus(&fixture->cz, &cpus, LATER), CZ_OK);
	assert_memory_equal(&fixture->sim.cpus, &cpus, sizeof(cpus));
	fixture->sim.cpus_refused = true;
	cpus.bits[0] = 6;
	assert_status(cz_set_worker_cpus(&fixture->cz, &cpus, LATER),
		      CZ_EFI_UNSUPPORTED);
	assert_int_equal(fixture->sim.cpus.bits[0], 0);
	assert_int_equal(stats_of(fixture).service[CZ_SET_WORKER_CPUS].calls,
			 2);
	assert_int_equal(stats_of(fixture).service[CZ_SET_WORKER_CPUS].failures,
			 1);
	assert_int_equal(stats_of(fixture).completed, 2);
	assert_null(fixture->cz.in_flight);
}

static uint32_t cpus_at_call;

static uint64_t look_at_cpus(struct cz_host *sim, struct cz *cz,
			     const uint64_t *r)
{
	(void)cz;
	(void)r;
	cpus_at_call = cpus_at_call << 4 | (uint32_t)sim->cpus.bits[0];
	return CZ_EFI_SUCCESS;
}

/* The worker changes its CPUs between two calls: after a more urgent request
 * and before a less urgent one. */
static void cpus_in_order(void **state)
{
	struct cz_cpu_set cpus = {{2}};
	struct fixture *fixture = *state;
	struct sim_thread *self = sim_self(&fixture->sim);
	struct cz_call held, urgent, set, other;
	cz_request_id held_id, urgent_id, set_id, other_id;
	uint32_t count;

	fixture->sim.cpus.bits[0] = 1;
	cpus_at_call = 0;
	fixture->sim.hook[CZ_GET_NEXT_HIGH_MONOTONIC_COUNT] = look_at_cpus;
	held_id = hold(fixture, &held);
	cz_prepare_get_next_high_monotonic_count(&other, &count);
	assert_status(cz_submit(&fixture->cz, &other, &other_id), CZ_OK);
	sim_set_priority(self, 20);
	assert_status(cz_prepare_set_worker_cpus(&set, &cpus), CZ_OK);
	assert_status(cz_submit(&fixture->cz, &set, &set_id), CZ_OK);
	memset(&cpus, 0, sizeof(cpus));
	sim_set_priority(self, 30);
	cz_prepare_get_next_high_monotonic_count(&urgent, &count);
	assert_status(cz_submit(&fixture->cz, &urgent, &urgent_id), CZ_OK);
	sim_set_priority(self, 10);
	assert_int_equal(fixture->sim.cpus.bits[0], 1);
	let_go(fixture, held_id, &held);
	assert_status(cz_wait(&fixture->cz, other_id, &other, LATER), CZ_OK);
	assert_status(cz_wait(&fixture->cz, set_id, &set, LATER), CZ_OK);
	assert_status(cz_wait(&fixture->cz, urgent_id, &urgent, LATER), CZ_OK);
	assert_int_equal(cpus_at_call, 0x12);
}

static void cpus_deadline(void **state)
{
	const struct cz_cpu_set cpus = {{2}};
	struct fixture *fixture = *state;
	struct cz_call call;
	cz_request_id id = hold(fixture, &call);

	assert_status(cz_set_worker_cpus(&fixture->cz, &cpus, SOON),
		      CZ_E_DEADLINE);
	let_go(fixture, id, &call);
	assert_status(cz_null_service(&fixture->cz, LATER), CZ_OK);
	assert_int_equal(fixture->sim.cpus.bits[0], 0);
}

int group_now(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(calls_while_idle),
		STARTED(addresses),
		STARTED(largest_arguments),
		STARTED(refused_calls),
		STARTED(requests_in_use),
		STARTED(with_all_host_state_in_use),
		STARTED(busy_while_owned),
		STARTED(nested_call_is_busy),
		STARTED(worker_waits_for_its_turn),
		STARTED(worker_has_the_next_turn),
		STARTED(late_abort),
		STARTED(queue_and_direct_calls),
		STARTED(fault_withdraws_queued_request),
		STARTED(withdrawn_before_the_call),
		STARTED(consistent_statistics),
		STARTED(restored_after_a_fault),
		STARTED(writes_to_a_device),
		STARTED(after_a_fault),
		STARTED(taken_over_after_a_fault),
		STARTED(bad_size_and_anomalies),
		STARTED(reset_returns),
		STARTED(reset_withdrawn),
		STARTED(reset_while_busy),
		STARTED(reset_goes_wrong),
		STARTED(set_cpus),
		STARTED(cpus_in_order),
		STARTED(cpus_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
