/* SPDX-License-Identifier: MIT */
/*
 * Between the files that stand in for the machine when sandboxed firmware
 * executes what EL0 may not. All run from the exception, on the worker's kernel
 * stack, interrupts as the call has them, and only for the owner of firmware.
 */
#ifndef CAESURA_ARM64_TRAP_H
#define CAESURA_ARM64_TRAP_H

#include "access.h"
#include "gate_layout.h"

/* ---- trap.c ---- */

/* Does what the instruction at the frame's pc would have done for firmware at
 * EL1, steps over it, and counts it; false when firmware may not do that. */
bool cz_trap_emulate(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		     uint64_t far);

/* The instruction at one of firmware's addresses; false when none is there. */
bool cz_trap_fetch(const struct cz *cz, uint64_t pc, uint32_t *instruction);

/* What an instruction is, in words: "MRS x3, S3_0_C1_C0_0". */
#define CZ_INSTRUCTION_CHARS 32
void cz_trap_describe(uint32_t instruction, char text[CZ_INSTRUCTION_CHARS]);

/* The statistics of the call in flight; NULL while SetVirtualAddressMap runs. */
static inline struct cz_service_stats *cz_stats_in_flight(struct cz *cz)
{
	return cz->in_flight == NULL
		       ? NULL
		       : &cz->stats.service[cz->in_flight->service];
}

/* ---- mode.c, or el0/gate.c; end.c ---- */

/* Makes the frame return to a place in the gate instead of to firmware. */
void cz_gate_return_to(struct cz *cz, struct cz_frame *frame,
		       const char *where);
/* Where that is for a call that is ended. */
const char *cz_gate_end_of(const struct cz *cz);
/* Ends the call, and keeps what is known of why. */
void cz_gate_end(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		 uint64_t far, cz_status why);

/* ---- mask.c: the virtual DAIF, and how long interrupts were masked in it ---- */

void cz_mask_write(struct cz *cz, uint64_t daif);
/* The worker is interrupted; it runs on; the call has come to its end. */
void cz_mask_pause(struct cz *cz);
void cz_mask_resume(struct cz *cz);
void cz_mask_end(struct cz *cz);

/* ---- broker.c ---- */

/* An HVC or SMC with firmware's registers: passed on, or NOT_SUPPORTED. */
void cz_broker_call(struct cz *cz, struct cz_frame *frame,
		    uint32_t instruction);
/* Says what was refused. From the worker, after the call. */
void cz_broker_report(struct cz *cz);

/* ---- align.c ---- */

/* An unaligned access to a device, byte by byte. False also when the device refuses
 * one of them, which virtual.abort_esr says. */
bool cz_align_access(struct cz *cz, struct cz_frame *frame,
		     uint32_t instruction, uint64_t far);

/* ---- machine.c, machine.S: the processor itself ---- */

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

uint64_t cz_machine_read(enum cz_machine_register name);
/* S3_0_C0_C<crm>_<op2>; number: crm * 8 + op2. */
uint64_t cz_machine_identification(uint32_t number);
/* CCSIDR_EL1 or, with FEAT_CCIDX, CCSIDR2_EL1, of a cache. */
uint64_t cz_machine_cache_size(uint64_t select, bool second);
/* DAIF. */
void cz_machine_set_daif(uint64_t daif);
/* A cache line, by an address of the host's: to memory, and out of the cache;
 * all instruction caches. */
void cz_machine_clean_line(const void *alias);
void cz_machine_invalidate_code(void);
/* Bytes of the installed space with firmware's own rights, never the host's. 0, or
 * the syndrome of the abort that it took. */
uint64_t cz_machine_user_read(uint64_t address, uint8_t *value);
uint64_t cz_machine_user_write(uint64_t address, uint8_t value);

#endif
