/* SPDX-License-Identifier: MIT */
/*
 * The struct cz of the firmware that booted the machine, and the calls from the
 * kernel's exception handlers to the library's hooks.
 */
#include "port/port.h"
#include "sched/sched.h"
#include <caesura/arm64.h>
#include <kernel/boot_info.h>
#include <kernel/machine.h>
#include <kernel/mm.h>
#include <kernel/options.h>
#include <kernel/port.h>
#include <kernel/print.h>
#include <kernel/string.h>

/* map=set places firmware's regions from here on, in the order of the memory
 * map. */
#define SET_BASE 0x20000000ull
#define SET_ALIGN 0x10000ull
#define BLOCK_PAGES 512ull
#define PSTATE_SP_ELX 1u

static struct cz the_cz;
static struct cz_host the_host = {.cz = &the_cz};
static struct cz_config config;
static uint64_t last_pc;

struct cz *const firmware = &the_cz;

const struct cz_efi_guid panic_record_guid = {
	0x8f1d3c52,
	0x6e0b,
	0x4a97,
	{0xb1, 0x44, 0x09, 0xd8, 0x7e, 0x35, 0xa2, 0xc6},
};

/* Returns a copy of the memory map that gives each runtime region a virtual
 * address of its own. */
static void *make_virtual_map(void)
{
	uint8_t *map = kalloc(boot_info.memory_map_size);
	uint64_t next = SET_BASE;

	memcpy(map, phys_to_virt(boot_info.memory_map),
	       boot_info.memory_map_size);
	for (uint64_t at = 0; at + sizeof(struct cz_efi_memory_descriptor) <=
			      boot_info.memory_map_size;
	     at += boot_info.descriptor_size) {
		struct cz_efi_memory_descriptor *entry = (void *)(map + at);
		uint64_t align;

		if (!(entry->attribute & CZ_EFI_MEMORY_RUNTIME)) {
			continue;
		}
		/* Keep the offset within 64 KiB, because images may be aligned
		 * to that. For a region of at least a 2 MiB block, keep the
		 * offset within the block, so that blocks can be mapped. */
		align = entry->number_of_pages >= BLOCK_PAGES
				? BLOCK_PAGES << PAGE_SHIFT
				: SET_ALIGN;
		next += (entry->physical_start - next) & (align - 1);
		entry->virtual_start = next;
		next += entry->number_of_pages << PAGE_SHIFT;
	}
	return map;
}

/* Returns a policy that gives all services the kill limit of the option
 * kill_ms; NULL, the default policy, without that option. */
static const struct cz_policy *read_policy(void)
{
	static struct cz_policy policy;
	uint64_t limit_ns = option_number("kill_ms", 0) * 1000000;

	if (limit_ns == 0) {
		return NULL;
	}
	policy = cz_default_policy;
	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		policy.service[i].kill_limit_ns = limit_ns;
	}
	return &policy;
}

static void read_options(void)
{
	config.host = &the_host;
	config.gate = strcmp(option_string("gate", "direct"), "sandbox") == 0
			      ? CZ_GATE_SANDBOX
			      : CZ_GATE_DIRECT;
	config.memory_map = phys_to_virt(boot_info.memory_map);
	config.memory_map_size_bytes = boot_info.memory_map_size;
	config.descriptor_size_bytes = boot_info.descriptor_size;
	config.descriptor_version = boot_info.descriptor_version;
	config.system_table = boot_info.system_table;
	config.policy = read_policy();
	config.max_requests = (uint32_t)option_number("requests", 0);
	config.no_secure_services = !psci_has_services();
	if (strcmp(option_string("map", "identity"), "set") == 0) {
		config.map_mode = CZ_MAP_SET;
		config.memory_map = make_virtual_map();
	}
}

bool port_start_firmware(void)
{
	cz_status status;

	read_options();
	status = cz_init(&the_cz, &config);
	if (status != CZ_OK) {
		kprintf("error: firmware cannot be used: %s\n",
			cz_status_name(status));
		return false;
	}
	return true;
}

struct cz *port_second_firmware(void)
{
	static struct cz second;
	static struct cz_host host = {.cz = &second};
	struct cz_config other = config;
	cz_status status;

