/* SPDX-License-Identifier: MIT */
/*
 * The call that a measurement's caller makes repeatedly: which service, on
 * which path, with which value. All measuring programs share one table, so that
 * "setvariable" means the same in each.
 */
#include "measure/load.h"

#include "lib/adversary.h"
#include "lib/raw.h"

#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/time.h>

static const char *const phase_names[PHASE_COUNT] = {
	[PHASE_IDLE] = "idle",
	[PHASE_CONTROL] = "control",
	[PHASE_GETTIME] = "gettime",
	[PHASE_GETVARIABLE] = "getvariable",
	[PHASE_SETVARIABLE] = "setvariable",
	[PHASE_MASK] = "mask",
};

static const char *const path_names[PATH_COUNT] = {
	[PATH_DIRECT] = "direct",
	[PATH_SANDBOX] = "sandbox",
	[PATH_BLOCKING] = "blocking",
};

static const uint16_t load_name[] = u"CaesuraLoad";

const char *phase_name(enum phase phase)
{
	return phase_names[phase];
}

const char *path_name(enum path path)
{
	return path_names[path];
}

enum path path_queue(void)
{
	return firmware->gate == CZ_GATE_SANDBOX ? PATH_SANDBOX : PATH_DIRECT;
}

enum cz_service phase_service(enum phase phase)
{
	switch (phase) {
	case PHASE_CONTROL:
		return CZ_NULL_SERVICE;
	case PHASE_GETTIME:
		return CZ_GET_TIME;
	case PHASE_GETVARIABLE:
		return CZ_GET_VARIABLE;
	case PHASE_SETVARIABLE:
	case PHASE_MASK:
		return CZ_SET_VARIABLE;
	default:
		return CZ_SERVICE_COUNT;
	}
}

/* Returns the index of `word` in `names`, or logs that it is unknown and
 * returns `count`. */
static int find_word(const char *word, const char *const *names, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(word, names[i]) == 0) {
			return i;
		}
	}
	kprintf("error: no such phase, service or mode: %s\n", word);
	return count;
}

static bool has_value(enum phase phase)
{
	return phase == PHASE_GETVARIABLE || phase == PHASE_SETVARIABLE;
}

static bool make_variable(struct load *load)
{
	cz_status status = cz_set_variable(firmware, load_name, &test_guid,
					   TEST_ATTRIBUTES, load->data,
					   load->value_bytes, CZ_FOREVER);

	if (status != CZ_OK) {
		kprintf("error: SetVariable: %s\n", cz_status_name(status));
	}
	return status == CZ_OK;
}

/* Returns whether this boot, with its gate and its drivers, can do this. */
static bool is_possible(const struct load *load)
{
	struct adversary_registers_record record;

	if (load->path == PATH_BLOCKING ? firmware->gate != CZ_GATE_DIRECT
					: load->path != path_queue()) {
		kprintf("error: mode %s with gate=%s\n", path_name(load->path),
			firmware->gate == CZ_GATE_DIRECT ? "direct"
							 : "sandbox");
		return false;
	}
	if (load->phase == PHASE_MASK &&
	    (load->path == PATH_BLOCKING || !adversary_record(&record))) {
		kprintf("error: mask needs the adversary's driver, and a "
			"queue\n");
		return false;
	}
	return true;
}

bool load_init(struct load *load, const char *phase_word, const char *path_word)
{
	uint64_t value = option_number("value", 1024);
	int phase = find_word(phase_word, phase_names, PHASE_COUNT);
	int path = find_word(path_word, path_names, PATH_COUNT);

	if (phase == PHASE_COUNT || path == PATH_COUNT) {
		return false;
	}
	*load = (struct load){
		.phase = (enum phase)phase,
		.path = (enum path)path,
		.value_bytes = has_value((enum phase)phase) ? value : 0,
		.masked_instructions = option_number("masked", 5000000),
	};
	if (!is_possible(load)) {
		return false;
	}
	prng_init(&load->prng, 'l');
	prng_fill(&load->prng, load->data, load->value_bytes);
	return !has_value(load->phase) || make_variable(load);
}

void load_prepare(struct load *load)
{
	load->size_bytes = load->value_bytes;
	if (load->phase == PHASE_SETVARIABLE && !load->same_value) {
		prng_fill(&load->prng, load->data, load->value_bytes);
	}
}

