/* SPDX-License-Identifier: MIT */
/*
 * Describes how a call was ended, from the frame and the syndrome that the
 * exception left, and from firmware's stack.
 */
#include "../call.h"
#include "../gate.h"
#include "syndrome.h"
#include "trap.h"

static const char *class_name(uint64_t esr)
{
	switch (EC(esr)) {
	case EC_UNKNOWN:
		return "undefined instruction";
	case EC_WAIT:
		return "WFI or WFE";
	case EC_FP:
		return "FP, SIMD or SVE access";
	case EC_BRANCH_TARGET:
		return "branch target";
	case EC_ILLEGAL_STATE:
		return "illegal execution state";
	case EC_SVC:
		return "SVC";
	case EC_SYSTEM:
		return "system register access";
	case EC_SVE:
		return "SVE access, against the UEFI specification";
	case EC_POINTER_AUTHENTICATION:
		return "pointer authentication";
	case EC_SME:
		return "SME access, against the UEFI specification";
	case EC_INSTRUCTION_ABORT_EL0:
	case EC_INSTRUCTION_ABORT:
		return "instruction abort";
	case EC_PC_ALIGNMENT:
		return "PC alignment";
	case EC_DATA_ABORT_EL0:
	case EC_DATA_ABORT:
		return (esr & ISS_WNR) != 0 ? "data abort, write"
					    : "data abort, read";
	case EC_SP_ALIGNMENT:
		return "SP alignment";
	case EC_SERROR:
		return "SError";
	case EC_BREAKPOINT_EL0:
	case EC_BREAKPOINT:
		return "hardware breakpoint";
	case EC_STEP_EL0:
	case EC_STEP:
		return "software step";
	case EC_WATCHPOINT_EL0:
	case EC_WATCHPOINT:
		return "watchpoint";
	case EC_BRK:
		return "BRK";
	default:
		return "exception";
	}
}

static bool is_abort(uint64_t esr)
{
	return EC(esr) == EC_INSTRUCTION_ABORT_EL0 ||
	       EC(esr) == EC_INSTRUCTION_ABORT ||
	       EC(esr) == EC_DATA_ABORT_EL0 || EC(esr) == EC_DATA_ABORT;
}

/* Returns the cause of an abort, by its fault status code. */
static const char *cause_of(uint64_t esr)
{
	if (EC(esr) == EC_PC_ALIGNMENT ||
	    FAULT_STATUS(esr) == FAULT_ALIGNMENT) {
		return "not aligned";
	}
	switch (FAULT_KIND(esr)) {
	case FAULT_ADDRESS_SIZE:
		return "address out of range";
	case FAULT_TRANSLATION:
		return "not mapped";
	case FAULT_ACCESS_FLAG:
		return "access flag clear";
	case FAULT_PERMISSION:
		return "not allowed";
	case FAULT_EXTERNAL:
		return "external abort";
	default:
		return "other abort";
	}
}

/* Returns whether FAR_EL1 is valid. After other exceptions it still contains an
 * older address. */
static bool has_address(uint64_t esr)
{
	if (EC(esr) == EC_PC_ALIGNMENT) {
		return true;
	}
	return is_abort(esr) &&
	       (FAULT_STATUS(esr) != FAULT_EXTERNAL || (esr & ISS_FNV) == 0);
}

static bool is_at_trampoline(const struct cz *cz, const struct gate *gate)
{
	return EC(gate->end_esr) == EC_SVC &&
	       gate->end.pc == cz->window_address + TRAMPOLINE_RETURNED;
}

/* Returns whether firmware has used its whole stack and faulted on the page
 * below it, which is not mapped. */
static bool is_overflow(const struct cz *cz, const struct gate *gate)
{
	uint64_t bottom = cz->stack_top - CZ_STACK_PAGES * CZ_PAGE;

	return is_abort(gate->end_esr) &&
	       bottom - gate->end_far - 1 < CZ_PAGE &&
	       gate->end.sp <= bottom + CZ_PAGE;
}

