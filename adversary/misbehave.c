/* SPDX-License-Identifier: MIT */
/*
 * The table of all misbehaviours that have a name. Each does one thing, and
 * returns if the system has let that happen.
 */
#include "misbehave.h"

#include "affinity.h"
#include "flash.h"
#include "hang.h"
#include "leave.h"
#include "registers.h"
#include "touch.h"
#include <stdbool.h>

#define NOT_SUPPORTED UINT64_MAX /* result of an unknown SMCCC function */
#define SIZE_EXCESS 4096u
#define STALE_BYTES 16u
#define VICTIM_BYTES 64u
#define LEAVE(name) (1ull << ADVERSARY_LEAVE_##name)

static const struct caller *caller;
static uint8_t *stale;

/* Wraps statements that return nothing in a function for the table. */
#define DOES(name, ...)                          \
	static uint64_t name(uint64_t parameter) \
	{                                        \
		(void)parameter;                 \
		__VA_ARGS__;                     \
		return CZ_EFI_SUCCESS;           \
	}

DOES(do_hang_masked, hang_masked())
DOES(do_wait, wait_for_ever())
DOES(do_wait_masked, wait_masked())
DOES(do_late, spin_loop(parameter / 2))
DOES(do_mask, mask_loop(parameter / 2))
DOES(do_null_read, touch_read(0))
DOES(do_null_write, touch_write(0))
DOES(do_null_execute, touch_execute(0))
DOES(do_read, touch_read(parameter))
DOES(do_write, touch_write(parameter))
DOES(do_execute, touch_execute(parameter))
DOES(do_code_write, touch_write((uintptr_t)&touch_code))
DOES(do_data_execute, touch_execute((uintptr_t)&touch_data))
DOES(do_undefined, touch_undefined(0))
DOES(do_brk, touch_brk(0))
DOES(do_svc, touch_svc(0))
DOES(do_branch, branch_unmarked())
DOES(do_sp, misalign_stack())
DOES(do_pc, touch_execute((uintptr_t)&touch_code + 2))
DOES(do_illegal_state, enter_illegal_state())
DOES(do_overflow, overflow_stack())
DOES(do_sve, touch_sve(0))
DOES(do_return_streaming, __asm__ volatile(".inst 0xd503477f")) /* smstart */
DOES(do_fp_off, touch_fp_off(), touch_fp(0))
DOES(do_return_masked, leave_order.what = LEAVE(DAIF))
DOES(do_return_spsel, leave_order.what = LEAVE(SPSEL))
DOES(do_return_fpcr, leave_order.what = LEAVE(FPCR))
DOES(do_return_tpidr, leave_order.what = LEAVE(TPIDR_EL0))
DOES(do_return_sp, leave_order.what = LEAVE(SP))

static uint64_t do_poll(uint64_t instructions)
{
	return affinity_run(instructions, &affinity_record);
}

static uint64_t do_device_unaligned(uint64_t unused)
{
	(void)unused;
	if (driver.device == 0) {
		return CZ_EFI_UNSUPPORTED;
	}
	touch_read(driver.device + 1);
	return CZ_EFI_SUCCESS;
}

static uint64_t do_hvc(uint64_t id)
{
	return call_hvc(id) == NOT_SUPPORTED ? CZ_EFI_SUCCESS
					     : CZ_EFI_DEVICE_ERROR;
}

static uint64_t do_smc(uint64_t id)
{
	return call_smc(id) == NOT_SUPPORTED ? CZ_EFI_SUCCESS
					     : CZ_EFI_DEVICE_ERROR;
}

static uint64_t do_sign(uint64_t unused)
{
	(void)unused;
	return sign_wrongly() == 0 ? CZ_EFI_UNSUPPORTED : CZ_EFI_SUCCESS;
}

static uint64_t do_return_x(uint64_t number)
{
	if (number < 18 || number > 29) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	leave_order.what = 1ull << ADVERSARY_LEAVE_X(number);
	return CZ_EFI_SUCCESS;
}

static uint64_t do_return_v(uint64_t number)
{
	if (number < 8 || number > 15) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	leave_order.what = 1ull << ADVERSARY_LEAVE_D(number);
	return CZ_EFI_SUCCESS;
}

/* Leaves `what` changed, and runs so many instructions before it returns.
 * Without any, it also masks interrupts, so that none can come before the
 * return. */
static uint64_t clobber(uint64_t what, uint64_t instructions)
{
	leave_order.what = what | (instructions == 0 ? LEAVE(DAIF) : 0);
	leave_order.iterations = instructions / 2;
	return CZ_EFI_SUCCESS;
}

static uint64_t do_clobber_tpidr(uint64_t instructions)
{
	return clobber(LEAVE(TPIDR_EL1), instructions);
}

static uint64_t do_clobber_vbar(uint64_t instructions)
{
	return clobber(LEAVE(VBAR), instructions);
}

static uint64_t do_clobber_sctlr(uint64_t instructions)
{
	return clobber(LEAVE(SCTLR), instructions);
}

static uint64_t do_clobber_ttbr(uint64_t instructions)
{
	return clobber(LEAVE(ASID), instructions);
}

