/* SPDX-License-Identifier: MIT */
/* Power off, reset and the start of CPUs, by PSCI (DEN0022). */
#include <kernel/machine.h>
#include <kernel/print.h>

#define PSCI_VERSION 0x84000000u
#define PSCI_FEATURES 0x8400000au
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_CPU_ON 0xc4000003u
#define MM_VERSION 0x84000040u /* DEN0060 */
#define FFA_VERSION 0x84000063u /* DEN0077A */
#define FFA_1_0 0x10000u

#define PSCI_NOT_SUPPORTED (-1)

/* Makes a secure call. Returns false, and makes no call, if the machine does
 * not have that conduit. */
static bool secure_call(enum psci_conduit conduit, uint64_t registers[18])
{
	if (conduit == PSCI_NONE || conduit != machine.psci) {
		return false;
	}
	if (conduit == PSCI_HVC) {
		secure_call_hvc(registers);
	} else {
		secure_call_smc(registers);
	}
	return true;
}

static int64_t psci_call(uint64_t function, uint64_t first, uint64_t second,
			 uint64_t third)
{
	uint64_t registers[18] = {function, first, second, third};

	return secure_call(machine.psci, registers) ? (int64_t)registers[0]
						    : PSCI_NOT_SUPPORTED;
}

/* Counts the calls other than PSCI_VERSION and PSCI_FEATURES. */
static uint64_t passed_on;

uint64_t psci_passed_on(void)
{
	return passed_on;
}

bool psci_pass_on(enum psci_conduit conduit, uint64_t registers[18])
{
	uint32_t id = (uint32_t)registers[0];
	bool made = secure_call(conduit, registers);

	passed_on += made && id != PSCI_VERSION && id != PSCI_FEATURES;
	return made;
}

/* Firmware may keep its variables in management mode or in an FF-A
 * partition. */
bool psci_has_services(void)
{
	return (int32_t)psci_call(MM_VERSION, 0, 0, 0) >= 0 ||
	       (int32_t)psci_call(FFA_VERSION, FFA_1_0, 0, 0) >= 0;
}

/* Makes a call that should not return. If it returns, the machine stays on, and
 * whoever waits for the machine's end can learn that only from the log. */
_Noreturn static void psci_end(uint64_t function)
{
	int64_t status;

	pl011_flush();
	__asm__ volatile("msr daifset, #15" : : : "memory");
	status = psci_call(function, 0, 0, 0);
	if (machine.psci == PSCI_NONE) {
		kprintf("error: the machine stays on: its tables (%s) name no "
			"PSCI\n",
			machine.tables);
	} else {
		kprintf("error: the machine stays on: PSCI returned %s\n",
			psci_status_name((int32_t)status));
	}
	pl011_flush();
	for (;;) {
		__asm__ volatile("wfi");
	}
}

_Noreturn void psci_system_off(void)
{
	psci_end(PSCI_SYSTEM_OFF);
}

_Noreturn void psci_system_reset(void)
{
	psci_end(PSCI_SYSTEM_RESET);
}

int64_t psci_cpu_on(uint64_t mpidr, uint64_t entry_physical, uint64_t context)
{
	/* The new CPU must see everything that this CPU wrote for it. */
	__asm__ volatile("dsb ishst" : : : "memory");
	/* The status has 32 bits, although this is a 64-bit call. */
	return (int32_t)psci_call(PSCI_CPU_ON, mpidr, entry_physical, context);
}

const char *psci_status_name(int64_t status)
{
	static const char *const names[] = {
		"SUCCESS",	    "NOT_SUPPORTED", "INVALID_PARAMETERS",
		"DENIED",	    "ALREADY_ON",    "ON_PENDING",
		"INTERNAL_FAILURE", "NOT_PRESENT",   "DISABLED",
		"INVALID_ADDRESS",
	};
	const int64_t count = sizeof(names) / sizeof(names[0]);

	return status <= 0 && status > -count ? names[-status] : "UNKNOWN";
}
