/* SPDX-License-Identifier: MIT */
#include "host/chip_window.h"
#include "host/process.h"
#include "host/report.h"
#include "host/sleep.h"
#include "machine/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Windows are small, because changing the protection of the whole chip takes
 * long in the kernel, and some kernels are not preemptible there. */
#define CHIP_WINDOW (64u << 10)
#define CHIP_WINDOWS 8u

struct chip {
	struct device *device;
	uint64_t size_bytes;
	/* Offsets of the windows that are open; the one used last is the first.
	 * None is open while firmware runs. */
	uint64_t shown[CHIP_WINDOWS];
	unsigned shown_count;
	uint8_t *copy; /* firmware's mapping of the copy */
	struct cz_host *host;
};

static struct chip chip;

static void protect_window(uint64_t start, int prot)
{
	uint64_t rest = chip.size_bytes - start;

	if (mprotect((uint8_t *)chip.device + start,
		     rest < CHIP_WINDOW ? rest : CHIP_WINDOW, prot) != 0) {
		abort();
	}
}

void chip_window_hide(void)
{
	while (chip.shown_count > 0) {
		protect_window(chip.shown[--chip.shown_count], PROT_NONE);
	}
}

static void show_chip(uint64_t offset)
{
	uint64_t start = offset & ~(uint64_t)(CHIP_WINDOW - 1);
	unsigned i = 0;

	while (i < chip.shown_count && chip.shown[i] != start) {
		i++;
	}
	if (i == chip.shown_count) {
		if (chip.shown_count == CHIP_WINDOWS) {
			chip_window_hide();
			i = 0;
		}
		protect_window(start, PROT_READ | PROT_WRITE);
		chip.shown_count++;
	}
	chip.shown[i] = chip.shown[0];
	chip.shown[0] = start;
}

static uint32_t chip_read(void *context, uint64_t offset)
{
	(void)context;
	show_chip(offset);
	return device_read32(chip.device, offset);
}

static void chip_write(void *context, uint64_t offset, uint32_t value)
{
	show_chip(offset);
	sleep_check(((struct chip *)context)->host);
	device_write32(chip.device, offset, value);
}

struct flash_port chip_window_port(uint64_t size_bytes)
{
	return (struct flash_port){.context = &chip,
				   .read = chip_read,
				   .write = chip_write,
				   .size_bytes = size_bytes};
}

static void protect_copy(void *context, uint64_t offset, uint64_t size_bytes,
			 enum flash_access access)
{
	static const int prot[] = {
		[FLASH_NONE] = PROT_NONE,
		[FLASH_READ] = PROT_READ,
		[FLASH_WRITE] = PROT_READ | PROT_WRITE,
	};

	if (mprotect(((struct chip *)context)->copy + offset, size_bytes,
		     prot[access]) != 0) {
		abort();
	}
}

bool chip_window_open(struct cz_host *host, const struct host_region *region)
{
	void *at = (void *)(uintptr_t)region->address;
	int fd = memfd_create("flash", MFD_CLOEXEC);
	bool mapped;

	chip.device = machine_map_device(host->machine, region->physical,
					 region->size_bytes, NULL);
	chip.size_bytes = region->size_bytes;
	chip.host = host;
	if (chip.device == NULL || fd < 0 ||
	    ftruncate(fd, (off_t)region->size_bytes) != 0) {
		return report_fail(host, "flash at 0x%llx: %s %s",
				   ull(region->physical), host->machine->why,
				   strerror(errno));
	}
	chip.copy = mmap(at, region->size_bytes, PROT_NONE,
			 MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	host->flash_copy = mmap(NULL, region->size_bytes,
				PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	host->flash_bytes = region->size_bytes;
	mapped = chip.copy == at && host->flash_copy != MAP_FAILED &&
		 mprotect(chip.device, chip.size_bytes, PROT_NONE) == 0;
	(void)close(fd);
	return mapped ||
	       report_fail(
		       host,
		       "the copy of the flash cannot be mapped at 0x%llx: %s",
		       ull(region->address), strerror(errno));
}

struct flash_memory chip_window_memory(const struct cz_host *host)
{
	return (struct flash_memory){.bytes = host->flash_copy,
				     .context = &chip,
				     .protect = protect_copy};
}
