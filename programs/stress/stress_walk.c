/* SPDX-License-Identifier: MIT */
/*
 * Lists the names in the store while they change. Firmware finds the next name
 * from the position of the previous one, and a variable that is written moves
 * to the end. A walk whose position may have moved therefore proves nothing any
 * more. Any other walk must list once each variable that existed all the time,
 * and none that never existed.
 */
#include "stress/stress.h"

#include "stress/history.h"
#include "stress/stress_names.h"

#include <kernel/mm.h>
#include <kernel/print.h>
#include <kernel/string.h>

#define MAX_STEPS 1000u

/* The variables in the store that the test does not change. */
struct foreign {
	uint32_t count;
	uint64_t names;
};

static struct foreign foreign_due;

struct walk {
	struct cz_efi_guid guid;
	uint16_t name[CZ_MAX_NAME_BYTES / 2];
	unsigned place; /* the variable at the walk's position */
	uint64_t start, place_start;
	struct foreign foreign;
	uint8_t seen[HISTORY_VARIABLES];
};

enum step { STEP_ON, STEP_END, STEP_LOST, STEP_WRONG };

static void walk_start(struct walk *walk)
{
	memset(walk, 0, sizeof(*walk));
	walk->place = NAME_FOREIGN;
	walk->start = history_now();
	walk->place_start = walk->start;
}

static void count_foreign(struct walk *walk)
{
	uint64_t hash = walk->guid.a;

	for (const uint16_t *unit = walk->name; *unit != 0; unit++) {
		hash = (hash ^ *unit) * 0x100000001b3ull;
	}
	walk->foreign.names += hash;
	walk->foreign.count++;
}

/* Counts the next name. Returns whether it may exist. */
static bool count_name(struct walk *walk, uint64_t start)
{
	unsigned variable = name_find(walk->name, &walk->guid);

	walk->place = variable;
	walk->place_start = start;
	if (variable == NAME_FOREIGN) {
		count_foreign(walk);
		return memcmp(&walk->guid, &test_guid, sizeof(test_guid)) != 0;
	}
	walk->seen[variable]++;
	return variable == name_count_variable() ||
	       history_may_be(variable, true, start, 0);
}

/* Returns whether the variable at the walk's position may have moved. */
static bool moved(const struct walk *walk)
{
	return walk->place != NAME_FOREIGN &&
	       !history_quiet(walk->place, walk->place_start);
}

static enum step walk_step(struct agent *agent, struct walk *walk)
{
	size_t size_bytes = sizeof(walk->name);
	uint64_t start = history_now();
	struct cz_call call;
	cz_status status;

	cz_prepare_get_next_variable_name(&call, &size_bytes, walk->name,
					  &walk->guid);
	status = agent_call(agent, &call, CZ_FOREVER);
	if (moved(walk)) {
		return STEP_LOST;
	}
	if (status == CZ_EFI_NOT_FOUND) {
		return STEP_END;
	}
	if (status != CZ_OK || !count_name(walk, start)) {
		if (agent_mismatch(
			    agent,
			    "GetNextVariableName: lists an absent variable")) {
			kprintf("#   %s, after %u variables of others\n",
				cz_status_name(status), walk->foreign.count);
		}
		return STEP_WRONG;
	}
	return STEP_ON;
}

/* At the end of a walk: each variable that did not change meanwhile was listed
 * as often as it exists. */
static void check_seen(const struct agent *agent, const struct walk *walk)
{
	for (unsigned i = 0; i < name_count_variable(); i++) {
		unsigned seen = walk->seen[i];

		if (history_quiet(i, walk->start) &&
		    (seen > 1 ||
		     !history_may_be(i, seen == 1, walk->start, 0)) &&
		    agent_mismatch(agent, "GetNextVariableName: a variable is "
					  "not listed once")) {
			kprintf("#   variable %u: seen %u times\n", i, seen);
		}
	}
	if ((walk->foreign.count != foreign_due.count ||
	     walk->foreign.names != foreign_due.names) &&
	    agent_mismatch(
		    agent,
		    "GetNextVariableName: other variables have changed")) {
		kprintf("#   expected: %u, got: %u\n", foreign_due.count,
			walk->foreign.count);
	}
}

void walk(struct agent *agent)
{
	struct walk *walk = agent->walk;
	enum step step = STEP_ON;

	walk_start(walk);
	counter_add(&stress.walks);
	for (unsigned i = 0; step == STEP_ON && agent->quota != 0; i++) {
		if (i == MAX_STEPS) {
			agent_mismatch(agent,
				       "GetNextVariableName: does not end");
			return;
		}
		agent->quota--;
		counter_add(&stress.calls_begun);
		step = walk_step(agent, walk);
	}
	if (step == STEP_END) {
		counter_add(&stress.walks_whole);
		check_seen(agent, walk);
	}
}

bool walk_init(void)
{
	static struct walk walk;
	cz_status status;

	walk_start(&walk);
	do {
		size_t size_bytes = sizeof(walk.name);

		status = cz_get_next_variable_name(firmware, &size_bytes,
						   walk.name, &walk.guid,
						   CZ_FOREVER);
		if (status == CZ_OK &&
		    name_find(walk.name, &walk.guid) == NAME_FOREIGN) {
			count_foreign(&walk);
		}
	} while (status == CZ_OK && walk.foreign.count < MAX_STEPS);
	foreign_due = walk.foreign;
	return status == CZ_EFI_NOT_FOUND;
}

struct walk *walk_alloc(void)
{
	return kalloc(sizeof(struct walk));
}
