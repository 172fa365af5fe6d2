/* SPDX-License-Identifier: MIT */
/*
 * Many threads on all CPUs call firmware in every way there is, at all
 * priorities. They give up calls, cancel them and come late. Every answer is
 * checked against the set of permitted answers.
 */
#include "stress/stress.h"

#include "lib/rival.h"

#include <kernel/ktap.h>
#include <kernel/mm.h>
#include <kernel/print.h>
#include <kernel/thread.h>

#define MAX_CALLS 10000000u
#define MAX_SETS 300u /* firmware does not reclaim space at run time */
/* How often events must occur in 20,000 calls by many threads; in proportion
 * with fewer calls. */
#define DUE_AT_CALLS 20000u
#define MIN_THREADS 8u
#define MIN_PREEMPTIONS 1000u
#define MIN_MIGRATIONS 1000u

struct stress stress;

static uint64_t preemptions_of(struct cz *cz)
{
	static struct cz_stats stats;
	uint64_t sum = 0;

	cz_get_stats(cz, &stats);
	for (int i = 0; i < CZ_SERVICE_COUNT; i++) {
		sum += stats.service[i].preemptions;
	}
	return sum;
}

/* The threads call through it, and through another where there is one. */
static uint64_t preemptions(void)
{
	struct cz *other = rival_firmware();

	return preemptions_of(firmware) +
	       (other == firmware ? 0 : preemptions_of(other));
}

/* Returns why there is no lower bound for how often something must have
 * happened, or NULL. */
static const char *reason_for_no_bound(void)
{
	const char *why = why_time_is_not_counted();

	if (why != NULL) {
		return why;
	}
	return stress.threads < MIN_THREADS ? "there are few threads" : NULL;
}

static void check_often(uint64_t times, uint64_t least, const char *title)
{
	const char *reason = reason_for_no_bound();

	if (stress.calls < DUE_AT_CALLS) {
		least = least * stress.calls / DUE_AT_CALLS;
	}
	if (reason != NULL) {
		ktap_skip(title, reason);
	} else {
		ktap_result(times >= least, title);
	}
}

static void run(void)
{
	struct cz *other = rival_firmware();

	stress.agents = kalloc(stress.threads * sizeof(*stress.agents));
	stress.agents_left = stress.threads;
	completion_init(&stress.over);
	/* No agent runs before all have been created. */
	thread_set_priority(this_thread(), PRIORITY_HIGHEST);
	for (unsigned i = 0; i < stress.threads; i++) {
		stress.agents[i].cz = i % 2 == 0 ? firmware : other;
		agent_start(&stress.agents[i], i);
	}
	watch_start();
	completion_wait(&stress.over, NULL, FOREVER);
}

static void check_end(void)
{
	if (stress.lost != 0) {
		ktap_skip("stress: the variables are right at the end",
			  "a thread is lost");
		return;
	}
	uint64_t before = stress.mismatches;

	operations_check_all(&stress.agents[0]);
	ktap_result(stress.mismatches == before,
		    "stress: the variables are right at the end");
}

static void report(uint64_t preempted, uint64_t migrations)
{
	static const char moved[] =
		"stress: threads moved 1,000 times in 20,000 calls";

	check_often(
		preempted, MIN_PREEMPTIONS,
		"stress: firmware was preempted 1,000 times in 20,000 calls");
	if (cpus_online_count() > 1) {
		check_often(migrations, MIN_MIGRATIONS, moved);
	} else {
		ktap_skip(moved, "there is one CPU");
	}
	kprintf("# walks: %llu, to their end: %llu; cancelled: %llu; given up: "
		"%llu; deadlines: %llu; outside the queue: %llu\n",
		(unsigned long long)stress.walks,
		(unsigned long long)stress.walks_whole,
		(unsigned long long)stress.cancelled,
		(unsigned long long)stress.given_up,
		(unsigned long long)stress.deadlines,
		(unsigned long long)stress.outside);
	kprintf("stress threads=%u calls=%llu mismatches=%llu lost=%llu "
		"migrations=%llu preempted=%llu sets=%llu "
		"out_of_resources=%llu\n",
		stress.threads, (unsigned long long)stress.calls_begun,
		(unsigned long long)stress.mismatches,
		(unsigned long long)stress.lost, (unsigned long long)migrations,
		(unsigned long long)preempted,
		(unsigned long long)stress.sets_begun,
		(unsigned long long)stress.out_of_resources);
}

/* Returns why the options cannot be used, or NULL. */
static const char *read_options(void)
{
	stress.threads = (unsigned)option_number("threads", 32);
	stress.calls = option_number("calls", 20000);
	stress.sets = option_number("sets", MAX_SETS);
	stress.value_bytes = option_number("value", 64);
	stress.cpus = cpus_online();
	if (stress.threads == 0 || stress.threads > STRESS_MAX_THREADS) {
		return "threads is not in 1..64";
	}
	if (stress.calls < stress.threads || stress.calls > MAX_CALLS) {
		return "calls is not in THREADS..10000000";
	}
	if (stress.sets > MAX_SETS) {
		return "sets is not in 0..300";
	}
	if (stress.value_bytes < 8 ||
	    stress.value_bytes > MAX_VALUE_BYTES / 2) {
		return "value is not in 8..2048";
	}
	return NULL;
}

PROGRAM(stress, "many threads, every way to call, every answer checked")
{
	const char *refused = read_options();
	uint64_t preempted, migrations;

	if (refused != NULL) {
		return could_not_run(refused);
	}
	if (!operations_init() || !walk_init()) {
		return could_not_run("the store cannot be read");
	}
	ktap_begin(5);
	preempted = preemptions();
	migrations = scheduler_migrations();
	run();
	preempted = preemptions() - preempted;
	migrations = scheduler_migrations() - migrations;
	ktap_result(stress.mismatches == 0,
		    "stress: every answer is a possible one");
	ktap_result(stress.lost == 0, "stress: no thread misses its wake-up");
	check_end();
	report(preempted, migrations);
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
