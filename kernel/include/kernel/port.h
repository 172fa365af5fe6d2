/* SPDX-License-Identifier: MIT */
/*
 * The kernel as a host of Caesura: functions of the port that kernel code and
 * programs use in addition to <caesura/caesura.h>.
 */
#ifndef KERNEL_PORT_H
#define KERNEL_PORT_H

#include <stdbool.h>
#include <stdint.h>

struct cz;
struct cz_efi_guid;
struct exception_frame;
struct space;

/* Initialises the struct cz from boot_info, as the options request. Returns
 * false, after log lines, if that fails. */
bool port_start_firmware(void);

/* Makes a second cz for the same firmware, which a real host must never do.
 * Only an ablation calls it. Panics on failure. */
struct cz *port_second_firmware(void);

/* Returns the space in which firmware runs, for programs that call firmware
 * without the library for comparison. */
struct space *port_firmware_space(void);

/* From now on, calls `watch` with every line that the library logs, before the
 * line is printed, on the thread that logs it; NULL ends that. For programs
 * that check what is logged, and when. */
void port_watch_log(void (*watch)(const char *line));

/* Switches the printing of the library's log on or off. For programs that make
 * firmware fault a hundred thousand times. */
void port_print_log(bool on);

/* Returns the pc at which firmware was interrupted last. */
uint64_t port_last_firmware_pc(void);

/* Describes the call in flight, for a panic. Returns false if there is none. */
bool port_describe_call(char *buffer, uint32_t size);

/* Writes a panic's message to a variable, if the option `record` is set and
 * firmware is free, and logs the result. Any context. */
#define PANIC_RECORD_NAME u"CaesuraPanicRecord"
extern const struct cz_efi_guid panic_record_guid;
void port_record_panic(const char *message);

/* ---- called by the exception handlers, interrupts off ---- */

/* Returns the cz whose firmware the exception interrupted, or NULL. */
struct cz *port_firmware_of(const struct exception_frame *frame);
void port_interrupted(struct cz *cz, struct exception_frame *frame,
		      uint64_t late_ticks);
void port_preempted(struct cz *cz, struct exception_frame *frame);
void port_resume(struct cz *cz, struct exception_frame *frame);
/* Returns false if the exception is an SError that may have corrupted more than
 * firmware's state. */
bool port_exception(struct cz *cz, struct exception_frame *frame, uint64_t esr,
		    uint64_t far);

#endif
