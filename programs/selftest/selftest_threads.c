/* SPDX-License-Identifier: MIT */
/*
 * Tests of the kernel: the order in which threads run, priority inheritance,
 * and what survives a switch. The calling thread's priority is PRIORITY_NORMAL.
 */
#include "lib/clobber.h"
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
#define A_WHILE_NS 32000u

/* The visits of threads, in order. */
static struct {
	unsigned who[8];
	unsigned count;
} visits;

static void visit(unsigned who)
{
	if (visits.count < 8) {
		visits.who[visits.count++] = who;
	}
}

static void visits_clear(void)
{
	visits.count = 0;
}

static bool visits_were(unsigned a, unsigned b, unsigned c)
{
	return visits.count == 3 && visits.who[0] == a && visits.who[1] == b &&
	       visits.who[2] == c;
}

static uint64_t in_a_while(void)
{
	return tick_after_ns(A_WHILE_NS);
}

/* Sleeps until there were so many visits. Joining would lend the caller's
 * priority to the visitors. */
static void await_visits(unsigned count)
{
	for (int i = 0; visits.count < count && i < 1000; i++) {
		thread_sleep_until(in_a_while());
	}
}

/* ---- Order --------------------------------------------------------------- */

static void visitor(void *argument)
{
	visit((unsigned)(uintptr_t)argument);
}

static struct thread *start_visitor(unsigned priority)
{
	return thread_create("visitor", priority, visitor,
			     (void *)(uintptr_t)priority);
}

static void test_order(void)
{
	struct thread *threads[3];

	visits_clear();
	threads[0] = start_visitor(10);
	threads[1] = start_visitor(12);
	threads[2] = start_visitor(11);
	ktap_result(visits.count == 0,
		    "threads: less urgent threads wait until the test sleeps");
	await_visits(3);
	for (int i = 0; i < 3; i++) {
		thread_join(threads[i]);
	}
	ktap_result(visits_were(12, 11, 10),
		    "threads: threads run in order of priority");
	visits_clear();
	threads[0] = start_visitor(HIGH);
	ktap_result(visits.count == 1,
		    "threads: a more urgent thread runs at once");
	thread_join(threads[0]);
}

static void yielder(void *argument)
{
	for (int i = 0; i < 2; i++) {
		visit((unsigned)(uintptr_t)argument);
		thread_yield();
	}
}

static void test_yield(void)
{
	struct thread *a, *b;

	visits_clear();
	a = thread_create("a", LOW - 2, yielder, (void *)1);
	b = thread_create("b", LOW - 2, yielder, (void *)2);
	await_visits(4);
	thread_join(a);
	thread_join(b);
	ktap_result(visits.count == 4 && visits.who[0] == 1 &&
			    visits.who[1] == 2 && visits.who[2] == 1 &&
			    visits.who[3] == 2,
		    "threads: threads of equal priority alternate by yielding");
}

/* ---- Preemption ---------------------------------------------------------- */

static bool woken;

static void late_visitor(void *argument)
{
	thread_sleep_until(*(const uint64_t *)argument);
	__atomic_store_n(&woken, true, __ATOMIC_RELEASE);
}

/* Computes until `tick`. Returns whether the other thread ran before that. */
static bool woken_while_busy(uint64_t tick)
{
	while (ticks_now() < tick) {
		if (__atomic_load_n(&woken, __ATOMIC_ACQUIRE)) {
			return true;
		}
	}
	return false;
}

static void test_preemption(void)
{
	uint64_t tick = in_a_while();
	struct thread *thread;

	woken = false;
	thread = thread_create("late", HIGH, late_visitor, &tick);
	ktap_result(woken_while_busy(tick + ticks_hz()),
		    "threads: a wake-up preempts kernel code");
	thread_join(thread);

	woken = false;
	preempt_disable();
	tick = in_a_while();
	thread = thread_create("late", HIGH, late_visitor, &tick);
	ktap_result(!woken_while_busy(tick + ns_to_ticks(A_WHILE_NS)),
		    "threads: no wake-up preempts code with preemption off");
	preempt_enable();
	thread_join(thread);
	ktap_result(woken,
		    "threads: a delayed wake-up runs once preemption is on");
}

/* ---- Sleeping ------------------------------------------------------------ */

struct sleeper {
	struct thread *thread;
	uint64_t tick, woke;
	unsigned number;
};

static void sleeper_entry(void *argument)
{
	struct sleeper *self = argument;

	thread_sleep_until(self->tick);
	self->woke = ticks_now();
	visit(self->number);
}

