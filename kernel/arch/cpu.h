/* SPDX-License-Identifier: MIT */
/*
 * Access to one CPU from C: system registers, interrupt masking, barriers, and
 * the per-CPU block that TPIDR_EL1 points to. TPIDRRO_EL0 points to the current
 * thread, so that the thread reads its own pointer with one instruction, even
 * when it migrates at that moment.
 */
#ifndef KERNEL_ARCH_CPU_H
#define KERNEL_ARCH_CPU_H

#include "arch/offsets.h"
#include <caesura/arm64.h>
#include <kernel/list.h>
#include <kernel/thread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READ_SYSREG(name)                                          \
	__extension__({                                            \
		uint64_t value_;                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)); \
		value_;                                            \
	})
#define WRITE_SYSREG(name, value)                                     \
	__asm__ volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) \
			 : "memory")

static inline void isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

#define DAIF_IRQ_MASKED 0x80u

/* Masks IRQ. Returns the previous DAIF, for irq_restore(). */
static inline uint64_t irq_save(void)
{
	uint64_t daif;

	__asm__ volatile("mrs %0, daif\n\tmsr daifset, #2"
			 : "=r"(daif)::"memory");
	return daif;
}

static inline void irq_restore(uint64_t daif)
{
	__asm__ volatile("msr daif, %0" ::"r"(daif) : "memory");
}

static inline void irq_enable(void)
{
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

struct cz;
struct thread;
struct timer;

/* Ready threads by priority; guarded by the scheduler's lock. */
struct run_queue {
	uint64_t ready; /* bit p: queue[p] is not empty */
	struct list queue[PRIORITY_COUNT];
};

/* Guarded by the scheduler's lock. */
struct timer_queue {
	struct list hard, soft;
	/* No soft timer is due before this tick; NEVER if there is none. */
	uint64_t soft_due;
	/* From this tick on, hard timers no longer hold up the soft ones. */
	uint64_t soft_latest;
	uint64_t distance; /* a soft timer's to the next hard one, in ticks */
};

struct cpu {
	uint64_t irq_stack; /* CPU_IRQ_STACK: top */
	uint64_t gic_is_v2; /* CPU_GIC_IS_V2: irq_handle()'s argument */
	uint64_t emergency_stack; /* CPU_EMERGENCY_STACK: top */
	uint64_t idle_stack; /* CPU_IDLE_STACK: top; unused on the boot CPU */
	bool alone; /* no other CPU is online */
	struct thread *current; /* guarded by the scheduler's lock */
	struct run_queue queue;
	struct thread *fp_owner; /* the FP unit still holds its registers */
	struct thread *idle;
	uint32_t id;
	uint64_t timer_late; /* delay of the present timer interrupt, ticks */
	bool timer_changed; /* atomic; another CPU sets it and sends the IPI */
	struct timer *firing; /* guarded by the scheduler's lock */
	struct timer_queue timers;
};

_Static_assert(offsetof(struct cpu, irq_stack) == CPU_IRQ_STACK, "cpu");
_Static_assert(offsetof(struct cpu, gic_is_v2) == CPU_GIC_IS_V2, "cpu");
_Static_assert(offsetof(struct cpu, emergency_stack) == CPU_EMERGENCY_STACK,
	       "cpu");
_Static_assert(offsetof(struct cpu, idle_stack) == CPU_IDLE_STACK, "cpu");

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(cpu));
	return cpu;
}

static inline struct thread *current_thread(void)
{
	struct thread *thread;

	__asm__ volatile("mrs %0, tpidrro_el0" : "=r"(thread));
	return thread;
}

/* The state that vectors.S saves on the stack of the interrupted thread. */
struct exception_frame {
	struct cz_frame regs;
	uint64_t sp_el0;
	uint64_t pad;
};

_Static_assert(offsetof(struct exception_frame, sp_el0) == FRAME_SP_EL0,
	       "frame");
_Static_assert(sizeof(struct exception_frame) == FRAME_BYTES, "frame");
_Static_assert(CZ_FRAME_SP == FRAME_SP && CZ_FRAME_PC == FRAME_PC, "frame");

/*
 * These functions are in exception.c, and vectors.S calls them. irq_handle()
 * returns the struct cz whose firmware was interrupted, or NULL if the kernel
 * was; irq_exit() takes that as cz.
 */
struct cz *irq_handle(struct exception_frame *frame, uint64_t gic_is_v2);
void irq_exit(struct cz *cz, struct exception_frame *frame);
void sync_handle(struct exception_frame *frame, uint64_t esr, uint64_t far);
_Noreturn void bad_exception(struct exception_frame *frame, uint64_t esr,
			     uint64_t far, uint64_t vector);
_Noreturn void stack_overflow(struct exception_frame *frame);

/* Sets VBAR and those system registers whose values firmware does not
 * define. */
void exception_init(void);

/* panic.c: stops this CPU if another CPU has panicked. Interrupts off. */
void panic_check(void);

/* panic.c: like panic(), but reports the registers of an exception. */
_Noreturn void panic_exception(const struct exception_frame *frame,
			       uint64_t esr, uint64_t far, const char *what);

#endif
