/* SPDX-License-Identifier: MIT */
/*
 * Emulates the instructions that sandboxed firmware, which was written for EL1,
 * executes and that EL0 may not execute. It decodes the instruction itself,
 * because the syndrome does not always identify it. Apart from WFI, WFE, HVC,
 * SMC and unaligned accesses to devices, it emulates what the table below
 * contains; any other instruction ends the call.
 */
#include "trap.h"
#include "../core.h"
#include "syndrome.h"

#define INSN_SYSTEM_MASK 0xffc00000u
#define INSN_SYSTEM 0xd5000000u
#define INSN_IS_READ (1u << 21)
#define INSN_WFE 0xd503205fu
#define INSN_WFI 0xd503207fu
#define INSN_CALL_MASK 0xffe0001fu
#define INSN_SVC 0xd4000001u
#define INSN_HVC 0xd4000002u
#define INSN_SMC 0xd4000003u

#define DAIF_BITS 0x3c0u
#define CURRENT_EL1 4u
#define SPSEL_BIT 1u
#define PAR_FAULT 0x80fu /* level 3 translation fault; bit 11 is RES1 */
#define PAR_WRITE_BACK (0xffull << 56)
#define TIMER_ENABLE 1u
#define TIMER_CONTROL 3u
#define TIMER_STATUS 4u
#define CTR_LINE(ctr) (4u << ((ctr) >> 16 & 15))
#define CCSIDR_SELECT 0xfu
#define PFR0 (4u * 8) /* ID_AA64PFR0_EL1 */
#define PFR0_EL0 0
#define PFR0_EL1 4
#define PFR0_CSV2 56
#define MMFR2 (7u * 8 + 2) /* ID_AA64MMFR2_EL1 */
#define MMFR2_CCIDX(mmfr2) ((mmfr2) >> 20 & 15)
/* The bits of the kernel's SCTLR_EL1 that firmware sees, because it may depend
 * on them: MMU, alignment checks, caches, stack alignment, WXN. */
#define SCTLR_SHOWN                                              \
	((1ull << 0) | (1ull << 1) | (1ull << 2) | (1ull << 3) | \
	 (1ull << 12) | (1ull << 19))

/* ---- One trapped access ---- */

struct trap {
	struct cz *cz;
	struct virtual_machine *virtual;
	uint16_t key;
	uint8_t immediate; /* CRm of an MSR with an immediate */
	uint64_t value; /* the value that is written, or the result of a read */
};

/* op0, op1, CRn, CRm and op2, as in bits 20 to 5 of the instruction. */
#define KEY(op0, op1, crn, crm, op2)                                      \
	((uint16_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | \
		    (op2)))
#define ANY_CRM 0x0078u
#define ANY_OP2 0x0007u
#define KEY_CRM(key) ((key) >> 3 & 15)
#define KEY_OP2(key) ((key)&7)

typedef bool emulate_access(struct trap *trap);

struct emulation {
	uint16_t key;
	uint16_t any; /* bits of the key that are not compared */
	enum cz_trap kind;
	emulate_access *read; /* NULL: not allowed */
	emulate_access *write; /* NULL: not allowed */
};

/* ---- Interrupt mask and state ---- */

static bool read_daif(struct trap *trap)
{
	trap->value = trap->virtual->daif;
	return true;
}

static bool write_daif(struct trap *trap)
{
	cz_mask_write(trap->cz, trap->value & DAIF_BITS);
	return true;
}

static bool set_daif(struct trap *trap)
{
	cz_mask_write(trap->cz,
		      trap->virtual->daif | (uint64_t)trap->immediate << 6);
	return true;
}

static bool clear_daif(struct trap *trap)
{
	cz_mask_write(trap->cz,
		      trap->virtual->daif & ~((uint64_t)trap->immediate << 6));
	return true;
}

static bool read_current_el(struct trap *trap)
{
	trap->value = CURRENT_EL1;
	return true;
}

static bool read_spsel(struct trap *trap)
{
	trap->value = trap->virtual->spsel;
	return true;
}

static bool write_spsel(struct trap *trap)
{
	trap->virtual->spsel = trap->value & SPSEL_BIT;
	return true;
}

static bool set_spsel(struct trap *trap)
{
	trap->virtual->spsel = trap->immediate & SPSEL_BIT;
	return true;
}

/* ---- ID registers: their real values, reduced to what EL0 can use here
 * ---- */

struct shown_fields {
	uint8_t number; /* CRm * 8 + op2 */
	uint64_t bits;
};

