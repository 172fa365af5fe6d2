/* SPDX-License-Identifier: MIT */
/*
 * Tests which size the sandbox reports for a cache while another thread selects
 * a different cache on the same CPU: CSSELR_EL1 is saved neither for each
 * thread nor for each call. The program is in an image of its own, because it
 * calls an internal function of the library.
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

/* Selects another cache periodically. The period varies, so that the selection
 * comes at different instructions of the interrupted thread. */
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
	/* Both threads must share a CPU. */
	(void)thread_set_cpus(this_thread(), 1);
	ktap_begin(1);
	wrong = ask_while_disturbed(due);
	if (wrong != 0) {
		kprintf("# %u answers were of another cache\n", wrong);
	}
	ktap_result(wrong == 0,
		    "caches: the size is that of the selected cache");
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