	other.host = &host;
	status = cz_init(&second, &other);
	if (status != CZ_OK) {
		panic("no second cz: %s", cz_status_name(status));
	}
	return &second;
}

struct space *port_firmware_space(void)
{
	return (struct space *)the_cz.space;
}

uint64_t port_last_firmware_pc(void)
{
	return last_pc;
}

bool port_describe_call(char *buffer, uint32_t size)
{
	const struct cz_request *request = the_cz.in_flight;
	const struct cz_image *image;
	uint64_t offset = 0;

	if (request == NULL) {
		return false;
	}
	image = cz_find_image(&the_cz, last_pc, &offset);
	if (last_pc == 0) {
		ksnprintf(buffer, size, "%s; firmware was never interrupted",
			  cz_service_name(request->service));
	} else if (image == NULL) {
		ksnprintf(buffer, size,
			  "%s; firmware was last interrupted at 0x%llx",
			  cz_service_name(request->service),
			  (unsigned long long)last_pc);
	} else {
		ksnprintf(buffer, size,
			  "%s; firmware was last interrupted at %s+0x%llx",
			  cz_service_name(request->service), image->name,
			  (unsigned long long)offset);
	}
	return true;
}

/* Makes a call outside the queue, in a panic. The library may have reserved the
 * next turn for the queue, whose worker does not run any more. That reservation
 * ends after CZ_TURN_NS, so this retries for as long. */
static cz_status call_and_retry(const struct cz_call *call)
{
	uint64_t end_ns = ticks_to_ns(ticks_now()) + CZ_TURN_NS;
	cz_status status;

	do {
		status = cz_call_now(&the_cz, call);
	} while (status == CZ_E_BUSY && ticks_to_ns(ticks_now()) < end_ns);
	return status;
}

static cz_status write_record(const char *message)
{
	struct cz_call call;
	cz_status status = cz_prepare_set_variable(
		&call, PANIC_RECORD_NAME, &panic_record_guid,
		CZ_EFI_VARIABLE_NON_VOLATILE |
			CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS |
			CZ_EFI_VARIABLE_RUNTIME_ACCESS,
		message, strlen(message));

	return status == CZ_OK ? call_and_retry(&call) : status;
}

void port_record_panic(const char *message)
{
	const struct cz_request *request = the_cz.in_flight;
	cz_status status;

	if (!option_present("record")) {
		return;
	}
	status = write_record(message);
	if (status == CZ_OK) {
		kprintf("kernel: panic record: written\n");
	} else if (status == CZ_E_BUSY) {
		kprintf("kernel: panic record: busy, %s is in flight\n",
			request == NULL ? "a call on another CPU"
					: cz_service_name(request->service));
	} else {
		kprintf("kernel: panic record: not written, %s\n",
			cz_status_name(status));
	}
}

struct cz *port_firmware_of(const struct exception_frame *frame)
{
	struct cz *cz = current_thread()->firmware;

	if (cz == NULL || !cz_frame_is_firmware(cz, &frame->regs)) {
		return NULL;
	}
	return cz;
}

void port_interrupted(struct cz *cz, struct exception_frame *frame,
		      uint64_t late_ticks)
{
	last_pc = frame->regs.pc;
	cz_firmware_interrupted(cz, &frame->regs, ticks_to_ns(late_ticks));
}

void port_preempted(struct cz *cz, struct exception_frame *frame)
{
	cz_firmware_preempted(cz, &frame->regs);
}

/* The library may have changed regs.sp. Firmware runs with SP_EL0 as its stack
 * pointer, which is restored from the frame's sp_el0, unless its pstate selects
 * SP_ELx. */
static void copy_stack_pointer(struct exception_frame *frame)
{
	if ((frame->regs.pstate & PSTATE_SP_ELX) == 0) {
		frame->sp_el0 = frame->regs.sp;
	}
}

void port_resume(struct cz *cz, struct exception_frame *frame)
{
	cz_firmware_resume(cz, &frame->regs);
	copy_stack_pointer(frame);
}

bool port_exception(struct cz *cz, struct exception_frame *frame, uint64_t esr,
		    uint64_t far)
{
	bool contained;

	last_pc = frame->regs.pc;
	contained = cz_firmware_exception(cz, &frame->regs, esr, far);
	copy_stack_pointer(frame);
	return contained;
}