/* The fields that firmware sees. All others read as zero: features that need a
 * register or an instruction of EL1 (GIC, RAS, NMI, GCS, PAN, UAO), features
 * that the host does not enable for it (SVE, SME, MTE, MOPS, LS64, TME,
 * SPECRES), pointer authentication, which would use the host's keys, AArch32,
 * and fields that future architectures define. */
static const struct shown_fields shown[] = {
	/* PFR0: EL0, EL1, FP, AdvSIMD, DIT, CSV2, CSV3 */
	{4 * 8 + 0, 0xff0f000000ff00ffull},
	{4 * 8 + 1, 0x00000000000000ffull}, /* PFR1: BT, SSBS */
	{5 * 8 + 0, 0x000000000000000full}, /* DFR0: which debug architecture */
	{6 * 8 + 0, 0xfffffffff0fffff0ull}, /* ISAR0: all but TME */
	/* ISAR1: DPB, JSCVT, FCMA, LRCPC, FRINTTS, SB, BF16, DGH, I8MM, XS */
	{6 * 8 + 1, 0x0ffff0ff00fff00full},
	/* ISAR2: WFxT, RPRES, BC, CLRBHB, PRFMSLC, RPRFM, CSSC, LUT */
	{6 * 8 + 2, 0x0fff0f00f0f000ffull},
	/* MMFR0: PARange, ASIDBits, TGran16, TGran64, TGran4 */
	{7 * 8 + 0, 0x00000000fff000ffull},
	{7 * 8 + 1, 0x0000f0f000000000ull}, /* MMFR1: ETS, AFP */
	{7 * 8 + 2, 0x0000000f00ff0000ull}, /* MMFR2: VARange, CCIDX, AT */
};

/* Returns which bits of an ID register with CRm 1 to 7 firmware sees. */
static uint64_t shown_bits(uint32_t number)
{
	for (uint32_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (shown[i].number == number) {
			return shown[i].bits;
		}
	}
	return 0;
}

static uint64_t at_most_1(uint64_t value, unsigned shift)
{
	return (value >> shift & 15) > 1
		       ? (value & ~(15ull << shift)) | 1ull << shift
		       : value;
}

/* Hides AArch32 at EL0 and EL1, and SCXTNUM_EL1: values above 1 in these fields
 * of ID_AA64PFR0_EL1 (EL0, EL1, CSV2) would announce them. */
static uint64_t hide_in_pfr0(uint64_t value)
{
	value = at_most_1(value, PFR0_EL0);
	value = at_most_1(value, PFR0_EL1);
	return at_most_1(value, PFR0_CSV2);
}

static bool read_identification(struct trap *trap)
{
	uint32_t number = KEY_CRM(trap->key) * 8u + KEY_OP2(trap->key);

	/* Of the first eight only MIDR, MPIDR and REVIDR exist; all others may
	 * be read. */
	if (number >= 64 ||
	    (number < 8 && number != 0 && number != 5 && number != 6)) {
		return false;
	}
	trap->value = cz_machine_identification(number);
	if (number >= 8) {
		trap->value &= shown_bits(number);
	}
	if (number == PFR0) {
		trap->value = hide_in_pfr0(trap->value);
	}
	return true;
}

static bool read_cache_level(struct trap *trap)
{
	trap->value = cz_machine_read(CZ_MACHINE_CLIDR);
	return true;
}

/* Returns whether the CPU has a cache of that level and kind. Without one,
 * reading its registers may be undefined. */
static bool has_cache(uint64_t select)
{
	uint64_t levels = cz_machine_read(CZ_MACHINE_CLIDR);
	uint64_t kinds = select >> 1 < 7 ? levels >> 3 * (select >> 1) & 7 : 0;

	return (select & 1) != 0 ? kinds == 1 || kinds == 3 : kinds >= 2;
}

static bool read_cache_size(struct trap *trap)
{
	bool second = KEY_OP2(trap->key) == 2;
	uint64_t select = trap->virtual->cache_select;

	if (second && MMFR2_CCIDX(cz_machine_identification(MMFR2)) == 0) {
		return false;
	}
	trap->value =
		has_cache(select) ? cz_machine_cache_size(select, second) : 0;
	return true;
}

static bool read_cache_select(struct trap *trap)
{
	trap->value = trap->virtual->cache_select;
	return true;
}

static bool write_cache_select(struct trap *trap)
{
	trap->virtual->cache_select = trap->value & CCSIDR_SELECT;
	return true;
}

