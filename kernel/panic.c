/* SPDX-License-Identifier: MIT */
/*
 * Panics: reports the error, the registers, a backtrace with symbols and the
 * firmware call in flight, and powers the machine off after "exit: 1".
 */
#include "arch/cpu.h"
#include "sched/sched.h"
#include <kernel/machine.h>
#include <kernel/port.h>
#include <kernel/print.h>
#include <kernel/symbols.h>

#define MAX_DEPTH 32

struct call_record {
	const struct call_record *caller;
	uint64_t return_address;
};

static uint32_t panicking; /* number of the CPU that panics, plus one; or 0 */
static char message[200];

static void show_address(const char *what, uint64_t address)
{
	uint64_t offset = 0;
	const char *name = symbol_find(address, &offset);

	if (name == NULL) {
		kprintf("kernel: %s %016llx\n", what,
			(unsigned long long)address);
		return;
	}
	kprintf("kernel: %s %016llx %s+0x%llx\n", what,
		(unsigned long long)address, name, (unsigned long long)offset);
}

/* Returns whether both addresses are in the same half of a stack slot. A chain
 * of frame records is followed only within the upper half, which is mapped. */
static bool same_stack(const void *a, const void *b)
{
	return ((uint64_t)a ^ (uint64_t)b) >> STACK_SHIFT == 0;
}

/* Returns whether the address is on the current thread's stack, or on this
 * CPU's interrupt stack. */
static bool on_a_stack(const void *address)
{
	const char *top = current_thread()->stack;

	return (top != NULL && same_stack(address, top - 1)) ||
	       same_stack(address, (const char *)this_cpu()->irq_stack - 1);
}

static void backtrace(const struct call_record *record)
{
	const struct call_record *from = record;

	for (unsigned i = 0; i < MAX_DEPTH && record != NULL; i++) {
		if (!same_stack(from, record) || ((uint64_t)record & 15) != 0) {
			return;
		}
		if (record->return_address == 0) {
			return;
		}
		show_address("  called from", record->return_address - 4);
		record = record->caller;
	}
}

static void show_call(void)
{
	char text[128];

	if (port_describe_call(text, sizeof(text))) {
		kprintf("kernel: call in flight: %s\n", text);
	} else {
		kprintf("kernel: no call in flight\n");
	}
}

static _Noreturn void stop(void)
{
	show_call();
	port_record_panic(message);
	kprintf("exit: 1\n");
	psci_system_off();
}

static _Noreturn void park(void)
{
	for (;;) {
		__asm__ volatile("msr daifset, #15\n\twfi" ::: "memory");
	}
}

void panic_check(void)
{
	if (__atomic_load_n(&panicking, __ATOMIC_RELAXED) != 0) {
		park();
	}
}

/* Lets only one CPU report a panic, and stops the others. */
static void start_panic(void)
{
	uint32_t self = this_cpu()->id + 1, seen = 0;

	__asm__ volatile("msr daifset, #15" ::: "memory");
	if (!__atomic_compare_exchange_n(&panicking, &seen, self, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		if (seen != self) {
			park();
		}
		kprintf("kernel: panic within a panic\nexit: 1\n");
		psci_system_off();
	}
	for (uint32_t id = 0; id < MACHINE_MAX_CPUS; id++) {
		if (id + 1 != self && (cpus_online() >> id & 1) != 0) {
			gic_send_ipi(id);
		}
	}
}

void panic(const char *format, ...)
{
	va_list arguments;

	start_panic();
	va_start(arguments, format);
	kvsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	kprintf("error: panic: %s\n", message);
	kprintf("kernel: thread %s, CPU %u\n", current_thread()->name,
		this_cpu()->id);
	backtrace(__builtin_frame_address(0));
	stop();
}

void panic_exception(const struct exception_frame *frame, uint64_t esr,
		     uint64_t far, const char *what)
{
	start_panic();
	ksnprintf(message, sizeof(message),
		  "%s: ESR %08llx (class %02x) FAR %016llx", what,
		  (unsigned long long)esr, (unsigned)(esr >> 26) & 63,
		  (unsigned long long)far);
	kprintf("error: panic: %s\n", message);
	kprintf("kernel: thread %s, CPU %u\n", current_thread()->name,
		this_cpu()->id);
	show_address("pc", frame->regs.pc);
	kprintf("kernel: sp %016llx pstate %08llx\n",
		(unsigned long long)frame->regs.sp,
		(unsigned long long)frame->regs.pstate);
	for (unsigned i = 0; i < 30; i += 3) {
		kprintf("kernel: x%-2u %016llx x%-2u %016llx x%-2u %016llx\n",
			i, (unsigned long long)frame->regs.x[i], i + 1,
			(unsigned long long)frame->regs.x[i + 1], i + 2,
			(unsigned long long)frame->regs.x[i + 2]);
	}
	show_address("lr", frame->regs.x[30]);
	if (on_a_stack((const void *)frame->regs.x[29])) {
		backtrace((const void *)frame->regs.x[29]);
	}
	stop();
}
