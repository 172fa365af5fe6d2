/* SPDX-License-Identifier: MIT */
/*
 * Runs sandboxed firmware that tries to escape: one instruction in each call,
 * with registers that point at everything the kernel has. Whatever the result
 * of the call, nothing of the kernel may change. The program checks that every
 * thousand instructions; after a difference it searches for the instruction
 * that caused it.
 */
#include "firmware/escape.h"
#include "lib/common.h"

#include <kernel/integrity.h>
#include <kernel/ktap.h>
#include <kernel/machine.h>
#include <kernel/mm.h>
#include <kernel/port.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define INTERVAL 1000u /* instructions between two checks */
#define RANDOM_WORDS 100000u /* unless words= says otherwise */
#define STUCK_NS 320000u
#define PRIORITY_WATCHDOG 60
#define STUB_AT ESCAPE_STUB_AT
#define POOL_AT 0x200u
#define REGISTERS 16u /* x0 to x15 hold the addresses */

#define INSN_NOP 0xd503201fu
#define INSN_RET 0xd65f03c0u
#define INSN_LDR_LITERAL 0x58000000u
#define INSN_WORDS(pool, at) ((((pool) - (at)) / 4) << 5)
#define INSN_SYSTEM 0xd5000000u

#define REFUSED UINT64_MAX /* NOT_SUPPORTED, as a status */

#define HVC(immediate) (0xd4000002u | (uint32_t)(immediate) << 5)
#define SMC(immediate) (0xd4000003u | (uint32_t)(immediate) << 5)
#define SVC(immediate) (0xd4000001u | (uint32_t)(immediate) << 5)

static struct {
	uint64_t targets[32]; /* addresses that firmware tries */
	uint32_t target_count;
	struct prng prng;
	uint64_t page, device; /* an unused page and an unused device */
	uint64_t executed;
	uint64_t returned, ended, stuck; /* results of the calls */
	uint64_t differences;
	bool stop;
} escape;

/* ---- One instruction ---- */

/* Writes code that loads the registers, executes the word and returns. */
static void write_stub(uint32_t word, const uint64_t *registers)
{
	uint8_t *page = firmware->trampoline.alias;
	uint32_t *code = (uint32_t *)(page + STUB_AT);

	memcpy(page + POOL_AT, registers, REGISTERS * sizeof(*registers));
	for (uint32_t i = 0; i < REGISTERS; i++) {
		code[i] = INSN_LDR_LITERAL | i |
			  INSN_WORDS(POOL_AT + 8 * i, STUB_AT + 4 * i);
	}
	code[REGISTERS] = word;
	code[REGISTERS + 1] = INSN_RET;
	cz_host_sync_code(firmware->host, page, PAGE_SIZE);
}

static cz_status execute_with(uint32_t word, const uint64_t *registers)
{
	cz_status status;

	write_stub(word, registers);
	status = cz_null_service(firmware, CZ_FOREVER);
	__atomic_fetch_add(&escape.executed, 1, __ATOMIC_RELAXED);
	switch (status) {
	case CZ_E_FAULT:
		escape.ended++;
		break;
	case CZ_E_ABORTED:
		escape.stuck++;
		break;
	default:
		escape.returned++;
		break;
	}
	return status;
}

/* Executes a word. The word alone decides what each register points at, so that
 * the same word always does the same. */
static void execute(uint32_t word)
{
	uint64_t registers[REGISTERS];

	for (uint32_t i = 0; i < REGISTERS; i++) {
		uint32_t target = (word * 2654435761u >> 8) + i * 7;

		registers[i] = escape.targets[target % escape.target_count];
	}
	(void)execute_with(word, registers);
}

/* Ends calls that do not return. */
static void watchdog_entry(void *argument)
{
	uint64_t last = 0;

	(void)argument;
	while (!__atomic_load_n(&escape.stop, __ATOMIC_ACQUIRE)) {
		uint64_t now =
			__atomic_load_n(&escape.executed, __ATOMIC_RELAXED);

		if (now == last && __atomic_load_n(&firmware->in_flight,
						   __ATOMIC_ACQUIRE) != NULL) {
			cz_abort_in_flight(firmware);
		}
		last = now;
		thread_sleep_until(tick_after_ns(STUCK_NS));
	}
}

/* ---- Sets of instructions ---- */

typedef uint32_t word_of(uint64_t number);