static bool read_cache_type(struct trap *trap)
{
	trap->value = cz_machine_read(CZ_MACHINE_CTR);
	return true;
}

/* ---- System registers ---- */

static bool read_sctlr(struct trap *trap)
{
	trap->value = cz_machine_read(CZ_MACHINE_SCTLR) & SCTLR_SHOWN;
	return true;
}

static bool read_cpacr(struct trap *trap)
{
	trap->value = cz_machine_read(CZ_MACHINE_CPACR);
	return true;
}

static bool read_tcr(struct trap *trap)
{
	trap->value = cz_machine_read(CZ_MACHINE_TCR);
	return true;
}

static bool read_mair(struct trap *trap)
{
	trap->value = cz_machine_read(CZ_MACHINE_MAIR);
	return true;
}

/* Hides the addresses of the kernel's page tables and vectors. */
static bool read_zero(struct trap *trap)
{
	trap->value = 0;
	return true;
}

static bool read_thread(struct trap *trap)
{
	trap->value = trap->virtual->thread;
	return true;
}

static bool write_thread(struct trap *trap)
{
	trap->virtual->thread = trap->value;
	return true;
}

/* ---- Translation and caches ---- */

static bool read_translation(struct trap *trap)
{
	trap->value = trap->virtual->translation;
	return true;
}

/* Emulates AT with the translations of firmware's regions. */
static bool translate(struct trap *trap)
{
	uint64_t page = trap->value & ~(uint64_t)(CZ_PAGE - 1);
	const struct cz_region *region = cz_find_region(trap->cz, page);

	trap->virtual->translation = PAR_FAULT;
	if (region != NULL) {
		trap->virtual
			->translation = cz_physical_of(region, page) |
					(region->type == CZ_MEMORY_WRITE_BACK
						 ? PAR_WRITE_BACK
						 : 0);
	}
	return true;
}

/* TLB maintenance and cache maintenance by set and way. Firmware at EL0 does
 * not need them, and they would affect everything that runs on this CPU. */
static bool do_nothing(struct trap *trap)
{
	(void)trap;
	return true;
}

static bool invalidate_code(struct trap *trap)
{
	(void)trap;
	cz_machine_invalidate_code();
	return true;
}

/* Cache maintenance by address. Cleans and invalidates the line, even if
 * firmware asks only for invalidation, so that data that the host wrote is not
 * lost. Addresses outside firmware's regions are refused. */
static bool clean(struct trap *trap)
{
	const struct cz_region *region = cz_find_region(trap->cz, trap->value);
	uint64_t line = CTR_LINE(cz_machine_read(CZ_MACHINE_CTR));
	const uint8_t *alias;
	uint64_t at;

	if (trap->value - trap->cz->window_address <
	    trap->cz->window_pages * CZ_PAGE) {
		return true; /* no device reads stack and arguments */
	}
	if (region == NULL || region->type == CZ_MEMORY_DEVICE) {
		return region != NULL;
	}
	at = cz_physical_of(region, trap->value & ~(line - 1));
	alias = cz_host_firmware_alias(trap->cz->host, at, 1);
	if (alias == NULL) {
		return false;
	}
	cz_machine_clean_line(alias);
	return true;
}

/* ---- Counter and timers. The timers count, but never interrupt ---- */

static bool read_frequency(struct trap *trap)
{
	trap->value = cz_machine_read(CZ_MACHINE_FREQUENCY);
	return true;
}

static uint64_t count_of(const struct trap *trap)
{
	return cz_machine_read(KEY_CRM(trap->key) == 3
				       ? CZ_MACHINE_VIRTUAL_COUNT
				       : CZ_MACHINE_PHYSICAL_COUNT);
}

static bool read_counter(struct trap *trap)
{
	trap->value = cz_machine_read(KEY_OP2(trap->key) == 1
					      ? CZ_MACHINE_PHYSICAL_COUNT
					      : CZ_MACHINE_VIRTUAL_COUNT);
	return true;
}

static struct virtual_timer *timer_of(struct trap *trap)
{
	return &trap->virtual->timer[KEY_CRM(trap->key) == 3];
}

static bool read_timer(struct trap *trap)
{
	const struct virtual_timer *timer = timer_of(trap);
	uint64_t left = timer->compare - count_of(trap);

	switch (KEY_OP2(trap->key)) {
	case 0:
		trap->value = (uint32_t)left;
		return true;
	case 1:
		trap->value = timer->control;
		if ((timer->control & TIMER_ENABLE) != 0 &&
		    (int64_t)left <= 0) {
			trap->value |= TIMER_STATUS;
		}
		return true;
	case 2:
		trap->value = timer->compare;
		return true;
	default:
		return false;
	}
}

