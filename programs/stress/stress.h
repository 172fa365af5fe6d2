/* SPDX-License-Identifier: MIT */
/*
 * The parts of the stress test: what its threads ask of firmware and what they
 * may get, how a thread spends its time, who notices that one does not come
 * back.
 */
#ifndef PROGRAMS_STRESS_H
#define PROGRAMS_STRESS_H

#include "lib/common.h"

#include <kernel/sync.h>

#define STRESS_MAX_THREADS 64u
#define STRESS_SHARED 4u /* variables that every thread uses */
#define STRESS_NAME_UNITS 64u

/* A call with all it reads and writes, and what was known when it began. */
struct operation {
	const struct operation_kind *kind;
	struct cz_call call;
	uint64_t start;
	unsigned variable;
	uint32_t version; /* of a write; 0: it is none */
	uint32_t found; /* the version that was read, or 0 */
	uint64_t known; /* the kind's own */

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
	unsigned priority; /* its own */
	uint64_t quota; /* calls that it has still to make */
	struct operation operation, other;
	struct walk *walk;

	/* For who watches it. */
	uint64_t steps; /* each is short */
	const char *doing;
	enum cz_service service; /* when it waits for one */
	bool hurried; /* it was made the most urgent */
	bool ended;
};

struct stress {
	unsigned threads;
	uint64_t calls, sets; /* to be made at most */
	size_t value_bytes;
	uint64_t cpus;
	struct agent *agents;

	/* Atomic. */
	uint64_t calls_begun, sets_begun, counts_begun;
	uint64_t mismatches, lost, out_of_resources;
	uint64_t walks, walks_whole, cancelled, given_up, deadlines, outside;
	uint64_t agents_left;
	uint64_t
		keeping; /* agents that make a call while they keep a request */

	struct completion over; /* all have ended, or one will not */
};

extern struct stress stress;

static inline uint64_t counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* The count after it. */
static inline uint64_t counter_add(uint64_t *counter)
{
	return __atomic_add_fetch(counter, 1, __ATOMIC_ACQ_REL);
}

/* ---- stress_calls.c ---- */

/* Reads the store as it is; deletes what an earlier run has left. False when
 * that does not go well. */
bool operations_init(void);

/* Fills in the agent's next call, chosen at random. */
void operation_choose(struct agent *agent, struct operation *operation);
/* What came of it. `timed`: its caller may have been released. */
void operation_end(struct agent *agent, struct operation *operation,
		   cz_status status, bool timed);
/* It was given up: nobody will know. */
void operation_forget(struct operation *operation);

/* Reads every variable once more, nothing else going on. */
void operations_check_all(struct agent *agent);

/* ---- stress_walk.c ---- */

/* Counts what is not ours in the store, nothing else going on. */
bool walk_init(void);
/* Room for one agent's walks. */
struct walk *walk_alloc(void);
/* All the names in the store, or as many as the quota allows. */
void walk(struct agent *agent);

/* ---- stress_agent.c ---- */

void agent_start(struct agent *agent, unsigned number);
/* A call on its path, with the agent's whereabouts for who watches it. */
cz_status agent_call(struct agent *agent, const struct cz_call *call,
		     uint64_t deadline_ns);

/* Logs a mismatch's first line; false when enough of them have been shown. */
bool agent_mismatch(const struct agent *agent, const char *what);

/* ---- stress_watch.c ---- */

/* Starts the thread that watches the agents. */
void watch_start(void);

#endif