static uint64_t do_past_buffer(uint64_t bytes)
{
	volatile uint8_t *end = caller->data + caller->size;

	if (caller->data == NULL) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	for (uint64_t i = 0; i < bytes; i++) {
		end[i] = 0;
	}
	return CZ_EFI_SUCCESS;
}

static uint64_t do_size(uint64_t unused)
{
	(void)unused;
	if (!caller->reads) {
		return CZ_EFI_UNSUPPORTED;
	}
	*caller->size_out = caller->size + SIZE_EXCESS;
	return CZ_EFI_SUCCESS;
}

static uint64_t do_status(uint64_t status)
{
	return status;
}

static uint64_t do_stale(uint64_t unused)
{
	(void)unused;
	stale = caller->data;
	return caller->data == NULL ? CZ_EFI_INVALID_PARAMETER : CZ_EFI_SUCCESS;
}

void misbehave_later(void)
{
	volatile uint8_t *to = stale;

	stale = NULL;
	for (uint32_t i = 0; to != NULL && i < STALE_BYTES; i++) {
		to[i] = 0;
	}
}

static void corrupt(void *what, uint64_t size)
{
	volatile uint8_t *byte = what;

	while (size-- > 0) {
		*byte++ ^= 0x55;
	}
}

static uint64_t do_corrupt(uint64_t unused)
{
	(void)unused;
	corrupt(&registers_record, sizeof(registers_record));
	corrupt(&affinity_record, sizeof(affinity_record));
	touch_read(0);
	return CZ_EFI_SUCCESS;
}

static uint64_t do_flash_fault(uint64_t number)
{
	return flash_go_wrong(driver.next_set_variable, number, false);
}

static uint64_t do_flash_hang(uint64_t number)
{
	return flash_go_wrong(driver.next_set_variable, number, true);
}

/* Calls GetVariable through the runtime services table, which calls this driver
 * again, and directly; and GetTime through the table. */
