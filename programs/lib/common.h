/* SPDX-License-Identifier: MIT */
/*
 * What several programs need: pseudo-random numbers, the names of the test
 * variables, deadlines, progress lines.
 */
#ifndef PROGRAMS_COMMON_H
#define PROGRAMS_COMMON_H

#include <caesura/caesura.h>
#include <kernel/options.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A program's results, and the codes of the exit line. */
enum { EXIT_PASSED = 0, EXIT_FAILED = 1, EXIT_COULD_NOT_RUN = 2 };

/* xorshift64*; the state is the caller's. */
struct prng {
	uint64_t state;
};

/* The stream that the option seed=N names; streams with different `salt` have
 * nothing to do with each other. */
void prng_init(struct prng *prng, uint64_t salt);
uint64_t prng_next(struct prng *prng);
/* 0..bound-1; 0 when bound is 0 */
uint64_t prng_below(struct prng *prng, uint64_t bound);
void prng_fill(struct prng *prng, void *to, size_t size_bytes);

/* Every variable that a program makes has this GUID. */
extern const struct cz_efi_guid test_guid;

#define TEST_ATTRIBUTES                                                      \
	(CZ_EFI_VARIABLE_NON_VOLATILE | CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS | \
	 CZ_EFI_VARIABLE_RUNTIME_ACCESS)

/* The largest value that the programs write; stock firmware takes 8 KiB. */
#define MAX_VALUE_BYTES 4096u

/* Length without the terminator; whether two names are equal. */
size_t name_length(const uint16_t *name);
bool name_equal(const uint16_t *a, const uint16_t *b);

/* The clock of deadlines, and a deadline that far from now. */
uint64_t now_ns(void);
uint64_t deadline_in_ms(uint64_t ms);

/* How many instructions a tick of the counter takes where QEMU counts instructions
 * as nanoseconds (-icount shift=0): 16 with a counter of 62.5 MHz, 1 with one of
 * 1 GHz. At least 1. */
unsigned tick_instructions(void);

/* NULL where QEMU counts instructions and a tick takes a whole number of them; else
 * the reason why a moment does not name an instruction. */
const char *why_time_is_not_counted(void);
bool time_is_counted(void);

/* The calling thread. */
struct thread;
struct thread *this_thread(void);

/* The first instruction of a service, read at firmware's own address, with
 * firmware's rights: its space is installed. */
uint32_t firmware_word(enum cz_service service);

/* "progress: DONE/TOTAL"; outside of measurements only. */
void progress(uint64_t done, uint64_t total);

/* Skips a test, by its name, where firmware has no such service; true if so. */
bool skip_without(enum cz_service service, const char *test);

/* Logs why a program cannot run; returns EXIT_COULD_NOT_RUN. */
int could_not_run(const char *why);

#endif
