/* SPDX-License-Identifier: MIT */
/* Counts results and prints them as KTAP, for one test program at a time. */
#include <kernel/ktap.h>
#include <kernel/print.h>

static unsigned planned, passed_count, failed_count, skipped_count;

static unsigned next_number(void)
{
	return passed_count + failed_count + skipped_count;
}

void ktap_begin(unsigned count)
{
	planned = count;
	passed_count = 0;
	failed_count = 0;
	skipped_count = 0;
	kprintf("KTAP version 1\n");
	if (count != 0) {
		kprintf("1..%u\n", count);
	}
}

bool ktap_result(bool passed, const char *name)
{
	if (passed) {
		passed_count++;
	} else {
		failed_count++;
	}
	kprintf("%s %u - %s\n", passed ? "ok" : "not ok", next_number(), name);
	return passed;
}

void ktap_skip(const char *name, const char *reason)
{
	skipped_count++;
	kprintf("ok %u - %s # SKIP %s\n", next_number(), name, reason);
}

unsigned ktap_end(void)
{
	unsigned done = next_number();

	if (planned == 0) {
		kprintf("1..%u\n", done);
	} else if (done < planned) {
		kprintf("# %u of %u tests did not run\n", planned - done,
			planned);
		failed_count += planned - done;
	}
	kprintf("# Totals: pass:%u fail:%u skip:%u error:0\n", passed_count,
		failed_count, skipped_count);
	return failed_count;
}
