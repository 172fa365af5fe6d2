/* SPDX-License-Identifier: MIT */
/*
 * Text on the serial line, and the end of everything. Formats: %s %c %d %i %u
 * %x %p %%, l/ll/z sizes, width, 0 and - flags, %.*s, %.Ns.
 */
#ifndef KERNEL_PRINT_H
#define KERNEL_PRINT_H

#include <stdarg.h>
#include <stddef.h>

/* Any context. Whole lines are not torn by other CPUs. */
void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void kvprintf(const char *format, va_list arguments);

/* As snprintf. Any context. */
int ksnprintf(char *buffer, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int kvsnprintf(char *buffer, size_t size, const char *format,
	       va_list arguments);

/* Registers, backtrace, the call in flight; then power off with a failure
 * line. Any context. */
_Noreturn void panic(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Our bug. */
#define ASSERT(condition)                                              \
	do {                                                           \
		if (!(condition)) {                                    \
			panic("%s:%d: assertion failed: %s", __FILE__, \
			      __LINE__, #condition);                   \
		}                                                      \
	} while (0)

#endif
