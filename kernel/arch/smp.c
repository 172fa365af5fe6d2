/* SPDX-License-Identifier: MIT */
#include "arch/smp.h"
#include "boot/early_map.h"
#include "mm/internal.h"
#include "sched/sched.h"
#include <kernel/boot_info.h>
#include <kernel/machine.h>
#include <kernel/mm.h>
#include <kernel/options.h>
#include <kernel/print.h>
#include <kernel/time.h>

_Noreturn void secondary_start(struct cpu *cpu);

void cpu_init(struct cpu *cpu, uint32_t id)
{
	cpu->id = id;
	WRITE_SYSREG(tpidr_el1, cpu);
	sched_init();
	exception_init();
}

void cpu_start_local(void)
{
	gic_cpu_init();
	timer_init();
	gic_enable(machine.timer_irq);
	sched_online();
}

/* enter.S calls this on the CPU's idle stack. */
void secondary_start(struct cpu *cpu)
{
	cpu_init(cpu, (uint32_t)(cpu - cpus));
	/* Remove the identity map that this CPU used to enter. */
	space_install(NULL);
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
	cpu_start_local();
	sched_idle();
}

static bool is_online(uint32_t id)
{
	return (cpus_online() >> id & 1) != 0;
}

/* Waits for the CPU to come online, for at most a second. */
static bool await_cpu(uint32_t id)
{
	uint64_t millisecond = ticks_hz() / 1000;

	for (unsigned i = 0; i < 1000 && !is_online(id); i++) {
		thread_sleep_until(ticks_now() + millisecond);
	}
	return is_online(id);
}

static void start_cpu(uint32_t id)
{
	struct cpu *cpu = &cpus[id];
	uint64_t entry =
		boot_info.image_base + ((uint64_t)secondary_enter - IMAGE_BASE);
	int64_t status;

	cpu->irq_stack = (uint64_t)stack_alloc();
	cpu->emergency_stack = (uint64_t)stack_alloc();
	cpu->idle_stack = (uint64_t)stack_alloc();
	status = psci_cpu_on(machine.mpidr[id], entry, (uint64_t)cpu);
	if (status != 0) {
		kprintf("warning: CPU %u (MPIDR %llx) stays off: CPU_ON "
			"returned %s\n",
			id, (unsigned long long)machine.mpidr[id],
			psci_status_name(status));
	} else if (!await_cpu(id)) {
		kprintf("warning: CPU %u (MPIDR %llx) stays off: it did not "
			"come online within a second\n",
			id, (unsigned long long)machine.mpidr[id]);
	}
}

void smp_start(void)
{
	uint64_t wanted = option_number("cpus", machine.cpu_count);

	for (uint32_t id = 1; id < machine.cpu_count && id < wanted; id++) {
		start_cpu(id);
	}
}
