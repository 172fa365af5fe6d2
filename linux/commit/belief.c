/* SPDX-License-Identifier: MIT */
#include "commit/belief.h"

#include <stdio.h>
#include <stdlib.h>

static enum belief no_memory(char *why)
{
	(void)snprintf(why, BELIEF_WHY_CHARS, "no memory");
	return BELIEF_FAILED;
}

/* Searches each region for copies of the store. Returns false if memory is
 * out. */
static bool look_at_regions(const struct state *state,
			    const struct state_config *config,
			    struct store_check *check)
{
	for (unsigned i = 0; i < config->region_count; i++) {
		const struct state_region *region = &config->regions[i];
		uint8_t *ram = malloc(region->size_bytes);

		if (ram == NULL) {
			return false;
		}
		state_read(state, i, false, ram);
		store_check_look(check, region->address, ram,
				 region->size_bytes);
		free(ram);
	}
	return true;
}

static enum belief of_verdict(const struct store_check *check, char *why)
{
	switch (store_check_verdict(check)) {
	case STORE_FRESH:
		return BELIEF_HOLDS;
	case STORE_UNKNOWN:
		return BELIEF_UNKNOWN;
	default:
		(void)snprintf(why, BELIEF_WHY_CHARS,
			       "the variable store, in flash at offset 0x%llx, "
			       "has changed from byte 0x%x on",
			       (unsigned long long)check->store_offset,
			       check->differs_at);
		return BELIEF_BROKEN;
	}
}

static bool is_on_way(const void *state, const struct store_check *check,
		      const uint8_t *copy)
{
	return state_chip_is_on_way(state, check->store_offset, copy,
				    check->store, check->store_bytes);
}

/* Compares the chip with the copies of its store in the state. */
static enum belief judge_chip(const struct state *state,
			      const struct state_config *config,
			      const struct flash_port *port, bool is_pending,
			      char *why)
{
	enum belief belief;
	struct store_check check;

	if (!store_check_open(&check, port)) {
		return no_memory(why);
	}
	if (is_pending) {
		check.fits = is_on_way;
		check.context = state;
	}
	belief = look_at_regions(state, config, &check)
			 ? of_verdict(&check, why)
			 : no_memory(why);
	store_check_close(&check);
	return belief;
}

/* Compares a region: each word may be as before the commit or as after it.
 * While a commit is pending, the words that it does not change are ignored.
 * Other software may have changed some of them, and the commit must not be lost
 * because of that. */
static enum belief judge_region(const struct state *state,
				const struct state_config *config,
				unsigned number, bool is_pending, char *why)
{
	const struct state_region *region = &config->regions[number];
	const struct state_ram *ram = config->ram;
	uint8_t *before = malloc(region->size_bytes);
	uint8_t *after = malloc(region->size_bytes);
	enum belief belief = BELIEF_HOLDS;

	if (before == NULL || after == NULL) {
		belief = no_memory(why);
	} else {
		state_read(state, number, false, before);
		state_read(state, number, true, after);
	}
	for (uint64_t at = 0; belief == BELIEF_HOLDS && at < region->size_bytes;
	     at += CZ_EFI_PAGE_SIZE) {
		if (!ram->holds(ram->context, number, at, before + at,
				after + at, is_pending)) {
			(void)snprintf(
				why, BELIEF_WHY_CHARS,
				"firmware's RAM has changed at 0x%llx",
				(unsigned long long)(region->address + at));
			belief = BELIEF_BROKEN;
		}
	}
	free(before);
	free(after);
	return belief;
}

static enum belief judge_ram(const struct state *state,
			     const struct state_config *config, bool is_pending,
			     char *why)
{
	enum belief belief = BELIEF_HOLDS;

	for (unsigned i = 0; belief == BELIEF_HOLDS && i < config->region_count;
	     i++) {
		belief = judge_region(state, config, i, is_pending, why);
	}
	return belief;
}

enum belief belief_judge(struct state *state, const struct state_config *config,
			 const struct flash_port *port,
			 char why[BELIEF_WHY_CHARS])
{
	enum belief of_chip, of_ram = BELIEF_HOLDS;
	bool is_pending;

	if (!state_look(state, &is_pending)) {
		(void)snprintf(why, BELIEF_WHY_CHARS, "%s", state_error(state));
		return BELIEF_FAILED;
	}
	of_chip = judge_chip(state, config, port, is_pending, why);
	if (state_keeps_ram(state)) {
		of_ram = judge_ram(state, config, is_pending, why);
	}
	return of_ram != BELIEF_HOLDS ? of_ram : of_chip;
}
