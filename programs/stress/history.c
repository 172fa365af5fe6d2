/* SPDX-License-Identifier: MIT */
/*
 * The values that variables may hold while many threads write and read them.
 * Keeps all writes of each variable, each with the moments that bound when it
 * took effect.
 */
#include "stress/history.h"

#include <kernel/print.h>
#include <kernel/sync.h>

#define NEVER UINT64_MAX

/* The index in the table is the version of the write. */
struct write {
	uint32_t next; /* the next write of the same variable; 0: none */
	uint32_t variable;
	enum write_outcome outcome;
	bool exists;
	uint64_t start;
	/* If it takes effect, then before calls that begin after this moment.
	 *  */
	uint64_t before;
	uint64_t happened; /* it has taken effect by this moment */
};

static struct {
	struct mutex mutex;
	uint64_t clock;

	/* Guarded by the mutex. */
	uint32_t count;
	uint32_t first[HISTORY_VARIABLES];
	struct write writes[HISTORY_WRITES];
} history;

uint64_t history_now(void)
{
	return __atomic_add_fetch(&history.clock, 1, __ATOMIC_ACQ_REL);
}

/* ---- Under the mutex ---- */

static struct write *get(uint32_t version)
{
	return &history.writes[version];
}

static uint32_t add(unsigned variable, bool exists)
{
	uint32_t version = history.count;

	ASSERT(version < HISTORY_WRITES);
	history.count++;
	*get(version) = (struct write){
		.next = history.first[variable],
		.variable = variable,
		.exists = exists,
		.start = history_now(),
		.before = NEVER,
		.happened = NEVER,
	};
	history.first[variable] = version;
	return version;
}

/* Returns whether another write certainly took effect after this one and before
 * `start`. */
static bool superseded(const struct write *write, uint64_t start)
{
	uint32_t version = history.first[write->variable];

	for (; version != 0; version = get(version)->next) {
		const struct write *other = get(version);

		if (other != write && other->outcome != WRITE_VOID &&
		    other->start > write->before && other->happened < start) {
			return true;
		}
	}
	return false;
}

static bool plausible(const struct write *write, uint64_t start)
{
	return write->outcome != WRITE_VOID && !superseded(write, start);
}

/* Marks writes as void: a write that was given up, that would have come after
 * the version found and before the read that found it, has not taken effect. */
static void rule_out(const struct write *found, uint64_t start)
{
	uint32_t version = history.first[found->variable];

	for (; version != 0; version = get(version)->next) {
		struct write *other = get(version);

		if (other != found && other->outcome == WRITE_UNKNOWN &&
		    other->start > found->before && other->before < start) {
			other->outcome = WRITE_VOID;
		}
	}
}

static void see(struct write *write, uint64_t start)
{
	uint64_t now = history_now();

	rule_out(write, start);
	if (now < write->before) {
		write->before = now;
	}
	if (now < write->happened) {
		write->happened = now;
	}
}

/* Returns the only plausible write that leaves the variable in this state;
 * *count is the number of candidates. */
static struct write *find(unsigned variable, bool exists, uint64_t start,
			  uint32_t own, unsigned *count)
{
	struct write *found = NULL;
	uint32_t version = history.first[variable];

	*count = 0;
	for (; version != 0; version = get(version)->next) {
		struct write *write = get(version);

		if (version != own && write->exists == exists &&
		    plausible(write, start)) {
			found = write;
			++*count;
		}
	}
	return found;
}

/* ---- What others call ---- */

void history_init(unsigned variables)
{
	ASSERT(variables <= HISTORY_VARIABLES);
	mutex_init(&history.mutex);
	history.count = 1;
	for (unsigned i = 0; i < variables; i++) {
		history_wrote(add(i, false), WRITE_DONE);
	}
}

uint32_t history_write(unsigned variable, bool exists)
{
	uint32_t version;

	mutex_lock(&history.mutex);
	version = add(variable, exists);
	mutex_unlock(&history.mutex);
	return version;
}

void history_wrote(uint32_t version, enum write_outcome outcome)
{
	struct write *write = get(version);
	uint64_t now;

	mutex_lock(&history.mutex);
	now = history_now();
	write->outcome = outcome;
	if (now < write->before) {
		write->before = now;
	}
	if (outcome == WRITE_DONE && now < write->happened) {
		write->happened = now;
	}
	mutex_unlock(&history.mutex);
}

bool history_found(unsigned variable, uint32_t version, uint64_t start)
{
	bool may_be;

	mutex_lock(&history.mutex);
	may_be = version != 0 && version < history.count &&
		 get(version)->variable == variable && get(version)->exists &&
		 plausible(get(version), start);
	if (may_be) {
		see(get(version), start);
	}
	mutex_unlock(&history.mutex);
	return may_be;
}

bool history_may_be(unsigned variable, bool exists, uint64_t start,
		    uint32_t own)
{
	struct write *write;
	unsigned count;

	mutex_lock(&history.mutex);
	write = find(variable, exists, start, own, &count);
	if (count == 1 && own == 0) {
		see(write, start);
	}
	mutex_unlock(&history.mutex);
	return count != 0;
}

bool history_quiet(unsigned variable, uint64_t since)
{
	uint32_t version;
	bool quiet = true;

	mutex_lock(&history.mutex);
	version = history.first[variable];
	for (; version != 0; version = get(version)->next) {
		quiet = quiet && (get(version)->outcome == WRITE_VOID ||
				  get(version)->before < since);
	}
	mutex_unlock(&history.mutex);
	return quiet;
}

void history_explain(unsigned variable, uint64_t start)
{
	uint32_t version;

	mutex_lock(&history.mutex);
	version = history.first[variable];
	for (; version != 0; version = get(version)->next) {
		if (plausible(get(version), start)) {
			kprintf("#   expected: version %u%s\n", version,
				get(version)->exists ? "" : " (not there)");
		}
	}
	mutex_unlock(&history.mutex);
}
