/* SPDX-License-Identifier: MIT */
/*
 * Text on the serial line, and panics. The formats are %s %c %d %i %u %x %p %%,
 * the sizes l, ll and z, a width, the flags 0 and -, %.*s and %.Ns.
 */
#ifndef KERNEL_PRINT_H
#define KERNEL_PRINT_H

#include <stdarg.h>
#include <stddef.h>

/* Prints text. The output of one call is not mixed with that of other CPUs. Any
 * context. */
void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void kvprintf(const char *format, va_list arguments);

/* Works like snprintf. Any context. */
int ksnprintf(char *buffer, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int kvsnprintf(char *buffer, size_t size, const char *format,
	       va_list arguments);

/* Prints the message, a backtrace and the call in flight, and powers the
 * machine off after "exit: 1". Any context. */
_Noreturn void panic(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Panics if the condition is false, which means a bug in the kernel. */
#define ASSERT(condition)                                              \
	do {                                                           \
		if (!(condition)) {                                    \
			panic("%s:%d: assertion failed: %s", __FILE__, \
			      __LINE__, #condition);                   \
		}                                                      \
	} while (0)

#endif
