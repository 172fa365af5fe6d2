/* SPDX-License-Identifier: MIT */
/*
 * Writes time-based authenticated variables (UEFI 2.11, section 8.2.2).
 * Firmware checks a signature, which is the longest computation that it does at
 * run time; from EDK II 2025 on it uses FP/SIMD registers. Meanwhile other
 * threads preempt it and overwrite all of these. Firmware must accept correct
 * signatures and nothing else.
 */
#include "lib/clobberers.h"
#include "lib/common.h"
#include "lib/probe.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/time.h>

/* In the order of tools/sign-variable.sh. */
#define UPDATES 8u
#define PAYLOAD_DELETE UPDATES
#define PAYLOAD_OTHER (UPDATES + 1) /* signed with another key */
#define PAYLOAD_COUNT (UPDATES + 2)
#define VALUE_BYTES 64u /* size of the value, which is the end of an update */
#define MAX_PAYLOAD_BYTES 4096u
/* An offset from a payload's end that lies in the signature. */
#define SIGNATURE_END (VALUE_BYTES + 8)

#define AUTH_ATTRIBUTES (TEST_ATTRIBUTES | 0x20u /* time-based */)
#define PERIOD_NS 32768u /* between interruptions; dithered */
#define MIN_PREEMPTIONS 5u /* in each call */

extern const struct payload {
	const uint8_t *bytes;
	uint64_t size;
} authvar_payloads[], authvar_payloads_end[];

static const uint16_t signed_name[] = u"CaesuraSigned";

static cz_status write(const void *bytes, size_t size_bytes)
{
	return cz_set_variable(firmware, signed_name, &test_guid,
			       AUTH_ATTRIBUTES, bytes, size_bytes, CZ_FOREVER);
}

static cz_status write_payload(uint32_t number)
{
	return write(authvar_payloads[number].bytes,
		     authvar_payloads[number].size);
}

/* Writes an update with one bit changed near the end of its signature. */
static cz_status write_damaged(uint32_t number)
{
	static uint8_t bytes[MAX_PAYLOAD_BYTES];
	size_t size_bytes = authvar_payloads[number].size;

	memcpy(bytes, authvar_payloads[number].bytes, size_bytes);
	bytes[size_bytes - SIGNATURE_END] ^= 1;
	return write(bytes, size_bytes);
}

static bool is_status(cz_status status, cz_status due, const char *what,
		      uint32_t number)
{
	if (status != due) {
		kprintf("# %s %u: %s instead of %s\n", what, number,
			cz_status_name(status), cz_status_name(due));
	}
	return status == due;
}

/* Returns whether the variable is as update `number` left it. */
static bool holds(uint32_t number)
{
	const struct payload *payload = &authvar_payloads[number];
	uint8_t data[VALUE_BYTES + 1];
	size_t size_bytes = sizeof(data);
	uint32_t attributes = 0;
	cz_status status =
		cz_get_variable(firmware, signed_name, &test_guid, &attributes,
				data, &size_bytes, CZ_FOREVER);

	if (status == CZ_OK && size_bytes == VALUE_BYTES &&
	    attributes == AUTH_ATTRIBUTES &&
	    memcmp(data, payload->bytes + payload->size - VALUE_BYTES,
		   VALUE_BYTES) == 0) {
		return true;
	}
	kprintf("# after update %u: %s, %zu bytes, attributes 0x%x\n", number,
		cz_status_name(status), size_bytes, attributes);
	return false;
}

struct outcome {
	/* Each update was accepted, and its value was there. */
	bool accepted, kept;
	bool damaged, old, other; /* each of these was refused */
	bool deleted;
};

static void run_updates(struct outcome *outcome)
{
	for (uint32_t i = 0; i < UPDATES; i++) {
		if (i > 0) {
			outcome->damaged &= is_status(write_damaged(i),
						      CZ_EFI_SECURITY_VIOLATION,
						      "damaged update", i);
			outcome->kept &= holds(i - 1);
		}
		outcome->accepted &=
			is_status(write_payload(i), CZ_OK, "update", i);
		outcome->kept &= holds(i);
		outcome->old &=
			is_status(write_payload(i), CZ_EFI_SECURITY_VIOLATION,
				  "update again", i);
		progress(i + 1, UPDATES);
	}
	outcome->other = is_status(write_payload(PAYLOAD_OTHER),
				   CZ_EFI_SECURITY_VIOLATION,
				   "another's update", PAYLOAD_OTHER);
	outcome->kept &= holds(UPDATES - 1);
	outcome->deleted = is_status(write_payload(PAYLOAD_DELETE), CZ_OK,
				     "deletion", PAYLOAD_DELETE);
}

static const struct cz_service_stats *stats(void)
{
	static struct cz_stats all;

	cz_get_stats(firmware, &all);
	return &all.service[CZ_SET_VARIABLE];
}

static void report(const struct outcome *outcome, uint64_t wrong)
{
	uint64_t calls = stats()->calls;
	uint64_t preempted = stats()->preemptions;

	ktap_result(outcome->accepted,
		    "authvar: an update with a valid signature is accepted");
	ktap_result(outcome->kept,
		    "authvar: the variable has the last accepted value");
	ktap_result(outcome->damaged,
		    "authvar: a damaged signature is refused");
	ktap_result(outcome->other,
		    "authvar: an update signed by another key is refused");
	ktap_result(outcome->old, "authvar: a repeated update is refused");
	ktap_result(outcome->deleted, "authvar: a signed deletion is accepted");
	ktap_result(wrong == 0,
		    "authvar: other threads' FP registers are preserved");
	kprintf("# preempted %llu times in %llu calls\n",
		(unsigned long long)preempted, (unsigned long long)calls);
	ktap_result(preempted >= MIN_PREEMPTIONS * calls,
		    "authvar: the calls were preempted often enough");
}

static void run_preempted(void)
{
	static struct probe probe;
	struct outcome outcome = {true, true, true, true, true, true};
	struct schedule schedule;

	probe_init(&probe, 1u << 20);
	schedule = (struct schedule){
		.first = tick_after_ns(LEAD_NS),
		.period = ns_to_ticks(PERIOD_NS),
		.dither = ns_to_ticks(PERIOD_NS / 2),
		.count = 1u << 20,
	};
	probe_start(&probe, &schedule);
	clobberers_start();
	run_updates(&outcome);
	probe_stop(&probe);
	probe_end(&probe);
	report(&outcome, clobberers_stop());
}

PROGRAM(authvar, "signed variables, while FP registers are fought over")
{
	if (authvar_payloads_end - authvar_payloads != PAYLOAD_COUNT) {
		return could_not_run("the payloads are not what they should "
				     "be");
	}
	ktap_begin(0);
	if (!skip_without(CZ_SET_VARIABLE, "authvar")) {
		run_preempted();
	}
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