static bool write_timer(struct trap *trap)
{
	struct virtual_timer *timer = timer_of(trap);

	switch (KEY_OP2(trap->key)) {
	case 0:
		timer->compare = count_of(trap) +
				 (uint64_t)(int64_t)(int32_t)trap->value;
		return true;
	case 1:
		timer->control = trap->value & TIMER_CONTROL;
		return true;
	case 2:
		timer->compare = trap->value;
		return true;
	default:
		return false;
	}
}

/* ---- The table ---- */

static const struct emulation emulations[] = {
	/* DAIF, DAIFSet, DAIFClr */
	{KEY(3, 3, 4, 2, 1), 0, CZ_TRAP_MASK, read_daif, write_daif},
	{KEY(0, 3, 4, 0, 6), ANY_CRM, CZ_TRAP_MASK, NULL, set_daif},
	{KEY(0, 3, 4, 0, 7), ANY_CRM, CZ_TRAP_MASK, NULL, clear_daif},
	/* CurrentEL, SPSel */
	{KEY(3, 0, 4, 2, 2), 0, CZ_TRAP_STATE, read_current_el, NULL},
	{KEY(3, 0, 4, 2, 0), 0, CZ_TRAP_STATE, read_spsel, write_spsel},
	{KEY(0, 0, 4, 0, 5), ANY_CRM, CZ_TRAP_STATE, NULL, set_spsel},
	/* MIDR_EL1 and what follows; CCSIDR, CLIDR, CCSIDR2, AIDR, CSSELR,
	 * CTR */
	{KEY(3, 0, 0, 0, 0), ANY_CRM | ANY_OP2, CZ_TRAP_IDENTIFICATION,
	 read_identification, NULL},
	{KEY(3, 1, 0, 0, 0), 0, CZ_TRAP_IDENTIFICATION, read_cache_size, NULL},
	{KEY(3, 1, 0, 0, 1), 0, CZ_TRAP_IDENTIFICATION, read_cache_level, NULL},
	{KEY(3, 1, 0, 0, 2), 0, CZ_TRAP_IDENTIFICATION, read_cache_size, NULL},
	{KEY(3, 1, 0, 0, 7), 0, CZ_TRAP_IDENTIFICATION, read_zero, NULL},
	{KEY(3, 2, 0, 0, 0), 0, CZ_TRAP_IDENTIFICATION, read_cache_select,
	 write_cache_select},
	{KEY(3, 3, 0, 0, 1), 0, CZ_TRAP_IDENTIFICATION, read_cache_type, NULL},
	/* WFET, WFIT: with a timeout */
	{KEY(0, 3, 1, 0, 0), 1, CZ_TRAP_WAIT, NULL, do_nothing},
	/* SCTLR, CPACR, TTBR0, TTBR1, TCR, MAIR, VBAR, TPIDR */
	{KEY(3, 0, 1, 0, 0), 0, CZ_TRAP_SYSTEM, read_sctlr, NULL},
	{KEY(3, 0, 1, 0, 2), 0, CZ_TRAP_SYSTEM, read_cpacr, NULL},
	{KEY(3, 0, 2, 0, 0), 0, CZ_TRAP_SYSTEM, read_zero, NULL},
	{KEY(3, 0, 2, 0, 1), 0, CZ_TRAP_SYSTEM, read_zero, NULL},
	{KEY(3, 0, 2, 0, 2), 0, CZ_TRAP_SYSTEM, read_tcr, NULL},
	{KEY(3, 0, 10, 2, 0), 0, CZ_TRAP_SYSTEM, read_mair, NULL},
	{KEY(3, 0, 12, 0, 0), 0, CZ_TRAP_SYSTEM, read_zero, NULL},
	{KEY(3, 0, 13, 0, 4), 0, CZ_TRAP_SYSTEM, read_thread, write_thread},
	/* PAR, AT, TLBI with and without nXS */
	{KEY(3, 0, 7, 4, 0), 0, CZ_TRAP_TRANSLATION, read_translation, NULL},
	{KEY(1, 0, 7, 8, 0), ANY_OP2, CZ_TRAP_TRANSLATION, NULL, translate},
	{KEY(1, 0, 7, 9, 0), 1, CZ_TRAP_TRANSLATION, NULL, translate},
	{KEY(1, 0, 8, 0, 0), ANY_CRM | ANY_OP2, CZ_TRAP_TRANSLATION, NULL,
	 do_nothing},
	{KEY(1, 0, 9, 0, 0), ANY_CRM | ANY_OP2, CZ_TRAP_TRANSLATION, NULL,
	 do_nothing},
	/* IC IALLUIS, IALLU, IVAU */
	{KEY(1, 0, 7, 1, 0), 0, CZ_TRAP_CACHE, NULL, invalidate_code},
	{KEY(1, 0, 7, 5, 0), 0, CZ_TRAP_CACHE, NULL, invalidate_code},
	{KEY(1, 3, 7, 5, 1), 0, CZ_TRAP_CACHE, NULL, invalidate_code},
	/* DC IVAC, CVAC, CVAU, CVAP, CVADP, CIVAC; ISW, CSW, CISW */
	{KEY(1, 0, 7, 6, 1), 0, CZ_TRAP_CACHE, NULL, clean},
	{KEY(1, 3, 7, 10, 1), 0, CZ_TRAP_CACHE, NULL, clean},
	{KEY(1, 3, 7, 11, 1), 0, CZ_TRAP_CACHE, NULL, clean},
	{KEY(1, 3, 7, 12, 1), 0, CZ_TRAP_CACHE, NULL, clean},
	{KEY(1, 3, 7, 13, 1), 0, CZ_TRAP_CACHE, NULL, clean},
	{KEY(1, 3, 7, 14, 1), 0, CZ_TRAP_CACHE, NULL, clean},
	{KEY(1, 0, 7, 6, 2), 0, CZ_TRAP_CACHE, NULL, do_nothing},
	{KEY(1, 0, 7, 10, 2), 0, CZ_TRAP_CACHE, NULL, do_nothing},
	{KEY(1, 0, 7, 14, 2), 0, CZ_TRAP_CACHE, NULL, do_nothing},
	/* CNTFRQ, CNTPCT, CNTVCT; CNTP_*, CNTV_* */
	{KEY(3, 3, 14, 0, 0), 0, CZ_TRAP_TIMER, read_frequency, NULL},
	{KEY(3, 3, 14, 0, 1), 0, CZ_TRAP_TIMER, read_counter, NULL},
	{KEY(3, 3, 14, 0, 2), 0, CZ_TRAP_TIMER, read_counter, NULL},
	{KEY(3, 3, 14, 2, 0), ANY_OP2, CZ_TRAP_TIMER, read_timer, write_timer},
	{KEY(3, 3, 14, 3, 0), ANY_OP2, CZ_TRAP_TIMER, read_timer, write_timer},
};

