/* SPDX-License-Identifier: MIT */
/*
 * Panics on purpose. The panic happens on a thread that has preempted a call,
 * so that the report shows the registers, the backtrace and the call in flight;
 * or without a call; or because the kernel executes code of sandboxed firmware,
 * whose pages do not permit that. With the option `record`, a panic leaves its
 * message in a variable, which step=read finds in the next boot.
 */
#include "lib/common.h"

#include <kernel/mm.h>
#include <kernel/port.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define INTO_THE_CALL_NS 320000u
#define MAX_RECORD_BYTES 256

/* Nothing is mapped at this address outside of firmware's space. */
static volatile uint32_t *const nowhere = (volatile uint32_t *)0x1000;

static void culprit_entry(void *argument)
{
	thread_sleep_until(*(const uint64_t *)argument);
	*nowhere = 1;
}

static int panic_in_call(void)
{
	static const uint16_t name[] = u"CaesuraPanic";
	static const uint8_t data[1024];
	uint64_t tick = tick_after_ns(INTO_THE_CALL_NS);

	thread_create("culprit", PRIORITY_HIGHEST, culprit_entry, &tick);
	cz_set_variable(firmware, name, &test_guid, TEST_ATTRIBUTES, data,
			sizeof(data), CZ_FOREVER);
	kprintf("error: the call was over before the panic\n");
	return EXIT_FAILED;
}

static int panic_idle(void)
{
	uint64_t tick = tick_after_ns(INTO_THE_CALL_NS);

	thread_join(thread_create("culprit", PRIORITY_HIGHEST, culprit_entry,
				  &tick));
	kprintf("error: there was no panic\n");
	return EXIT_FAILED;
}

/* Executes a `ret` at firmware's address, with firmware's space installed. */
static int panic_execute(void)
{
	uint64_t address = firmware->function[CZ_NULL_SERVICE];

	if (firmware->gate != CZ_GATE_SANDBOX) {
		return could_not_run("needs gate=sandbox");
	}
	kprintf("kernel: executing at %llx\n", (unsigned long long)address);
	space_adopt(port_firmware_space());
	((void (*)(void))address)();
	space_adopt(NULL);
	kprintf("error: the kernel executes firmware's code\n");
	return EXIT_FAILED;
}

static int read_record(void)
{
	char record[MAX_RECORD_BYTES];
	size_t size_bytes = sizeof(record) - 1;
	cz_status status =
		cz_get_variable(firmware, PANIC_RECORD_NAME, &panic_record_guid,
				NULL, record, &size_bytes, CZ_FOREVER);

	if (status != CZ_OK) {
		kprintf("error: no panic record: %s\n", cz_status_name(status));
		return EXIT_FAILED;
	}
	record[size_bytes] = '\0';
	kprintf("kernel: panic record: %s\n", record);
	return EXIT_PASSED;
}

PROGRAM(panic, "panics inside a call, to show the report")
{
	const char *when = option_string("when", "call");

	if (strcmp(option_string("step", ""), "read") == 0) {
		return read_record();
	}
	if (strcmp(when, "idle") == 0) {
		return panic_idle();
	}
	if (strcmp(when, "call") == 0) {
		return panic_in_call();
	}
	if (strcmp(when, "execute") == 0) {
		return panic_execute();
	}
	return could_not_run("when is none of call, idle, execute");
}