static void test_sleep(void)
{
	static struct sleeper sleepers[3];
	static const unsigned delays[3] = {3, 1, 2};
	uint64_t now = ticks_now();
	bool early = false;

	visits_clear();
	for (unsigned i = 0; i < 3; i++) {
		sleepers[i].tick = now + delays[i] * (ticks_hz() / 50);
		sleepers[i].number = delays[i];
		sleepers[i].thread = thread_create("sleeper", HIGH,
						   sleeper_entry, &sleepers[i]);
	}
	for (unsigned i = 0; i < 3; i++) {
		thread_join(sleepers[i].thread);
		early = early || sleepers[i].woke < sleepers[i].tick;
	}
	ktap_result(visits_were(1, 2, 3),
		    "sleep: threads wake up in the order of their ticks");
	ktap_result(!early, "sleep: no thread wakes up early");
	visits_clear();
	sleepers[0].thread = start_visitor(PRIORITY_NORMAL - 10);
	thread_sleep_until(ticks_now() - 1);
	thread_sleep_until(0);
	ktap_result(visits.count == 0,
		    "sleep: a tick in the past does not yield the CPU");
	thread_join(sleepers[0].thread);
}

/* ---- Completions --------------------------------------------------------- */

static void setter(void *argument)
{
	thread_sleep_until(in_a_while());
	completion_set(argument);
}

static void test_completion(void)
{
	struct completion completion;
	struct thread *thread;
	uint64_t deadline = in_a_while();

	completion_init(&completion);
	ktap_result(!completion_wait(&completion, NULL, deadline) &&
			    ticks_now() >= deadline,
		    "completion: a wait ends at its deadline");
	kprintf("# the wait ended %llu ns after its deadline\n",
		(unsigned long long)ticks_to_ns(ticks_now() - deadline));
	thread = thread_create("setter", HIGH, setter, &completion);
	ktap_result(completion_wait(&completion, NULL, FOREVER),
		    "completion: a wait ends when the completion is set");
	ktap_result(
		completion_wait(&completion, NULL, 0),
		"completion: a wait for a set completion ignores deadlines");
	completion_clear(&completion);
	ktap_result(!completion_wait(&completion, NULL, 0),
		    "completion: a wait for a cleared completion times out");
	thread_join(thread);
}

/* ---- Inheritance --------------------------------------------------------- */

static struct {
	struct mutex a, b;
	struct completion end, owner_ready;
	struct thread *owner;
	unsigned seen; /* the owner's priority while others wait */
} chain;

static void mutex_visitor(void *argument)
{
	mutex_lock(argument);
	visit(thread_priority(chain.owner) == LOW ? HIGH : 0);
	mutex_unlock(argument);
}

/* Holds a mutex while a more urgent thread waits for it and a third, of medium
 * priority, wants to run. */
static void inverter(void *argument)
{
	struct thread *high, *middle;

	(void)argument;
	mutex_lock(&chain.a);
	completion_wait(&chain.owner_ready, NULL, FOREVER);
	high = thread_create("high", HIGH, mutex_visitor, &chain.a);
	chain.seen = thread_priority(chain.owner);
	middle = start_visitor(MIDDLE);
	visit(LOW);
	mutex_unlock(&chain.a);
	thread_join(high);
	thread_join(middle);
}

static void test_inversion(void)
{
	mutex_init(&chain.a);
	completion_init(&chain.owner_ready);
	visits_clear();
	chain.owner = thread_create("owner", LOW, inverter, NULL);
	completion_set(&chain.owner_ready);
	thread_join(chain.owner);
	ktap_result(chain.seen == HIGH,
		    "mutex: the owner inherits a waiter's priority");
	ktap_result(
		visits_were(LOW, HIGH, MIDDLE),
		"mutex: a thread of medium priority does not delay a waiter");
}

static void chain_first(void *argument)
{
	(void)argument;
	mutex_lock(&chain.a);
	completion_wait(&chain.end, NULL, FOREVER);
	mutex_unlock(&chain.a);
}

static void chain_second(void *argument)
{
	(void)argument;
	mutex_lock(&chain.b);
	mutex_lock(&chain.a);
	mutex_unlock(&chain.a);
	mutex_unlock(&chain.b);
}

static void chain_third(void *argument)
{
	mutex_lock(argument);
	mutex_unlock(argument);
}

static void chain_fourth(void *argument)
{
	completion_wait(&chain.end, argument, FOREVER);
}

/* A chain: `fourth` waits with `third` as owner; `third` waits for mutex b,
 * whose owner waits for mutex a, whose owner is `first`. */
static void test_chain(void)
{
	struct thread *t[4];

	mutex_init(&chain.a);
	mutex_init(&chain.b);
	completion_init(&chain.end);
	t[0] = thread_create("first", LOW, chain_first, NULL);
	t[1] = thread_create("second", LOW + 1, chain_second, NULL);
	t[2] = thread_create("third", LOW + 2, chain_third, &chain.b);
	ktap_result(thread_priority(t[0]) == LOW + 2,
		    "inheritance: priority is passed along a chain of mutexes");
	t[3] = thread_create("fourth", MIDDLE, chain_fourth, t[2]);
	ktap_result(thread_priority(t[0]) == MIDDLE,
		    "inheritance: a wait with an owner passes priority on");
	thread_set_priority(t[3], HIGH);
	ktap_result(thread_priority(t[0]) == HIGH,
		    "inheritance: a waiter's raised priority is passed on");
	thread_set_priority(t[3], LOW);
	ktap_result(thread_priority(t[0]) == LOW + 2,
		    "inheritance: a waiter's lowered priority is passed on");
	completion_set(&chain.end);
	for (int i = 0; i < 4; i++) {
		thread_join(t[i]);
	}
}

