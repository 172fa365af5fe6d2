/* SPDX-License-Identifier: MIT */
/*
 * The gate of the simulated machine: finds the function behind one of
 * firmware's addresses and calls it on the calling thread's stack. A fault or
 * an abort ends the call by siglongjmp(). src/arm64/ changes the exception
 * frame for that.
 */
#include "gate.h"
#include "sim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NULL_SERVICE_OFFSET 12

static _Thread_local struct sim_thread *running;

static void demand(bool held, const char *what)
{
	if (!held) {
		fprintf(stderr, "sim gate: %s\n", what);
		abort();
	}
}

/* Handles SIGSEGV and SIGBUS. Only a fault in firmware ends the call; any other
 * fault ends the process. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	struct sim_thread *self = running;
	struct cz *cz;

	uint64_t address = (uint64_t)(uintptr_t)info->si_addr;

	(void)context;
	if (self == NULL || self->in_firmware == NULL) {
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	cz = self->in_firmware;
	if (cz_note_device_write(cz, address)) {
		return; /* the device is writable now: firmware repeats it */
	}
	self->sim->fault_address = address;
	cz->ended_by = CZ_E_FAULT;
	siglongjmp(self->firmware, 1);
}

/* Installs the handler. This is necessary before each call, because cmocka
 * installs its own handler before each test. */
static void catch_faults(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_fault;
	action.sa_flags = SA_SIGINFO | SA_NODEFER;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

void cz_gate_describe_end(struct cz *cz, struct cz_ending *ending)
{
	struct cz_host *sim = cz->host;

	ending->pc = SIM_TEXT + 0x10 + sim->shift;
	ending->address = CZ_NO_ADDRESS;
	if (ending->status == CZ_E_FAULT) {
		ending->what = "data abort";
		ending->address = sim->fault_address;
		ending->cause = "not allowed";
	}
}

void cz_gate_report_registers(struct cz *cz)
{
	(void)cz;
}

bool cz_gate_read_fails(struct cz_host *host, uint64_t address)
{
	return sim_mapped(host, address) == NULL &&
	       host->broken != SIM_UNMAP_LEAVES;
}

void cz_gate_prepare(struct cz *cz)
{
	demand(cz->window_address != 0 && cz->trampoline.alias != NULL,
	       "prepared before the window");
	memcpy(cz->trampoline.alias, "trampoline", 11);
	cz->function[CZ_NULL_SERVICE] =
		cz->window_address + NULL_SERVICE_OFFSET;
}

static void check_state(struct cz *cz, const struct sim_thread *self,
			uint64_t function)
{
	const struct sim_mapping *code = sim_mapped(cz->host, function);
	const struct sim_mapping *stack =
		sim_mapped(cz->host, cz->stack_top - 8);
	uint64_t bottom = cz->stack_top - CZ_STACK_PAGES * SIM_PAGE;

	demand(self->pins == 1, "the thread is not pinned");
	demand(self->entered == cz->space, "the space is not entered");
	demand(self->sections == 1, "no FP section");
	demand(self->mutexes == 0 || self->borrowing,
	       "firmware is called with a mutex");
	demand(code != NULL && (code->prot & CZ_PROT_EXEC) != 0,
	       "the function is not executable");
	demand(sim_mapped(cz->host, cz->window_address) != NULL,
	       "no trampoline");
	demand(cz->stack_top % 16 == 0 && stack != NULL &&
		       (stack->prot & CZ_PROT_WRITE) != 0 &&
		       (stack->prot & CZ_PROT_EXEC) == 0,
	       "no stack");
	demand(sim_mapped(cz->host, bottom) == stack &&
		       sim_mapped(cz->host, bottom - 8) == NULL &&
		       sim_mapped(cz->host, cz->stack_top) == NULL,
	       "no guard around the stack");
}

uint64_t cz_gate_call(struct cz *cz, uint64_t function,
		      const uint64_t *registers, uint32_t *anomalies)
{
	struct cz_host *sim = cz->host;
	struct sim_thread *self = sim_self(sim);
	volatile uint64_t value = 0x5a5a;

	check_state(cz, self, function);
	catch_faults();
	*anomalies = 0;
	running = self;
	self->in_firmware = cz;
	if (sigsetjmp(self->firmware, 1) == 0) {
		if (function == cz->function[CZ_NULL_SERVICE]) {
			value = registers[0];
		} else {
			uint64_t text = SIM_TEXT + sim->shift;

			value = sim_service_call(
				sim, cz, (uint32_t)(function - text) / 64,
				registers);
		}
	}
	self->in_firmware = NULL;
	*anomalies = sim->leave_anomalies;
	return value;
}
