/* SPDX-License-Identifier: MIT */
/*
 * Runs firmware that faults in every distinguishable way. Each fault must end
 * its own call at once. The report must say what happened, where and to which
 * address, and the services must work again once they are restored.
 */
#include "lib/adversary.h"
#include "lib/common.h"
#include "lib/store.h"
#include "lib/watch.h"

#include <kernel/ktap.h>
#include <kernel/machine.h>
#include <kernel/mm.h>
#include <kernel/port.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/thread.h>

#define VALUE_BYTES 64
/* In instructions; printing the report takes most of them. */
#define AT_ONCE_NS 150000u
#define PAR_FAULT 1u
#define PAR_ADDRESS 0x0000fffffffff000ull
#define INSN_RET 0xd65f03c0u

struct faulting {
	const char *name;
	struct adversary_touch_order order;
	const char *class; /* as in the report */
};

static struct {
	/* The state outside of firmware, where reports are made. */
	struct system_state outside;
	struct store store;
	struct prng prng;
	bool counted; /* QEMU counts time in instructions */
} fault;

static const volatile uint32_t read_only = 1;
/* Both hold a `ret`, so that executing them has no effect where it is
 * permitted. */
static volatile uint32_t data[1] = {INSN_RET};

static __attribute__((noinline)) void code(void)
{
	__asm__ volatile("");
}

/* ---- One fault --------------------------------------------------------- */

static cz_status touch(const struct adversary_touch_order *order)
{
	return cz_set_variable(firmware, ADVERSARY_TOUCH, &adversary_guid,
			       ADVERSARY_ATTRIBUTES, order, sizeof(*order),
			       CZ_FOREVER);
}

/* Reads the record of the latest access. */
static bool touched(struct adversary_touch_record *record)
{
	size_t size_bytes = sizeof(*record);

	return cz_get_variable(firmware, ADVERSARY_TOUCH, &adversary_guid, NULL,
			       record, &size_bytes, CZ_FOREVER) == CZ_OK;
}

static bool has_address(const struct faulting *one)
{
	return one->order.kind <= ADVERSARY_TOUCH_EXECUTE;
}

/* Formats the expected first line of the report. */
static void describe(const struct faulting *one,
		     const struct adversary_touch_record *record, char *text)
{
	uint64_t pc = record->instruction, offset = 0;
	const struct cz_image *image;

	if (one->order.kind == ADVERSARY_TOUCH_SVC) {
		pc += 4; /* the preferred return address */
	}
	image = cz_find_image(firmware, pc, &offset);
	if (image == NULL) {
		ksnprintf(text, WATCH_LINE_BYTES,
			  "SetVariable: %s at 0x%llx, in no image", one->class,
			  (unsigned long long)pc);
	} else {
		ksnprintf(text, WATCH_LINE_BYTES,
			  "SetVariable: %s at adversary+0x%llx "
			  "(0x%llx)",
			  one->class, (unsigned long long)offset,
			  (unsigned long long)pc);
	}
}

static bool switches_fp_off(const struct faulting *one)
{
	return one->order.kind == ADVERSARY_TOUCH_FP;
}

/* Checks that cz_get_ending() returns the same. */
static bool is_known(const struct faulting *one,
		     const struct adversary_touch_record *record)
{
	static struct cz_ending ending;
	uint64_t address = has_address(one) ? record->address : CZ_NO_ADDRESS;

	if (!cz_get_ending(firmware, CZ_SET_VARIABLE, &ending)) {
		return false;
	}
	if (ending.status != CZ_E_FAULT || ending.touched != 0 ||
	    ending.withdrawn != 1u << CZ_SET_VARIABLE ||
	    strcmp(ending.what, one->class) != 0 || ending.address != address ||
	    ending.depth == 0) {
		kprintf("# the ending: %s, touched %x, withdrawn %x, %s, "
			"address %llx, %u callers\n",
			cz_status_name(ending.status), ending.touched,
			ending.withdrawn, ending.what,
			(unsigned long long)ending.address, ending.depth);
		return false;
	}
	return true;
}

static bool was_reported(const struct faulting *one,
			 const struct adversary_touch_record *record)
{
	char due[WATCH_LINE_BYTES];

	describe(one, record, due);
	if (strcmp(watched.first, due) != 0) {
		kprintf("# %s\n# instead of: %s\n", watched.first, due);
		return false;
	}
	return system_state_same(&watched.state, &fault.outside) &&
	       is_known(one, record);
}

static bool was_at_once(const struct cz_stats *stats)
{
	const struct cz_service_stats *service =
		&stats->service[CZ_SET_VARIABLE];
	uint64_t ns = service->last_exit_ns - service->last_enter_ns;

	if (fault.counted && ns > AT_ONCE_NS) {
		kprintf("# the call took %llu ns\n", (unsigned long long)ns);
		return false;
	}
	return true;
}