static cz_status call_queue(struct load *load)
{
	switch (load->phase) {
	case PHASE_CONTROL:
		return cz_null_service(firmware, CZ_FOREVER);
	case PHASE_GETTIME:
		return cz_get_time(firmware, &load->time, NULL, CZ_FOREVER);
	case PHASE_GETVARIABLE:
		return cz_get_variable(firmware, load_name, &test_guid,
				       &load->attributes, load->data,
				       &load->size_bytes, CZ_FOREVER);
	case PHASE_SETVARIABLE:
		return cz_set_variable(firmware, load_name, &test_guid,
				       TEST_ATTRIBUTES, load->data,
				       load->value_bytes, CZ_FOREVER);
	case PHASE_MASK:
		return cz_set_variable(
			firmware, ADVERSARY_MASK_IRQ, &adversary_guid,
			ADVERSARY_ATTRIBUTES, &load->masked_instructions,
			sizeof(load->masked_instructions), CZ_FOREVER);
	default:
		return CZ_OK;
	}
}

static cz_status call_raw(struct load *load)
{
	switch (load->phase) {
	case PHASE_CONTROL:
		return raw_null_service();
	case PHASE_GETTIME:
		return raw_get_time(&load->time);
	case PHASE_GETVARIABLE:
		return raw_get_variable(load_name, &test_guid,
					&load->attributes, load->data,
					&load->size_bytes);
	case PHASE_SETVARIABLE:
		return raw_set_variable(load_name, &test_guid, TEST_ATTRIBUTES,
					load->data, load->value_bytes);
	default:
		return CZ_OK;
	}
}

static cz_status count_failure(struct load *load, cz_status status)
{
	if (status != CZ_OK && load->failures++ == 0) {
		load->first_failure = status;
	}
	return status;
}

cz_status load_call(struct load *load)
{
	cz_status status;

	if (load->path != PATH_BLOCKING) {
		return count_failure(load, call_queue(load));
	}
	raw_begin();
	status = call_raw(load);
	raw_end();
	return count_failure(load, status);
}

cz_status load_call_timed(struct load *load, uint64_t *ticks)
{
	uint64_t start, daif;
	cz_status status;

	if (load->path != PATH_BLOCKING) {
		start = ticks_now();
		status = call_queue(load);
		*ticks = ticks_now() - start;
		return count_failure(load, status);
	}
	raw_begin();
	daif = interrupts_mask();
	start = ticks_now();
	status = call_raw(load);
	*ticks = ticks_now() - start;
	interrupts_restore(daif);
	raw_end();
	return count_failure(load, status);
}

uint64_t load_masked_max_ns(const struct load *load)
{
	static struct cz_stats stats;
	enum cz_service service = phase_service(load->phase);

	if (service == CZ_SERVICE_COUNT) {
		return 0;
	}
	cz_get_stats(firmware, &stats);
	return firmware->gate == CZ_GATE_SANDBOX
		       ? stats.service[service].masked_max_ns
		       : stats.service[service].latest_interrupt_ns;
}

uint64_t load_masked_mean_ns(void)
{
	static struct cz_stats stats;
	uint64_t total = 0, windows = 0;

	cz_get_stats(firmware, &stats);
	for (int i = 0; i < CZ_SERVICE_COUNT; i++) {
		total += stats.service[i].masked_ns;
		windows += stats.service[i].masked_windows;
	}
	return windows == 0 ? 0 : total / windows;
}

static void print_service(enum cz_service service,
			  const struct cz_service_stats *stats)
{
	kprintf("service name=%s calls=%llu", cz_service_name(service),
		(unsigned long long)stats->calls);
	for (int i = 0; i < CZ_TRAP_COUNT; i++) {
		kprintf(" %s=%llu", cz_trap_name((enum cz_trap)i),
			(unsigned long long)stats->traps[i]);
	}
	kprintf(" masked_ns=%llu masked_max_ns=%llu secure_calls=%llu "
		"secure_ns=%llu\n",
		(unsigned long long)stats->masked_ns,
		(unsigned long long)stats->masked_max_ns,
		(unsigned long long)stats->secure_calls,
		(unsigned long long)stats->secure_ns);
}

void load_print_services(void)
{
	static struct cz_stats stats;

	if (firmware->gate != CZ_GATE_SANDBOX) {
		return;
	}
	cz_get_stats(firmware, &stats);
	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		if (stats.service[i].calls != 0) {
			print_service((enum cz_service)i, &stats.service[i]);
		}
	}
}

int load_result(const struct load *load)
{
	if (load->failures == 0) {
		return EXIT_PASSED;
	}
	kprintf("error: %llu calls failed, the first with %s\n",
		(unsigned long long)load->failures,
		cz_status_name(load->first_failure));
	return EXIT_FAILED;
}
