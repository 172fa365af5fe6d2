/* SPDX-License-Identifier: MIT */
/*
 * An exception that firmware causes arrives as a signal on the worker's thread,
 * on an alternate stack. It goes to the library's hooks as the exception that
 * it was, with the syndrome that the kernel reports, or with one that
 * corresponds to the signal.
 *
 * A handler starts with firmware's thread pointer, which may have any value. So
 * it restores the worker's own before anything thread-local is accessed.
 */
#include "host/signals.h"
#include "host/chip_window.h"
#include "host/pages.h"
#include "host/process.h"

#include <asm/sigcontext.h>
#include <caesura/arm64.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define KICK SIGUSR1
#define MIN_STACK_BYTES 65536u

/* Exception classes (Arm ARM, ESR_EL1.EC) for which the kernel reports no
 * syndrome. */
#define EC(class) ((uint64_t)(class) << 26)
#define EC_UNKNOWN EC(0x00)
#define EC_SVC EC(0x15)
#define EC_DATA_ABORT EC(0x24)
#define EC_STEP EC(0x32)
#define EC_BRK EC(0x3c)
#define EC_MASK EC(0x3f)
/* Fault status of an abort (ESR_EL1.ISS.DFSC), and the one for an external
 * abort. */
#define STATUS_MASK 0x3full
#define STATUS_EXTERNAL 0x10ull
#define IS_WRITE (1ull << 6)

/* Workers, which are recognized by their signal stacks: the library's, and the
 * one that cz_host_selftest() starts in addition. */
#define MAX_WORKERS 2u

struct worker {
	uintptr_t stack, stack_end; /* equal: the entry is free */
	uint64_t thread; /* TPIDR_EL0 */
};

static struct worker workers[MAX_WORKERS];
static struct cz_host *signals_host;

/* Returns the worker whose signal stack holds the address, or NULL. */
static struct worker *worker_at(uintptr_t address)
{
	for (unsigned i = 0; i < MAX_WORKERS; i++) {
		struct worker *worker = &workers[i];

		if (address - worker->stack <
		    worker->stack_end - worker->stack) {
			return worker;
		}
	}
	return NULL;
}

static inline uint64_t read_thread(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(value));
	return value;
}

static inline void write_thread(uint64_t value)
{
	__asm__ volatile("msr tpidr_el0, %0" ::"r"(value) : "memory");
}

/* ---- Frames ---- */

static void take_frame(const mcontext_t *context, struct cz_frame *frame)
{
	memcpy(frame->x, context->regs, sizeof(frame->x));
	frame->sp = context->sp;
	frame->pc = context->pc;
	frame->pstate = context->pstate;
}

static void give_frame(const struct cz_frame *frame, mcontext_t *context)
{
	memcpy(context->regs, frame->x, sizeof(frame->x));
	context->sp = frame->sp;
	context->pc = frame->pc;
	context->pstate = frame->pstate;
}

/* Returns the syndrome from the kernel's record, or 0 if there is none. */
static uint64_t syndrome_in(const mcontext_t *context)
{
	const uint8_t *at = context->__reserved;
	const uint8_t *end = at + sizeof(context->__reserved);

	while (at + sizeof(struct _aarch64_ctx) <= end) {
		const struct _aarch64_ctx *head = (const void *)at;

		if (head->magic == ESR_MAGIC) {
			return ((const struct esr_context *)head)->esr;
		}
		if (head->magic == 0 || head->size == 0) {
			break;
		}
		at += head->size;
	}
	return 0;
}

static uint64_t syndrome_of(int number, const siginfo_t *info,
			    const mcontext_t *context)
{
	uint64_t esr = syndrome_in(context);

	switch (number) {
	case SIGSEGV:
	case SIGBUS:
		return esr;
	case SIGTRAP:
		return info->si_code == TRAP_BRKPT ? EC_BRK : EC_STEP;
	case SIGSYS:
		return EC_SVC;
	default:
		return EC_UNKNOWN;
	}
}

/* ---- Handlers ---- */

/* Returns the instruction at pc, or 0. Code that may be executed may also be
 * read. */
static uint32_t instruction_at(struct cz_host *host, uint64_t pc)
{
	const uint32_t *word =
		pc % 4 != 0 ? NULL
			    : pages_reach(host, pc, 4, FLASH_REACH_EXECUTE);

	return word == NULL ? 0 : *word;
}

