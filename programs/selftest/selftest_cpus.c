/* SPDX-License-Identifier: MIT */
/*
 * Tests of several CPUs: on which CPU a thread runs, which threads move and
 * which must not, and that firmware's address space is the same everywhere. The
 * calling thread may run on CPU 0 only; its priority is PRIORITY_NORMAL.
 */
#include "lib/common.h"
#include "selftest/selftest.h"

#include <kernel/ktap.h>
#include <kernel/mm.h>
#include <kernel/port.h>
#include <kernel/print.h>
#include <kernel/sync.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define LOW (PRIORITY_NORMAL + 1)
#define MIDDLE (PRIORITY_NORMAL + 5)
#define HIGH (PRIORITY_NORMAL + 10)
#define FIRST 1ull /* CPU 0 */
#define SECOND 2ull
#define THIRD 4ull
#define ANY (~0ull)

static uint64_t milliseconds(unsigned count)
{
	return ticks_now() + count * (ticks_hz() / 1000);
}

/* For loops that compute endlessly: otherwise an emulator that runs the CPUs in
 * turn may never reach the next one. */
static void let_others(void)
{
	__asm__ volatile("yield");
}

/* Returns the calling thread's CPU. The thread may move at any moment. */
static uint32_t here(void)
{
	struct thread *self = (struct thread *)cz_host_self(firmware->host);

	return thread_cpu(self);
}

/* Creates a thread that does not run until it is forbidden on this CPU. */
static struct thread *start(const char *name, unsigned priority, uint64_t cpus,
			    void (*entry)(void *), void *argument)
{
	struct thread *thread =
		thread_create(name, PRIORITY_LOWEST, entry, argument);

	(void)thread_set_cpus(thread, cpus);
	thread_set_priority(thread, priority);
	return thread;
}

/* ---- Everybody's own CPU ------------------------------------------------- */

struct tourist {
	uint64_t seen; /* one bit for each CPU */
};

/* Moves itself to each CPU in turn. */
static void tour(void *argument)
{
	struct tourist *tourist = argument;
	struct thread *self = (struct thread *)cz_host_self(firmware->host);
	bool well = true;

	for (uint64_t left = cpus_online(); left != 0; left &= left - 1) {
		uint32_t cpu = (uint32_t)__builtin_ctzll(left);

		well = thread_set_cpus(self, 1ull << cpu) && well;
		if (well && here() == cpu) {
			tourist->seen |= 1ull << cpu;
		}
	}
}

static void test_set_cpus(void)
{
	static struct tourist tourist;
	struct thread *thread = start("tour", LOW, ANY, tour, &tourist);

	thread_join(thread);
	ktap_result(tourist.seen == cpus_online(),
		    "cpus: a thread moves to each CPU that it is given");
	ktap_result(
		!thread_set_cpus((struct thread *)cz_host_self(firmware->host),
				 1ull << 63),
		"cpus: a thread cannot be moved to a CPU that is offline");
}

/* ---- Waking up on another CPU -------------------------------------------- */

struct spinner {
	volatile bool stop;
	volatile uint32_t cpu;
	volatile uint64_t rounds;
};

static void spin(void *argument)
{
	struct spinner *spinner = argument;

	while (!spinner->stop) {
		spinner->cpu = here();
		spinner->rounds++;
		let_others();
	}
}

static void nap(void)
{
	thread_sleep_until(ticks_now() + ticks_hz() / 10000);
}

/* Returns whether the value changes within one second of the counter. */
static bool changes(const volatile uint64_t *rounds, uint64_t from)
{
	uint64_t end = milliseconds(1000);

	while (*rounds == from && ticks_now() < end) {
		nap();
	}
	return *rounds != from;
}

