/* SPDX-License-Identifier: MIT */
/*
 * Tests calls outside the queue, from contexts that must not sleep, with and
 * without a call in flight. The program `now` also runs what the self-test must
 * not: firmware that faults, and firmware that unmasks interrupts.
 */
#include "lib/adversary.h"
#include "lib/clobber.h"
#include "lib/common.h"
#include "lib/raw.h"
#include "selftest/selftest.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define SOON_NS 32000u
#define INTO_THE_CALL_NS 320000u
#define SLOW_BYTES 1024
#define NEIGHBOUR_CALLS 500
#define HOG_CALLS 200
/* The offset in the trampoline's page, after the trampoline. */
#define CODE_AT 0x100u

static const uint16_t now_name[] = u"CaesuraNow";
static const uint16_t slow_name[] = u"CaesuraSlow";

static uint8_t slow_value[SLOW_BYTES];
static struct cz_stats stats;

/* ---- One call at some tick, in the timer's interrupt ---- */

struct shot {
	struct timer timer;
	struct cz_call call;
	struct cz_efi_time time;
	cz_status status;
	bool fired;
};

static void fire(struct timer *timer)
{
	struct shot *shot = (struct shot *)timer;

	shot->status = cz_call_now(firmware, &shot->call);
	__atomic_store_n(&shot->fired, true, __ATOMIC_RELEASE);
}

static void shoot(struct shot *shot, uint64_t tick)
{
	memset(&shot->time, 0, sizeof(shot->time));
	shot->fired = false;
	cz_prepare_get_time(&shot->call, &shot->time, NULL);
	timer_start(&shot->timer, tick, fire);
}

static void await(const struct shot *shot)
{
	while (!__atomic_load_n(&shot->fired, __ATOMIC_ACQUIRE)) {
		thread_sleep_until(tick_after_ns(SOON_NS));
	}
}

static bool near(const struct cz_efi_time *time)
{
	struct cz_efi_time queued;

	return cz_get_time(firmware, &queued, NULL, CZ_FOREVER) == CZ_OK &&
	       time->year == queued.year && time->month == queued.month &&
	       time->day == queued.day;
}

static cz_status get_time_now(struct cz_efi_time *time)
{
	struct cz_call call;

	cz_prepare_get_time(&call, time, NULL);
	return cz_call_now(firmware, &call);
}

/* ---- Nothing in flight ---- */

static bool masked(void)
{
	uint64_t daif = interrupts_mask();

	interrupts_restore(daif);
	return (daif & 0x80) != 0;
}

static void test_idle(void)
{
	struct cz_efi_time time = {0};
	uint64_t daif = interrupts_mask();
	cz_status status;
	bool still;

	preempt_disable();
	status = get_time_now(&time);
	still = masked();
	preempt_enable();
	interrupts_restore(daif);
	test_status(status, CZ_OK,
		    "now: GetTime succeeds with interrupts masked");
	ktap_result(still && near(&time),
		    "now: GetTime is right, interrupts stay masked");
	test_status(get_time_now(&time), CZ_OK,
		    "now: GetTime succeeds with interrupts unmasked");
	ktap_result(!masked() && near(&time),
		    "now: GetTime is right, interrupts stay unmasked");
}

static void test_variable(void)
{
	static uint8_t data[SLOW_BYTES], back[SLOW_BYTES];
	size_t size_bytes = sizeof(back);
	struct prng prng;
	struct cz_call call;

	prng_init(&prng, 'n');
	prng_fill(&prng, data, sizeof(data));
	cz_prepare_set_variable(&call, now_name, &test_guid, TEST_ATTRIBUTES,
				data, sizeof(data));
	test_status(cz_call_now(firmware, &call), CZ_OK,
		    "now: SetVariable succeeds");
	test_status(cz_get_variable(firmware, now_name, &test_guid, NULL, back,
				    &size_bytes, CZ_FOREVER),
		    CZ_OK, "now: GetVariable through the queue succeeds");
	ktap_result(size_bytes == sizeof(data) &&
			    memcmp(data, back, sizeof(data)) == 0,
		    "now: the variable has the value that was written");
}

static void test_interrupt(void)
{
	struct shot shot;

	shoot(&shot, tick_after_ns(SOON_NS));
	await(&shot);
	test_status(shot.status, CZ_OK,
		    "now: GetTime succeeds in an interrupt handler");
	ktap_result(near(&shot.time),
		    "now: GetTime is right in an interrupt handler");
}

