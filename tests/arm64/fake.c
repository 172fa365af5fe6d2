/* SPDX-License-Identifier: MIT */
/* Implements the simulated processor and host; see fake.h. */
#include "fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cz_host fake_host;
struct cz fake_cz;
struct cz_frame fake_frame;

/* Only their addresses matter. */
const char cz_gate_direct_end[1], cz_gate_direct_return[1];
const char cz_gate_sandbox_end[1], cz_gate_sandbox_return[1];

/* ---- The processor ---- */

uint64_t cz_machine_read(enum cz_machine_register name)
{
	return fake_host.registers[name];
}

uint64_t cz_machine_identification(uint32_t number)
{
	if (number >= 64) {
		abort();
	}
	return fake_host.identification[number];
}

uint64_t cz_machine_cache_size(uint64_t select, bool second)
{
	return 0xcc000000 | select << 4 | second;
}

void cz_machine_clean_line(const void *alias)
{
	const uint8_t *byte = alias;

	fake_host.cleaned++;
	fake_host.cleaned_physical =
		(uint64_t)(byte - fake_host.data) + FAKE_DATA + FAKE_SHIFT;
}

void cz_machine_invalidate_code(void)
{
	fake_host.invalidated++;
}

void cz_machine_set_daif(uint64_t daif)
{
	fake_host.daif = daif;
}

/* Aborts on an access outside the device, because emulation must refuse it. */
static uint8_t *device_byte(uint64_t address)
{
	if (address - FAKE_DEVICE >= FAKE_REGION_BYTES) {
		abort();
	}
	return &fake_host.device[address - FAKE_DEVICE];
}

#define ABORT(write) ((uint64_t)EC_DATA_ABORT << 26 | FAULT_EXTERNAL | (write))

uint64_t cz_machine_user_read(uint64_t address, uint8_t *value)
{
	if (address == fake_host.refused) {
		return ABORT(0);
	}
	*value = *device_byte(address);
	return 0;
}

uint64_t cz_machine_user_write(uint64_t address, uint8_t value)
{
	if (address == fake_host.refused) {
		return ABORT(ISS_WNR);
	}
	*device_byte(address) = value;
	return 0;
}

/* Distances to accesses that do not exist; only the resulting addresses
 * matter. */
const struct cz_fixup cz_machine_fixups[] = {
	{0x1000, 0x2000}, {0x3000, 0x4000}, {0, 0}};

/* ---- The host ---- */

uint64_t cz_host_now_ns(struct cz_host *host)
{
	return host->now_ns;
}

void cz_host_log(struct cz_host *host, enum cz_log_level level,
		 const char *format, va_list arguments)
{
	(void)level;
	if (host->lines < FAKE_LINES) {
		vsnprintf(host->log[host->lines], 256, format, arguments);
	}
	host->lines++;
	host->left_in_log = fake_cz.left_firmware;
}

static void *alias_in(uint8_t *bytes, uint64_t base, uint64_t physical,
		      size_t size)
{
	uint64_t offset = physical - base;

	return offset < FAKE_REGION_BYTES && size <= FAKE_REGION_BYTES - offset
		       ? bytes + offset
		       : NULL;
}

void *cz_host_firmware_alias(struct cz_host *host, uint64_t physical,
			     size_t size)
{
	void *alias = alias_in(host->code, host->code_at, physical, size);

	return alias != NULL ? alias
			     : alias_in(host->data, FAKE_DATA + FAKE_SHIFT,
					physical, size);
}

/* ---- The secure world ---- */

#define FFA_ERROR 0x84000060u
#define FFA_INTERRUPT 0x84000062u
#define FFA_RUN 0x8400006du
#define FFA_REQUEST 0x8400006fu
#define FFA_REQUEST2 0x8400008du
#define MM_COMMUNICATE 0x84000041u
#define SMC64 0x40000000u

/* Lets the partition run until it answers the request or is interrupted. */
static void partition_works(struct fake_secure_world *world,
			    uint64_t registers[18])
{
	world->is_busy = world->interrupts > 0;
	if (world->is_busy) {
		world->interrupts--;
		registers[0] = FFA_INTERRUPT;
		registers[1] = FAKE_PARTITION << 16;
	} else {
		world->answers++;
		registers[0] = 0xc4000070; /* FFA_MSG_SEND_DIRECT_RESP */
	}
}

