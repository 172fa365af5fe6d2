/* SPDX-License-Identifier: MIT */
/*
 * Starts the kernel: runs from the first instruction at the link address to the
 * program that the command line names.
 */
#include "arch/smp.h"
#include "mm/internal.h"
#include "mm/table.h"
#include "sched/sched.h"
#include <caesura/caesura.h>
#include <kernel/boot_info.h>
#include <kernel/machine.h>
#include <kernel/mm.h>
#include <kernel/options.h>
#include <kernel/port.h>
#include <kernel/print.h>
#include <kernel/string.h>

extern const struct program __programs_start[], __programs_end[];

_Noreturn void kernel_start(void);

static const struct program *find_program(const char *name)
{
	for (const struct program *program = __programs_start;
	     program < __programs_end; program++) {
		if (strcmp(program->name, name) == 0) {
			return program;
		}
	}
	return NULL;
}

static void start_cpus(void)
{
	smp_start();
	kprintf("kernel: CPUs online: %u of %u\n", cpus_online_count(),
		machine.cpu_count);
}

static int run_program(void)
{
	const char *name = option_program("selftest");
	const struct program *program = find_program(name);

	if (program == NULL) {
		kprintf("error: no program is called %s; the programs are:\n",
			name);
		for (program = __programs_start; program < __programs_end;
		     program++) {
			kprintf("error:   %s: %s\n", program->name,
				program->summary);
		}
		return 2;
	}
	if (!options_check(name)) {
		return 2;
	}
	start_cpus();
	if (!port_start_firmware()) {
		return 1;
	}
	return program->run();
}

static void describe_machine(void)
{
	static const char *const conduits[] = {
		[PSCI_NONE] = "none",
		[PSCI_HVC] = "HVC",
		[PSCI_SMC] = "SMC",
	};

	kprintf("kernel: Caesura %s, entered at EL%u, counter %llu Hz\n",
		CZ_VERSION, boot_info.entry_el, (unsigned long long)ticks_hz());
	kprintf("kernel: %s, GICv%u, PSCI by %s\n", machine.tables,
		machine.gic_version, conduits[machine.psci]);
	kprintf("kernel: command line: %s\n", boot_info.command_line);
	if (boot_info.note[0] != '\0') {
		kprintf("warning: %s\n", boot_info.note);
	}
}

static void main_thread(void *unused)
{
	(void)unused;
	describe_machine();
	kprintf("exit: %d\n", run_program());
	psci_system_off();
}

void kernel_start(void)
{
	struct cpu *cpu = &cpus[0];

	table_alias = LINEAR_BASE;
	cpu_init(cpu, 0);
	pages_init();
	map_init();
	cpu->irq_stack = (uint64_t)stack_alloc();
	cpu->emergency_stack = (uint64_t)stack_alloc();
	machine_read(&boot_info);
	pl011_init(machine.uart);
	gic_init();
	cpu_start_local();
	thread_create("main", PRIORITY_NORMAL, main_thread, NULL);
	sched_idle();
}
