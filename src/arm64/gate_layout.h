/* SPDX-License-Identifier: MIT */
/*
 * The data that the gates' C and assembly share: the layout of the words of
 * struct cz_gate_context.
 */
#ifndef CAESURA_ARM64_GATE_LAYOUT_H
#define CAESURA_ARM64_GATE_LAYOUT_H

/* Offsets in bytes into struct gate. */
#define GATE_FUNCTION 0
#define GATE_STACK_TOP 8
#define GATE_RETURN 16 /* firmware's return address: the trampoline */
#define GATE_ARGUMENTS 24 /* address of the values for x0..x5 */
#define GATE_X18 32 /* the caller's x18..x30 */
#define GATE_SP 136 /* the caller's stack pointer */
#define GATE_D8 144 /* the caller's d8..d15 */
#define GATE_DAIF 208 /* the caller's */
#define GATE_FPCR 216 /* the caller's */
#define GATE_RESULT 224 /* firmware's x0 */
#define GATE_LEFT_CPACR 232 /* LEFT: values at firmware's return */
#define GATE_LEFT_SP 240
#define GATE_LEFT_SPSEL 248
#define GATE_LEFT_DAIF 256
#define GATE_LEFT_FPCR 264
#define GATE_LEFT_X18 272 /* 1: changed */
#define GATE_LEFT_SAVED 280 /* 1: x19..x29 or d8..d15 changed */
#define GATE_ACTIVE 288 /* firmware may be running */
#define GATE_PSTATE 296 /* sandbox: the PSTATE that firmware starts with */
#define GATE_GIVEN 304 /* sandbox: the x18..x28 that firmware starts with */
#define GATE_GIVEN_D8 392 /* sandbox: the d8..d15, which are zeroes */
/* The last two are used in a host at EL0 only. */
#define GATE_HAS_STREAMING 456 /* the CPU has FEAT_SME */
#define GATE_LEFT_STREAMING 464 /* SVCR at firmware's return */

/* Offsets into the trampoline's page: at 0 the code that returns to the gate,
 * then the null service. */
#define TRAMPOLINE_NULL_SERVICE 12
#define TRAMPOLINE_LAND 16 /* address of cz_gate_direct_return */
#define TRAMPOLINE_CONTEXT 24 /* address of the context */

/* The bits of PSTATE, besides DAIF, that the gates check or restore if the CPU
 * has them. */
#define PSTATE_SSBS (1ull << 12)
#define PSTATE_ALLINT (1ull << 13)
#define PSTATE_PAN (1ull << 22)
#define PSTATE_UAO (1ull << 23)
#define PSTATE_DIT (1ull << 24)
#define PSTATE_TCO (1ull << 25)
#define PSTATE_KEPT                                                           \
	(PSTATE_SSBS | PSTATE_ALLINT | PSTATE_PAN | PSTATE_UAO | PSTATE_DIT | \
	 PSTATE_TCO)
#define PSTATE_A (1ull << 8) /* SErrors are masked */

/* In the sandbox the code at 0 is ESB, then SVC. */
#define TRAMPOLINE_SVC 4
#define TRAMPOLINE_RETURNED 8 /* the pc of the exception that the SVC causes */

#ifndef __ASSEMBLER__
#include <caesura/arm64.h>
#include <stddef.h>
#include <stdint.h>

struct virtual_timer {
	uint64_t control, compare;
};

/* The emulated state of the CPU for sandboxed firmware; reset for each call. */
struct virtual_machine {
	uint64_t daif; /* as in PSTATE */
	/* While firmware believes that interrupts are masked: since when the
	 * present interval has been counted, and the time before that. */
	uint64_t masked_from_ns;
	uint64_t masked_ns;
	bool masked;
	bool paused; /* not counting, because firmware does not run */
	uint64_t spsel;
	uint64_t thread; /* TPIDR_EL1 */
	uint64_t cache_select; /* CSSELR_EL1 */
	uint64_t translation; /* PAR_EL1 */
	struct virtual_timer timer[2]; /* physical, virtual */
	/* The syndrome and address of an abort that the library took when it
	 * made an access for firmware; 0: none. */
	uint64_t abort_esr, abort_far;
	/* FF-A: the partition to which this call sent its latest request, and
	 * whether that partition is suspended and has not answered yet. */
	uint16_t partition;
	bool is_suspended;
};

