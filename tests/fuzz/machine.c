/* SPDX-License-Identifier: MIT */
/* Checks what must be true of a machine that the tables' parsers and
 * machine_check() have accepted. */
#include "machine.h"
#include "dev/machine_check.h"

#include <stdlib.h>
#include <string.h>

static void demand(bool held)
{
	if (!held) {
		abort();
	}
}

void fuzz_check_machine(const struct machine *found)
{
	uint64_t value = 0;
	const char *wrong = machine_check(found, &value);

	if (wrong != NULL) {
		demand(strlen(wrong) < 100);
		return;
	}
	demand(found->cpu_count >= 1 && found->cpu_count <= MACHINE_MAX_CPUS);
	demand(found->timer_irq >= 16 && found->timer_irq < 32);
	demand(found->uart % 0x1000 == 0 && found->uart >> 48 == 0);
	demand(found->gic_distributor % 0x1000 == 0);
	demand(found->gic_distributor != found->uart);
	if (found->gic_version == 3) {
		uint64_t end = found->gic_redistributor +
			       found->gic_redistributor_size;

		demand(found->gic_redistributor % 0x10000 == 0);
		demand(end > found->gic_redistributor && end <= 1ull << 48);
		demand(found->gic_distributor + 0x10000 <=
			       found->gic_redistributor ||
		       end <= found->gic_distributor);
	} else {
		demand(found->gic_version == 2);
		demand(found->gic_cpu_interface % 0x1000 == 0);
	}
}

uint8_t *fuzz_exact_copy(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size != 0 ? size : 1);

	demand(copy != NULL);
	if (size != 0) {
		memcpy(copy, bytes, size);
	}
	return copy;
}
