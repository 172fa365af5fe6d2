/* SPDX-License-Identifier: MIT */
/* Threads that are in the way of whoever needs their registers kept. */
#include "clobberers.h"

#include "clobber.h"
#include "common.h"

#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

struct clobberer {
	const char *name;
	unsigned priority;
	uint64_t hold_ticks; /* how long it sleeps inside its FP section */
	struct thread *thread;
	struct prng prng;
	uint64_t rounds, wrong;
};

static struct clobberer clobberers[] = {
	{.name = "clobber A", .priority = 50, .hold_ticks = 700},
	{.name = "clobber B", .priority = 45, .hold_ticks = 1100},
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
		thread_sleep_until(ticks_now() + self->hold_ticks);
		self->wrong += fp_check(seed) != 0;
		fp_end();
		self->rounds++;
		thread_sleep_until(ticks_now() + 100 +
				   prng_below(&self->prng, 500));
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
