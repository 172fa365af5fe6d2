/* SPDX-License-Identifier: MIT */
/*
 * The kernel as a host of Caesura: what kernel code and programs ask of the
 * port beyond <caesura/caesura.h>.
 */
#ifndef KERNEL_PORT_H
#define KERNEL_PORT_H

#include <stdbool.h>
#include <stdint.h>

struct cz;
struct cz_efi_guid;
struct exception_frame;
struct space;

/* Brings up the one cz from boot_info, as the options ask. False, after log
 * lines, when it cannot be. */
bool port_start_firmware(void);

/* A second cz over the same firmware: what must never be. Only an ablation
 * calls it. Panics when it cannot be made. */
struct cz *port_second_firmware(void);

/* The space in which firmware runs, for programs that call it without the
 * library, to compare. */
struct space *port_firmware_space(void);

/* Shows every line that the library logs, before it is printed, on the thread that
 * logs it; NULL: no more. For programs that check what is said, and when. */
void port_watch_log(void (*watch)(const char *line));

/* While it is off, what the library logs is not printed. For programs that make
 * firmware fault a hundred thousand times. */
void port_print_log(bool on);

/* Where firmware was last interrupted. */
uint64_t port_last_firmware_pc(void);

/* For a panic: the call in flight, in words; false when there is none. */
bool port_describe_call(char *buffer, uint32_t size);

/* For a panic, with the option record: leaves its message in a variable, if
 * firmware is free, and says what came of it. Any context. */
#define PANIC_RECORD_NAME u"CaesuraPanicRecord"
extern const struct cz_efi_guid panic_record_guid;
void port_record_panic(const char *message);

/* ---- From the exception path, interrupts off ---- */

/* The cz whose firmware the frame was taken from, or NULL. */
struct cz *port_firmware_of(const struct exception_frame *frame);
void port_interrupted(struct cz *cz, struct exception_frame *frame,
		      uint64_t late_ticks);
void port_preempted(struct cz *cz, struct exception_frame *frame);
void port_resume(struct cz *cz, struct exception_frame *frame);
/* False: it is not firmware's alone. */
bool port_exception(struct cz *cz, struct exception_frame *frame, uint64_t esr,
		    uint64_t far);

#endif