static void chain_heir(void *argument)
{
	(void)argument;
	mutex_lock(&chain.a);
	completion_wait(&chain.owner_ready, NULL, FOREVER);
	mutex_unlock(&chain.a);
}

/* Two threads wait for a mutex. The one that gets it then inherits from the
 * other, including later changes of the other's priority. */
static void test_handover(void)
{
	struct thread *first, *heir, *other;

	mutex_init(&chain.a);
	completion_init(&chain.end);
	completion_init(&chain.owner_ready);
	first = thread_create("first", LOW, chain_first, NULL);
	heir = thread_create("heir", LOW + 2, chain_heir, NULL);
	other = thread_create("other", LOW + 1, chain_third, &chain.a);
	completion_set(&chain.end);
	thread_set_priority(other, HIGH);
	ktap_result(thread_priority(heir) == HIGH,
		    "mutex: the next owner inherits a waiter's priority");
	completion_set(&chain.owner_ready);
	thread_join(other);
	thread_join(heir);
	thread_join(first);
}

static void test_loan_returned(void)
{
	struct thread *owner;
	uint64_t deadline = in_a_while();

	mutex_init(&chain.a);
	completion_init(&chain.end);
	owner = thread_create("first", LOW, chain_first, NULL);
	thread_set_priority(owner, 5);
	completion_wait(&chain.end, owner, deadline);
	ktap_result(thread_priority(owner) == 5,
		    "inheritance: an inherited priority ends with the wait");
	completion_set(&chain.end);
	thread_join(owner);
}

/* ---- What survives a switch ---------------------------------------------- */

struct fp_user {
	struct thread *thread;
	uint64_t seed, wrong;
};

static void fp_user_entry(void *argument)
{
	struct fp_user *self = argument;

	for (unsigned i = 0; i < 20 && self->wrong == 0; i++) {
		uint64_t seed = self->seed * (i + 1);

		fp_begin();
		fp_fill(seed);
		thread_sleep_until(tick_after_ns(1600 + 16 * (seed % 50)));
		self->wrong = fp_check(seed);
		fp_end();
	}
}

static bool fp_sleeping;

static void fp_sleeper_entry(void *argument)
{
	struct fp_user *self = argument;

	fp_begin();
	fp_fill(self->seed);
	__atomic_store_n(&fp_sleeping, true, __ATOMIC_RELEASE);
	thread_sleep_until(in_a_while());
	self->wrong = fp_check(self->seed);
	fp_end();
}

/* A short section begins and ends while the owner of another one sleeps.
 * Afterwards the CPU holds the registers of neither. */
static void test_fp_short_section(void)
{
	static struct fp_user sleeper = {.seed = 0x6a09e667f3bcc908ull};
	bool slept;

	__atomic_store_n(&fp_sleeping, false, __ATOMIC_RELEASE);
	sleeper.thread = thread_create("fp", HIGH, fp_sleeper_entry, &sleeper);
	slept = __atomic_load_n(&fp_sleeping, __ATOMIC_ACQUIRE);
	fp_begin();
	fp_fill(~sleeper.seed);
	fp_end();
	thread_join(sleeper.thread);
	ktap_result(
		slept && sleeper.wrong == 0,
		"FP: a section that never sleeps preserves others' registers");
}

static void test_fp(void)
{
	static struct fp_user users[3];
	uint64_t wrong = 0;

	for (unsigned i = 0; i < 3; i++) {
		users[i].seed = 0x9e3779b97f4a7c15ull * (i + 1);
		users[i].thread =
			thread_create("fp", LOW + i, fp_user_entry, &users[i]);
	}
	for (unsigned i = 0; i < 3; i++) {
		thread_join(users[i].thread);
		wrong |= users[i].wrong;
	}
	if (wrong != 0) {
		kprintf("# register %llu\n", (unsigned long long)wrong - 1);
	}
	ktap_result(wrong == 0, "FP: registers are preserved across switches");
}

/* Reads firmware's code at firmware's address, which only its space maps. */
static void test_space(void)
{
	uint32_t before, after;

	space_adopt(port_firmware_space());
	before = firmware_word(CZ_GET_VARIABLE);
	thread_sleep_until(in_a_while());
	after = firmware_word(CZ_GET_VARIABLE);
	space_adopt(NULL);
	ktap_result(before == after,
		    "space: a thread keeps its address space across a switch");
}

void test_threads(void)
{
	test_order();
	test_yield();
	test_preemption();
	test_sleep();
	test_completion();
	test_inversion();
	test_chain();
	test_handover();
	test_loan_returned();
	test_fp();
	test_fp_short_section();
	test_space();
}