/* Every encoding of MRS, MSR, SYS, SYSL, hints and barriers, with x0. */
#define SYSTEM_WORDS (2ull << 16)

static uint32_t system_word(uint64_t number)
{
	return INSN_SYSTEM | (uint32_t)number << 5;
}

/* Returns a word for a number. The words are a mixture: arbitrary ones; loads
 * and stores; branches, exceptions and system instructions; data processing
 * with SIMD. */
static uint32_t random_word(uint64_t number)
{
	struct prng prng = escape.prng;
	uint32_t word;

	prng.state ^= (number + 1) * 0x9e3779b97f4a7c15ull;
	(void)prng_next(&prng);
	word = (uint32_t)prng_next(&prng);
	switch (prng_below(&prng, 8)) {
	case 0:
	case 1:
		return (word & ~(5u << 25)) | 4u << 25;
	case 2:
		return (word & ~(7u << 26)) | 5u << 26;
	case 3:
		return (word & ~(7u << 25)) | 7u << 25;
	default:
		return word;
	}
}

/* Executes some words. Returns false when something has changed. */
static bool run_some(word_of *word, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++) {
		execute(word(i));
	}
	return integrity_check();
}

/* Finds the word in a range that causes a difference. */
static void bisect(word_of *word, uint64_t first, uint64_t count)
{
	while (count > 1) {
		uint64_t half = count / 2;

		if (!run_some(word, first, half)) {
			count = half;
		} else {
			first += half;
			count -= half;
		}
	}
	if (run_some(word, first, 1)) {
		kprintf("# a second run changed nothing\n");
	} else {
		kprintf("# by instruction %08x\n", word(first));
	}
}

static void run_set(const char *name, word_of *word, uint64_t first,
		    uint64_t count)
{
	uint64_t before = escape.differences;

	for (uint64_t done = 0; done < count; done += INTERVAL) {
		uint64_t some =
			count - done < INTERVAL ? count - done : INTERVAL;

		if (!run_some(word, first + done, some)) {
			escape.differences++;
			bisect(word, first + done, some);
		}
		if (done / INTERVAL % 10 == 9) {
			progress(done + some, count);
		}
		if (escape.differences > before + 3) {
			break;
		}
	}
	ktap_result(escape.differences == before, name);
}

/* ---- Accesses to what the kernel has ---- */

struct access {
	const char *name;
	uint32_t word; /* at x0 */
};

static const struct access accesses[] = {
	{"LDRB", 0x39400001},  {"LDR", 0xf9400001},    {"LDXR", 0xc85f7c01},
	{"LDAR", 0xc8dffc01},  {"LDTR", 0xf8400801},   {"LDP", 0xa9400801},
	{"LDR q", 0x3dc00001}, {"STRB", 0x39000001},   {"STR", 0xf9000001},
	{"STLR", 0xc89ffc01},  {"STTR", 0xf8000801},   {"STP", 0xa9000801},
	{"STR q", 0x3d800001}, {"DC ZVA", 0xd50b7420}, {"BR", 0xd61f0000},
	{"BLR", 0xd63f0000},   {"RET x0", 0xd65f0000},
};

struct target {
	const char *name;
	uint64_t address;
};

static bool check_target(const struct target *target)
{
	uint64_t registers[REGISTERS] = {target->address};
	char name[96];
	bool right = true;

	for (size_t i = 0; i < sizeof(accesses) / sizeof(*accesses); i++) {
		cz_status status = execute_with(accesses[i].word, registers);

		if (status != CZ_E_FAULT) {
			kprintf("# %s: %s\n", accesses[i].name,
				cz_status_name(status));
			right = false;
		}
	}
	right = integrity_check() && right;
	escape.differences += !right;
	ksnprintf(name, sizeof(name), "escape: firmware has no access to %s",
		  target->name);
	ktap_result(right, name);
	return right;
}

static uint64_t word_in_bss;

