/* SPDX-License-Identifier: MIT */
/* Integer instructions of A64, see a64.h. The sections are those of the Arm
 * ARM, C4.1. */
#include "commit/a64.h"

#include "arm64/access.h"

#define BITS(word, from, count) (((word) >> (from)) & ((1u << (count)) - 1))

#define FLAG_N (1ull << 31)
#define FLAG_Z (1ull << 30)
#define FLAG_C (1ull << 29)
#define FLAG_V (1ull << 28)
#define FLAGS (FLAG_N | FLAG_Z | FLAG_C | FLAG_V)

static uint64_t sign_extend(uint64_t value, uint32_t bits)
{
	return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

static uint64_t narrow(uint64_t value, bool is_wide)
{
	return is_wide ? value : (uint32_t)value;
}

static uint64_t source(const struct cz_frame *frame, uint32_t number,
		       bool is_wide)
{
	return narrow(cz_frame_register(frame, number), is_wide);
}

static bool put(struct cz_frame *frame, uint32_t number, uint64_t value,
		bool is_wide)
{
	cz_set_frame_register(frame, number, narrow(value, is_wide));
	frame->pc += 4;
	return true;
}

static bool holds(uint64_t pstate, uint32_t condition)
{
	bool n = (pstate & FLAG_N) != 0, z = (pstate & FLAG_Z) != 0;
	bool c = (pstate & FLAG_C) != 0, v = (pstate & FLAG_V) != 0;
	bool result[] = {z, c, n, v, c && !z, n == v, n == v && !z, true};

	return condition == 15 ||
	       result[condition >> 1] != ((condition & 1) != 0);
}

static void set_flags(struct cz_frame *frame, uint64_t flags)
{
	frame->pstate = (frame->pstate & ~FLAGS) | flags;
}

static uint64_t result_flags(uint64_t result, bool is_wide)
{
	uint64_t flags = 0;

	if ((result >> (is_wide ? 63 : 31) & 1) != 0) {
		flags |= FLAG_N;
	}
	return narrow(result, is_wide) == 0 ? flags | FLAG_Z : flags;
}

/* Returns a + b + carry, and its flags. The caller inverts b for a
 * subtraction. */
static uint64_t add(uint64_t a, uint64_t b, bool carry, bool is_wide,
		    uint64_t *flags)
{
	uint32_t top = is_wide ? 63 : 31;
	uint64_t result, sum;
	bool over;

	a = narrow(a, is_wide);
	b = narrow(b, is_wide);
	over = __builtin_add_overflow(a, b, &sum);
	over = __builtin_add_overflow(sum, (uint64_t)carry, &result) || over;
	if (!is_wide) {
		over = result >> 32 != 0;
		result = (uint32_t)result;
	}
	*flags = result_flags(result, is_wide);
	if (over) {
		*flags |= FLAG_C;
	}
	if ((((a ^ result) & (b ^ result)) >> top & 1) != 0) {
		*flags |= FLAG_V;
	}
	return result;
}

static uint64_t shifted(uint64_t value, uint32_t type, uint32_t amount,
			bool is_wide)
{
	uint32_t bits = is_wide ? 64 : 32;

	value = narrow(value, is_wide);
	if (amount == 0) {
		return value;
	}
	switch (type) {
	case 0:
		return narrow(value << amount, is_wide);
	case 1:
		return value >> amount;
	case 2:
		return narrow(sign_extend(value, bits) >> amount |
				      (sign_extend(value, bits) >> 63 != 0
					       ? ~0ull << (64 - amount)
					       : 0),
			      is_wide);
	default:
		return narrow(value >> amount | value << (bits - amount),
			      is_wide);
	}
}

/* DecodeBitMasks() of the Arm ARM; false for a reserved encoding. */
static bool bit_mask(uint32_t n, uint32_t imms, uint32_t immr, bool is_wide,
		     uint64_t *mask)
{
	uint32_t key = n << 6 | (~imms & 0x3f);
	uint32_t length, size, ones, rotate;
	uint64_t element;

	if (key < 2 || (n != 0 && !is_wide)) {
		return false;
	}
	length = 31 - (uint32_t)__builtin_clz(key);
	size = 1u << length;
	ones = (imms & (size - 1)) + 1;
	rotate = immr & (size - 1);
	if (ones == size) {
		return false;
	}
	element = (1ull << ones) - 1;
	if (rotate != 0) {
		element = element >> rotate | element << (size - rotate);
	}
	if (size < 64) {
		element &= (1ull << size) - 1;
	}
	for (uint32_t bits = size; bits < 64; bits *= 2) {
		element |= element << bits;
	}
	*mask = narrow(element, is_wide);
	return true;
}

static bool logical(struct cz_frame *frame, uint32_t word, uint64_t operand)
{
	bool is_wide = word >> 31 != 0;
	uint32_t operation = BITS(word, 29, 2);
	uint64_t value = source(frame, BITS(word, 5, 5), is_wide);

	value = operation == 1	 ? value | operand
		: operation == 2 ? value ^ operand
				 : value & operand;
	if (operation == 3) {
		set_flags(frame, result_flags(value, is_wide));
	}
	return put(frame, BITS(word, 0, 5), value, is_wide);
}

/* with_sp: register 31 is sp in this form. */
static bool arithmetic(struct cz_frame *frame, uint32_t word, uint64_t operand,
		       bool with_sp)
{
	bool is_wide = word >> 31 != 0;
	bool is_subtraction = BITS(word, 30, 1) != 0;
	bool with_flags = BITS(word, 29, 1) != 0;
	uint32_t number = BITS(word, 5, 5), to = BITS(word, 0, 5);
	uint64_t flags;
	uint64_t value = with_sp && number == 31 ? frame->sp
						 : source(frame, number, true);

	value = add(value, is_subtraction ? ~operand : operand, is_subtraction,
		    is_wide, &flags);
	if (with_flags) {
		set_flags(frame, flags);
	} else if (with_sp && to == 31) {
		frame->sp = value;
		frame->pc += 4;
		return true;
	}
	return put(frame, to, value, is_wide);
}

static bool bit_field(struct cz_frame *frame, uint32_t word)
{
	bool is_wide = word >> 31 != 0;
	uint32_t bits = is_wide ? 64 : 32;
	uint32_t operation = BITS(word, 29, 2);
	uint32_t rotate = BITS(word, 16, 6), last = BITS(word, 10, 6);
	uint64_t from = source(frame, BITS(word, 5, 5), is_wide);
	uint64_t to = source(frame, BITS(word, 0, 5), is_wide);
	uint32_t width, place;
	uint64_t mask, value;

	if (operation == 3 || BITS(word, 22, 1) != (word >> 31) ||
	    rotate >= bits || last >= bits) {
		return false;
	}
	width = last >= rotate ? last - rotate + 1 : last + 1;
	place = last >= rotate ? 0 : bits - rotate;
	mask = width == 64 ? ~0ull : (1ull << width) - 1;
	value = last >= rotate ? from >> rotate & mask : from & mask;
	if (operation == 0) {
		value = sign_extend(value, width) << place;
	} else if (operation == 1) {
		value = (to & ~(mask << place)) | value << place;
	} else {
		value <<= place;
	}
	return put(frame, BITS(word, 0, 5), value, is_wide);
}

static bool move_wide(struct cz_frame *frame, uint32_t word)
{
	bool is_wide = word >> 31 != 0;
	uint32_t operation = BITS(word, 29, 2), shift = 16 * BITS(word, 21, 2);
	uint32_t to = BITS(word, 0, 5);
	uint64_t value = (uint64_t)BITS(word, 5, 16) << shift;

	if (operation == 1 || (!is_wide && shift > 16)) {
		return false;
	}
	if (operation == 0) {
		value = ~value;
	} else if (operation == 3) {
		value |= source(frame, to, true) & ~(0xffffull << shift);
	}
	return put(frame, to, value, is_wide);
}

/* Data processing, immediate: 100x at 28:25. */
static bool immediate(struct cz_frame *frame, uint32_t word)
{
	uint64_t value = BITS(word, 10, 12);

	switch (BITS(word, 23, 3)) {
	case 0:
	case 1: /* ADR, ADRP */
		value = sign_extend((uint64_t)BITS(word, 5, 19) << 2 |
					    BITS(word, 29, 2),
				    21);
		if (word >> 31 != 0) {
			value = (frame->pc & ~0xfffull) + (value << 12);
		} else {
			value += frame->pc;
		}
		return put(frame, BITS(word, 0, 5), value, true);
	case 2:
		return arithmetic(frame, word,
				  BITS(word, 22, 1) != 0 ? value << 12 : value,
				  true);
	case 4:
		if (!bit_mask(BITS(word, 22, 1), BITS(word, 10, 6),
			      BITS(word, 16, 6), word >> 31 != 0, &value)) {
			return false;
		}
		if (BITS(word, 29, 2) != 3 && BITS(word, 0, 5) == 31) {
			return false; /* the destination is sp */
		}
		return logical(frame, word, value);
	case 5:
		return move_wide(frame, word);
	case 6:
		return bit_field(frame, word);
	default:
		return false;
	}
}

static bool jump(struct cz_frame *frame, bool is_taken, uint64_t distance)
{
	frame->pc += is_taken ? distance : 4;
	return true;
}

static bool branch_register(struct cz_frame *frame, uint32_t word)
{
	uint32_t operation = BITS(word, 21, 4);
	uint64_t to = source(frame, BITS(word, 5, 5), true);

	if (operation > 2 || (word & 0xfe1ffc1f) != 0xd61f0000) {
		return false;
	}
	if (operation == 1) {
		frame->x[30] = frame->pc + 4;
	}
	frame->pc = to;
	return true;
}

/* Branches and system instructions: 101x at 28:25. */
static bool branch(struct cz_frame *frame, uint32_t word)
{
	uint64_t far = sign_extend(BITS(word, 0, 26), 26) * 4;
	uint64_t near = sign_extend(BITS(word, 5, 19), 19) * 4;
	uint64_t value = source(frame, BITS(word, 0, 5), word >> 31 != 0);
	uint32_t bit = word >> 31 << 5 | BITS(word, 19, 5);

	if (BITS(word, 26, 5) == 0x05) { /* B, BL */
		if (word >> 31 != 0) {
			frame->x[30] = frame->pc + 4;
		}
		return jump(frame, true, far);
	}
	if (BITS(word, 25, 6) == 0x1a) { /* CBZ, CBNZ */
		return jump(frame, (value == 0) == (BITS(word, 24, 1) == 0),
			    near);
	}
	if (BITS(word, 25, 6) == 0x1b) { /* TBZ, TBNZ */
		value = source(frame, BITS(word, 0, 5), true) >> bit & 1;
		return jump(frame, value == BITS(word, 24, 1),
			    sign_extend(BITS(word, 5, 14), 14) * 4);
	}
	if (word >> 24 == 0x54 && BITS(word, 4, 1) == 0) {
		return jump(frame, holds(frame->pstate, BITS(word, 0, 4)),
			    near);
	}
	/* Barriers, and hints that have no effect here (NOP, BTI). */
	if (word == 0xd503201f || (word & 0xffffff3f) == 0xd503241f ||
	    (word & 0xfffff09f) == 0xd503309f) {
		return jump(frame, false, 0);
	}
	return branch_register(frame, word);
}

static bool extended(struct cz_frame *frame, uint32_t word)
{
	uint32_t option = BITS(word, 13, 3), shift = BITS(word, 10, 3);
	uint32_t bits = 8u << (option & 3);
	uint64_t value = source(frame, BITS(word, 16, 5), true);

	if (BITS(word, 22, 2) != 0 || shift > 4) {
		return false;
	}
	if (bits < 64) {
		value &= (1ull << bits) - 1;
	}
	if ((option & 4) != 0) {
		value = sign_extend(value, bits);
	}
	return arithmetic(frame, word, value << shift, true);
}

static bool shifted_register(struct cz_frame *frame, uint32_t word)
{
	bool is_wide = word >> 31 != 0;
	bool is_arithmetic = BITS(word, 24, 1) != 0;
	uint32_t type = BITS(word, 22, 2), amount = BITS(word, 10, 6);
	uint64_t value;

	if (is_arithmetic && BITS(word, 21, 1) != 0) {
		return extended(frame, word);
	}
	if ((is_arithmetic && type == 3) || (!is_wide && amount > 31)) {
		return false;
	}
	value = shifted(source(frame, BITS(word, 16, 5), true), type, amount,
			is_wide);
	if (is_arithmetic) {
		return arithmetic(frame, word, value, false);
	}
	return logical(frame, word, BITS(word, 21, 1) != 0 ? ~value : value);
}

static bool select_or_compare(struct cz_frame *frame, uint32_t word)
{
	bool is_wide = word >> 31 != 0;
	bool is_met = holds(frame->pstate, BITS(word, 12, 4));
	uint64_t second = source(frame, BITS(word, 16, 5), is_wide);
	uint64_t first = source(frame, BITS(word, 5, 5), is_wide);
	uint64_t flags = (uint64_t)BITS(word, 0, 4) << 28;

	if (BITS(word, 21, 8) == 0xd4 && BITS(word, 11, 1) == 0 &&
	    BITS(word, 29, 1) == 0) { /* CSEL, CSINC, CSINV, CSNEG */
		if (is_met) {
			return put(frame, BITS(word, 0, 5), first, is_wide);
		}
		second = BITS(word, 30, 1) != 0 ? ~second : second;
		return put(frame, BITS(word, 0, 5), second + BITS(word, 10, 1),
			   is_wide);
	}
	if (BITS(word, 21, 8) == 0xd2 && BITS(word, 10, 1) == 0 &&
	    BITS(word, 4, 1) == 0 && BITS(word, 29, 1) != 0) { /* CCMP, CCMN */
		bool is_subtraction = BITS(word, 30, 1) != 0;

		if (BITS(word, 11, 1) != 0) {
			second = BITS(word, 16, 5);
		}
		if (is_met) {
			(void)add(first, is_subtraction ? ~second : second,
				  is_subtraction, is_wide, &flags);
		}
		set_flags(frame, flags);
		frame->pc += 4;
		return true;
	}
	return false;
}

static bool multiply_or_shift(struct cz_frame *frame, uint32_t word)
{
	bool is_wide = word >> 31 != 0;
	uint64_t first = source(frame, BITS(word, 5, 5), is_wide);
	uint64_t second = source(frame, BITS(word, 16, 5), is_wide);
	uint64_t third = source(frame, BITS(word, 10, 5), is_wide);

	if ((word & 0x7fe00000) == 0x1b000000) { /* MADD, MSUB */
		uint64_t product = first * second;

		return put(frame, BITS(word, 0, 5),
			   BITS(word, 15, 1) != 0 ? third - product
						  : third + product,
			   is_wide);
	}
	if ((word & 0x7fe0f000) == 0x1ac02000) { /* LSLV, LSRV, ASRV, RORV */
		return put(frame, BITS(word, 0, 5),
			   shifted(first, BITS(word, 10, 2),
				   (uint32_t)second & (is_wide ? 63 : 31),
				   is_wide),
			   is_wide);
	}
	return select_or_compare(frame, word);
}

bool a64_step(struct cz_frame *frame, uint32_t instruction)
{
	switch (BITS(instruction, 25, 4)) {
	case 8:
	case 9:
		return immediate(frame, instruction);
	case 10:
	case 11:
		return branch(frame, instruction);
	case 5: /* data processing, register */
	case 13:
		return BITS(instruction, 28, 1) == 0
			       ? shifted_register(frame, instruction)
			       : multiply_or_shift(frame, instruction);
	default:
		return false;
	}
}
