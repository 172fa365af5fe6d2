/* SPDX-License-Identifier: MIT */
/* Threads that disturb a caller by overwriting every register. */
#include "lib/clobberers.h"

#include "lib/clobber.h"
#include "lib/common.h"

#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

struct clobberer {
	const char *name;
	unsigned priority;
	uint64_t hold_ns; /* how long the thread sleeps inside its FP section */
	struct thread *thread;
	struct prng prng;
	uint64_t rounds, wrong;
};

static struct clobberer clobberers[] = {
	{.name = "clobber A", .priority = 50, .hold_ns = 11200},
	{.name = "clobber B", .priority = 45, .hold_ns = 17600},
};
#define CLOBBERERS (sizeof(clobberers) / sizeof(*clobberers))

static bool stopping;

static void clobber_entry(void *argument)
{
	struct clobberer *self = argument;

	while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
		uint64_t seed = prng_next(&self->prng);

		fp_begin();
		fp_fill(seed);
		clobber_general(seed);
		thread_sleep_until(tick_after_ns(self->hold_ns));
		self->wrong += fp_check(seed) != 0;
		fp_end();
		self->rounds++;
		thread_sleep_until(tick_after_ns(
			1600 + 16 * prng_below(&self->prng, 500)));
	}
}

void clobberers_start(void)
{
	for (unsigned i = 0; i < CLOBBERERS; i++) {
		prng_init(&clobberers[i].prng, 'a' + i);
		clobberers[i].thread = thread_create(
			clobberers[i].name, clobberers[i].priority,
			clobber_entry, &clobberers[i]);
	}
}

uint64_t clobberers_stop(void)
{
	uint64_t wrong = 0;

	__atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < CLOBBERERS; i++) {
		thread_join(clobberers[i].thread);
		kprintf("# %s: %llu rounds\n", clobberers[i].name,
			(unsigned long long)clobberers[i].rounds);
		wrong += clobberers[i].wrong;
	}
	return wrong;
}