static uint64_t do_reenter(uint64_t unused)
{
	static const struct cz_efi_guid global = {
		0x8be4df61,
		0x93ca,
		0x11d2,
		{0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};
	efi_get_variable *get =
		(efi_get_variable *)driver.runtime->get_variable;
	efi_get_time *get_time = (efi_get_time *)driver.runtime->get_time;
	uint8_t a[VICTIM_BYTES] = {0}, b[VICTIM_BYTES] = {0};
	uint64_t a_size = sizeof(a), b_size = sizeof(b);
	struct cz_efi_time time;
	bool same;

	(void)unused;
	same = get(u"SetupMode", &global, NULL, &a_size, a) ==
		       driver.next_get_variable(u"SetupMode", &global, NULL,
						&b_size, b) &&
	       a_size == b_size;
	for (uint32_t i = 0; i < sizeof(a); i++) {
		same = same && a[i] == b[i];
	}
	return same && get_time(&time, NULL) == CZ_EFI_SUCCESS ? CZ_EFI_SUCCESS
							       : CZ_EFI_ABORTED;
}

struct misbehaviour {
	const char *name;
	const char *parameter; /* its meaning; NULL if it takes none */
	uint64_t (*run)(uint64_t parameter);
	const char *help;
};

static const struct misbehaviour misbehaviours[] = {
	{"Hang", NULL, hang, "loops for ever"},
	{"HangMasked", NULL, do_hang_masked,
	 "loops for ever with interrupts masked"},
	{"Wfi", NULL, do_wait, "waits for interrupts for ever"},
	{"WfiMasked", NULL, do_wait_masked,
	 "waits for ever with interrupts masked"},
	{"Late", "instructions", do_late, "takes that long, then succeeds"},
	{"MaskIrq", "instructions", do_mask, "masks interrupts for that long"},
	{"Poll", "instructions", do_poll,
	 "polls for that long; fails if moved to another CPU"},
	{"NullRead", NULL, do_null_read, "reads address 0"},
	{"NullWrite", NULL, do_null_write, "writes address 0"},
	{"NullExecute", NULL, do_null_execute, "calls address 0"},
	{"Read", "address", do_read, "reads 4 bytes"},
	{"Write", "address", do_write, "writes 4 zero bytes"},
	{"Execute", "address", do_execute, "calls that address"},
	{"CodeWrite", NULL, do_code_write, "writes to its own code"},
	{"DataExecute", NULL, do_data_execute,
	 "calls a RET instruction in its own data"},
	{"DeviceUnaligned", NULL, do_device_unaligned,
	 "reads 4 bytes at offset 1 of a device"},
	{"Undefined", NULL, do_undefined, "executes UDF"},
	{"Brk", NULL, do_brk, "executes BRK"},
	{"Svc", NULL, do_svc, "executes SVC"},
	{"Hvc", "function", do_hvc,
	 "makes that HVC; succeeds if it is NOT_SUPPORTED"},
	{"Smc", "function", do_smc,
	 "makes that SMC; succeeds if it is NOT_SUPPORTED"},
	{"PacFail", NULL, do_sign,
	 "returns to an address with a wrong signature"},
	{"Bti", NULL, do_branch, "branches to a target without BTI"},
	{"SpMisaligned", NULL, do_sp, "loads from a misaligned stack pointer"},
	{"PcMisaligned", NULL, do_pc, "calls a misaligned address"},
	{"IllegalState", NULL, do_illegal_state,
	 "executes ERET to a mode that does not exist"},
	{"StackOverflow", NULL, do_overflow, "pushes until it faults"},
	{"Sve", NULL, do_sve, "executes an SVE instruction"},
	{"FpOff", NULL, do_fp_off, "switches FP/SIMD off, then uses it"},
	{"ReturnMasked", NULL, do_return_masked, "leaves interrupts masked"},
	{"ReturnSpsel", NULL, do_return_spsel, "leaves SPSel changed"},
	{"ReturnFpcr", NULL, do_return_fpcr, "leaves FPCR changed"},
	{"ReturnTpidr", NULL, do_return_tpidr, "leaves TPIDR_EL0 changed"},
	{"ReturnSp", NULL, do_return_sp, "leaves SP 64 bytes lower"},
	{"ReturnStreaming", NULL, do_return_streaming,
	 "leaves SME's streaming mode and ZA on"},
	{"ReturnX", "18 to 29", do_return_x, "leaves that register changed"},
	{"ReturnV", "8 to 15", do_return_v,
	 "leaves the low half of that register changed"},
	{"ClobberTpidr", "instructions", do_clobber_tpidr,
	 "changes TPIDR_EL1, runs that long, returns; 0: masks interrupts"},
	{"ClobberVbar", "instructions", do_clobber_vbar,
	 "does this with VBAR_EL1"},
	{"ClobberSctlr", "instructions", do_clobber_sctlr,
	 "does this with SCTLR_EL1.UMA"},
	{"ClobberTtbr", "instructions", do_clobber_ttbr,
	 "does this with the ASID in TTBR0_EL1"},
	{"PastBuffer", "bytes", do_past_buffer,
	 "writes beyond the end of the caller's buffer"},
	{"SizeTooLarge", NULL, do_size,
	 "GetVariable reports a size 4 KiB too large"},
	{"Status", "value", do_status, "returns that status"},
	{"StaleWrite", NULL, do_stale,
	 "makes the next call write to this call's buffer"},
	{"CorruptFault", NULL, do_corrupt,
	 "corrupts its own data, then faults"},
	{"FlashFault", "number", do_flash_fault,
	 "faults in that write to the flash (0: the last one); may destroy the "
	 "variable store"},
	{"FlashHang", "number", do_flash_hang,
	 "hangs in that write to the flash"},
	{"Reenter", NULL, do_reenter,
	 "calls services from within a service, and checks the results"},
};

#define COUNT (sizeof(misbehaviours) / sizeof(misbehaviours[0]))

/* Returns the rest of `text` after the misbehaviour's name; NULL if `text` is
 * another name. */
static const uint16_t *rest_after(const uint16_t *text, const char *name)
{
	while (*name != 0 && *text == (uint8_t)*name) {
		text++;
		name++;
	}
	return *name == 0 && (*text == 0 || *text == ':') ? text : NULL;
}

static bool read_number(const uint16_t *text, uint64_t *number)
{
	uint64_t base = 10;

	*number = 0;
	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	if (*text == 0) {
		return false;
	}
	for (; *text != 0; text++) {
		uint64_t digit = *text | (*text >= 'A' ? 0x20u : 0);

		digit = digit <= '9' ? digit - '0' : digit - 'a' + 10;
		if (digit >= base || *number > (UINT64_MAX - digit) / base) {
			return false;
		}
		*number = *number * base + digit;
	}
	return true;
}

uint64_t misbehave(const uint16_t *name, const struct caller *who)
{
	for (uint32_t i = 0; i < COUNT; i++) {
		const struct misbehaviour *one = &misbehaviours[i];
		const uint16_t *rest = rest_after(name, one->name);
		uint64_t parameter = 0;

		if (rest == NULL) {
			continue;
		}
		if ((*rest == ':') != (one->parameter != NULL) ||
		    (*rest == ':' && !read_number(rest + 1, &parameter))) {
			return CZ_EFI_INVALID_PARAMETER;
		}
		caller = who;
		return one->run(parameter);
	}
	return CZ_EFI_NOT_FOUND;
}

/* ---- the list ---- */

static uint64_t put(uint8_t *to, uint64_t room, uint64_t at, const char *text)
{
	for (; *text != 0; text++, at++) {
		if (at < room) {
			to[at] = (uint8_t)*text;
		}
	}
	return at;
}

uint64_t misbehave_list(uint8_t *to, uint64_t room)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < COUNT; i++) {
		const struct misbehaviour *one = &misbehaviours[i];

		at = put(to, room, at, one->name);
		if (one->parameter != NULL) {
			at = put(to, room, at, ":<");
			at = put(to, room, at, one->parameter);
			at = put(to, room, at, ">");
		}
		at = put(to, room, at, "\t");
		at = put(to, room, at, one->help);
		at = put(to, room, at, "\n");
	}
	return at;
}
