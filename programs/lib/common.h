/* SPDX-License-Identifier: MIT */
/*
 * Helpers for several programs: pseudo-random numbers, the names of the test
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

/* Starts the stream that the option seed=N selects. Streams with different
 * `salt` are independent. */
void prng_init(struct prng *prng, uint64_t salt);
uint64_t prng_next(struct prng *prng);
/* Returns a number from 0 to bound-1, or 0 when bound is 0. */
uint64_t prng_below(struct prng *prng, uint64_t bound);
void prng_fill(struct prng *prng, void *to, size_t size_bytes);

/* Every variable that a program makes has this GUID. */
extern const struct cz_efi_guid test_guid;

#define TEST_ATTRIBUTES                                                      \
	(CZ_EFI_VARIABLE_NON_VOLATILE | CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS | \
	 CZ_EFI_VARIABLE_RUNTIME_ACCESS)

/* The largest value that the programs write; stock firmware takes 8 KiB. */
#define MAX_VALUE_BYTES 4096u

/* Returns the length without the terminator, and whether two names are equal.
 *  */
size_t name_length(const uint16_t *name);
bool name_equal(const uint16_t *a, const uint16_t *b);

/* Returns the time on the clock of deadlines, and the deadline that is so many
 * milliseconds from now. */
uint64_t now_ns(void);
uint64_t deadline_in_ms(uint64_t ms);

/* Returns how many instructions one tick of the counter takes where QEMU counts
 * instructions as nanoseconds (-icount shift=0): 16 with a counter of 62.5 MHz,
 * 1 with one of 1 GHz. At least 1. */
unsigned tick_instructions(void);

/* Returns NULL where QEMU counts instructions and one tick is a whole number of
 * them. Otherwise returns the reason why a point in time does not identify an
 * instruction. */
const char *why_time_is_not_counted(void);
bool time_is_counted(void);

/* Returns the calling thread. */
struct thread;
struct thread *this_thread(void);

/* Returns the first instruction of a service. Reads it at firmware's own
 * address, with firmware's access rights, so firmware's space must be
 * installed. */
uint32_t firmware_word(enum cz_service service);

/* Prints "progress: DONE/TOTAL". Only outside of measurements. */
void progress(uint64_t done, uint64_t total);

/* Skips the named test if firmware has no such service. Returns whether it did.
 *  */
bool skip_without(enum cz_service service, const char *test);

/* Logs why a program cannot run. Returns EXIT_COULD_NOT_RUN. */
int could_not_run(const char *why);

#endif
