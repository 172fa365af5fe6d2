/* SPDX-License-Identifier: MIT */
/*
 * Between the portable core and a gate into firmware. One implementation is
 * linked: src/arm64/, or the simulated one of the host tests.
 */
#ifndef CAESURA_GATE_H
#define CAESURA_GATE_H

#include <caesura/caesura.h>

/*
 * Writes the return trampoline and the null service into the page at
 * cz->trampoline, which is mapped executable at cz->window_address. Sets
 * cz->function[CZ_NULL_SERVICE]. From cz_init(), before any call.
 */
void cz_gate_prepare(struct cz *cz);

/*
 * Calls firmware's function with CZ_MAX_ARGUMENTS registers, of which it takes
 * as many as it knows, on the firmware stack, and returns what it returned.
 * *anomalies gets a mask of 1u << enum cz_anomaly, each already mended. When the
 * call was ended from an exception, cz->ended_by says why and the value returned
 * has no meaning. The caller has pinned the thread, entered the space and begun
 * an FP section. Preempted at any point.
 */
uint64_t cz_gate_call(struct cz *cz, uint64_t function,
		      const uint64_t *registers, uint32_t *anomalies);

/*
 * Of a call that was ended, from whoever made it, once firmware is left: fills
 * what, cause, syndrome, pc, address, depth and caller; says in the log what was
 * in the registers.
 */
void cz_gate_describe_end(struct cz *cz, struct cz_ending *ending);
void cz_gate_report_registers(struct cz *cz);

/*
 * For cz_host_selftest(), in a space of the sandbox's where nothing is mapped at the
 * address: reads a byte there, as it is done for firmware at times. True when that
 * failed, as it should, and the port let it fail (on arm64, by
 * cz_kernel_exception()).
 */
bool cz_gate_read_fails(struct cz_host *host, uint64_t address);

/*
 * What a gate asks of the core: whether the write at an address of firmware's, not
 * allowed, was the call's first to a device, which is open now: then it is to be
 * made again. From the exception, by the owner of firmware; any interrupt state.
 */
bool cz_note_device_write(struct cz *cz, uint64_t address);

#endif