/* Checks that one more fault was counted and no anomaly, and that this service
 * was withdrawn and no other. */
static bool was_counted(const struct faulting *one,
			const struct cz_stats *before)
{
	static struct cz_stats stats;
	uint32_t due = switches_fp_off(one) ? 1u << CZ_ANOMALY_COPROCESSOR : 0;
	uint32_t anomalies = 0;
	bool withdrawn = true;

	cz_get_stats(firmware, &stats);
	for (int i = 0; i < CZ_ANOMALY_COUNT; i++) {
		anomalies |= (stats.anomalies[i] != before->anomalies[i]) << i;
	}
	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		bool there = cz_service_available(firmware, (enum cz_service)i);

		withdrawn = withdrawn && (firmware->function[i] == 0 ||
					  there == (i != CZ_SET_VARIABLE));
	}
	if (stats.faults != before->faults + 1 || anomalies != due ||
	    !withdrawn) {
		kprintf("# %llu faults, anomalies %x, services %s\n",
			(unsigned long long)(stats.faults - before->faults),
			anomalies,
			withdrawn ? "as they should be" : "not as due");
		return false;
	}
	return was_at_once(&stats);
}

/* Checks a clock, a variable, and every register of firmware. */
static bool services_work(void)
{
	struct adversary_registers_order order = {.seed = 1, .iterations = 2};
	struct cz_efi_time time;

	return cz_get_time(firmware, &time, NULL, CZ_FOREVER) == CZ_OK &&
	       store_check(&fault.store, STORED_STILL) &&
	       cz_set_variable(firmware, ADVERSARY_REGISTERS, &adversary_guid,
			       ADVERSARY_ATTRIBUTES, &order, sizeof(order),
			       CZ_FOREVER) == CZ_OK;
}

static void check_fault(const struct faulting *one)
{
	static struct cz_stats stats;
	struct adversary_touch_record record = {0};
	bool right;
	cz_status status;

	cz_get_stats(firmware, &stats);
	watch_begin();
	status = touch(&one->order);
	watch_end();
	if (status != CZ_E_FAULT) {
		kprintf("# %s\n", cz_status_name(status));
	}
	right = status == CZ_E_FAULT && was_counted(one, &stats);
	restore_services();
	right = touched(&record) && was_reported(one, &record) && right;
	ktap_result(services_work() && right, one->name);
}

/* ---- What is touched --------------------------------------------------- */

#define READ(at)                                                     \
	{                                                            \
		ADVERSARY_TOUCH_READ, ADVERSARY_TOUCH_ABSOLUTE, (at) \
	}
#define WRITE(at)                                                     \
	{                                                             \
		ADVERSARY_TOUCH_WRITE, ADVERSARY_TOUCH_ABSOLUTE, (at) \
	}
#define EXECUTE(at)                                                     \
	{                                                               \
		ADVERSARY_TOUCH_EXECUTE, ADVERSARY_TOUCH_ABSOLUTE, (at) \
	}
#define OWN(how, what, offset)                                          \
	{                                                               \
		ADVERSARY_TOUCH_##how, ADVERSARY_TOUCH_##what, (offset) \
	}

static void check_list(const struct faulting *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check_fault(&list[i]);
	}
}

static void check_own(void)
{
	static const struct faulting list[] = {
		{"fault: a read of address 0", READ(0), "data abort, read"},
		{"fault: a write to address 0", WRITE(0), "data abort, write"},
		{"fault: a call of address 0", EXECUTE(0), "instruction abort"},
		{"fault: a write to firmware's own code", OWN(WRITE, CODE, 0),
		 "data abort, write"},
		{"fault: execution of firmware's own data",
		 OWN(EXECUTE, DATA, 0), "instruction abort"},
		{"fault: a misaligned PC", OWN(EXECUTE, CODE, 2),
		 "PC alignment"},
		{"fault: execution of an argument", OWN(EXECUTE, ARGUMENT, 0),
		 "instruction abort"},
		{"fault: a read beyond the buffer",
		 OWN(READ, ARGUMENT, sizeof(struct adversary_touch_order)),
		 "data abort, read"},
		{"fault: a write beyond the buffer",
		 OWN(WRITE, ARGUMENT, sizeof(struct adversary_touch_order)),
		 "data abort, write"},
	};

	check_list(list, sizeof(list) / sizeof(*list));
}

