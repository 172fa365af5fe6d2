/* SPDX-License-Identifier: MIT */
/*
 * The interface between the portable core and the gate into firmware. It is
 * implemented by src/arm64/, and by a simulated gate in the host tests.
 */
#ifndef CAESURA_GATE_H
#define CAESURA_GATE_H

#include <caesura/caesura.h>

/*
 * Writes the return trampoline and the null service into the page at
 * cz->trampoline, which will be mapped executable at cz->window_address. Sets
 * cz->function[CZ_NULL_SERVICE]. Called by cz_init() before any call.
 */
void cz_gate_prepare(struct cz *cz);

/*
 * Calls firmware's function on firmware's stack and returns its x0. `registers`
 * are CZ_MAX_ARGUMENTS values, even if the function takes fewer. *anomalies
 * receives a mask of 1u << enum cz_anomaly; each is already mended. If the call
 * was ended from an exception, cz->ended_by says why, and the return value has
 * no meaning. The caller has pinned the thread, entered the space and begun an
 * FP section. The call may be preempted at any point.
 */
uint64_t cz_gate_call(struct cz *cz, uint64_t function,
		      const uint64_t *registers, uint32_t *anomalies);

/*
 * After a call that was ended and before the next call:
 * cz_gate_describe_end() fills what, cause, syndrome, pc, address, depth and
 * caller of *ending; cz_gate_report_registers() logs firmware's registers.
 */
void cz_gate_describe_end(struct cz *cz, struct cz_ending *ending);
void cz_gate_report_registers(struct cz *cz);

/*
 * Reads a byte at the address in the way in which the library makes accesses
 * for sandboxed firmware. cz_host_selftest() calls it in a space in which
 * nothing is mapped there. Returns true when the access failed, as it should,
 * and the port handled that (on arm64, by cz_kernel_exception()).
 */
bool cz_gate_read_fails(struct cz_host *host, uint64_t address);

/*
 * Called by a gate when firmware took a permission fault on a write. If that
 * was the call's first write to a device, notes it, makes the device writable
 * and returns true: firmware repeats the instruction. Otherwise returns false.
 * Called from the exception, by the owner of firmware; any state of interrupts.
 */
bool cz_note_device_write(struct cz *cz, uint64_t address);

#endif