static const struct emulation *find(uint16_t key)
{
	for (uint32_t i = 0; i < sizeof(emulations) / sizeof(emulations[0]);
	     i++) {
		if ((key & ~emulations[i].any) == emulations[i].key) {
			return &emulations[i];
		}
	}
	return NULL;
}

/* ---- Instructions ---- */

static void count(struct cz *cz, enum cz_trap kind)
{
	struct cz_service_stats *stats = cz_stats_in_flight(cz);

	if (stats != NULL) {
		stats->traps[kind]++;
	}
}

static bool emulate_system(struct cz *cz, struct cz_frame *frame,
			   uint32_t instruction)
{
	bool is_read = (instruction & INSN_IS_READ) != 0;
	uint32_t number = instruction & 31;
	struct trap trap = {
		.cz = cz,
		.virtual = &gate_of(cz)->virtual,
		.key = (uint16_t)(instruction >> 5),
		.immediate = instruction >> 8 & 15,
		.value = cz_frame_register(frame, number),
	};
	const struct emulation *emulation = find(trap.key);
	emulate_access *access = NULL;

	if (emulation != NULL) {
		access = is_read ? emulation->read : emulation->write;
	}
	if (access == NULL || !access(&trap)) {
		return false;
	}
	count(cz, emulation->kind);
	if (is_read) {
		cz_set_frame_register(frame, number, trap.value);
	}
	return true;
}

static bool emulate(struct cz *cz, struct cz_frame *frame, uint32_t instruction)
{
	uint32_t call = instruction & INSN_CALL_MASK;

	if ((instruction & INSN_SYSTEM_MASK) == INSN_SYSTEM) {
		if (instruction == INSN_WFI || instruction == INSN_WFE) {
			count(cz, CZ_TRAP_WAIT);
			return true;
		}
		return emulate_system(cz, frame, instruction);
	}
	if (call == INSN_HVC || call == INSN_SMC) {
		count(cz, CZ_TRAP_SECURE_CALL);
		cz_broker_call(cz, frame, instruction);
		return true;
	}
	return false;
}

