/* SPDX-License-Identifier: MIT */
/*
 * How to talk to the adversary: variables of one GUID, which it answers itself.
 * Shared by the driver and by whatever calls it, under any operating system.
 */
#ifndef ADVERSARY_H
#define ADVERSARY_H

#ifndef __ASSEMBLER__
#include <stdint.h>
#endif

#define ADVERSARY_GUID                                                 \
	{                                                              \
		0x6c1a77d3, 0x2f0b, 0x4b86,                            \
		{                                                      \
			0x9e, 0x54, 0xca, 0xe5, 0x12, 0xa0, 0xad, 0x01 \
		}                                                      \
	}

/*
 * GetVariable and SetVariable of a name in the list, with ":" and a number, decimal
 * or 0x, where it takes one, go wrong in that way: "Hang", "Late:5000000". What the
 * data is does not matter. EFI_INVALID_PARAMETER for a wrong number, or none;
 * EFI_UNSUPPORTED where the machine has nothing to do it with.
 *
 * GetVariable of ADVERSARY_LIST: the list, as ASCII text, a line each.
 */
#define ADVERSARY_LIST u"Misbehaviours"

/* The variable in the midst of whose writing FlashFault and FlashHang go wrong; of
 * this GUID, and firmware's own. */
#define ADVERSARY_VICTIM u"Victim"

/* ---- Names whose data says more ---- */

/*
 * SetVariable: one long call that fills x0-x30, v0-v31, NZCV, FPCR and FPSR with
 * a pattern that follows from a counter, waits a little, checks all of them, and
 * counts up. About 335 instructions an iteration. EFI_SUCCESS, or EFI_ABORTED
 * at the first register that changed. Data: struct adversary_registers_order.
 *
 * GetVariable: what the last such call found, struct adversary_registers_record.
 */
#define ADVERSARY_REGISTERS u"Registers"

/* SetVariable: counts down, for a long time. Data: uint64_t, iterations of two
 * instructions. */
#define ADVERSARY_SPIN u"Spin"

/* SetVariable: masks interrupts, counts down, unmasks them. Data: uint64_t, the
 * instructions between the two, about. */
#define ADVERSARY_MASK_IRQ u"MaskIrq"

/*
 * SetVariable: starts an operation and polls for its completion, as firmware
 * does that waits for the secure world. Data: uint64_t, the length in
 * instructions. EFI_SUCCESS, or EFI_DEVICE_ERROR when it ever ran on another CPU
 * than it started on.
 *
 * GetVariable: struct adversary_affinity_record.
 */
#define ADVERSARY_AFFINITY u"Affinity"
#define ADVERSARY_POLL_INSTRUCTIONS 5u

/*
 * SetVariable: EFI_SUCCESS, with something left changed that a function has to
 * keep. Data: struct adversary_leave_order, a mask of 1ull << ADVERSARY_LEAVE_*.
 * With TPIDR_EL1, VBAR_EL1 or TTBR0_EL1 the caller asks for DAIF too: an
 * interrupt before the return would find them changed.
 */
#define ADVERSARY_LEAVE u"Leave"

#define ADVERSARY_LEAVE_DAIF 0 /* interrupts masked, before anything else */
#define ADVERSARY_LEAVE_TPIDR_EL0 1
#define ADVERSARY_LEAVE_TPIDR_EL1 2
#define ADVERSARY_LEAVE_VBAR 3
#define ADVERSARY_LEAVE_SCTLR 4 /* UMA: nothing at EL1 depends on it */
#define ADVERSARY_LEAVE_PAN 5 /* where the CPU has it */
#define ADVERSARY_LEAVE_TTBR0 6 /* becomes `translation` */
#define ADVERSARY_LEAVE_ASID 7 /* another, in the same table's TTBR0 */
#define ADVERSARY_LEAVE_FPCR 8 /* rounding */
#define ADVERSARY_LEAVE_STACK 9 /* the word at `stack` is overwritten */
#define ADVERSARY_LEAVE_SP 10
#define ADVERSARY_LEAVE_SPSEL 11 /* the stack pointer of EL1h */
#define ADVERSARY_LEAVE_CPACR 12 /* FP/SIMD off */
#define ADVERSARY_LEAVE_UAO 13 /* these, too, where the CPU has them */
#define ADVERSARY_LEAVE_DIT 14
#define ADVERSARY_LEAVE_SSBS 15
#define ADVERSARY_LEAVE_TCO 16
#define ADVERSARY_LEAVE_ALLINT 17
#define ADVERSARY_LEAVE_X(n) (14 + (n)) /* x18..x29 */
#define ADVERSARY_LEAVE_D(n) (40 + (n)) /* d8..d15 */

/*
 * SetVariable: one access, or one instruction, that faults on a system that
 * protects itself and from firmware; EFI_SUCCESS where it did not. Data: struct
 * adversary_touch_order.
 *
 * GetVariable: struct adversary_touch_record, of the latest.
 */
#define ADVERSARY_TOUCH u"Touch"

/* Other names: EFI_NOT_FOUND. Data of another size: EFI_INVALID_PARAMETER. */

#ifndef __ASSEMBLER__

struct adversary_registers_order {
	uint64_t seed; /* the counter's first value */
	uint64_t iterations;
};

enum adversary_register {
	ADVERSARY_NONE = 0, /* all were right */
	ADVERSARY_X = 1, /* x<number> */
	ADVERSARY_V = 2, /* v<number> */
	ADVERSARY_NZCV = 3,
	ADVERSARY_FPCR = 4,
	ADVERSARY_FPSR = 5,
	ADVERSARY_GONE = 6, /* wrong at the check, right when looked at again */
};

struct adversary_registers_record {
	uint32_t kind; /* enum adversary_register */
	uint32_t number;
	uint64_t calls; /* so far, this one included */
	uint64_t iteration; /* of the mismatch, from 0; or all that ran */
	uint64_t expected[2]; /* low half, high half of a v register */
	uint64_t found[2];
};

struct adversary_affinity_record {
	uint64_t calls;
	uint64_t failures;
	uint64_t started_on; /* MPIDR_EL1 of the latest failure */
	uint64_t found_on;
};

struct adversary_leave_order {
	uint64_t what;
	uint64_t translation;
	uint64_t stack;
	uint64_t iterations; /* of two instructions, between that and return */
};

enum adversary_touch_kind {
	ADVERSARY_TOUCH_READ,
	ADVERSARY_TOUCH_WRITE, /* of a zero */
	ADVERSARY_TOUCH_EXECUTE,
	ADVERSARY_TOUCH_UNDEFINED, /* no address, from here on */
	ADVERSARY_TOUCH_BRK,
	ADVERSARY_TOUCH_SVC,
	ADVERSARY_TOUCH_FP, /* switched off, then used */
	ADVERSARY_TOUCH_SVE, /* which firmware must not use */
};

/* What the offset is added to. */
enum adversary_touch_base {
	ADVERSARY_TOUCH_ABSOLUTE,
	ADVERSARY_TOUCH_CODE, /* the driver's own: a word that nothing uses */
	ADVERSARY_TOUCH_DATA, /* the driver's own: holds a ret */
	ADVERSARY_TOUCH_ARGUMENT, /* this call's data */
	ADVERSARY_TOUCH_PREVIOUS, /* the data of the Touch before it */
};

struct adversary_touch_order {
	uint32_t kind, base;
	uint64_t offset;
};

struct adversary_touch_record {
	uint64_t address; /* what it came to */
	uint64_t instruction; /* where that is */
};

#endif /* __ASSEMBLER__ */

#endif
