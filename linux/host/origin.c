/* SPDX-License-Identifier: MIT */
#include "host/origin.h"
#include "commit/belief.h"
#include "commit/store_check.h"
#include "host/report.h"
#include "lib/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- From the machine's RAM ---- */

/* What fill() and accept_new() need to make a new state. */
struct filling {
	struct cz_host *host;
	const struct flash_port *chip;
	/* The new state replaces one that contained copies of the store. */
	bool has_to_be_same;
	struct store_check check;
};

static bool fill(void *context, unsigned number, void *into,
		 uint64_t size_bytes)
{
	struct filling *filling = context;
	struct cz_host *host = filling->host;

	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (region->kind == HOST_RAM && region->number == number) {
			if (!machine_read(host->machine, region->physical, into,
					  size_bytes)) {
				return false;
			}
			store_check_look(&filling->check, region->physical,
					 into, size_bytes);
			return true;
		}
	}
	return false;
}

/* Decides about a new state if there is no copy to compare with the store. */
static bool accept_unknown(struct filling *filling, char *why, size_t why_chars)
{
	struct cz_host *host = filling->host;

	/* There is no device to which anything can have written variables. */
	if (host->flash == NULL && !host->facts.has_direct) {
		return true;
	}
	if (filling->has_to_be_same || host->machine->was_kexeced) {
		(void)snprintf(why, why_chars,
			       "firmware's RAM has no copy of its variable "
			       "store, so that it cannot be checked whether "
			       "the two match, and %s. Restart the machine",
			       host->machine->was_kexeced
				       ? "this kernel was started by kexec"
				       : "the previous state, which had a "
					 "copy, does not match the store");
		return false;
	}
	report_log(host, CZ_LOG_WARNING,
		   "firmware's RAM has no copy of its variable store in EDK "
		   "II's form, so that it cannot be checked whether the two "
		   "match. Do not remove %s, and do not hibernate",
		   host->options.state_path);
	return true;
}

static bool accept_new(void *context, char *why, size_t why_chars)
{
	struct filling *filling = context;
	const struct store_check *check = &filling->check;

	switch (store_check_verdict(check)) {
	case STORE_FRESH:
		return true;
	case STORE_UNKNOWN:
		return accept_unknown(filling, why, why_chars);
	default:
		break;
	}
	(void)snprintf(
		why, why_chars,
		"firmware's RAM is older than its variable store: the store is "
		"in flash at offset 0x%llx and has %u bytes; the copy at "
		"0x%llx differs from byte 0x%x on. Something has written to "
		"the store without firmware, which would now overwrite "
		"variables. Restart the machine",
		ull(check->store_offset), check->store_bytes,
		ull(check->copy_physical), check->differs_at);
	return false;
}

/* ---- From the state of an earlier daemon ---- */

static enum state_result make_anew(struct filling *filling, const char *why)
{
	struct cz_host *host = filling->host;

	report_log(
		host, CZ_LOG_WARNING,
		"state %s: %s, as after a hibernation. The state is discarded "
		"and made anew from firmware's RAM, if that matches the store",
		host->options.state_path, why);
	store_check_close(&filling->check);
	if (!store_check_open(&filling->check, filling->chip)) {
		return STATE_FAILED;
	}
	filling->has_to_be_same = true;
	return state_make_anew(host->state);
}

static enum state_result judge_kept(struct filling *filling,
				    const struct state_config *config)
{
	struct cz_host *host = filling->host;
	char why[BELIEF_WHY_CHARS] = "";

	switch (belief_judge(host->state, config, filling->chip, why)) {
	case BELIEF_HOLDS:
		return STATE_KEPT;
	case BELIEF_UNKNOWN:
		if (host->flash == NULL && !host->facts.has_direct) {
			return STATE_KEPT; /* no device holds variables */
		}
		report_log(host, CZ_LOG_WARNING,
			   "state %s: it has no copy of the variable store in "
			   "EDK II's form, so that it cannot be checked "
			   "whether the two match; it is used",
			   host->options.state_path);
		return STATE_KEPT;
	case BELIEF_BROKEN:
		return make_anew(filling, why);
	default:
		(void)report_fail(host, "%s", why);
		return STATE_FAILED;
	}
}

/* Converts text such as "0123abcd-…" with 32 digits to 16 bytes. */
static bool read_boot_id(uint8_t boot[16])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	unsigned digits = 0;
	int c;

	memset(boot, 0, 16);
	while (file != NULL && digits < 32 && (c = fgetc(file)) != EOF) {
		const char *at = strchr("0123456789abcdef", c);

		if (at != NULL && c != '\0') {
			unsigned value = (unsigned)(at - "0123456789abcdef");

			boot[digits / 2] |=
				(uint8_t)(value << (digits % 2 == 0 ? 4 : 0));
			digits++;
		}
	}
	if (file != NULL) {
		(void)fclose(file);
	}
	return digits == 32;
}

