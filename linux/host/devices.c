/* SPDX-License-Identifier: MIT */
#include "host/devices.h"
#include "host/chip_window.h"
#include "host/pages.h"
#include "host/process.h"
#include "host/report.h"
#include "machine/device.h"
#include "machine/pl031.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Flash ---- */

static bool open_flash(struct cz_host *host, const struct host_region *region)
{
	struct flash_config config = {
		.port = chip_window_port(region->size_bytes),
		.firmware = {.context = host, .reach = pages_reach},
		.physical = region->physical,
		.address = region->address,
	};
	char error[NOR_ERROR_CHARS] = "";

	if (host->flash != NULL) {
		return report_fail(host,
				   "there is a second large device at 0x%llx, "
				   "and only one flash chip can be served",
				   ull(region->physical));
	}
	if (!chip_window_open(host, region)) {
		return false;
	}
	config.memory = chip_window_memory(host);
	host->flash = flash_open(&config, error);
	host->store = flash_store(host->flash);
	return host->flash != NULL ||
	       report_fail(host,
			   "the device at 0x%llx, %llu KiB, is not a known "
			   "flash chip: %s. --direct 0x%llx lets firmware "
			   "access it directly, without any of the guarantees",
			   ull(region->physical), ull(region->size_bytes >> 10),
			   error, ull(region->physical));
}

/* ---- Devices that are passed through ---- */

static void give_up_asking(int number)
{
	(void)number;
	_exit(1);
}

/* Asks in a child process, since the access may end the process that
 * makes it. */
static bool is_kind(bool (*is_known)(const struct device *device),
		    const struct device *device)
{
	int status = 1;
	pid_t child = fork();

	if (child == 0) {
		(void)signal(SIGBUS, give_up_asking);
		_exit(is_known(device) ? 0 : 1);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Whether the device reads messages from firmware's RAM. It would not see them
 * in this process's copy of that RAM, but find old ones in the machine's. */
static bool is_hosts(struct cz_host *host, const struct host_region *region)
{
	const struct device *device = (void *)(uintptr_t)region->address;

	if (is_kind(persist_is_uefi_vars, device)) {
		host->facts.host_device = "QEMU's uefi-vars";
	} else if (machine_is_hyperv()) {
		host->facts.host_device = "of Hyper-V";
	}
	host->facts.host_address = region->physical;
	return host->facts.host_device != NULL;
}

static bool pass_through(struct cz_host *host, const struct host_region *region)
{
	void *at = (void *)(uintptr_t)region->address;

	if (mprotect(at, region->size_bytes, PROT_NONE) != 0) {
		return report_fail(host, "0x%llx: %s", ull(region->address),
				   strerror(errno));
	}
	report_log(host, CZ_LOG_INFO,
		   region->kind == HOST_CLOCK
			   ? "firmware accesses the clock (PL031) at 0x%llx "
			     "directly, %llu KiB"
			   : "firmware accesses the device at 0x%llx directly, "
			     "%llu KiB, because of --direct",
		   ull(region->physical), ull(region->size_bytes >> 10));
	return true;
}

static bool open_device(struct cz_host *host, const struct host_region *region)
{
	void *at = (void *)(uintptr_t)region->address;

	if (machine_map_device(host->machine, region->physical,
			       region->size_bytes, at) != at) {
		return report_fail(host, "%s", host->machine->why);
	}
	if (region->kind == HOST_CLOCK && is_kind(pl031_is_known, at)) {
		return pass_through(host, region);
	}
	if (is_hosts(host, region)) {
		return report_fail(host, "%s",
				   persist_judge(&host->facts).line);
	}
	if (region->kind == HOST_CLOCK) {
		return report_fail(host,
				   "the device at 0x%llx, %llu KiB, is not a "
				   "known clock (PL031). --direct 0x%llx lets "
				   "firmware access it directly, whatever it "
				   "is, without any of the guarantees",
				   ull(region->physical),
				   ull(region->size_bytes >> 10),
				   ull(region->physical));
	}
	if (!is_kind(pl031_is_known, at)) {
		host->facts.has_direct = true;
	}
	return pass_through(host, region);
}

bool devices_open(struct cz_host *host)
{
	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (region->kind == HOST_FLASH && !open_flash(host, region)) {
			return false;
		}
		if ((region->kind == HOST_CLOCK ||
		     region->kind == HOST_DIRECT) &&
		    !open_device(host, region)) {
			return false;
		}
	}
	return true;
}
