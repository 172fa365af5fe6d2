/* SPDX-License-Identifier: MIT */
/*
 * Helpers for several programs: pseudo-random numbers, the names of the test
 * variables, deadlines, progress lines.
 */
#include "lib/common.h"

#include "lib/clobber.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/time.h>

#define COUNTED_NS 8000u /* the length of a timed loop */
/* What reading the counter adds, in addition to two ticks. */
#define READING_NS 30u

const struct cz_efi_guid test_guid = {
	0x6c7a4d1e,
	0x93b0,
	0x4f52,
	{0xa8, 0x1f, 0x2e, 0x57, 0xc4, 0x60, 0xd9, 0x3b},
};

void prng_init(struct prng *prng, uint64_t salt)
{
	/* splitmix64: nearby seeds give unrelated states, never 0 */
	uint64_t z = option_number("seed", 1) * 0x9e3779b97f4a7c15ull + salt;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	prng->state = (z ^ (z >> 31)) | 1;
}

uint64_t prng_next(struct prng *prng)
{
	uint64_t x = prng->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	prng->state = x;
	return x * 0x2545f4914f6cdd1dull;
}

uint64_t prng_below(struct prng *prng, uint64_t bound)
{
	return bound == 0 ? 0 : (prng_next(prng) >> 11) % bound;
}

void prng_fill(struct prng *prng, void *to, size_t size_bytes)
{
	uint8_t *bytes = to;

	for (size_t i = 0; i < size_bytes; i += 8) {
		uint64_t word = prng_next(prng);

		for (size_t k = i; k < size_bytes && k < i + 8; k++) {
			bytes[k] = (uint8_t)word;
			word >>= 8;
		}
	}
}

size_t name_length(const uint16_t *name)
{
	size_t length = 0;

	while (name[length] != 0) {
		length++;
	}
	return length;
}

bool name_equal(const uint16_t *a, const uint16_t *b)
{
	while (*a != 0 && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

uint64_t now_ns(void)
{
	return cz_host_now_ns(firmware->host);
}

uint64_t deadline_in_ms(uint64_t ms)
{
	return now_ns() + ms * 1000000;
}

/* Returns how long a loop of so many instructions takes. */
static uint64_t ns_of(uint64_t instructions)
{
	uint64_t start = ticks_now();
	uint64_t left = instructions / 2;

	__asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(left) : : "cc");
	return ticks_to_ns(ticks_now() - start);
}

unsigned tick_instructions(void)
{
	return ticks_to_ns(1) > 1 ? (unsigned)ticks_to_ns(1) : 1;
}

const char *why_time_is_not_counted(void)
{
	uint64_t tick = tick_instructions();

	if (ticks_hz() * tick != 1000000000) {
		return "a tick of the counter is no whole number of "
		       "nanoseconds";
	}
	if (tick > MAX_PAD + 1) {
		return "a tick of the counter is longer than 64 ns";
	}
	for (uint64_t i = 0; i < 10; i++) {
		uint64_t due = (COUNTED_NS / tick + i) * tick;
		uint64_t took = ns_of(due);

		if (took < due || took > due + 2 * tick + READING_NS) {
			return "time is not counted in instructions";
		}
	}
	return NULL;
}

bool time_is_counted(void)
{
	return why_time_is_not_counted() == NULL;
}

struct thread *this_thread(void)
{
	return (struct thread *)cz_host_self(firmware->host);
}

uint32_t firmware_word(enum cz_service service)
{
	uint64_t address = firmware->function[service];
	uint32_t word;

	if (firmware->gate == CZ_GATE_SANDBOX) {
		/* With PAN, an ordinary load by the kernel would fault. */
		__asm__ volatile("ldtr %w0, [%1]" : "=r"(word) : "r"(address));
	} else {
		word = *(const volatile uint32_t *)(uintptr_t)address;
	}
	return word;
}

void progress(uint64_t done, uint64_t total)
{
	kprintf("progress: %llu/%llu\n", (unsigned long long)done,
		(unsigned long long)total);
}

bool skip_without(enum cz_service service, const char *test)
{
	char reason[64];

	if (cz_service_available(firmware, service)) {
		return false;
	}
	ksnprintf(reason, sizeof(reason), "firmware has no %s",
		  cz_service_name(service));
	ktap_skip(test, reason);
	return true;
}

int could_not_run(const char *why)
{
	kprintf("error: %s: %s\n", option_program("?"), why);
	return EXIT_COULD_NOT_RUN;
}
