/* SPDX-License-Identifier: MIT */
/*
 * A thread of the highest priority that sleeps until given ticks and records
 * how late it woke. It is the measuring instrument of the latency programs;
 * functional programs use it to interrupt a call at a chosen instruction.
 */
#include "lib/probe.h"

#include "lib/clobber.h"

#include <kernel/thread.h>
#include <kernel/time.h>

static bool flag_read(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void flag_set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

static uint64_t expiry_of(struct probe *probe, uint64_t i)
{
	const struct schedule *s = &probe->schedule;

	return s->first + i * s->period + prng_below(&probe->prng, s->dither);
}

static void run_schedule(struct probe *probe)
{
	uint64_t expiry = expiry_of(probe, 0);

	for (uint64_t i = 0; i < probe->schedule.count; i++) {
		uint64_t next = expiry_of(probe, i + 1);
		uint64_t woke;

		thread_sleep_until(expiry);
		woke = ticks_now();
		if (flag_read(&probe->stop)) {
			return;
		}
		if (woke >= next && i + 1 < probe->schedule.count) {
			probe->missed++;
		}
		samples_add(&probe->samples, woke - expiry);
		if (probe->woken != NULL) {
			probe->woken(probe->argument);
		}
		expiry = next;
	}
}

static void probe_entry(void *argument)
{
	struct probe *probe = argument;

	for (;;) {
		completion_wait(&probe->go, NULL, FOREVER);
		completion_clear(&probe->go);
		if (flag_read(&probe->quit)) {
			return;
		}
		run_schedule(probe);
		completion_set(&probe->done);
	}
}

void probe_init(struct probe *probe, uint32_t capacity)
{
	completion_init(&probe->go);
	completion_init(&probe->done);
	completion_set(&probe->done);
	prng_init(&probe->prng, 'p');
	samples_init(&probe->samples, capacity);
	probe->missed = 0;
	probe->stop = false;
	probe->quit = false;
	probe->thread =
		thread_create("probe", PRIORITY_HIGHEST, probe_entry, probe);
}

void probe_start(struct probe *probe, const struct schedule *schedule)
{
	probe->schedule = *schedule;
	probe->stop = false;
	completion_clear(&probe->done);
	completion_set(&probe->go);
}

bool probe_done(const struct probe *probe)
{
	return __atomic_load_n(&probe->done.done, __ATOMIC_ACQUIRE) != 0;
}

void probe_wait(struct probe *probe)
{
	completion_wait(&probe->done, NULL, FOREVER);
}

void probe_stop(struct probe *probe)
{
	flag_set(&probe->stop);
	probe_wait(probe);
}

void probe_end(struct probe *probe)
{
	flag_set(&probe->quit);
	completion_set(&probe->go);
	thread_join(probe->thread);
}

void call_at_tick(uint64_t tick, uint64_t pad, void (*call)(void *),
		  void *argument)
{
	thread_sleep_until(tick);
	padded_call(pad, call, argument);
}