static void check_instructions(void)
{
	static const struct faulting list[] = {
		{"fault: an undefined instruction", OWN(UNDEFINED, ABSOLUTE, 0),
		 "undefined instruction"},
		{"fault: BRK", OWN(BRK, ABSOLUTE, 0), "BRK"},
		{"fault: SVC", OWN(SVC, ABSOLUTE, 0), "SVC"},
	};

	const struct faulting sve = {
		"fault: SVE", OWN(SVE, ABSOLUTE, 0),
		cpu_has_sve() ? "SVE access, against the UEFI specification"
			      : "undefined instruction"};
	static const struct faulting fp_off = {
		"fault: FP used after it was switched off",
		OWN(FP, ABSOLUTE, 0), "FP, SIMD or SVE access"};

	check_list(list, sizeof(list) / sizeof(*list));
	check_fault(&sve);
	if (firmware->gate == CZ_GATE_DIRECT) {
		check_fault(&fp_off);
	} else {
		ktap_skip("fault: FP used after it was switched off",
			  "firmware in the sandbox cannot switch it off");
	}
	ktap_skip("fault: a misaligned SP", "the emulator does not check it");
}

static void check_window(void)
{
	uint64_t window = firmware->window_address;
	uint64_t bottom = firmware->stack_top - CZ_STACK_PAGES * PAGE_SIZE;
	const struct faulting list[] = {
		{"fault: a write to the trampoline", WRITE(window + 2048),
		 "data abort, write"},
		{"fault: a write below the stack", WRITE(bottom - 8),
		 "data abort, write"},
		{"fault: a read above the stack", READ(firmware->stack_top),
		 "data abort, read"},
		{"fault: execution of the stack", EXECUTE(bottom + 8),
		 "instruction abort"},
		{"fault: a read of an unmapped address",
		 READ(window + firmware->window_pages * PAGE_SIZE),
		 "data abort, read"},
	};

	check_list(list, sizeof(list) / sizeof(*list));
}

/* Returns the same page in the linear map. */
static uint64_t linear_alias(uint64_t address)
{
	uint64_t par;

	__asm__ volatile("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1"
			 : "=r"(par)
			 : "r"(address)
			 : "memory");
	return (par & PAR_FAULT) != 0 ? 0
				      : LINEAR_BASE + (par & PAR_ADDRESS) +
						(address & (PAGE_SIZE - 1));
}

/* The kernel's protection of its own memory also holds for firmware at EL1. In
 * the sandbox, firmware can access nothing of the kernel. */
static void check_kernel(void)
{
	uint64_t text = (uintptr_t)code;
	const struct faulting rest[] = {
		{"fault: a write to the kernel's data", WRITE((uintptr_t)data),
		 "data abort, write"},
		{"fault: a read of the kernel's data", READ((uintptr_t)data),
		 "data abort, read"},
		{"fault: execution of the kernel's code", EXECUTE(text),
		 "instruction abort"},
		{"fault: a read of the kernel's code", READ(text),
		 "data abort, read"},
	};
	const struct faulting list[] = {
		{"fault: a write to the kernel's code", WRITE(text),
		 "data abort, write"},
		{"fault: a write to the alias of the kernel's code",
		 WRITE(linear_alias(text)), "data abort, write"},
		{"fault: execution of the alias of the kernel's code",
		 EXECUTE(linear_alias(text)), "instruction abort"},
		{"fault: a write to the kernel's constants",
		 WRITE((uintptr_t)&read_only), "data abort, write"},
		{"fault: execution of the kernel's data",
		 EXECUTE((uintptr_t)data), "instruction abort"},
		{"fault: a read of a device through the linear map",
		 READ(LINEAR_BASE + machine.uart), "data abort, read"},
	};

	check_list(list, sizeof(list) / sizeof(*list));
	if (firmware->gate == CZ_GATE_SANDBOX) {
		check_list(rest, sizeof(rest) / sizeof(*rest));
	}
}

/* Firmware uses a pointer that it kept from the previous call. */
static void check_stale(void)
{
	static const struct adversary_touch_order now = OWN(READ, ARGUMENT, 0);
	static const struct faulting read = {
		"fault: a read of the previous call's buffer",
		OWN(READ, PREVIOUS, 0), "data abort, read"};
	static const struct faulting write = {
		"fault: a write to the previous call's buffer",
		OWN(WRITE, PREVIOUS, 0), "data abort, write"};

	ktap_result(touch(&now) == CZ_OK,
		    "fault: a read of this call's buffer does not fault");
	check_fault(&read);
	(void)touch(&now);
	check_fault(&write);
}

PROGRAM(fault, "ends calls of a firmware that faults in every way")
{
	struct adversary_registers_record record;

	if (!adversary_record(&record)) {
		return without_adversary();
	}
	/* Every CPU has its own TPIDR_EL1, so all calls are made on one. */
	(void)thread_set_cpus((struct thread *)cz_host_self(firmware->host), 1);
	(void)thread_set_cpus((struct thread *)firmware->worker, 1);
	prng_init(&fault.prng, 'f');
	if (!store_create(&fault.store, &fault.prng, VALUE_BYTES)) {
		return could_not_run("the variable store takes no variables");
	}
	fault.counted = time_is_counted();
	fault.outside = system_state_now();
	ktap_begin(0);
	check_own();
	check_stale();
	check_instructions();
	check_window();
	check_kernel();
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
