/* SPDX-License-Identifier: MIT */
/*
 * The interfaces between the files that handle firmware's exceptions and
 * emulate instructions that EL0 may not execute. Unless a comment says
 * otherwise, the functions run from the exception, on the worker's kernel
 * stack, for the owner of firmware, with interrupts as they were when the gate
 * was entered.
 */
#ifndef CAESURA_ARM64_TRAP_H
#define CAESURA_ARM64_TRAP_H

#include "access.h"
#include "gate_layout.h"

/* ---- trap.c ---- */

/* Emulates the instruction at the frame's pc as EL1 would have executed it,
 * advances pc, and counts it. Returns false when firmware may not execute
 * it. */
bool cz_trap_emulate(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		     uint64_t far);

/* Reads the instruction at one of firmware's addresses. Returns false if the
 * address is not executable. */
bool cz_trap_fetch(const struct cz *cz, uint64_t pc, uint32_t *instruction);

/* Describes an instruction for the log, for example "MRS x3, S3_0_C1_C0_0". */
#define CZ_INSTRUCTION_CHARS 32
void cz_trap_describe(uint32_t instruction, char text[CZ_INSTRUCTION_CHARS]);

/* Returns the statistics of the service in flight; NULL while
 * SetVirtualAddressMap runs. */
static inline struct cz_service_stats *cz_stats_in_flight(struct cz *cz)
{
	return cz->in_flight == NULL
		       ? NULL
		       : &cz->stats.service[cz->in_flight->service];
}

/* ---- mode.c, or el0/gate.c; end.c ---- */

/* Changes the frame to return to a place in the gate instead of to firmware. */
void cz_gate_return_to(struct cz *cz, struct cz_frame *frame,
		       const char *where);
/* Returns the place in the gate at which a call that is ended continues. */
const char *cz_gate_end_of(const struct cz *cz);
/* Ends the call with the status `why`, and saves the frame, esr and far. */
void cz_gate_end(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		 uint64_t far, cz_status why);

/* ---- mask.c: the emulated interrupt mask ---- */

/* Firmware writes DAIF: begins or ends an interval in which it has interrupts
 * masked. */
void cz_mask_write(struct cz *cz, uint64_t daif);
/* Stops counting the interval while firmware does not run. */
void cz_mask_pause(struct cz *cz);
/* Continues counting when firmware runs again. */
void cz_mask_resume(struct cz *cz);
/* Ends the interval and adds it to the statistics. Also called by the worker,
 * after a call that returned in the middle of one. */
void cz_mask_end(struct cz *cz);

/* ---- broker.c ---- */

/* Handles an HVC or SMC: passes it on with firmware's registers, or returns
 * NOT_SUPPORTED to firmware. */
void cz_broker_call(struct cz *cz, struct cz_frame *frame,
		    uint32_t instruction);
/* Logs refused secure calls. Called by the worker after the call. */
void cz_broker_report(struct cz *cz);

/* ---- align.c ---- */

/* Makes an unaligned access to a device byte by byte. Returns false if it
 * cannot be made; if an access faulted, virtual.abort_esr and abort_far say
 * how. */
bool cz_align_access(struct cz *cz, struct cz_frame *frame,
		     uint32_t instruction, uint64_t far);

/* ---- machine.c, machine.S: this CPU ---- */

enum cz_machine_register {
	CZ_MACHINE_SCTLR,
	CZ_MACHINE_CPACR,
	CZ_MACHINE_TCR,
	CZ_MACHINE_MAIR,
	CZ_MACHINE_CTR,
	CZ_MACHINE_CLIDR,
	CZ_MACHINE_FREQUENCY,
	CZ_MACHINE_PHYSICAL_COUNT,
	CZ_MACHINE_VIRTUAL_COUNT,
};

/* Reads a register. */
uint64_t cz_machine_read(enum cz_machine_register name);
/* Reads the ID register S3_0_C0_C<crm>_<op2>; number is crm * 8 + op2. */
uint64_t cz_machine_identification(uint32_t number);
/* Reads CCSIDR_EL1 of the cache that `select` names (a value for CSSELR_EL1),
 * or with `second` CCSIDR2_EL1, which exists with FEAT_CCIDX. */
uint64_t cz_machine_cache_size(uint64_t select, bool second);
/* Writes DAIF. */
void cz_machine_set_daif(uint64_t daif);
/* Cleans and invalidates the data cache line at an address of the host's. */
void cz_machine_clean_line(const void *alias);
/* Invalidates all instruction caches. */
void cz_machine_invalidate_code(void);
/* Read and write a byte of the installed space with firmware's rights, not with
 * the host's. They return 0, or the syndrome of the abort that the access
 * took. */
uint64_t cz_machine_user_read(uint64_t address, uint8_t *value);
uint64_t cz_machine_user_write(uint64_t address, uint8_t value);

#endif