static void check_accesses(void)
{
	static const char constant[] = "constant";
	uint64_t ttbr1, vbar;

	__asm__("mrs %0, ttbr1_el1" : "=r"(ttbr1));
	__asm__("mrs %0, vbar_el1" : "=r"(vbar));
	const struct target targets[] = {
		{"a free page", (uintptr_t)phys_to_virt(escape.page)},
		{"the kernel's code", (uintptr_t)check_accesses & ~3ull},
		{"the vectors", vbar},
		{"the kernel's constants", (uintptr_t)constant},
		{"the kernel's data", (uintptr_t)&word_in_bss},
		{"a kernel stack", (uintptr_t)__builtin_frame_address(0)},
		{"a page table",
		 (uintptr_t)phys_to_virt(ttbr1 & 0xfffffffff000)},
		{"the library's state", (uintptr_t)firmware},
		{"the stack of firmware, through the kernel's map",
		 (uintptr_t)firmware->stack.alias},
		{"a device of the kernel's", escape.device},
		{"an unmapped address of the kernel's half",
		 0xffffff0000000000},
		{"neither half of the address space", 0x0100000000000000},
		{"null", 0},
		{"the end of the address space", UINT64_MAX - 7},
	};

	/* Does not write twice to memory that firmware may write to. */
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		if (!check_target(&targets[i])) {
			return;
		}
	}
}

/* ---- SVC, HVC, SMC ---- */

static uint64_t calls_made;

/* Calls one id by all three instructions, with addresses of the kernel in the
 * argument registers. */
static void call_id(uint64_t id)
{
	static const uint32_t words[] = {SVC(0), HVC(0), SMC(0),     SVC(1),
					 HVC(1), SMC(1), SVC(0xffff)};
	uint64_t registers[REGISTERS] = {id};

	for (uint32_t i = 1; i < REGISTERS; i++) {
		registers[i] = escape.targets[i % escape.target_count];
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		(void)execute_with(words[i], registers);
		calls_made++;
	}
}

/* Calls `count` numbers of an owner's range, as SMC32 and SMC64, fast and
 * yielding. */
static void call_range(uint32_t owner, uint32_t first, uint32_t count)
{
	for (uint32_t number = first; number < first + count; number++) {
		uint32_t id = owner << 24 | number;

		call_id(id);
		call_id(id | 0x80000000u);
		call_id(id | 0xc0000000u);
		call_id(id | 0xffffffff00000000u | 0xc0000000u);
	}
}

/* Tries the worst ids alone and before the others: if a CPU started at a random
 * address, the program would not be able to report it. */
static bool check_refused(void)
{
	static const struct {
		uint64_t id, first;
	} worst[] = {
		{0xc4000003, 0xdead}, /* CPU_ON, of a CPU that does not exist */
		{0xc4000066, 0}, /* FFA_RXTX_MAP */
		{0xc4000073, 0}, /* FFA_MEM_SHARE */
	};
	uint64_t before = psci_passed_on();
	bool right = true;

	for (size_t i = 0; i < sizeof(worst) / sizeof(*worst); i++) {
		const uint64_t registers[REGISTERS] = {worst[i].id,
						       worst[i].first};

		right = execute_with(HVC(0), registers) == REFUSED &&
			execute_with(SMC(0), registers) == REFUSED && right;
	}
	right = psci_passed_on() == before && integrity_check() && right;
	escape.differences += !right;
	ktap_result(right, "escape: CPU_ON and shared memory are refused");
	return right;
}

static void check_calls(void)
{
	bool right = true;

	if (!check_refused()) {
		return;
	}

	for (uint32_t owner = 0; owner < 64; owner++) {
		call_range(owner, 0, owner == 4 ? 0x100 : 8);
		right = integrity_check() && right;
		if (owner % 8 == 7) {
			progress(owner + 1, 64);
		}
	}
	call_range(4, 0xff00, 0x100);
	right = integrity_check() && right;
	escape.differences += !right;
	kprintf("# %llu SVC, HVC and SMC calls\n",
		(unsigned long long)calls_made);
	ktap_result(right,
		    "escape: SVC, HVC and SMC of every class change nothing");
}

/* ---- The whole ---- */

static void add_target(uint64_t address)
{
	escape.targets[escape.target_count++] = address;
}

/* Collects addresses of the kernel, addresses of firmware, and plain numbers.
 *  */
static void find_targets(void)
{
	const struct cz_region *region = firmware->regions;
	uint64_t ttbr1, vbar;

	__asm__("mrs %0, ttbr1_el1" : "=r"(ttbr1));
	__asm__("mrs %0, vbar_el1" : "=r"(vbar));
	add_target((uintptr_t)find_targets);
	add_target((uintptr_t)&escape);
	add_target(vbar);
	add_target((uintptr_t)phys_to_virt(ttbr1 & 0xfffffffff000));
	add_target((uintptr_t)this_thread());
	add_target((uintptr_t)__builtin_frame_address(0));
	add_target((uintptr_t)firmware);
	add_target((uintptr_t)phys_to_virt(region->physical));
	add_target(region->address);
	add_target(firmware->regions[firmware->region_count / 2].address);
	add_target(firmware->window_address);
	add_target(firmware->stack_top - 64);
	add_target(machine.gic_distributor);
	add_target(machine.uart);
	add_target(0);
	add_target(UINT64_MAX);
	add_target(0x80000000);
	add_target(1);
	add_target(0xc4000003); /* CPU_ON */
}

