/* SPDX-License-Identifier: MIT */
/* Calls outside the queue, resets that are sure, and the worker's CPUs. */
#include "fixture.h"

#include "call.h"
#include "interleave.h"

#include <string.h>

static struct cz_stats stats_of(struct bench *bench)
{
	struct cz_stats stats;

	cz_get_stats(&bench->cz, &stats);
	return stats;
}

static cz_status get_time_now(struct bench *bench, struct cz_efi_time *time)
{
	struct cz_call call;

	cz_prepare_get_time(&call, time, NULL);
	return cz_call_now(&bench->cz, &call);
}

static bool is_held(void *argument)
{
	struct bench *bench = argument;

	return __atomic_load_n(&bench->sim.entered_hold, __ATOMIC_SEQ_CST);
}

static void hold_in(struct bench *bench, enum cz_service service)
{
	bench->sim.hook[service] = sim_hold;
	bench->sim.entered_hold = false;
	bench->sim.held = true;
}

/* A call of the queue's that stays in firmware. */
static cz_request_id hold(struct bench *bench, struct cz_call *call)
{
	static struct cz_efi_time time;
	cz_request_id id;

	hold_in(bench, CZ_GET_TIME);
	cz_prepare_get_time(call, &time, NULL);
	assert_status(cz_submit(&bench->cz, call, &id), CZ_OK);
	assert_true(sim_until(is_held, bench));
	bench->sim.order_count = 0;
	return id;
}

static void let_go(struct bench *bench, cz_request_id id, struct cz_call *call)
{
	sim_release_hold(&bench->sim);
	assert_status(cz_wait(&bench->cz, id, call, LATER), CZ_OK);
}

/* ---- One call ---- */

static void idle(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_time time = {0};
	uint32_t mappings = bench->sim.mapping_count;

	for (unsigned i = 0; i < 100; i++) {
		assert_status(get_time_now(bench, &time), CZ_OK);
		assert_int_equal(time.year, 2026);
		assert_int_equal(bench->sim.mapping_count, mappings);
	}
	assert_null(bench->cz.in_flight);
	assert_int_equal(stats_of(bench).now, 100);
	assert_int_equal(stats_of(bench).now_busy, 0);
	assert_int_equal(stats_of(bench).service[CZ_GET_TIME].calls, 100);
	assert_int_equal(stats_of(bench).submitted, 0);
	assert_status(cz_get_time(&bench->cz, &time, NULL, LATER), CZ_OK);
}

/* Its addresses are none of the queue's, and none that it used just before. */
static void addresses(void **state)
{
	struct bench *bench = *state;
	uint64_t start = bench->cz.window_address +
			 bench->cz.direct_window_page * SIM_PAGE;
	uint64_t end =
		bench->cz.window_address + bench->cz.window_pages * SIM_PAGE;
	struct cz_efi_time time;
	uint64_t last = 0;

	for (unsigned i = 0; i < 40; i++) {
		uint64_t at;

		assert_status(get_time_now(bench, &time), CZ_OK);
		at = bench->sim.last_registers[0];
		assert_true(at >= start && at + SIM_PAGE < end);
		assert_true(at / SIM_PAGE != last);
		last = at / SIM_PAGE;
	}
	for (unsigned i = 0; i < 3000; i++) {
		assert_status(cz_get_time(&bench->cz, &time, NULL, LATER),
			      CZ_OK);
		assert_true(bench->sim.last_registers[0] < start);
	}
}

static void largest(void **state)
{
	static uint8_t data[4096], back[4096];
	struct bench *bench = *state;
	size_t size = sizeof(back);
	struct cz_call call;

	memset(data, 0x3c, sizeof(data));
	cz_prepare_set_variable(&call, u"A", &test_guid, 7, data, sizeof(data));
	assert_status(cz_call_now(&bench->cz, &call), CZ_OK);
	cz_prepare_get_variable(&call, u"A", &test_guid, NULL, back, &size);
	assert_status(cz_call_now(&bench->cz, &call), CZ_OK);
	assert_int_equal(size, sizeof(data));
	assert_memory_equal(back, data, sizeof(data));
	cz_prepare_set_variable(&call, u"A", &test_guid, 7, data,
				bench->cz.max_data_bytes + 1ull);
	assert_status(cz_call_now(&bench->cz, &call), CZ_E_TOO_LARGE);
	assert_int_equal(stats_of(bench).now, 2);
}