static void secure_world(struct fake_secure_world *world,
			 uint64_t registers[18])
{
	uint32_t function = (uint32_t)registers[0] & ~SMC64;
	bool asks = function == FFA_REQUEST || function == FFA_REQUEST2;
	uint32_t target = (uint32_t)registers[1];

	if (function == MM_COMMUNICATE) {
		world->answers++;
		registers[0] = 0;
	} else if (asks && target % 65536 == FAKE_PARTITION &&
		   !world->is_busy) {
		partition_works(world, registers);
	} else if (function == FFA_RUN && target / 65536 == FAKE_PARTITION &&
		   world->is_busy) {
		partition_works(world, registers);
	} else {
		world->errors++;
		registers[0] = FFA_ERROR;
	}
}

bool cz_host_secure_call(struct cz_host *host, enum cz_conduit conduit,
			 uint64_t registers[18])
{
	if (conduit == CZ_CONDUIT_SMC && !host->has_smc) {
		return false;
	}
	host->secure_calls++;
	host->conduit = conduit;
	host->secure_id = registers[0];
	host->now_ns += 700;
	if (host->secure.is_there) {
		secure_world(&host->secure, registers);
	} else {
		registers[0] = 0x77;
	}
	return true;
}

bool cz_host_space_map(struct cz_host *host, cz_host_space space,
		       const struct cz_mapping *mapping)
{
	(void)space;
	host->maps++;
	host->mapped = *mapping;
	return true;
}

void cz_host_mutex_lock(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	(void)mutex;
}

void cz_host_mutex_unlock(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	(void)mutex;
}

/* ---- Reset ---- */

static void add_region(uint64_t address, uint64_t shift,
		       enum cz_memory_type type, uint32_t prot)
{
	fake_cz.regions[fake_cz.region_count++] = (struct cz_region){
		.physical = address + shift,
		.address = address,
		.page_count =
			FAKE_REGION_PAGES /
			(type == CZ_MEMORY_DEVICE ? FAKE_REGION_PAGES : 1),
		.type = type,
		.prot = prot | CZ_PROT_READ,
	};
}

void fake_start(void)
{
	static uint8_t trampoline[4096];
	static uint64_t stack[CZ_STACK_PAGES * 512];

	memset(&fake_host, 0, sizeof(fake_host));
	memset(&fake_cz, 0, sizeof(fake_cz));
	fake_host.code_at = FAKE_CODE;
	fake_cz.host = &fake_host;
	fake_cz.gate = CZ_GATE_SANDBOX;
	fake_cz.window_address = FAKE_WINDOW;
	fake_cz.window_pages = 64;
	fake_cz.stack_top = FAKE_WINDOW + 0xa000;
	fake_cz.stack.alias = (uint8_t *)stack;
	memset(stack, 0, sizeof(stack));
	fake_cz.policy = cz_default_policy;
	fake_cz.watch_state = 7 * 2;
	fake_cz.image_count = 1;
	fake_cz.images[0] = (struct cz_image){
		.address = FAKE_CODE, .size_bytes = 4096, .name = "FakeDxe"};
	fake_cz.trampoline.alias = trampoline;
	fake_cz.requests[0].service = CZ_GET_TIME;
	fake_cz.in_flight = &fake_cz.requests[0];
	add_region(FAKE_CODE, 0, CZ_MEMORY_WRITE_BACK, CZ_PROT_EXEC);
	add_region(FAKE_DATA, FAKE_SHIFT, CZ_MEMORY_WRITE_BACK, CZ_PROT_WRITE);
	add_region(FAKE_DEVICE, 0, CZ_MEMORY_DEVICE, CZ_PROT_WRITE);
	add_region(FAKE_READ_ONLY, 0, CZ_MEMORY_DEVICE, 0);
	gate_of(&fake_cz)->virtual = (struct virtual_machine){.spsel = 1};
	/* Cache lines have 64 bytes. */
	fake_host.registers[CZ_MACHINE_CTR] = 4 << 16;
	for (unsigned i = 0; i < 64; i++) {
		fake_host.identification[i] = UINT64_MAX;
	}
	for (unsigned i = 0; i < 31; i++) {
		fake_frame.x[i] = 0x1111000000000000ull + i;
	}
	fake_frame.sp = fake_cz.stack_top - 64;
	fake_frame.pc = FAKE_CODE + 0x100;
	fake_frame.pstate = 0;
}

bool fake_trap(uint32_t instruction, uint32_t class)
{
	fake_frame.pc = FAKE_CODE + 0x100;
	memcpy(fake_host.code + 0x100, &instruction, sizeof(instruction));
	return cz_trap_emulate(&fake_cz, &fake_frame, (uint64_t) class << 26,
			       0);
}

bool fake_said(const char *words)
{
	for (unsigned i = 0; i < fake_host.lines && i < FAKE_LINES; i++) {
		if (strstr(fake_host.log[i], words) != NULL) {
			return true;
		}
	}
	return false;
}