static const char *what(const struct cz *cz, const struct gate *gate)
{
	if (is_at_trampoline(cz, gate)) {
		return "return with another stack pointer";
	}
	if (is_overflow(cz, gate)) {
		return "stack overflow";
	}
	return class_name(gate->end_esr);
}

/* ---- The callers ---- */

static bool is_code(const struct cz *cz, uint64_t address)
{
	uint64_t offset;

	return cz_find_image(cz, address, &offset) != NULL;
}

/* Reads a frame record, fp and lr, if it is on firmware's stack. Compilers for
 * PE may store them in the reverse order. */
static bool read_record(const struct cz *cz, uint64_t address,
			uint64_t record[2])
{
	uint64_t bottom = cz->stack_top - CZ_STACK_PAGES * CZ_PAGE;

	if (address < bottom || address > cz->stack_top - 16 ||
	    (address & 7) != 0) {
		return false;
	}
	memcpy(record, cz->stack.alias + (address - bottom), 16);
	if (is_code(cz, record[0]) && !is_code(cz, record[1])) {
		uint64_t lr = record[0];

		record[0] = record[1];
		record[1] = lr;
	}
	return true;
}

static void add_caller(const struct cz *cz, struct cz_ending *ending,
		       uint64_t address)
{
	if (ending->depth < CZ_BACKTRACE && is_code(cz, address)) {
		ending->caller[ending->depth++] = address;
	}
}

/* Follows the chain of frame records (AAPCS64 6.4.6) as long as it leads
 * upwards. The link register comes first, because a leaf function has no
 * record. */
static void find_callers(const struct cz *cz, const struct cz_frame *frame,
			 struct cz_ending *ending)
{
	uint64_t at = frame->x[29];
	uint64_t record[2];

	if (!read_record(cz, at, record) || record[1] != frame->x[30]) {
		add_caller(cz, ending, frame->x[30]);
	}
	for (uint32_t i = 0; i < CZ_BACKTRACE && read_record(cz, at, record);
	     i++) {
		add_caller(cz, ending, record[1]);
		if (record[0] <= at) {
			return;
		}
		at = record[0];
	}
}

CZ_COLD void cz_gate_describe_end(struct cz *cz, struct cz_ending *ending)
{
	const struct gate *gate = gate_of(cz);

	ending->pc = gate->end.pc;
	ending->address = CZ_NO_ADDRESS;
	if (ending->status == CZ_E_FAULT) {
		ending->what = what(cz, gate);
		ending->syndrome = gate->end_esr;
		if (has_address(gate->end_esr)) {
			ending->address = gate->end_far;
			ending->cause = cause_of(gate->end_esr);
		}
	}
	find_callers(cz, &gate->end, ending);
}

/* ---- Registers ---- */

static void report_instruction(struct cz *cz, const struct gate *gate)
{
	char text[CZ_INSTRUCTION_CHARS];
	uint32_t instruction;

	if (cz_trap_fetch(cz, gate->end.pc, &instruction)) {
		cz_trap_describe(instruction, text);
		cz_error(cz->host, "instruction %08x: %s; syndrome 0x%llx",
			 instruction, text, cz_ull(gate->end_esr));
	}
}

CZ_COLD void cz_gate_report_registers(struct cz *cz)
{
	const struct gate *gate = gate_of(cz);
	const struct cz_frame *frame = &gate->end;

	report_instruction(cz, gate);
	for (uint32_t i = 0; i < 28; i += 4) {
		cz_error(cz->host, "x%02u %016llx %016llx %016llx %016llx", i,
			 cz_ull(frame->x[i]), cz_ull(frame->x[i + 1]),
			 cz_ull(frame->x[i + 2]), cz_ull(frame->x[i + 3]));
	}
	cz_error(cz->host,
		 "x28 %016llx %016llx %016llx, sp %016llx, pstate %llx",
		 cz_ull(frame->x[28]), cz_ull(frame->x[29]),
		 cz_ull(frame->x[30]), cz_ull(frame->sp),
		 cz_ull(frame->pstate));
}