static void test_full(void)
{
	cz_request_id ids[CZ_MAX_REQUESTS];
	struct cz_efi_time time = {0};
	struct cz_call call;
	uint32_t count = 0;
	cz_status status;

	cz_prepare_null_service(&call);
	while (count < CZ_MAX_REQUESTS &&
	       cz_submit(firmware, &call, &ids[count]) == CZ_OK) {
		count++;
	}
	/* Requests that are done but not waited for keep their slots. */
	do {
		thread_sleep_until(tick_after_ns(SOON_NS));
		status = get_time_now(&time);
	} while (status == CZ_E_BUSY);
	test_status(status, CZ_OK,
		    "now: GetTime succeeds while all requests are in use");
	ktap_result(count == firmware->request_count,
		    "now: all requests were in use");
	for (uint32_t i = 0; i < count; i++) {
		cz_wait(firmware, ids[i], &call, CZ_FOREVER);
	}
	ktap_result(near(&time),
		    "now: GetTime is right while all requests are in use");
}

/* ---- FP/SIMD ---- */

/* Makes a call that changes every register, if the driver for it is loaded. */
static cz_status clobbering_call(void)
{
	static struct adversary_registers_order order = {.iterations = 3};
	struct cz_call call;
	struct cz_efi_time time;

	if (!option_present("adversary")) {
		return get_time_now(&time);
	}
	order.seed++;
	cz_prepare_set_variable(&call, ADVERSARY_REGISTERS, &adversary_guid,
				ADVERSARY_ATTRIBUTES, &order, sizeof(order));
	return cz_call_now(firmware, &call);
}

static void sleeper_entry(void *argument)
{
	uint64_t *wrong = argument;

	fp_begin();
	fp_fill(77);
	thread_sleep_until(tick_after_ns(10 * SOON_NS));
	*wrong = fp_check(77);
	fp_end();
}

static void test_fp(void)
{
	uint64_t wrong = 1;
	uint64_t asleep = 1;
	cz_status status;
	struct thread *thread;

	fp_begin();
	fp_fill(5);
	status = clobbering_call();
	wrong = fp_check(5);
	fp_end();
	test_status(status, CZ_OK, "now: a call succeeds inside an FP section");
	ktap_result(wrong == 0,
		    "now: a call preserves the caller's FP registers");
	/* The CPU still holds the registers of a sleeping thread. */
	thread = thread_create("FP", PRIORITY_HIGHEST, sleeper_entry, &asleep);
	status = clobbering_call();
	thread_join(thread);
	test_status(status, CZ_OK,
		    "now: a call succeeds outside an FP section");
	ktap_result(asleep == 0,
		    "now: a call preserves a sleeping thread's FP registers");
}

/* ---- A call in flight ---- */

static bool slow_is_written(void)
{
	uint8_t data[SLOW_BYTES];
	size_t size_bytes = sizeof(data);

	return cz_get_variable(firmware, slow_name, &test_guid, NULL, data,
			       &size_bytes, CZ_FOREVER) == CZ_OK &&
	       size_bytes == sizeof(data) &&
	       memcmp(data, slow_value, sizeof(data)) == 0;
}

static void test_busy(void)
{
	struct cz_efi_time time;
	struct shot shot;
	struct cz_call call;
	cz_request_id id;
	uint64_t busy;
	cz_status status;

	cz_get_stats(firmware, &stats);
	busy = stats.now_busy;
	slow_value[0]++;
	cz_prepare_set_variable(&call, slow_name, &test_guid, TEST_ATTRIBUTES,
				slow_value, sizeof(slow_value));
	shoot(&shot, tick_after_ns(INTO_THE_CALL_NS));
	cz_submit(firmware, &call, &id);
	/* The worker is in firmware when this thread continues. */
	thread_sleep_until(tick_after_ns(INTO_THE_CALL_NS / 2));
	status = get_time_now(&time);
	await(&shot);
	test_status(status, CZ_E_BUSY,
		    "now: a call returns busy while another is preempted");
	test_status(shot.status, CZ_E_BUSY,
		    "now: a call in an interrupt of firmware returns busy");
	test_status(cz_wait(firmware, id, &call, CZ_FOREVER), CZ_OK,
		    "now: the interrupted call succeeds");
	ktap_result(slow_is_written(),
		    "now: the interrupted call has written its variable");
	cz_get_stats(firmware, &stats);
	ktap_result(stats.now_busy == busy + 2,
		    "now: calls that return busy are counted");
}

/* ---- Several CPUs ---- */