struct gate {
	uint64_t function;
	uint64_t stack_top;
	uint64_t return_address;
	const uint64_t *arguments; /* CZ_MAX_ARGUMENTS of them */
	uint64_t x18[13];
	uint64_t sp;
	uint64_t d8[8];
	uint64_t daif;
	uint64_t fpcr;
	uint64_t result;
	uint64_t left_coprocessor; /* also set for a call that was ended */
	uint64_t left_sp;
	uint64_t left_spsel;
	uint64_t left_daif;
	uint64_t left_fpcr;
	uint64_t left_x18;
	uint64_t left_saved;
	uint64_t active;
	uint64_t pstate;
	uint64_t given[11];
	uint64_t given_d8[8];
	uint64_t has_streaming;
	uint64_t left_streaming;

	/* Used by C only. */
	uint64_t cpu; /* MIDR_EL1 of the CPU that has_state describes */
	uint64_t has_state; /* the bits of PSTATE_KEPT that this CPU has */
	uint64_t state; /* sandbox: PSTATE_KEPT before the call */
	struct virtual_machine virtual;
	/* For a call that was ended: firmware's frame, and for a fault ESR_EL1
	 * and FAR_EL1. */
	struct cz_frame end;
	uint64_t end_esr, end_far;
	uint64_t refused; /* number of secure calls refused in this call */
	uint64_t refused_id, refused_pc; /* of the first one */
};

_Static_assert(CZ_MAX_ARGUMENTS == 6, "gate_direct.S loads six");
_Static_assert(offsetof(struct gate, arguments) == GATE_ARGUMENTS, "gate");
_Static_assert(offsetof(struct gate, sp) == GATE_SP, "gate");
_Static_assert(offsetof(struct gate, x18) == GATE_X18, "gate");
_Static_assert(offsetof(struct gate, d8) == GATE_D8, "gate");
_Static_assert(offsetof(struct gate, daif) == GATE_DAIF, "gate");
_Static_assert(offsetof(struct gate, result) == GATE_RESULT, "gate");
_Static_assert(offsetof(struct gate, left_coprocessor) == GATE_LEFT_CPACR,
	       "gate");
_Static_assert(offsetof(struct gate, left_sp) == GATE_LEFT_SP, "gate");
_Static_assert(offsetof(struct gate, left_saved) == GATE_LEFT_SAVED, "gate");
_Static_assert(offsetof(struct gate, active) == GATE_ACTIVE, "gate");
_Static_assert(offsetof(struct gate, pstate) == GATE_PSTATE, "gate");
_Static_assert(offsetof(struct gate, given) == GATE_GIVEN, "gate");
_Static_assert(offsetof(struct gate, given_d8) == GATE_GIVEN_D8, "gate");
_Static_assert(offsetof(struct gate, has_streaming) == GATE_HAS_STREAMING,
	       "gate");
_Static_assert(offsetof(struct gate, left_streaming) == GATE_LEFT_STREAMING,
	       "gate");
_Static_assert(sizeof(struct gate) <= sizeof(struct cz_gate_context), "gate");

static inline struct gate *gate_of(struct cz *cz)
{
	return (struct gate *)cz->gate_context.words;
}

static inline const struct gate *const_gate_of(const struct cz *cz)
{
	return (const struct gate *)cz->gate_context.words;
}

/* Call firmware as *gate says. They return with all interrupts masked. */
void cz_gate_direct(struct gate *gate);
void cz_gate_sandbox(struct gate *gate);
/* Replaces both in a host that runs at EL0 itself. */
void cz_gate_el0(struct gate *gate);

/* Code addresses, not functions: where firmware's return arrives, and where a
 * call that is ended continues. */
extern const char cz_gate_direct_return[];
extern const char cz_gate_direct_end[];
extern const char cz_gate_sandbox_return[];
extern const char cz_gate_sandbox_end[];
extern const char cz_gate_el0_end[]; /* the end of this gate's code */

/* trampoline.c: writes the null service and the code that jumps to `land`
 * (NULL: no such code) into the trampoline's page. Fills gate->given. */
void cz_gate_write_page(struct cz *cz, const char *land);

/* Returns the anomalies that the assembly of any gate has noted for a call that
 * returned by itself. */
static inline uint32_t gate_check_kept(const struct gate *gate)
{
	uint32_t found = 0;

	if (((gate->left_fpcr ^ gate->fpcr) | gate->left_x18 |
	     gate->left_saved) == 0) {
		return 0;
	}
	if (gate->left_fpcr != gate->fpcr) {
		found |= 1u << CZ_ANOMALY_FP_CONTROL;
	}
	if (gate->left_x18 != 0) {
		found |= 1u << CZ_ANOMALY_PLATFORM_REGISTER;
	}
	if (gate->left_saved != 0) {
		found |= 1u << CZ_ANOMALY_CALLEE_SAVED;
	}
	return found;
}

/* frame.c: ends the counting of masked time after a call in the sandbox, and
 * logs refused secure calls. */
void cz_gate_report_sandbox(struct cz *cz);
#endif

#endif