static void refused(void **state)
{
	const struct cz_cpu_set cpus = {{1}};
	struct bench *bench = *state;
	struct cz_efi_time time;
	struct cz_call call;

	cz_withdraw(&bench->cz, CZ_GET_TIME);
	assert_status(get_time_now(bench, &time), CZ_E_WITHDRAWN);
	cz_restore(&bench->cz, CZ_GET_TIME);
	assert_status(get_time_now(bench, &time), CZ_OK);
	bench->cz.function[CZ_GET_TIME] = 0;
	assert_status(get_time_now(bench, &time), CZ_EFI_UNSUPPORTED);
	assert_status(cz_prepare_set_worker_cpus(&call, &cpus), CZ_OK);
	assert_status(cz_call_now(&bench->cz, &call), CZ_E_ARGUMENT);
	call.service = CZ_SERVICE_COUNT;
	assert_status(cz_call_now(&bench->cz, &call), CZ_E_ARGUMENT);
	assert_int_equal(stats_of(bench).now, 1);
}

static void requests_in_use(void **state)
{
	struct bench *bench = *state;
	struct cz_call null;
	struct cz_efi_time time;
	cz_request_id ids[CZ_MAX_REQUESTS];
	uint32_t count = bench->cz.request_count;

	cz_prepare_null_service(&null);
	for (uint32_t i = 0; i < count; i++) {
		assert_status(cz_submit(&bench->cz, &null, &ids[i]), CZ_OK);
	}
	assert_int_equal(bench->cz.free_requests, 0);
	while (get_time_now(bench, &time) == CZ_E_BUSY) {
		;
	}
	assert_int_equal(time.year, 2026);
	for (uint32_t i = 0; i < count; i++) {
		assert_status(cz_wait(&bench->cz, ids[i], &null, LATER), CZ_OK);
	}
}

/* With the library's own mutex held, in a space and an FP section of the
 * thread's own: the host's demands fail otherwise. */
static void inside_everything(void **state)
{
	struct bench *bench = *state;
	struct cz_host *sim = &bench->sim;
	struct cz_efi_time time = {0};
	uint64_t interrupts;

	cz_host_pin(sim);
	cz_host_space_enter(sim, bench->cz.space);
	cz_host_fp_begin(sim);
	cz_host_mutex_lock(sim, &bench->cz.mutex);
	interrupts = cz_host_interrupts_off(sim);
	assert_status(get_time_now(bench, &time), CZ_OK);
	assert_true(sim_self(sim)->masked);
	cz_host_interrupts_restore(sim, interrupts);
	cz_host_mutex_unlock(sim, &bench->cz.mutex);
	cz_host_fp_end(sim);
	cz_host_space_leave(sim, bench->cz.space);
	cz_host_unpin(sim);
	assert_int_equal(time.year, 2026);
}

/* ---- The owner ---- */

static void busy(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_time time = {.year = 1};
	struct cz_call call;
	cz_request_id id = hold(bench, &call);

	assert_status(get_time_now(bench, &time), CZ_E_BUSY);
	assert_status(get_time_now(bench, &time), CZ_E_BUSY);
	assert_int_equal(bench->sim.order_count, 0);
	assert_int_equal(time.year, 1);
	let_go(bench, id, &call);
	assert_int_equal(stats_of(bench).now, 0);
	assert_int_equal(stats_of(bench).now_busy, 2);
}

static struct bench *nesting;
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

static void nests_not(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_time time;

	nesting = bench;
	nested = CZ_OK;
	bench->sim.hook[CZ_GET_TIME] = nest;
	assert_status(get_time_now(bench, &time), CZ_EFI_NOT_FOUND);
	assert_status(nested, CZ_E_BUSY);
	assert_int_equal(stats_of(bench).service[CZ_GET_TIME].failures, 1);
}

/* On another CPU. */
struct other {
	struct bench *bench;
	cz_status status;
};

static void other_entry(void *argument)
{
	struct other *other = argument;
	struct cz_efi_time time;

	other->status = get_time_now(other->bench, &time);
}