/* As many urgent threads as CPUs all run at once, each on a CPU of its own. */
static void test_spread(void)
{
	static struct spinner spinners[8];
	struct thread *threads[8];
	unsigned count = cpus_online_count() - 1;
	uint64_t seen = 0;
	bool all = true;

	for (unsigned i = 0; i < count; i++) {
		threads[i] =
			start("spin", LOW, ANY & ~FIRST, spin, &spinners[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		all = changes(&spinners[i].rounds, spinners[i].rounds) && all;
		seen |= 1ull << spinners[i].cpu;
	}
	for (unsigned i = 0; i < count; i++) {
		spinners[i].stop = true;
		thread_join(threads[i]);
	}
	ktap_result(all && seen == (cpus_online() & ~FIRST),
		    "cpus: each CPU runs a thread at the same time");
}

static void wait_for(void *argument)
{
	completion_wait(argument, NULL, FOREVER);
}

static void test_wake(void)
{
	struct completion completion;
	uint64_t deadline = milliseconds(1000);
	struct thread *thread;

	completion_init(&completion);
	thread = start("waiter", LOW, SECOND, wait_for, &completion);
	thread_sleep_until(milliseconds(5));
	completion_set(&completion);
	thread_join(thread);
	ktap_result(ticks_now() < deadline && here() == 0,
		    "cpus: a wake-up reaches a thread of another CPU");
}

/* ---- Pinned -------------------------------------------------------------- */

struct pinned {
	volatile uint32_t home, away;
	volatile uint64_t rounds;
	volatile bool ready, stop;
	struct mutex *mutex;
};

/* Pins itself twice where it starts and unpins once, so it is still pinned. */
static void stay(void *argument)
{
	struct pinned *pinned = argument;

	migrate_disable();
	migrate_disable();
	pinned->home = here();
	if (pinned->mutex != NULL) {
		mutex_lock(pinned->mutex);
	}
	migrate_enable();
	pinned->ready = true;
	while (!pinned->stop) {
		pinned->away |= here() != pinned->home;
		pinned->rounds++;
		let_others();
	}
	if (pinned->mutex != NULL) {
		mutex_unlock(pinned->mutex);
	}
	migrate_enable();
}

static void await(const volatile bool *flag)
{
	while (!*flag) {
		nap();
	}
}

/* A pinned thread stays where it is while a more urgent thread uses its CPU and
 * others are idle. */
static void test_pinned(void)
{
	static struct pinned pinned;
	static struct spinner bully;
	struct thread *worker, *thread;
	uint64_t rounds, migrations;

	worker = start("pinned", LOW, SECOND, stay, &pinned);
	await(&pinned.ready);
	(void)thread_set_cpus(worker, ANY);
	thread = start("bully", HIGH, SECOND, spin, &bully);
	(void)changes(&bully.rounds, 0);
	rounds = pinned.rounds;
	for (int i = 0; i < 50; i++) {
		nap();
	}
	ktap_result(pinned.rounds == rounds && !pinned.away,
		    "pin: a preempted thread waits for its own CPU");

	/* The more urgent thread may move now. It does so and leaves the CPU.
	 *  */
	migrations = scheduler_migrations();
	(void)thread_set_cpus(thread, ANY & ~FIRST);
	if (cpus_online_count() > 2) {
		ktap_result(changes(&pinned.rounds, rounds) && bully.cpu != 1 &&
				    scheduler_migrations() > migrations,
			    "pin: a thread that may move leaves the CPU to a "
			    "pinned one");
	} else {
		ktap_skip("pin: a thread that may move leaves the CPU to a "
			  "pinned one",
			  "three CPUs are needed");
	}
	bully.stop = true;
	thread_join(thread);
	(void)thread_set_cpus(worker, FIRST);
	thread_sleep_until(milliseconds(5));
	ktap_result(!pinned.away && pinned.home == 1,
		    "pin: pins nest, and hold when the allowed CPUs change");
	pinned.stop = true;
	thread_join(worker);
}

/* A thread that can run elsewhere also makes way when it becomes able to later,
 * because the thread that runs there has become less urgent and continues. */
static void test_room(void)
{
	static const char title[] =
		"pin: a thread that may move later leaves the CPU then";
	static struct pinned pinned;
	static struct spinner bully, guard;
	struct thread *worker, *threads[2];
	uint64_t rounds;

	if (cpus_online_count() < 3) {
		ktap_skip(title, "three CPUs are needed");
		return;
	}
	threads[0] = start("guard", HIGH + 1, THIRD, spin, &guard);
	(void)changes(&guard.rounds, 0);
	worker = start("pinned", LOW, SECOND, stay, &pinned);
	await(&pinned.ready);
	threads[1] = start("bully", HIGH, SECOND | THIRD, spin, &bully);
	(void)changes(&bully.rounds, 0);
	rounds = pinned.rounds;
	thread_set_priority(threads[0], PRIORITY_NORMAL);
	ktap_result(changes(&pinned.rounds, rounds) && bully.cpu == 2, title);
	bully.stop = true;
	guard.stop = true;
	pinned.stop = true;
	thread_join(threads[0]);
	thread_join(threads[1]);
	thread_join(worker);
}

static void lock_and_unlock(void *argument)
{
	mutex_lock(argument);
	mutex_unlock(argument);
}

/* A waiter on another CPU lends its priority to a pinned, preempted owner. */
static void test_inherit(void)
{
	static struct pinned pinned;
	static struct spinner bully;
	static struct mutex mutex;
	struct thread *worker, *thread, *waiter;
	uint64_t rounds;

	mutex_init(&mutex);
	pinned.mutex = &mutex;
	worker = start("owner", LOW, SECOND, stay, &pinned);
	await(&pinned.ready);
	thread = start("bully", MIDDLE, SECOND, spin, &bully);
	(void)changes(&bully.rounds, 0);
	rounds = pinned.rounds;
	waiter = start("waiter", HIGH, FIRST, lock_and_unlock, &mutex);
	thread_sleep_until(milliseconds(20));
	ktap_result(pinned.rounds != rounds && thread_priority(worker) == HIGH,
		    "inheritance: a pinned owner on another CPU inherits");
	bully.stop = true;
	pinned.stop = true;
	thread_join(waiter);
	thread_join(worker);
	thread_join(thread);
}

/* ---- FP and address spaces ----------------------------------------------- */

static void peek(void *argument)
{
	space_adopt(port_firmware_space());
	*(volatile uint32_t *)argument = firmware_word(CZ_GET_VARIABLE);
	space_adopt(NULL);
}

static void test_space(void)
{
	uint32_t first = 0;
	bool same = true;

	peek(&first);
	for (uint64_t left = cpus_online(); left != 0; left &= left - 1) {
		volatile uint32_t seen = ~first;

		thread_join(start("peek", LOW, left & -left, peek,
				  (void *)(uintptr_t)&seen));
		same = same && seen == first;
	}
	ktap_result(same, "space: every CPU sees the same firmware code");
}

#define PROBE_ADDRESS 0x7000000000ull
#define PROBES 200

static struct {
	struct space *space;
	volatile uint64_t turn; /* even: this thread's turn; odd: the other's */
	volatile uint64_t seen;
} probe;

static void probe_reader(void *unused)
{
	(void)unused;
	space_adopt(probe.space);
	for (uint64_t i = 0; i < PROBES; i++) {
		while (probe.turn != 2 * i + 1) {
			nap();
		}
		probe.seen = *(const volatile uint64_t *)PROBE_ADDRESS;
		__atomic_store_n(&probe.turn, 2 * i + 2, __ATOMIC_RELEASE);
	}
	space_adopt(NULL);
}

/* Maps another page at the same address. A CPU that has the space installed and
 * has read the old page must see the new one at once. */
static void test_invalidate(void)
{
	uint64_t pages[2] = {pages_alloc(1), pages_alloc(1)};
	struct thread *thread;
	bool right = true;

	probe.space = space_create(false);
	probe.turn = 0;
	*(uint64_t *)phys_to_virt(pages[0]) = 100;
	*(uint64_t *)phys_to_virt(pages[1]) = 101;
	thread = start("probe", LOW, SECOND, probe_reader, NULL);
	for (uint64_t i = 0; i < PROBES; i++) {
		space_map(probe.space, PROBE_ADDRESS, pages[i & 1], 1,
			  MEMORY_WB, 0);
		__atomic_store_n(&probe.turn, 2 * i + 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&probe.turn, __ATOMIC_ACQUIRE) !=
		       2 * i + 2) {
			nap();
		}
		right = right && probe.seen == 100 + (i & 1);
	}
	thread_join(thread);
	space_destroy(probe.space);
	pages_free(pages[0], 1);
	pages_free(pages[1], 1);
	ktap_result(right, "space: a changed page is seen by every CPU");
}

void test_cpus(void)
{
	if (cpus_online_count() == 1) {
		ktap_skip("cpus", "there is one CPU");
		return;
	}
	test_set_cpus();
	test_spread();
	test_wake();
	test_pinned();
	test_room();
	test_inherit();
	test_space();
	test_invalidate();
}