struct neighbour {
	uint32_t good, busy, wrong;
	bool stop;
};

static void neighbour_entry(void *argument)
{
	struct neighbour *self = argument;

	while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE)) {
		struct cz_efi_time time = {0};
		cz_status status = get_time_now(&time);

		self->good += status == CZ_OK && time.year != 0;
		self->busy += status == CZ_E_BUSY;
		self->wrong += status != CZ_OK && status != CZ_E_BUSY;
		/* Vary the tick of the next call, because whether firmware is
		 * free depends on it. */
		thread_sleep_until(tick_after_ns(
			1600 + 16 * ((self->good + self->busy) % 64)));
	}
}

/* The queue and a neighbour take turns in firmware. */
static void test_neighbour(void)
{
	struct neighbour neighbour = {0};
	struct thread *thread;
	struct cz_efi_time time;
	uint32_t failed = 0;

	thread = thread_create("neighbour", PRIORITY_NORMAL, neighbour_entry,
			       &neighbour);
	(void)thread_set_cpus(thread, cpus_online() & ~1ull);
	for (int i = 0; i < NEIGHBOUR_CALLS; i++) {
		failed +=
			cz_get_time(firmware, &time, NULL, CZ_FOREVER) != CZ_OK;
	}
	__atomic_store_n(&neighbour.stop, true, __ATOMIC_RELEASE);
	thread_join(thread);
	kprintf("# calls on another CPU: %u done, %u busy\n", neighbour.good,
		neighbour.busy);
	ktap_result(failed == 0,
		    "now: queued calls succeed during another CPU's calls");
	ktap_result(neighbour.good != 0 && neighbour.wrong == 0,
		    "now: another CPU's calls succeed or return busy");
}

struct hog {
	uint64_t calls;
	bool stop;
};

/* Makes calls without a pause. Each takes much longer than the time between
 * them. */
static void hog_entry(void *argument)
{
	static uint8_t data[SLOW_BYTES];
	struct hog *self = argument;

	while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE)) {
		size_t size_bytes = sizeof(data);
		struct cz_call call;

		cz_prepare_get_variable(&call, now_name, &test_guid, NULL, data,
					&size_bytes);
		self->calls += cz_call_now(firmware, &call) == CZ_OK;
		/* Lets the emulator run the next CPU. */
		__asm__ volatile("yield");
	}
}

static uint64_t time_of_queued_call(void)
{
	struct cz_efi_time time;
	uint64_t start = ticks_now();

	cz_get_time(firmware, &time, NULL, CZ_FOREVER);
	return ticks_to_ns(ticks_now() - start);
}

/* The queue gets its turn although another CPU makes calls all the time. */
static void test_hog(void)
{
	struct hog hog = {0};
	struct thread *thread;
	uint64_t longest_ns = 0;
	uint64_t before;

	thread = thread_create("hog", PRIORITY_NORMAL, hog_entry, &hog);
	(void)thread_set_cpus(thread, cpus_online() & ~1ull);
	while (__atomic_load_n(&hog.calls, __ATOMIC_RELAXED) == 0) {
		thread_sleep_until(tick_after_ns(SOON_NS));
	}
	cz_get_stats(firmware, &stats);
	before = stats.service[CZ_GET_TIME].calls;
	for (int i = 0; i < HOG_CALLS; i++) {
		uint64_t ns = time_of_queued_call();

		longest_ns = ns > longest_ns ? ns : longest_ns;
	}
	__atomic_store_n(&hog.stop, true, __ATOMIC_RELEASE);
	thread_join(thread);
	kprintf("# %llu calls on another CPU, the queue waited %llu us\n",
		(unsigned long long)hog.calls,
		(unsigned long long)longest_ns / 1000);
	cz_get_stats(firmware, &stats);
	ktap_result(stats.service[CZ_GET_TIME].calls == before + HOG_CALLS,
		    "now: the queue gets its turn during incessant calls");
}

static cz_status set_cpus(uint64_t first, uint64_t last)
{
	const struct cz_cpu_set set = {.bits = {[0] = first, [15] = last}};

	return cz_set_worker_cpus(firmware, &set, CZ_FOREVER);
}