static void worker_waits(void **state)
{
	struct bench *bench = *state;
	struct other other = {.bench = bench};
	struct sim_thread *thread;
	struct cz_stats stats;
	struct cz_call call;
	uint32_t count;
	cz_request_id id;
	cz_request_id gone;

	hold_in(bench, CZ_GET_TIME);
	thread = sim_spawn(&bench->sim, 10, other_entry, &other);
	assert_true(sim_until(is_held, bench));
	/* Left alone by an abort, which would end the held call. */
	cz_abort_in_flight(&bench->cz);
	cz_prepare_get_next_high_monotonic_count(&call, &count);
	assert_status(cz_submit(&bench->cz, &call, &id), CZ_OK);
	assert_status(cz_submit(&bench->cz, &call, &gone), CZ_OK);
	assert_status(cz_wait(&bench->cz, id, &call, SOON), CZ_E_DEADLINE);
	assert_int_equal(bench->sim.order_count, 1);
	/* What waits can still be taken back. */
	assert_status(cz_cancel(&bench->cz, gone), CZ_OK);
	assert_status(cz_wait(&bench->cz, gone, &call, LATER), CZ_E_CANCELLED);
	stats = stats_of(bench);
	assert_int_equal(stats.completed, 0);
	sim_release_hold(&bench->sim);
	assert_status(cz_wait(&bench->cz, id, &call, LATER), CZ_OK);
	sim_join(&bench->sim, thread);
	assert_status(other.status, CZ_OK);
	assert_int_equal(stats_of(bench).aborts, 0);
}

/* Turned away, it goes next, but not for ever. */
static void workers_turn(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_time time;

	worker_waits(state);
	assert_true(bench->cz.worker_turn_until_ns != 0);
	bench->cz.worker_turn_until_ns = CZ_FOREVER;
	assert_status(get_time_now(bench, &time), CZ_E_BUSY);
	assert_status(cz_get_time(&bench->cz, &time, NULL, LATER), CZ_OK);
	bench->cz.worker_turn_until_ns = cz_host_now_ns(&bench->sim);
	assert_status(get_time_now(bench, &time), CZ_OK);
}

static uint64_t interrupt(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)r;
	sim_interrupt(cz);
	return CZ_EFI_SUCCESS;
}

/* Asked for when the call it meant had returned already. */
static void late_abort(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_time time;

	bench->sim.hook[CZ_GET_TIME] = interrupt;
	bench->cz.end_request =
		cz_end_of(bench->cz.watch_state / CZ_WATCH_CALL, true);
	assert_status(get_time_now(bench, &time), CZ_OK);
	assert_int_equal(stats_of(bench).aborts, 0);
}

struct contender {
	struct bench *bench;
	uint32_t good, busy, wrong;
};

static void contender_entry(void *argument)
{
	struct contender *self = argument;

	for (int i = 0; i < 300; i++) {
		struct cz_efi_time time = {0};
		cz_status status = get_time_now(self->bench, &time);

		self->good += status == CZ_OK && time.year == 2026;
		self->busy += status == CZ_E_BUSY;
		self->wrong += status != CZ_OK && status != CZ_E_BUSY;
	}
}

/* Three at once beside the queue: one call in firmware at any time, or the
 * simulated space's own demands fail. */
