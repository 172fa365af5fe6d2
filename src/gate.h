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

#define CZ_NO_ADDRESS UINT64_MAX

/*
 * What cz_gate_call() asks of the core: one report of a fault that ended the
 * call, and the address that it was about, or CZ_NO_ADDRESS.
 */
void cz_report_fault(struct cz *cz, const char *what, uint64_t pc,
		     uint64_t address);

#endif
