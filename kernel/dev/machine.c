/* SPDX-License-Identifier: MIT */
/*
 * Finds out what hardware the machine has, from ACPI tables or a device tree.
 * If firmware provides both, ACPI is used.
 */
#include "arch/cpu.h"
#include "dev/gic.h"
#include "dev/machine_check.h"
#include "dev/tables.h"
#include <kernel/boot_info.h>
#include <kernel/print.h>

/* Makes the boot CPU the first entry of machine.mpidr. If the tables have more
 * CPUs than the array has room for, and the boot CPU is among those left out,
 * it replaces the last entry. */
static void put_boot_cpu_first(void)
{
	uint64_t own = READ_SYSREG(mpidr_el1) & MPIDR_AFFINITY;
	uint32_t at = 0;

	while (at < machine.cpu_count && machine.mpidr[at] != own) {
		at++;
	}
	if (at == machine.cpu_count) {
		if (at < MACHINE_MAX_CPUS) {
			tables_broken("the boot CPU, %llx, is not in the "
				      "machine's tables",
				      (unsigned long long)own);
		}
		at--;
	}
	machine.mpidr[at] = machine.mpidr[0];
	machine.mpidr[0] = own;
}

static void check(void)
{
	uint64_t value;
	const char *wrong = machine_check(&machine, &value);

	if (wrong != NULL) {
		tables_broken("%s: %s: 0x%llx", machine.tables, wrong,
			      (unsigned long long)value);
	}
}

void machine_read(const struct boot_info *info)
{
	if (info->rsdp != 0) {
		machine.tables = "ACPI";
		acpi_read_machine(info->rsdp);
	} else if (info->device_tree != 0) {
		machine.tables = "device tree";
		tree_read_machine(info->device_tree);
	} else {
		panic("firmware has neither ACPI tables nor a device tree");
	}
	check();
	put_boot_cpu_first();
}