static enum state_result open_file(struct cz_host *host,
				   const struct flash_port *chip,
				   struct state_config *config)
{
	struct filling filling = {.host = host, .chip = chip};
	enum state_result result = STATE_FAILED;

	config->context = &filling;
	config->fill = fill;
	config->accept = accept_new;
	if (store_check_open(&filling.check, chip)) {
		result = state_open(&host->state, config);
	}
	if (result == STATE_KEPT) {
		result = judge_kept(&filling, config);
	}
	host->facts.has_chip = host->flash != NULL;
	store_check_close(&filling.check);
	return result;
}

/* ---- The machine's RAM, kept the same ---- */

/* Returns NULL if the machine's RAM cannot be written, and logs that. */
static const struct state_ram *open_ram(struct cz_host *host,
					const struct state_region *regions,
					unsigned count)
{
	if (ram_open(&host->ram, host->machine, regions, count)) {
		return &host->ram.port;
	}
	report_log(host, CZ_LOG_WARNING,
		   "firmware's own RAM cannot be written: a kernel that kexec "
		   "starts must not make runtime calls, because they would "
		   "destroy variables. %s",
		   host->machine->why);
	host->machine->why[0] = '\0';
	return NULL;
}

static void say_origin(struct cz_host *host, enum state_result result)
{
	report_log(
		host, CZ_LOG_INFO,
		result == STATE_NEW
			? "state %s: made from firmware's RAM"
			: "state %s: continues where the last daemon stopped",
		host->options.state_path);
	if (result == STATE_KEPT && !state_keeps_ram(host->state) &&
	    host->ram.count != 0) {
		report_log(
			host, CZ_LOG_WARNING,
			"state %s: it is an older caesurad's, which did not "
			"update firmware's own RAM. Until the machine is "
			"restarted, a kernel that kexec starts must not make "
			"runtime calls, because they would destroy variables",
			host->options.state_path);
	}
}

bool origin_open(struct cz_host *host, unsigned ram_count,
		 const struct flash_port *chip)
{
	struct state_region regions[STATE_MAX_REGIONS];
	struct state_config config = {
		.path = host->options.state_path,
		.kept_fd = host->options.kept_state,
		.regions = regions,
		.region_count = ram_count,
		.identity.memory_map = hash_bytes(0, host->machine->map,
						  host->machine->map_bytes),
	};
	enum state_result result;

	if (!read_boot_id(config.identity.boot)) {
		return report_fail(host, "/proc/sys/kernel/random/boot_id: %s",
				   strerror(errno));
	}
	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (region->kind == HOST_RAM) {
			regions[region->number] = (struct state_region){
				region->physical, region->size_bytes};
		}
	}
	config.ram = open_ram(host, regions, ram_count);
	result = open_file(host, chip, &config);
	if (result == STATE_FAILED) {
		return report_fail(host, "%s%s",
				   host->state == NULL
					   ? "no memory"
					   : state_error(host->state),
				   host->machine->why);
	}
	say_origin(host, result);
	return true;
}

bool origin_recover(struct cz_host *host, const struct flash_port *chip,
		    bool *was_pending)
{
	struct store_check check;

	if (!state_recover(host->state, host->store, was_pending)) {
		return report_fail(host, "cannot complete the last commit: %s",
				   state_error(host->state));
	}
	if (!store_check_open(&check, chip)) {
		return report_fail(host, "no memory");
	}
	host->facts.chip_has_store = check.store_bytes != 0;
	host->store_offset = check.store_offset;
	host->store_bytes = check.store_bytes;
	store_check_close(&check);
	return true;
}

/* ---- After the machine has slept ---- */

static bool is_ram_same(struct cz_host *host)
{
	const struct state_ram *ram = &host->ram.port;

	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];
		const uint8_t *copy = host->mapping[region->number];

		for (uint64_t at = 0;
		     region->kind == HOST_RAM && at < region->size_bytes;
		     at += CZ_EFI_PAGE_SIZE) {
			if (!ram->holds(ram->context, region->number, at,
					copy + at, copy + at, false)) {
				return report_fail(
					host,
					"firmware's RAM has changed at 0x%llx",
					ull(region->physical + at));
			}
		}
	}
	return true;
}

bool origin_is_same(struct cz_host *host)
{
	if (host->flash != NULL && !flash_is_same(host->flash)) {
		return report_fail(host, "%s", flash_error(host->flash));
	}
	return !state_keeps_ram(host->state) || is_ram_same(host);
}