static void contention(void **state)
{
	struct bench *bench = *state;
	struct contender contenders[2] = {{.bench = bench}, {.bench = bench}};
	struct sim_thread *threads[2];
	struct cz_efi_time time;
	struct cz_stats stats;

	for (int i = 0; i < 2; i++) {
		threads[i] = sim_spawn(&bench->sim, 10, contender_entry,
				       &contenders[i]);
	}
	for (int i = 0; i < 300; i++) {
		assert_status(cz_get_time(&bench->cz, &time, NULL, LATER),
			      CZ_OK);
	}
	for (int i = 0; i < 2; i++) {
		sim_join(&bench->sim, threads[i]);
		assert_int_equal(contenders[i].wrong, 0);
		assert_int_equal(contenders[i].good + contenders[i].busy, 300);
	}
	stats = stats_of(bench);
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

/* What was queued meanwhile goes to no firmware that was cut off. */
static void faults(void **state)
{
	struct bench *bench = *state;
	struct other other = {.bench = bench};
	struct sim_thread *thread;
	struct cz_efi_time time, queued;
	struct cz_call call;
	cz_request_id id;

	bench->sim.hook[CZ_GET_TIME] = fault;
	bench->sim.held = true;
	thread = sim_spawn(&bench->sim, 10, other_entry, &other);
	assert_true(sim_until(is_held, bench));
	cz_prepare_get_time(&call, &queued, NULL);
	assert_status(cz_submit(&bench->cz, &call, &id), CZ_OK);
	sim_release_hold(&bench->sim);
	assert_status(cz_wait(&bench->cz, id, &call, LATER), CZ_E_WITHDRAWN);
	sim_join(&bench->sim, thread);
	assert_status(other.status, CZ_E_FAULT);
	assert_int_equal(bench->sim.order_count, 1);
	assert_int_equal(stats_of(bench).faults, 1);
	assert_true(sim_logged(&bench->sim, "0 GetTime: data abort"));
	assert_status(get_time_now(bench, &time), CZ_E_WITHDRAWN);
	assert_status(cz_null_service(&bench->cz, LATER), CZ_OK);
	cz_restore(&bench->cz, CZ_GET_TIME);
	bench->sim.hook[CZ_GET_TIME] = NULL;
	assert_status(cz_call_now(&bench->cz, &call), CZ_OK);
}

static void withdraw_entry(void *argument)
{
	struct bench *bench = argument;

	cz_withdraw(&bench->cz, CZ_GET_TIME);
}

static void withdraw_elsewhere(void *argument)
{
	struct bench *bench = argument;

	sim_join(&bench->sim,
		 sim_spawn(&bench->sim, 10, withdraw_entry, bench));
}

/* Between the check of the arguments and the moment when firmware is taken. */
static void withdrawn_meanwhile(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_time time;

	interleave_at(&bench->cz.in_flight, 0, withdraw_elsewhere, bench);
	assert_status(get_time_now(bench, &time), CZ_E_WITHDRAWN);
	assert_int_equal(bench->sim.order_count, 0);
	assert_null(bench->cz.in_flight);
	cz_restore(&bench->cz, CZ_GET_TIME);
	assert_status(get_time_now(bench, &time), CZ_OK);
}

/* What a cz_call_now() on another CPU writes, as far as it has come. */
static void end_count(void *argument)
{
	struct bench *bench = argument;

	bench->cz.stats.now++;
	bench->cz.stats_seq++;
}

static void begin_count(void *argument)
{
	struct bench *bench = argument;

	bench->cz.stats_seq++;
	bench->cz.stats.service[CZ_GET_TIME].calls++;
	/* Not before the copy has been compared once. */
	interleave_at(&bench->cz.stats_seq, 2, end_count, bench);
}

/* A copy that is made while a call is being counted is made again. */
static void consistent_statistics(void **state)
{
	struct bench *bench = *state;
	struct cz_stats stats;

	interleave_at(&bench->cz.stats_seq, 0, begin_count, bench);
	stats = stats_of(bench);
	assert_int_equal(stats.service[CZ_GET_TIME].calls, 1);
	assert_int_equal(stats.now, 1);
	/* Begun after the first look, ended before the second. */
	interleave_at(&bench->cz.stats_seq, 1, begin_count, bench);
	stats = stats_of(bench);
	assert_int_equal(stats.service[CZ_GET_TIME].calls, 2);
	assert_int_equal(stats.now, 2);
}

/* With nothing queued: the host brings the services back. */
static void restored(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_time time;

	bench->sim.hook[CZ_GET_TIME] = fault;
	for (int i = 0; i < 2; i++) {
		assert_status(get_time_now(bench, &time), CZ_E_FAULT);
		assert_status(get_time_now(bench, &time), CZ_E_WITHDRAWN);
		cz_restore(&bench->cz, CZ_GET_TIME);
		assert_null(bench->cz.in_flight);
	}
	bench->sim.hook[CZ_GET_TIME] = NULL;
	assert_status(get_time_now(bench, &time), CZ_OK);
	assert_status(cz_get_time(&bench->cz, &time, NULL, LATER), CZ_OK);
	assert_int_equal(stats_of(bench).faults, 2);
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

/* The device is closed again before the CPU is given back: the host demands it. */
static void writes_to_a_device(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_time time;
	struct cz_ending ending;

	bench->sim.hook[CZ_GET_TIME] = write_device;
	for (int i = 0; i < 2; i++) {
		assert_status(get_time_now(bench, &time), CZ_OK);
		assert_int_equal(sim_mapped(&bench->sim, SIM_MMIO)->prot,
				 CZ_PROT_READ);
		assert_int_equal(bench->cz.touched, 0);
	}
	bench->sim.hook[CZ_GET_TIME] = write_device_and_fault;
	assert_status(get_time_now(bench, &time), CZ_E_FAULT);
	assert_int_equal(sim_mapped(&bench->sim, SIM_MMIO)->prot, CZ_PROT_READ);
	assert_true(cz_get_ending(&bench->cz, CZ_GET_TIME, &ending));
	assert_int_equal(ending.touched, CZ_TOUCHED_DEVICE);
	assert_int_equal(bench->cz.touched, 0);
}

static cz_status count_now(struct bench *bench)
{
	struct cz_call call;
	uint32_t count;

	cz_prepare_get_next_high_monotonic_count(&call, &count);
	return cz_call_now(&bench->cz, &call);
}

/* With nothing queued nobody tells the queue: firmware is free all the same for
 * the next one, and nobody watches a call that has ended. */
static void after_a_fault(void **state)
{
	struct bench *bench = *state;
	struct cz_efi_time time;
	unsigned looks = 0;

	assert_status(cz_null_service(&bench->cz, LATER), CZ_OK);
	bench->sim.hook[CZ_GET_TIME] = fault;
	assert_status(get_time_now(bench, &time), CZ_E_FAULT);
	assert_status(get_time_now(bench, &time), CZ_E_WITHDRAWN);
	assert_status(count_now(bench), CZ_OK);
	assert_status(count_now(bench), CZ_OK);
	assert_int_equal(stats_of(bench).now_busy, 0);
	while (sim_fire(&bench->sim)) {
		assert_true(++looks < 4);
	}
	assert_status(
		cz_reset_now(&bench->cz, CZ_EFI_RESET_WARM, CZ_OK, NULL, 0),
		CZ_EFI_UNSUPPORTED);
	assert_int_equal(bench->sim.reset_type, CZ_EFI_RESET_WARM);
	assert_true(sim_logged(&bench->sim, "ResetSystem returned"));
	assert_status(cz_null_service(&bench->cz, LATER), CZ_OK);
	assert_null(bench->cz.in_flight);
}

/* Another makes its call before the queue is told; the queue is told after it. */
static void taken_over(void **state)
{
	struct bench *bench = *state;
	struct cz_host *sim = &bench->sim;
	struct other other = {.bench = bench};
	struct sim_thread *thread;
	struct cz_efi_time time;
	struct cz_call call;
	cz_request_id id;
	cz_status status;

	sim->hook[CZ_GET_TIME] = fault;
	sim->held = true;
	thread = sim_spawn(sim, 10, other_entry, &other);
	assert_true(sim_until(is_held, bench));
	cz_prepare_get_time(&call, &time, NULL);
	assert_status(cz_submit(&bench->cz, &call, &id), CZ_OK);
	/* The worker cannot look at the queue. */
	cz_host_mutex_lock(sim, &bench->cz.mutex);
	sim_release_hold(sim);
	sim_join(sim, thread);
	assert_status(other.status, CZ_E_FAULT);
	do { /* It may be the worker's turn. */
		status = count_now(bench);
	} while (status == CZ_E_BUSY &&
		 cz_host_now_ns(sim) < bench->cz.worker_turn_until_ns);
	cz_host_mutex_unlock(sim, &bench->cz.mutex);
	assert_status(status, CZ_OK);
	assert_status(cz_wait(&bench->cz, id, &call, LATER), CZ_E_WITHDRAWN);
	assert_int_equal(stats_of(bench).service[CZ_GET_TIME].calls, 1);
	assert_status(cz_null_service(&bench->cz, LATER), CZ_OK);
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
	struct bench *bench = *state;
	struct cz_call call;
	uint8_t data[8];
	size_t size = sizeof(data);

	bench->sim.hook[CZ_GET_VARIABLE] = too_much;
	bench->sim.leave_anomalies = 1u << CZ_ANOMALY_INTERRUPTS;
	cz_prepare_get_variable(&call, u"A", &test_guid, NULL, data, &size);
	assert_status(cz_call_now(&bench->cz, &call), CZ_E_BAD_SIZE);
	assert_int_equal(stats_of(bench).bad_sizes, 1);
	assert_int_equal(stats_of(bench).anomalies[CZ_ANOMALY_INTERRUPTS], 1);
	assert_true(sim_logged(&bench->sim, "left interrupt mask changed"));
}

/* ---- Resets ---- */

static cz_status reset(struct bench *bench, uint64_t deadline_ns)
{
	return cz_reset_system(&bench->cz, CZ_EFI_RESET_WARM, CZ_OK, NULL, 0,
			       deadline_ns);
}

static cz_status reset_now(struct bench *bench)
{
	return cz_reset_now(&bench->cz, CZ_EFI_RESET_SHUTDOWN, CZ_OK, NULL, 0);
}

static void assert_host_reset(struct bench *bench, int times,
			      enum cz_efi_reset_type type, const char *why)
{
	assert_int_equal(bench->sim.host_resets, times);
	assert_int_equal(bench->sim.host_reset_type, type);
	if (!sim_logged(&bench->sim, why)) {
		print_error("wanted: %s\nlog: %s", why, bench->sim.log);
	}
	assert_true(sim_logged(&bench->sim, why));
	sim_forget_log(&bench->sim);
}

static void reset_came_back(void **state)
{
	struct bench *bench = *state;

	assert_status(reset(bench, LATER), CZ_EFI_UNSUPPORTED);
	assert_int_equal(bench->sim.reset_type, CZ_EFI_RESET_WARM);
	assert_host_reset(bench, 1, CZ_EFI_RESET_WARM,
			  "1 warm reset by the host: ResetSystem");
	assert_status(reset_now(bench), CZ_EFI_UNSUPPORTED);
	assert_int_equal(bench->sim.reset_type, CZ_EFI_RESET_SHUTDOWN);
	assert_host_reset(bench, 2, CZ_EFI_RESET_SHUTDOWN,
			  "2 shutdown: asking firmware's ResetSystem");
	assert_status(cz_reset_now(&bench->cz, (enum cz_efi_reset_type)4, CZ_OK,
				   NULL, 0),
		      CZ_E_ARGUMENT);
	assert_int_equal(bench->sim.host_resets, 2);
}

static void reset_withdrawn(void **state)
{
	struct bench *bench = *state;

	cz_withdraw(&bench->cz, CZ_RESET_SYSTEM);
	assert_status(reset(bench, LATER), CZ_E_WITHDRAWN);
	assert_false(sim_logged(&bench->sim, "asking"));
	assert_host_reset(bench, 1, CZ_EFI_RESET_WARM,
			  "ResetSystem is withdrawn (CZ_E_WITHDRAWN)");
	assert_status(reset_now(bench), CZ_E_WITHDRAWN);
	assert_host_reset(bench, 2, CZ_EFI_RESET_SHUTDOWN,
			  "ResetSystem is withdrawn");
	bench->cz.function[CZ_RESET_SYSTEM] = 0;
	assert_status(reset(bench, LATER), CZ_EFI_UNSUPPORTED);
	assert_host_reset(bench, 3, CZ_EFI_RESET_WARM, "ResetSystem is absent");
	assert_int_equal(bench->sim.order_count, 0);
}

static void reset_while_busy(void **state)
{
	struct bench *bench = *state;
	struct cz_call call;
	cz_request_id id = hold(bench, &call);

	assert_status(reset_now(bench), CZ_E_BUSY);
	assert_host_reset(bench, 1, CZ_EFI_RESET_SHUTDOWN,
			  "cannot be called: a call is in flight");
	assert_status(reset(bench, SOON), CZ_E_DEADLINE);
	assert_host_reset(bench, 2, CZ_EFI_RESET_WARM,
			  "has not ended by the deadline");
	let_go(bench, id, &call);
	assert_int_equal(bench->sim.order_count, 0);
}

/* ResetSystem itself does not return, or faults. */
static void reset_goes_wrong(void **state)
{
	struct bench *bench = *state;

	hold_in(bench, CZ_RESET_SYSTEM);
	assert_status(reset(bench, SOON), CZ_E_DEADLINE);
	assert_host_reset(bench, 1, CZ_EFI_RESET_WARM,
			  "has not ended by the deadline");
	sim_release_hold(&bench->sim);
	while (stats_of(bench).late != 1) {
		;
	}
	bench->sim.hook[CZ_RESET_SYSTEM] = fault;
	assert_status(reset(bench, LATER), CZ_E_FAULT);
	assert_host_reset(bench, 2, CZ_EFI_RESET_WARM, "ResetSystem faulted");
}

/* ---- The worker's CPUs ---- */

static void set_cpus(void **state)
{
	struct cz_cpu_set cpus = {{0}};
	struct bench *bench = *state;

	assert_status(cz_set_worker_cpus(&bench->cz, &cpus, LATER),
		      CZ_E_ARGUMENT);
	cpus.bits[15] = 1ull << 63;
	assert_status(cz_set_worker_cpus(&bench->cz, &cpus, LATER), CZ_OK);
	assert_memory_equal(&bench->sim.cpus, &cpus, sizeof(cpus));
	bench->sim.cpus_refused = true;
	cpus.bits[0] = 6;
	assert_status(cz_set_worker_cpus(&bench->cz, &cpus, LATER),
		      CZ_EFI_UNSUPPORTED);
	assert_int_equal(bench->sim.cpus.bits[0], 0);
	assert_int_equal(stats_of(bench).service[CZ_SET_WORKER_CPUS].calls, 2);
	assert_int_equal(stats_of(bench).service[CZ_SET_WORKER_CPUS].failures,
			 1);
	assert_int_equal(stats_of(bench).completed, 2);
	assert_null(bench->cz.in_flight);
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

/* Between two calls: after a more urgent one, before a less urgent one. */
static void cpus_in_order(void **state)
{
	struct cz_cpu_set cpus = {{2}};
	struct bench *bench = *state;
	struct sim_thread *self = sim_self(&bench->sim);
	struct cz_call held, urgent, set, other;
	cz_request_id held_id, urgent_id, set_id, other_id;
	uint32_t count;

	bench->sim.cpus.bits[0] = 1;
	cpus_at_call = 0;
	bench->sim.hook[CZ_GET_NEXT_HIGH_MONOTONIC_COUNT] = look_at_cpus;
	held_id = hold(bench, &held);
	cz_prepare_get_next_high_monotonic_count(&other, &count);
	assert_status(cz_submit(&bench->cz, &other, &other_id), CZ_OK);
	sim_set_priority(self, 20);
	assert_status(cz_prepare_set_worker_cpus(&set, &cpus), CZ_OK);
	assert_status(cz_submit(&bench->cz, &set, &set_id), CZ_OK);
	memset(&cpus, 0, sizeof(cpus));
	sim_set_priority(self, 30);
	cz_prepare_get_next_high_monotonic_count(&urgent, &count);
	assert_status(cz_submit(&bench->cz, &urgent, &urgent_id), CZ_OK);
	sim_set_priority(self, 10);
	assert_int_equal(bench->sim.cpus.bits[0], 1);
	let_go(bench, held_id, &held);
	assert_status(cz_wait(&bench->cz, other_id, &other, LATER), CZ_OK);
	assert_status(cz_wait(&bench->cz, set_id, &set, LATER), CZ_OK);
	assert_status(cz_wait(&bench->cz, urgent_id, &urgent, LATER), CZ_OK);
	assert_int_equal(cpus_at_call, 0x12);
}

static void cpus_deadline(void **state)
{
	const struct cz_cpu_set cpus = {{2}};
	struct bench *bench = *state;
	struct cz_call call;
	cz_request_id id = hold(bench, &call);

	assert_status(cz_set_worker_cpus(&bench->cz, &cpus, SOON),
		      CZ_E_DEADLINE);
	let_go(bench, id, &call);
	assert_status(cz_null_service(&bench->cz, LATER), CZ_OK);
	assert_int_equal(bench->sim.cpus.bits[0], 0);
}

int group_now(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(idle),
		STARTED(addresses),
		STARTED(largest),
		STARTED(refused),
		STARTED(requests_in_use),
		STARTED(inside_everything),
		STARTED(busy),
		STARTED(nests_not),
		STARTED(worker_waits),
		STARTED(workers_turn),
		STARTED(late_abort),
		STARTED(contention),
		STARTED(faults),
		STARTED(withdrawn_meanwhile),
		STARTED(consistent_statistics),
		STARTED(restored),
		STARTED(writes_to_a_device),
		STARTED(after_a_fault),
		STARTED(taken_over),
		STARTED(bad_size_and_anomalies),
		STARTED(reset_came_back),
		STARTED(reset_withdrawn),
		STARTED(reset_while_busy),
		STARTED(reset_goes_wrong),
		STARTED(set_cpus),
		STARTED(cpus_in_order),
		STARTED(cpus_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
