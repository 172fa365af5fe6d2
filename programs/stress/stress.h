/* SPDX-License-Identifier: MIT */
/*
 * The parts of the stress test: what its threads ask of firmware and which
 * answers are permitted, how a thread spends its time, and how a thread that
 * does not come back is noticed.
 */
#ifndef PROGRAMS_STRESS_H
#define PROGRAMS_STRESS_H

#include "lib/common.h"

#include <kernel/sync.h>

#define STRESS_MAX_THREADS 64u
#define STRESS_SHARED 4u /* variables that every thread uses */
#define STRESS_NAME_UNITS 64u

/* A call with its inputs and outputs, and what was known when it began. */
struct operation {
	const struct operation_kind *kind;
	struct cz_call call;
	uint64_t start;
	unsigned variable;
	/* The version of a write; 0: the call is not a write. */
	uint32_t version;
	uint32_t found; /* the version that was read, or 0 */
	uint64_t known; /* for use by the kind of call */

	struct cz_efi_time time;
	struct cz_efi_guid guid;
	uint16_t name[STRESS_NAME_UNITS];
	uint32_t attributes, count;
	uint64_t maximum_storage, remaining_storage, maximum_size;
	size_t size_bytes;
	uint8_t data[MAX_VALUE_BYTES], due[MAX_VALUE_BYTES];
};

/* One of the threads. */
struct agent {
	struct thread *thread;
	unsigned number;
	struct cz *cz;
	struct prng prng;
	unsigned priority; /* the thread's own priority */
	uint64_t quota; /* number of calls still to be made */
	struct operation operation, other;
	struct walk *walk;

	/* For the thread that watches it. */
	uint64_t steps; /* each is short */
	const char *doing;
	enum cz_service service; /* the service that the thread waits for */
	bool hurried; /* the thread was made the most urgent */
	bool ended;
};

struct stress {
	unsigned threads;
	uint64_t calls, sets; /* upper limits */
	size_t value_bytes;
	uint64_t cpus;
	struct agent *agents;

	/* Atomic. */
	uint64_t calls_begun, sets_begun, counts_begun;
	uint64_t mismatches, lost, out_of_resources;
	uint64_t walks, walks_whole, cancelled, given_up, deadlines, outside;
	uint64_t agents_left;
	uint64_t
		keeping; /* agents that make a call while they hold a request */

	struct completion over; /* all have ended, or one is lost */
};

extern struct stress stress;

static inline uint64_t counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* Increments the counter and returns the new count. */
static inline uint64_t counter_add(uint64_t *counter)
{
	return __atomic_add_fetch(counter, 1, __ATOMIC_ACQ_REL);
}

/* ---- stress_calls.c ---- */

/* Reads the present store and deletes what an earlier run has left. Returns
 * false when that fails. */
bool operations_init(void);

/* Chooses the agent's next call at random, and prepares it. */
void operation_choose(struct agent *agent, struct operation *operation);
/* Checks the result. `timed`: the caller may have been released at its
 * deadline. */
void operation_end(struct agent *agent, struct operation *operation,
		   cz_status status, bool timed);
/* The call was given up; its outcome stays unknown. */
void operation_forget(struct operation *operation);

/* Reads every variable once more while nothing else runs. */
void operations_check_all(struct agent *agent);

/* ---- stress_walk.c ---- */

/* Counts the foreign variables in the store while nothing else runs. */
bool walk_init(void);
/* Allocates the data for one agent's walks. */
struct walk *walk_alloc(void);
/* Lists all names in the store, or as many as the quota allows. */
void walk(struct agent *agent);

/* ---- stress_agent.c ---- */

void agent_start(struct agent *agent, unsigned number);
/* Makes a call on the agent's path, and records for the watching thread where
 * the agent is. */
cz_status agent_call(struct agent *agent, const struct cz_call *call,
		     uint64_t deadline_ns);

/* Logs a mismatch's first line. Returns false when enough mismatches have been
 * logged. */
bool agent_mismatch(const struct agent *agent, const char *what);

/* ---- stress_watch.c ---- */

/* Starts the thread that watches the agents. */
void watch_start(void);

#endif
