/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the emulation of instructions of sandboxed firmware. The input is an
 * instruction and the registers. The instruction must be emulated and stepped
 * over, or refused without any change. An access outside firmware's memory
 * aborts the fuzzer (tests/arm64/fake.c).
 */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

struct input {
	uint32_t instruction;
	uint8_t class, fault_status, service, flags;
	uint64_t far;
	uint64_t x[31];
	uint64_t sp;
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Turns odd values into addresses of firmware's memory, so that emulation gets
 * past its checks more often. */
static uint64_t place(uint64_t value)
{
	static const uint64_t bases[] = {FAKE_CODE, FAKE_DATA,
					 FAKE_DATA + FAKE_SHIFT, FAKE_DEVICE};

	return (value & 1) != 0 ? bases[value >> 1 & 3] + (value >> 3 & 0x1fff)
				: value >> 1;
}

static void set_frame(const struct input *input)
{
	for (unsigned i = 0; i < 31; i++) {
		fake_frame.x[i] = place(input->x[i]);
	}
	fake_frame.sp = place(input->sp);
	memcpy(fake_host.code + 0x100, &input->instruction, 4);
	memcpy(fake_host.data + 16, &input->far, 8);
	fake_host.has_smc = (input->flags & 1) != 0;
	fake_host.registers[CZ_MACHINE_CLIDR] = input->far;
	fake_cz.requests[0].service =
		(enum cz_service)(input->service % CZ_NULL_SERVICE);
}

static void demand(bool held)
{
	if (!held) {
		abort();
	}
}

static void check_secure(void)
{
	static const uint32_t ids[] = {
		0x84000000, 0x8400000a, 0x84000008, 0x84000009,
		0x84000012, 0xc4000012, 0x84000041, 0xc4000041,
		0x8400006f, 0xc400006f, 0x8400008d, 0xc400008d,
	};
	bool known = fake_host.secure_calls == 0;

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		known = known || (uint32_t)fake_host.secure_id == ids[i];
	}
	demand(known);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct cz_frame before;
	struct input input;
	uint64_t esr;

	if (size < sizeof(input)) {
		return 0;
	}
	memcpy(&input, bytes, sizeof(input));
	fake_start();
	set_frame(&input);
	before = fake_frame;
	esr = (uint64_t)(input.class & 63) << 26 | (input.fault_status & 63);
	if (cz_trap_emulate(&fake_cz, &fake_frame, esr, place(input.far))) {
		demand(fake_frame.pc == before.pc + 4);
	} else {
		demand(memcmp(&before, &fake_frame, sizeof(before)) == 0);
	}
	demand(fake_frame.pstate == before.pstate);
	check_secure();
	return 0;
}
