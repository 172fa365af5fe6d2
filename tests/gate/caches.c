/* SPDX-License-Identifier: MIT */
/*
 * What the sandbox tells firmware of the caches, while somebody else asks the same CPU
 * about another one: CSSELR_EL1 is neither the thread's nor the call's. A program of
 * an image of its own, because it asks the library from inside.
 */
#include "arm64/trap.h"
#include "lib/common.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define FIRST 0u /* level 1, data or unified */
#define OTHER 2u /* level 2 */
#define VISITS 1000u
#define PERIOD_NS 2000u
#define PRIORITY_OTHER 60

struct other {
	uint32_t visits;
	bool stop;
};

/* Selects another cache at ever other moments of what it interrupts. */
static void other_entry(void *argument)
{
	struct other *other = argument;

	while (!__atomic_load_n(&other->stop, __ATOMIC_ACQUIRE)) {
		__asm__ volatile(
			"msr csselr_el1, %0\n\tisb" ::"r"((uint64_t)OTHER));
		__atomic_fetch_add(&other->visits, 1, __ATOMIC_RELEASE);
		thread_sleep_until(ticks_now() + ns_to_ticks(PERIOD_NS) +
				   other->visits % 16);
	}
}

static uint32_t ask_while_disturbed(uint64_t due)
{
	struct other other = {0};
	struct thread *thread =
		thread_create("other", PRIORITY_OTHER, other_entry, &other);
	uint32_t wrong = 0;

	while (__atomic_load_n(&other.visits, __ATOMIC_ACQUIRE) < VISITS) {
		wrong += cz_machine_cache_size(FIRST, false) != due;
	}
	__atomic_store_n(&other.stop, true, __ATOMIC_RELEASE);
	thread_join(thread);
	return wrong;
}

PROGRAM(caches, "what the sandbox tells of the caches")
{
	uint64_t due = cz_machine_cache_size(FIRST, false);
	uint32_t wrong;

	if (cz_machine_cache_size(OTHER, false) == due) {
		return could_not_run("two caches look alike");
	}
	/* On the CPU of the thread that disturbs. */
	(void)thread_set_cpus(this_thread(), 1);
	ktap_begin(1);
	wrong = ask_while_disturbed(due);
	if (wrong != 0) {
		kprintf("# %u answers were of another cache\n", wrong);
	}
	ktap_result(wrong == 0, "caches: of the one that was asked for");
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
