/* SPDX-License-Identifier: MIT */
/*
 * The call that a measurement's caller makes over and over: which service, on
 * which path, with which value. One table for all measuring programs, so that
 * they mean the same by "setvariable".
 */
#ifndef PROGRAMS_LOAD_H
#define PROGRAMS_LOAD_H

#include "lib/common.h"

enum phase {
	PHASE_IDLE, /* no call at all */
	PHASE_CONTROL, /* the null service */
	PHASE_GETTIME,
	PHASE_GETVARIABLE, /* of a variable of value_bytes */
	PHASE_SETVARIABLE, /* fresh data each time, or the same over and over */
	PHASE_MASK, /* a driver that masks interrupts: masked= instructions */
	PHASE_COUNT,
};

enum path {
	PATH_DIRECT, /* Caesura's queue and its direct gate */
	PATH_SANDBOX, /* and its sandbox */
	PATH_BLOCKING, /* on the calling thread, preemption off */
	PATH_COUNT,
};

struct load {
	enum phase phase;
	enum path path;
	size_t value_bytes;
	uint64_t masked_instructions;
	bool same_value; /* setvariable: firmware finds nothing to write */
	struct prng prng;

	uint64_t failures; /* calls that did not return success */
	cz_status first_failure;

	struct cz_efi_time time;
	uint32_t attributes;
	size_t size_bytes;
	uint8_t data[MAX_VALUE_BYTES];
};

/* From words of the command line, and value=; false after a log line when they
 * make no sense. Makes the variable that the phase needs: one SetVariable. */
bool load_init(struct load *load, const char *phase, const char *path);

/* Fills in the next call's data; not part of the call. */
void load_prepare(struct load *load);

/* One call. Returns its status, and counts failures. */
cz_status load_call(struct load *load);

/*
 * As load_call(), and how long it took. PATH_BLOCKING: the bare call, with
 * interrupts off, without what surrounds it.
 */
cz_status load_call_timed(struct load *load, uint64_t *ticks);

/* In the direct gate the latest interrupt that was taken in the load's service,
 * after its programmed time; 0 where none was, or where nobody looked. In the
 * sandbox, for how long firmware believed interrupts masked at most. */
uint64_t load_masked_max_ns(const struct load *load);

/* In the sandbox, for how long it did on average, of the calls that did. */
uint64_t load_masked_mean_ns(void);

/* `service` lines: what the sandbox saw of each service that was called. */
void load_print_services(void);

/* Logs failures; returns the program's result. */
int load_result(const struct load *load);

/* The words of the options. */
const char *phase_name(enum phase phase);
const char *path_name(enum path path);

/* The queue, with the gate that was chosen at boot. */
enum path path_queue(void);

/* The service behind a phase; CZ_SERVICE_COUNT for idle. */
enum cz_service phase_service(enum phase phase);

#endif