static void test_worker_cpus(void)
{
	struct thread *worker = (struct thread *)firmware->worker;
	uint32_t last = 63u - (uint32_t)__builtin_clzll(cpus_online());

	test_status(set_cpus(0, 1ull << 63), CZ_EFI_UNSUPPORTED,
		    "worker: a set without an online CPU is refused");
	test_status(set_cpus(1ull << last, 0), CZ_OK,
		    "worker: the last CPU is accepted");
	test_status(cz_null_service(firmware, CZ_FOREVER), CZ_OK,
		    "worker: calls succeed on the last CPU");
	ktap_result(thread_cpu(worker) == last,
		    "worker: the worker runs on the last CPU");
	test_status(set_cpus(UINT64_MAX, UINT64_MAX), CZ_OK,
		    "worker: the set of all CPUs is accepted");
}

void test_now(void)
{
	test_worker_cpus();
	if (skip_without(CZ_GET_TIME, "now: calls outside the queue") ||
	    skip_without(CZ_SET_VARIABLE, "now: calls outside the queue")) {
		return;
	}
	test_idle();
	test_variable();
	test_interrupt();
	test_full();
	test_fp();
	if (cpus_online_count() > 1) {
		test_neighbour();
		test_hog();
	} else {
		ktap_skip("now: calls while another CPU uses the queue",
			  "there is one CPU");
	}
	if (!time_is_counted()) {
		ktap_skip("now: calls while another call is in flight",
			  why_time_is_not_counted());
		return;
	}
	test_busy();
}

/* ---- What `now` does besides ---- */

/* Puts GetTime at another address for one test. */
static uint64_t replace_get_time(uint64_t function)
{
	uint64_t before = firmware->function[CZ_GET_TIME];

	firmware->function[CZ_GET_TIME] = function;
	return before;
}

static void restore_all(void)
{
	for (uint32_t i = 0; i < CZ_SERVICE_COUNT; i++) {
		cz_restore(firmware, (enum cz_service)i);
	}
}

/* Jumps to an unmapped address. */
static void test_fault(void)
{
	uint64_t before = replace_get_time(0x10);
	struct cz_efi_time time = {0};
	struct shot shot;

	test_status(get_time_now(&time), CZ_E_FAULT,
		    "now: a fault of firmware ends the call");
	test_status(get_time_now(&time), CZ_E_WITHDRAWN,
		    "now: after a fault every service is withdrawn");
	restore_all();
	shoot(&shot, tick_after_ns(SOON_NS));
	await(&shot);
	test_status(shot.status, CZ_E_FAULT,
		    "now: a fault in an interrupt handler ends the call");
	restore_all();
	replace_get_time(before);
	test_status(get_time_now(&time), CZ_OK,
		    "now: GetTime succeeds after a fault and a restore");
	ktap_result(near(&time),
		    "now: the queue works after a fault and a restore");
}

/* Unmasks interrupts, waits for many ticks, returns 0. */
static uint64_t write_unmasker(void)
{
	static const uint32_t code[] = {
		0xd50342ff, /* msr daifclr, #2 */
		0xd2a00040, /* mov x0, #0x20000 */
		0xf1000400, /* subs x0, x0, #1 */
		0x54ffffe1, /* b.ne back to it */
		0xd65f03c0, /* ret */
	};
	uint8_t *at = firmware->trampoline.alias + CODE_AT;

	memcpy(at, code, sizeof(code));
	cz_host_sync_code(firmware->host, at, sizeof(code));
	return firmware->window_address + CODE_AT;
}

/* Waking a thread wants the scheduler's lock, and that it runs a switch. */
static void test_unmasking(void)
{
	uint64_t before = replace_get_time(write_unmasker());
	struct cz_efi_time time;
	struct shot shot;
	cz_status status;
	uint64_t daif;
	bool early;

	daif = interrupts_mask();
	shoot(&shot, tick_after_ns(SOON_NS));
	status = get_time_now(&time);
	early = shot.fired;
	replace_get_time(before);
	interrupts_restore(daif);
	test_status(status, CZ_OK,
		    "now: a call that unmasks interrupts succeeds");
	await(&shot);
	ktap_result(!early,
		    "now: no interrupt is taken before the call has returned");
	test_status(shot.status, CZ_OK,
		    "now: the interrupt is taken after the call has returned");
	cz_get_stats(firmware, &stats);
	/* In the sandbox, unmasking has no effect and causes no anomaly. */
	ktap_result(stats.anomalies[CZ_ANOMALY_INTERRUPTS] ==
			    (firmware->gate == CZ_GATE_DIRECT ? 1 : 0),
		    "now: the unmasking is counted, in the direct gate only");
}

PROGRAM(now, "calls outside the queue")
{
	ktap_begin(0);
	test_now();
	test_fault();
	test_unmasking();
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
