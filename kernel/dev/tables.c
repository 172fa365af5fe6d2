/* SPDX-License-Identifier: MIT */
/* The machine as it is being read, and the panic over a malformed description.
 */
#include "dev/tables.h"
#include <kernel/machine.h>
#include <kernel/print.h>
#include <stdarg.h>

struct machine machine;

void tables_broken(const char *format, ...)
{
	char text[160];
	va_list arguments;

	va_start(arguments, format);
	kvsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (machine.uart != 0) {
		pl011_init(machine.uart);
	}
	panic("%s", text);
}
