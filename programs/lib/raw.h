/* SPDX-License-Identifier: MIT */
/*
 * Calls runtime services as ordinary kernels do: on the calling thread, with no
 * queue, no copies and no gate. Caesura is measured against this.
 */
#ifndef PROGRAMS_RAW_H
#define PROGRAMS_RAW_H

#include <caesura/caesura.h>

/*
 * Between these calls the thread has firmware's space and FP/SIMD, and is not
 * switched out. No other call may be in flight.
 */
void raw_begin(void);
void raw_end(void);

/* Between these two calls: call firmware with kernel pointers. */
cz_status raw_get_time(struct cz_efi_time *time);
cz_status raw_get_variable(const uint16_t *name, const struct cz_efi_guid *guid,
			   uint32_t *attributes, void *data,
			   size_t *size_bytes);
cz_status raw_set_variable(const uint16_t *name, const struct cz_efi_guid *guid,
			   uint32_t attributes, const void *data,
			   size_t size_bytes);
cz_status raw_null_service(void);

/* Mask this CPU's interrupts, and restore the previous mask. */
uint64_t interrupts_mask(void);
void interrupts_restore(uint64_t daif);

#endif
