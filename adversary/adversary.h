/* SPDX-License-Identifier: MIT */
/*
 * The interface of the adversary: variables of one GUID, whose accesses the
 * driver handles itself. The driver and its callers, under any operating
 * system, share this header.
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
 * A name in the list selects a misbehaviour of GetVariable or SetVariable, for
 * example "Hang". Some names take a number, decimal or 0x, after a colon:
 * "Late:5000000". The data does not matter. The driver returns
 * EFI_INVALID_PARAMETER if the number is wrong or missing, and EFI_UNSUPPORTED
 * if the machine lacks what the misbehaviour needs.
 *
 * GetVariable of ADVERSARY_LIST returns the list as ASCII text, one line for
 * each name.
 */
#define ADVERSARY_LIST u"Misbehaviours"

/* FlashFault and FlashHang go wrong in the middle of writing this variable. It
 * has the driver's GUID, but firmware itself stores it. */
#define ADVERSARY_VICTIM u"Victim"

/* ---- names that take data ---- */

/*
 * SetVariable makes one long call. In a loop, it fills x0-x30, v0-v31, NZCV,
 * FPCR and FPSR with a pattern computed from a counter, waits a little, checks
 * all of them, and increments the counter. An iteration takes about 335
 * instructions. It returns EFI_SUCCESS, or EFI_ABORTED at the first register
 * that has changed. The data is a struct adversary_registers_order.
 *
 * GetVariable returns the result of the last such call, a struct
 * adversary_registers_record.
 */
#define ADVERSARY_REGISTERS u"Registers"

/* SetVariable counts down, for a long time. The data is a uint64_t, the number
 * of iterations of two instructions. */
#define ADVERSARY_SPIN u"Spin"

/* SetVariable masks interrupts, counts down, and unmasks interrupts. The data
 * is a uint64_t, the approximate number of instructions in between. */
#define ADVERSARY_MASK_IRQ u"MaskIrq"

/*
 * SetVariable starts an operation and polls for its completion, like firmware
 * that waits for the secure world. The data is a uint64_t, the length in
 * instructions. It returns EFI_SUCCESS, or EFI_DEVICE_ERROR if it ran on
 * another CPU than the one that it started on.
 *
 * GetVariable returns a struct adversary_affinity_record.
 */
#define ADVERSARY_AFFINITY u"Affinity"
#define ADVERSARY_POLL_INSTRUCTIONS 5u

/*
 * SetVariable returns EFI_SUCCESS, but leaves state changed that a function
 * must preserve. The data is a struct adversary_leave_order with a mask of 1ull
 * << ADVERSARY_LEAVE_*. A caller that selects TPIDR_EL1, VBAR_EL1 or TTBR0_EL1
 * also selects DAIF, because an interrupt before the return would find them
 * changed.
 */
#define ADVERSARY_LEAVE u"Leave"

#define ADVERSARY_LEAVE_DAIF 0 /* masks interrupts, before any other change */
#define ADVERSARY_LEAVE_TPIDR_EL0 1
#define ADVERSARY_LEAVE_TPIDR_EL1 2
#define ADVERSARY_LEAVE_VBAR 3
#define ADVERSARY_LEAVE_SCTLR 4 /* the UMA bit, which does not affect EL1 */
#define ADVERSARY_LEAVE_PAN 5 /* only if the CPU has it */
#define ADVERSARY_LEAVE_TTBR0 6 /* set to `translation` */
#define ADVERSARY_LEAVE_ASID 7 /* another ASID in TTBR0, with the same table */
#define ADVERSARY_LEAVE_FPCR 8 /* the rounding mode */
#define ADVERSARY_LEAVE_STACK 9 /* the word at `stack` is overwritten */
#define ADVERSARY_LEAVE_SP 10
#define ADVERSARY_LEAVE_SPSEL 11 /* selects the stack pointer of EL1h */
#define ADVERSARY_LEAVE_CPACR 12 /* switches FP/SIMD off */
#define ADVERSARY_LEAVE_UAO 13 /* UAO to ALLINT: only if the CPU has them */
#define ADVERSARY_LEAVE_DIT 14
#define ADVERSARY_LEAVE_SSBS 15
#define ADVERSARY_LEAVE_TCO 16
#define ADVERSARY_LEAVE_ALLINT 17
#define ADVERSARY_LEAVE_X(n) (14 + (n)) /* x18..x29 */
#define ADVERSARY_LEAVE_D(n) (40 + (n)) /* d8..d15 */

/*
 * SetVariable makes one access, or executes one instruction, that faults on a
 * system that protects itself from firmware. It returns EFI_SUCCESS if there
 * was no fault. The data is a struct adversary_touch_order.
 *
 * GetVariable returns the struct adversary_touch_record of the latest one.
 */
#define ADVERSARY_TOUCH u"Touch"

/* Other names return EFI_NOT_FOUND; data of another size
 * EFI_INVALID_PARAMETER. */

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
	ADVERSARY_GONE = 6, /* wrong in the loop's check, right afterwards */
};

struct adversary_registers_record {
	uint32_t kind; /* enum adversary_register */
	uint32_t number;
	uint64_t calls; /* number of calls, including this one */
	uint64_t iteration; /* of the mismatch, from 0; or their number */
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
	uint64_t iterations; /* of two instructions, before the return */
};

enum adversary_touch_kind {
	ADVERSARY_TOUCH_READ,
	ADVERSARY_TOUCH_WRITE, /* writes zero */
	ADVERSARY_TOUCH_EXECUTE,
	ADVERSARY_TOUCH_UNDEFINED, /* this and the following use no address */
	ADVERSARY_TOUCH_BRK,
	ADVERSARY_TOUCH_SVC,
	ADVERSARY_TOUCH_FP, /* switches FP/SIMD off, then uses it */
	ADVERSARY_TOUCH_SVE, /* firmware must not use SVE */
};

/* The base address that the offset is added to. */
enum adversary_touch_base {
	ADVERSARY_TOUCH_ABSOLUTE,
	ADVERSARY_TOUCH_CODE, /* an unused word of the driver's code */
	ADVERSARY_TOUCH_DATA, /* a word of the driver's data: a ret */
	ADVERSARY_TOUCH_ARGUMENT, /* this call's data */
	ADVERSARY_TOUCH_PREVIOUS, /* the data of the previous Touch */
};

struct adversary_touch_order {
	uint32_t kind, base;
	uint64_t offset;
};

struct adversary_touch_record {
	uint64_t address; /* the address accessed */
	uint64_t instruction; /* the address of the instruction */
};

#endif /* __ASSEMBLER__ */

#endif