bool cz_trap_fetch(const struct cz *cz, uint64_t pc, uint32_t *instruction)
{
	const struct cz_region *region = cz_find_region(cz, pc);
	const uint32_t *alias;

	if (pc - cz->window_address < CZ_PAGE && (pc & 3) == 0) {
		/* The trampoline's page is in no region of firmware's. */
		memcpy(instruction,
		       cz->trampoline.alias + (pc - cz->window_address), 4);
		return true;
	}
	if (region == NULL || (region->prot & CZ_PROT_EXEC) == 0 ||
	    (pc & 3) != 0) {
		return false;
	}
	alias = cz_host_firmware_alias(cz->host, cz_physical_of(region, pc), 4);
	if (alias == NULL) {
		return false;
	}
	*instruction = *alias;
	return true;
}

bool cz_trap_emulate(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		     uint64_t far)
{
	bool unaligned = EC(esr) == EC_DATA_ABORT_EL0 &&
			 FAULT_STATUS(esr) == FAULT_ALIGNMENT;
	uint32_t instruction;

	if (!unaligned && EC(esr) != EC_UNKNOWN && EC(esr) != EC_WAIT &&
	    EC(esr) != EC_SYSTEM) {
		return false;
	}
	if (!cz_trap_fetch(cz, frame->pc, &instruction)) {
		return false;
	}
	if (unaligned) {
		if (!cz_align_access(cz, frame, instruction, far)) {
			return false;
		}
		count(cz, CZ_TRAP_ALIGNMENT);
	} else if (!emulate(cz, frame, instruction)) {
		return false;
	}
	frame->pc += 4;
	return true;
}

/* ---- Descriptions of instructions ---- */

static char *put(char *at, const char *text)
{
	while (*text != '\0') {
		*at++ = *text++;
	}
	*at = '\0';
	return at;
}

static char *put_number(char *at, uint32_t number)
{
	if (number >= 10) {
		*at++ = (char)('0' + number / 10);
	}
	*at++ = (char)('0' + number % 10);
	*at = '\0';
	return at;
}

/* Writes a name like S3_0_C1_C0_0, which every assembler accepts. */
static char *put_system(char *at, uint32_t instruction)
{
	at = put_number(put(at, "S"), instruction >> 19 & 3);
	at = put_number(put(at, "_"), instruction >> 16 & 7);
	at = put_number(put(at, "_C"), instruction >> 12 & 15);
	at = put_number(put(at, "_C"), instruction >> 8 & 15);
	return put_number(put(at, "_"), instruction >> 5 & 7);
}

static void describe_system(uint32_t instruction, char *at)
{
	bool is_read = (instruction & INSN_IS_READ) != 0;

	if (is_read) {
		at = put_number(put(at, "MRS x"), instruction & 31);
		put_system(put(at, ", "), instruction);
	} else {
		at = put_system(put(at, "MSR "), instruction);
		put_number(put(at, ", x"), instruction & 31);
	}
}

struct instruction_name {
	uint32_t mask, value;
	const char *name;
};

void cz_trap_describe(uint32_t instruction, char text[CZ_INSTRUCTION_CHARS])
{
	static const struct instruction_name names[] = {
		{UINT32_MAX, INSN_WFE, "WFE"},
		{UINT32_MAX, INSN_WFI, "WFI"},
		{UINT32_MAX, 0xd69f03e0, "ERET"},
		{INSN_CALL_MASK, INSN_SVC, "SVC"},
		{INSN_CALL_MASK, INSN_HVC, "HVC"},
		{INSN_CALL_MASK, INSN_SMC, "SMC"},
		{0xffe0001f, 0xd4200000, "BRK"},
		{0xffe0001f, 0xd4400000, "HLT"},
		{0xffff0000, 0x00000000, "UDF"},
		{0x1e000000, 0x04000000, "SVE"},
		{0x0a000000, 0x08000000, "load or store"},
		{0x1c000000, 0x14000000, "branch"},
	};

	if ((instruction & INSN_SYSTEM_MASK) == INSN_SYSTEM &&
	    instruction != INSN_WFE && instruction != INSN_WFI) {
		describe_system(instruction, text);
		return;
	}
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((instruction & names[i].mask) == names[i].value) {
			put(text, names[i].name);
			return;
		}
	}
	put(text, "data processing");
}