/* Ends calls in every possible way, to learn which pages they use. */
static void learn(void)
{
	static const uint32_t words[] = {
		INSN_NOP,   0x00000000, SVC(1),	    0xd53b4220,
		0xd51b4220, 0x14000000, 0xd503207f, 0xf9000001,
		0xd4200000, 0x4e20dc20, 0xd51bd040,
	};

	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
			execute(words[i]);
		}
		progress((uint64_t)round, 20);
	}
}

static bool check_oracle(void)
{
	bool right = integrity_check();

	kprintf("# deliberate changes, which must be detected:\n");
	for (int i = 0; i < INTEGRITY_THING_COUNT; i++) {
		integrity_disturb((enum integrity_thing)i, false);
		if (integrity_check()) {
			kprintf("# deliberate change %d was not detected\n",
				i + 1);
			right = false;
		}
		integrity_disturb((enum integrity_thing)i, true);
		(void)integrity_check();
	}
	return right;
}

static void own_pages(const struct cz_host_pages *pages)
{
	integrity_own(pages->cookie, pages->count);
}

/* Records the kernel's pages that firmware may write to. */
static void own_given(void)
{
	own_pages(&firmware->stack);
	own_pages(&firmware->direct_request.pages);
	for (uint32_t i = 0; i < firmware->request_count; i++) {
		own_pages(&firmware->requests[i].pages);
	}
}

static bool begin(void)
{
	bool right, seen;

	find_targets();
	escape.page = pages_alloc(1);
	escape.device = (uintptr_t)device_map(machine.uart, PAGE_SIZE);
	prng_init(&escape.prng, 'e');
	firmware->function[CZ_NULL_SERVICE] =
		firmware->window_address + STUB_AT;
	integrity_begin();
	own_given();
	learn();
	right = integrity_learn();
	learn();
	right = integrity_learn() && right;
	kprintf("# %llu pages, %llu of them may change\n",
		(unsigned long long)integrity_pages(),
		(unsigned long long)integrity_owned_pages());
	ktap_result(right, "escape: ordinary calls change no kernel memory");
	seen = check_oracle();
	ktap_result(seen, "escape: a change of kernel memory is detected");
	return right && seen;
}

static bool wanted(const char *set)
{
	const char *all = option_string("set", "all");

	return strcmp(all, "all") == 0 || strcmp(all, set) == 0;
}

static void run_sets(void)
{
	uint64_t words = option_number("words", RANDOM_WORDS);
	uint64_t first = option_number("first", 0);

	if (wanted("registers")) {
		escape_check_registers();
	}
	if (wanted("accesses")) {
		check_accesses();
	}
	if (wanted("calls")) {
		check_calls();
	}
	if (wanted("system")) {
		run_set("escape: no system instruction changes anything",
			system_word, 0, SYSTEM_WORDS);
	}
	if (wanted("random")) {
		run_set("escape: random instructions change nothing",
			random_word, first, words);
	}
}

PROGRAM(escape, "firmware in the sandbox that tries to get out")
{
	struct thread *watchdog;

	if (firmware->gate != CZ_GATE_SANDBOX) {
		return could_not_run("needs gate=sandbox");
	}
	watchdog = thread_create("watchdog", PRIORITY_WATCHDOG, watchdog_entry,
				 NULL);
	port_print_log(false);
	ktap_begin(0);
	if (begin()) {
		run_sets();
	}
	__atomic_store_n(&escape.stop, true, __ATOMIC_RELEASE);
	thread_join(watchdog);
	port_print_log(true);
	kprintf("escape words=%llu returned=%llu ended=%llu stuck=%llu "
		"differences=%llu\n",
		(unsigned long long)escape.executed,
		(unsigned long long)escape.returned,
		(unsigned long long)escape.ended,
		(unsigned long long)escape.stuck,
		(unsigned long long)escape.differences);
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
