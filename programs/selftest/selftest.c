/* SPDX-License-Identifier: MIT */
/*
 * The self-test checks the port, the scheduler, every service of the firmware
 * that booted the kernel, and what Caesura promises about these services.
 */
#include "selftest/selftest.h"

#include "lib/common.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/thread.h>

void test_status(cz_status status, cz_status due, const char *name)
{
	if (status != due) {
		kprintf("# %s instead of %s\n", cz_status_name(status),
			cz_status_name(due));
	}
	ktap_result(status == due, name);
}

static void test_no_anomalies(void)
{
	static struct cz_stats stats;
	uint64_t anomalies = 0;

	cz_get_stats(firmware, &stats);
	for (int i = 0; i < CZ_ANOMALY_COUNT; i++) {
		anomalies += stats.anomalies[i];
		if (stats.anomalies[i] != 0) {
			kprintf("# %s: %llu times\n",
				cz_anomaly_name((enum cz_anomaly)i),
				(unsigned long long)stats.anomalies[i]);
		}
	}
	ktap_result(anomalies == 0,
		    "statistics: firmware left no state changed");
	ktap_result(stats.faults == 0 && stats.bad_statuses == 0 &&
			    stats.bad_sizes == 0,
		    "statistics: no fault, bad status or bad size was counted");
}

PROGRAM(selftest, "the port, the scheduler, every service")
{
	/* The tests of the order of threads need a single CPU. New threads stay
	 * on it too. */
	(void)thread_set_cpus((struct thread *)cz_host_self(firmware->host), 1);
	(void)thread_set_cpus((struct thread *)firmware->worker, 1);
	ktap_begin(0);
	test_status(cz_host_selftest(firmware->host, firmware->gate), CZ_OK,
		    "port: cz_host_selftest() succeeds");
	test_status(cz_host_selftest_now(firmware->host, firmware->gate), CZ_OK,
		    "port: cz_host_selftest_now() succeeds");
	test_threads();
	test_cpus();
	test_memory();
	test_services();
	test_variables();
	test_requests();
	test_now();
	test_no_anomalies();
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