static void firmware_trapped(struct cz_host *host, struct cz_frame *frame,
			     uint64_t esr, uint64_t address)
{
	if ((esr & EC_MASK) == EC_DATA_ABORT && (esr & IS_WRITE) != 0 &&
	    pages_wrote(host, address)) {
		cz_firmware_resume(host->cz, frame);
		return;
	}
	/* fault_address is valid for aborts only; with other signals it is an
	 * old one. */
	if ((esr & EC_MASK) == EC_DATA_ABORT && host->flash != NULL &&
	    flash_holds(host->flash, address)) {
		if (flash_fault(host->flash, frame,
				instruction_at(host, frame->pc), address)) {
			cz_firmware_resume(host->cz, frame);
			return;
		}
		/* Report an external abort. As a permission fault it would look
		 * like a first write to a device, which the library permits. */
		esr = (esr & ~STATUS_MASK) | STATUS_EXTERNAL;
	}
	(void)cz_firmware_exception(host->cz, frame, esr, address);
}

/* The fault is a bug of the daemon's. The default action ends the process when
 * the instruction is repeated. */
static void die_of(int number)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	(void)sigaction(number, &action, NULL);
}

static void handle(int number, const siginfo_t *info, mcontext_t *context)
{
	struct cz_host *host = signals_host;
	struct cz_frame frame;

	take_frame(context, &frame);
	if (host->cz == NULL || !cz_frame_is_firmware(host->cz, &frame)) {
		if (number != KICK) {
			die_of(number);
		}
		return;
	}
	if (number == KICK) {
		cz_firmware_interrupted(host->cz, &frame, 0);
		cz_firmware_resume(host->cz, &frame);
	} else {
		firmware_trapped(host, &frame,
				 syndrome_of(number, info, context),
				 context->fault_address);
	}
	chip_window_hide();
	give_frame(&frame, context);
}

/* The worker's thread pointer is restored before errno is accessed. This file
 * is built without -fstack-protector. */
static void on_signal(int number, siginfo_t *info, void *argument)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	const struct worker *worker = worker_at(here);
	ucontext_t *context = argument;
	uint64_t thread;
	int error;

	if (number != KICK && info->si_code <= 0) {
		return; /* sent by kill(2): there was no exception */
	}
	if (worker == NULL) {
		/* A fault on another thread is a bug of the daemon's. */
		if (number != KICK) {
			die_of(number);
		}
		return;
	}
	thread = read_thread();
	write_thread(worker->thread);
	error = errno;
	handle(number, info, &context->uc_mcontext);
	errno = error;
	write_thread(thread);
}

static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP,
			      SIGSYS,  SIGFPE, KICK};
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

void signals_install(struct cz_host *host)
{
	struct sigaction action = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART,
	};

	signals_host = host;
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NUMBERS; i++) {
		(void)sigaddset(&action.sa_mask, numbers[i]);
	}
	for (size_t i = 0; i < NUMBERS; i++) {
		(void)sigaction(numbers[i], &action, NULL);
	}
}

/* The largest signal frame has SVE's registers; the kernel tells its size. */
static size_t stack_bytes(void)
{
	size_t frame = getauxval(AT_MINSIGSTKSZ);

	return (frame + MIN_STACK_BYTES + CZ_EFI_PAGE_SIZE - 1) &
	       ~(size_t)(CZ_EFI_PAGE_SIZE - 1);
}

/* Handlers of other signals would run on firmware's stack, with its thread
 * pointer. */
static void block_others(void)
{
	sigset_t others;

	(void)sigfillset(&others);
	for (size_t i = 0; i < NUMBERS; i++) {
		(void)sigdelset(&others, numbers[i]);
	}
	(void)pthread_sigmask(SIG_SETMASK, &others, NULL);
}

/* cz_host_worker_start() waits for each worker, so no two threads are here at a
 * time. */
static struct worker *free_worker(void)
{
	for (unsigned i = 0; i < MAX_WORKERS; i++) {
		if (workers[i].stack == workers[i].stack_end) {
			return &workers[i];
		}
	}
	return NULL;
}

bool signals_enter(struct signals_stack *made)
{
	struct worker *worker = free_worker();
	stack_t stack = {.ss_size = stack_bytes()};

	if (worker == NULL) {
		return false;
	}
	stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack.ss_sp == MAP_FAILED) {
		return false;
	}
	if (sigaltstack(&stack, NULL) != 0) {
		(void)munmap(stack.ss_sp, stack.ss_size);
		return false;
	}
	block_others();
	made->start = stack.ss_sp;
	made->size_bytes = stack.ss_size;
	worker->thread = read_thread();
	worker->stack = (uintptr_t)stack.ss_sp;
	worker->stack_end = worker->stack + stack.ss_size;
	return true;
}

void signals_leave(const struct signals_stack *stack)
{
	stack_t none = {.ss_flags = SS_DISABLE};

	*worker_at((uintptr_t)stack->start) = (struct worker){0};
	(void)sigaltstack(&none, NULL);
	(void)munmap(stack->start, stack->size_bytes);
}

void signals_kick(pthread_t thread)
{
	(void)pthread_kill(thread, KICK);
}
