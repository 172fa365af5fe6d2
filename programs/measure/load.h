/* SPDX-License-Identifier: MIT */
/*
 * The call that a measurement's caller makes repeatedly: which service, on
 * which path, with which value. All measuring programs share one table, so that
 * "setvariable" means the same in each.
 */
#ifndef PROGRAMS_LOAD_H
#define PROGRAMS_LOAD_H

#include "lib/common.h"

enum phase {
	PHASE_IDLE, /* no call at all */
	PHASE_CONTROL, /* the null service */
	PHASE_GETTIME,
	PHASE_GETVARIABLE, /* of a variable of value_bytes */
	PHASE_SETVARIABLE, /* new data each time, or always the same */
	PHASE_MASK, /* a driver that masks interrupts: masked= instructions */
	PHASE_COUNT,
};

enum path {
	PATH_DIRECT, /* Caesura's queue and its direct gate */
	PATH_SANDBOX, /* Caesura's queue and the sandbox */
	PATH_BLOCKING, /* on the calling thread, preemption off */
	PATH_COUNT,
};

struct load {
	enum phase phase;
	enum path path;
	size_t value_bytes;
	uint64_t masked_instructions;
	bool same_value; /* setvariable: the value is already stored */
	struct prng prng;

	uint64_t failures; /* calls that did not return success */
	cz_status first_failure;

	struct cz_efi_time time;
	uint32_t attributes;
	size_t size_bytes;
	uint8_t data[MAX_VALUE_BYTES];
};

/* Sets up a load from words of the command line and value=. Makes the variable
 * that the phase needs, with one SetVariable. Logs an error and returns false
 * when the words make no sense. */
bool load_init(struct load *load, const char *phase, const char *path);

/* Prepares the data of the next call. Not part of the measured call. */
void load_prepare(struct load *load);

/* Makes one call, counts a failure, and returns the status. */
cz_status load_call(struct load *load);

/*
 * As load_call(), and measures how long the call takes. With PATH_BLOCKING that
 * is the bare call with interrupts off, without what surrounds it.
 */
cz_status load_call_timed(struct load *load, uint64_t *ticks);

/* In the direct gate: returns how late the latest interrupt of the load's
 * service was taken; 0 where none was, or where nothing recorded it. In the
 * sandbox: returns the longest time for which firmware believed that interrupts
 * were masked. */
uint64_t load_masked_max_ns(const struct load *load);

/* In the sandbox: returns the average of that time over the calls that masked
 * interrupts. */
uint64_t load_masked_mean_ns(void);

/* Prints `service` lines: the sandbox's statistics of each service that was
 * called. */
void load_print_services(void);

/* Logs failures. Returns the program's result. */
int load_result(const struct load *load);

/* Return the words of the options. */
const char *phase_name(enum phase phase);
const char *path_name(enum path path);

/* Returns the path through the queue, with the gate that was chosen at boot. */
enum path path_queue(void);

/* Returns the service of a phase, or CZ_SERVICE_COUNT for idle. */
enum cz_service phase_service(enum phase phase);

#endif
