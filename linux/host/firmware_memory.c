/* SPDX-License-Identifier: MIT */
/*
 * Firmware's memory in this process: RAM as private mappings of the state file, flash
 * as a copy, other devices as they are, all at firmware's own addresses; and the
 * library's pages in a window beside them. A call that has come back is committed,
 * any other is dropped.
 */
#include "host/origin.h"
#include "host/process.h"
#include "machine/device.h"
#include "machine/pl031.h"
#include "machine/resume.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WINDOW_BYTES (64ull << 20)
/* A device that is larger has to be a flash chip, any other a clock. */
#define MAX_CLOCK_BYTES (64ull << 10)

__attribute__((format(printf, 2, 3))) static bool fails(struct cz_host *host,
							const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(host->why, sizeof(host->why), format, arguments);
	va_end(arguments);
	return false;
}

static unsigned long long ull(uint64_t value)
{
	return value;
}

/* ---- Which memory there is ---- */

static bool is_direct(const struct cz_host *host, uint64_t physical)
{
	for (unsigned i = 0; i < host->options.direct_count; i++) {
		if (host->options.direct[i] == physical) {
			return true;
		}
	}
	return false;
}

static enum host_memory kind_of(const struct cz_host *host,
				const struct cz_efi_memory_descriptor *entry)
{
	uint64_t size = entry->number_of_pages * CZ_EFI_PAGE_SIZE;

	if (entry->type == CZ_EFI_RUNTIME_SERVICES_CODE ||
	    entry->type == CZ_EFI_RUNTIME_SERVICES_DATA) {
		return HOST_RAM;
	}
	if (is_direct(host, entry->physical_start)) {
		return HOST_DIRECT;
	}
	return size > MAX_CLOCK_BYTES ? HOST_FLASH : HOST_CLOCK;
}

/* Its reason is where this machine's variables are. */
static bool refuse(struct cz_host *host)
{
	return fails(host, "%s", persist_judge(&host->facts).line);
}

static bool refuse_shared(struct cz_host *host,
			  const struct cz_efi_memory_descriptor *entry)
{
	host->facts.has_shared_ram = true;
	host->facts.shared_address = entry->physical_start;
	host->facts.shared_bytes = entry->number_of_pages * CZ_EFI_PAGE_SIZE;
	return refuse(host);
}

static bool add_region(struct cz_host *host,
		       const struct cz_efi_memory_descriptor *entry,
		       unsigned *ram)
{
	enum host_memory kind = kind_of(host, entry);
	struct host_region *region = &host->region[host->region_count];

	if (host->region_count ==
		    sizeof(host->region) / sizeof(host->region[0]) ||
	    (kind == HOST_RAM && *ram == STATE_MAX_REGIONS)) {
		return fails(host, "firmware has more than %u runtime regions",
			     host->region_count);
	}
	*region = (struct host_region){
		.kind = kind,
		.physical = entry->physical_start,
		/* 0: the stub left firmware where it was. */
		.address = entry->virtual_start != 0 ? entry->virtual_start
						     : entry->physical_start,
		.size_bytes = entry->number_of_pages * CZ_EFI_PAGE_SIZE,
		.number = kind == HOST_RAM ? (*ram)++ : 0,
	};
	host->region_count++;
	return true;
}

/* Each --direct names a device that there is. */
static bool are_all_there(struct cz_host *host)
{
	for (unsigned i = 0; i < host->options.direct_count; i++) {
		uint64_t address = host->options.direct[i];
		unsigned j = 0;

		while (j < host->region_count &&
		       (host->region[j].kind != HOST_DIRECT ||
			host->region[j].physical != address)) {
			j++;
		}
		if (j == host->region_count) {
			return fails(host,
				     "--direct 0x%llx: no runtime device of "
				     "firmware's begins there",
				     ull(address));
		}
	}
	return true;
}

static bool find_regions(struct cz_host *host, unsigned *ram)
{
	struct cz_efi_memory_descriptor entry;

	*ram = 0;
	for (uint32_t i = 0; machine_entry(host->machine, i, &entry); i++) {
		if ((entry.attribute & CZ_EFI_MEMORY_RUNTIME) == 0 ||
		    entry.number_of_pages == 0) {
			continue;
		}
		if (entry.number_of_pages > (1ull << 20)) {
			return fails(host,
				     "entry %u of the memory map [0x%llx, %llu "
				     "pages] is too large",
				     i, ull(entry.physical_start),
				     ull(entry.number_of_pages));
		}
		if (persist_is_shared(&entry)) {
			return refuse_shared(host, &entry);
		}
		if (!add_region(host, &entry, ram)) {
			return false;
		}
	}
	if (*ram == 0) {
		return fails(host,
			     "the memory map has no runtime regions of RAM");
	}
	return are_all_there(host);
}

/* ---- Flash ---- */

/* What is shown of the chip at a time: small pieces, as to change the rights of all of
 * it takes long in the kernel, where some do not let go in between. */
#define CHIP_WINDOW (64u << 10)
#define CHIP_WINDOWS 8u

struct chip {
	struct device *device;
	uint64_t size_bytes;
	/* None as long as firmware runs; the first is the one shown last. */
	uint64_t shown[CHIP_WINDOWS];
	unsigned shown_count;
	uint8_t *copy; /* firmware's mapping of it */
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

static void hide_chip(void)
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
			hide_chip();
			i = 0;
		}
		protect_window(start, PROT_READ | PROT_WRITE);
		chip.shown_count++;
	}
	chip.shown[i] = chip.shown[0];
	chip.shown[0] = start;
}

/* Since the chip and RAM were last known to be what the state is of. */
static struct resume awake;

/* What is half done is left to the next daemon, which looks before it goes on. */
static void end_if_resumed(void *context)
{
	if (resume_happened(&awake)) {
		host_say(context, CZ_LOG_ERROR,
			 "the machine has slept, in the middle of a call: what "
			 "firmware's RAM and its flash hold may be another "
			 "boot's; giving up");
		_exit(1);
	}
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
	end_if_resumed(((struct chip *)context)->host);
	device_write32(chip.device, offset, value);
}

static struct flash_port chip_port(uint64_t size_bytes)
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

/* The chip itself, and twice the memory of the copy. */
static bool map_flash(struct cz_host *host, const struct host_region *region)
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
		return fails(host, "flash at 0x%llx: %s %s",
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
	return mapped || fails(host, "flash cannot be at 0x%llx: %s",
			       ull(region->address), strerror(errno));
}

static bool open_flash(struct cz_host *host, const struct host_region *region)
{
	struct flash_config config = {
		.port = chip_port(region->size_bytes),
		.memory = {.context = &chip, .protect = protect_copy},
		.firmware = {.context = host, .reach = space_reach},
		.physical = region->physical,
		.address = region->address,
	};
	char error[NOR_ERROR_CHARS] = "";

	if (host->flash != NULL) {
		return fails(host,
			     "a second large device at 0x%llx: one flash chip "
			     "can be served",
			     ull(region->physical));
	}
	if (!map_flash(host, region)) {
		return false;
	}
	config.memory.bytes = host->flash_copy;
	host->flash = flash_open(&config, error);
	return host->flash != NULL ||
	       fails(host,
		     "the device at 0x%llx, %llu KiB, is no flash chip that is "
		     "known: %s. --direct 0x%llx lets firmware have it as it "
		     "is, without any of the guarantees",
		     ull(region->physical), ull(region->size_bytes >> 10),
		     error, ull(region->physical));
}

/* ---- Devices that are passed through ---- */

static void give_up_asking(int number)
{
	(void)number;
	_exit(1);
}

/* By a process that may take an abort for it. */
static bool is_one(bool (*is_known)(const struct device *device),
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

/* A device that reads firmware's messages from RAM has no use for a copy of that, and
 * would find in the real RAM what firmware has left there before. */
static bool is_hosts(struct cz_host *host, const struct host_region *region)
{
	const struct device *device = (void *)(uintptr_t)region->address;

	if (is_one(persist_is_uefi_vars, device)) {
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
		return fails(host, "0x%llx: %s", ull(region->address),
			     strerror(errno));
	}
	host_say(host, CZ_LOG_INFO,
		 region->kind == HOST_CLOCK
			 ? "firmware has the clock (PL031) at 0x%llx as it is, "
			   "%llu KiB"
			 : "firmware has the device at 0x%llx as it is, %llu "
			   "KiB, as --direct says",
		 ull(region->physical), ull(region->size_bytes >> 10));
	return true;
}

static bool open_device(struct cz_host *host, const struct host_region *region)
{
	void *at = (void *)(uintptr_t)region->address;

	if (machine_map_device(host->machine, region->physical,
			       region->size_bytes, at) != at) {
		return fails(host, "%s", host->machine->why);
	}
	if (region->kind == HOST_CLOCK && is_one(pl031_is_known, at)) {
		return pass_through(host, region);
	}
	if (is_hosts(host, region)) {
		return refuse(host);
	}
	if (region->kind == HOST_CLOCK) {
		return fails(host,
			     "the device at 0x%llx, %llu KiB, is no clock that "
			     "is known (PL031). --direct 0x%llx lets firmware "
			     "have it as it is, whatever it is, without any of "
			     "the guarantees",
			     ull(region->physical),
			     ull(region->size_bytes >> 10),
			     ull(region->physical));
	}
	if (!is_one(pl031_is_known, at)) {
		host->facts.has_direct = true;
	}
	return pass_through(host, region);
}

static bool open_devices(struct cz_host *host)
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

/* ---- RAM, by the state file ---- */

static bool map_ram(struct cz_host *host)
{
	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];
		void *at = (void *)(uintptr_t)region->address;

		if (region->kind != HOST_RAM) {
			continue;
		}
		if (mmap(at, region->size_bytes, PROT_READ,
			 MAP_PRIVATE | MAP_FIXED_NOREPLACE,
			 state_fd(host->state),
			 (off_t)state_region_offset(host->state,
						    region->number)) != at) {
			return fails(host,
				     "firmware's RAM cannot be at 0x%llx: %s",
				     ull(region->address), strerror(errno));
		}
		host->mapping[region->number] = at;
		host->dirty[region->number] =
			calloc(region->size_bytes / CZ_EFI_PAGE_SIZE, 1);
		if (host->dirty[region->number] == NULL) {
			return fails(host, "no memory");
		}
	}
	return true;
}

/* What the RAM says of where variables persist. */
static void look_for_places(struct cz_host *host)
{
	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (region->kind == HOST_RAM) {
			persist_look(&host->facts,
				     (void *)(uintptr_t)region->address,
				     region->size_bytes);
		}
	}
}

/* ---- All of it ---- */

static bool open_window(struct cz_host *host)
{
	void *window = mmap(NULL, WINDOW_BYTES, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	host->pages_fd = memfd_create("pages", MFD_CLOEXEC);
	if (window == MAP_FAILED || host->pages_fd < 0) {
		return fails(host, "no window: %s", strerror(errno));
	}
	host->window_address = (uint64_t)(uintptr_t)window;
	host->window_bytes = WINDOW_BYTES;
	return true;
}

static void watch_for_sleep(struct cz_host *host)
{
	if (resume_can_be_told(&resume_clocks)) {
		resume_begin(&awake, &resume_clocks);
		return;
	}
	host_say(host, CZ_LOG_WARNING,
		 "the CPU's counter does not run at the rate of the kernel's "
		 "clock, so that it cannot be told whether the machine has "
		 "slept. The flash chip is compared before each write all the "
		 "same; do not hibernate while caesurad runs");
}

bool space_open(struct cz_host *host)
{
	const struct flash_port *chip_found;
	struct flash_port port;
	bool was_pending = false;
	unsigned ram;

	host->pages_fd = -1;
	host->ram.before_put = end_if_resumed;
	host->ram.context = host;
	watch_for_sleep(host);
	if (!find_regions(host, &ram) || !open_window(host) ||
	    !open_devices(host)) {
		return false;
	}
	port = chip_port(host->flash_bytes);
	chip_found = host->flash == NULL ? NULL : &port;
	if (!origin_open(host, ram, chip_found)) {
		return false;
	}
	/* The chip first: firmware's RAM is of what it will say. */
	if (!origin_recover(host, chip_found, &was_pending)) {
		return false;
	}
	/* What the chip holds is known from here on, not from firmware's first
	 * access: the machine may have slept by then. */
	if (host->flash != NULL) {
		flash_read_ahead(host->flash, host->store_offset,
				 host->store_bytes);
	}
	if (was_pending) {
		host_say(host, CZ_LOG_WARNING,
			 "completed what a daemon that was killed had "
			 "committed");
	}
	if (!map_ram(host)) {
		return false;
	}
	look_for_places(host);
	return true;
}

void space_range(const struct cz_host *host, uint64_t *low, uint64_t *end)
{
	*low = UINT64_MAX;
	*end = 0;
	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (region->address < *low) {
			*low = region->address;
		}
		if (region->address + region->size_bytes > *end) {
			*end = region->address + region->size_bytes;
		}
	}
}

void space_changing_code(const struct cz_host *host, uint64_t *low,
			 uint64_t *end)
{
	const uint32_t both = CZ_PROT_WRITE | CZ_PROT_EXEC;

	*low = 0;
	*end = 0;
	for (unsigned i = 0; i < host->part_count; i++) {
		const struct host_part *part = &host->part[i];

		if ((part->prot & both) != both) {
			continue;
		}
		if (*end == 0 || part->address < *low) {
			*low = part->address;
		}
		if (part->address + part->size_bytes > *end) {
			*end = part->address + part->size_bytes;
		}
	}
}

/* ---- What the library asks for ---- */

bool cz_host_pages_alloc(struct cz_host *host, size_t count,
			 struct cz_host_pages *pages)
{
	uint64_t size = count * CZ_EFI_PAGE_SIZE;
	void *alias;

	if (ftruncate(host->pages_fd, (off_t)(host->pages_bytes + size)) != 0) {
		return false;
	}
	alias = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		     host->pages_fd, (off_t)host->pages_bytes);
	if (alias == MAP_FAILED) {
		return false;
	}
	pages->alias = alias;
	pages->cookie = host->pages_bytes;
	pages->count = count;
	host->pages_bytes += size;
	return true;
}

void cz_host_pages_free(struct cz_host *host, struct cz_host_pages *pages)
{
	(void)host;
	(void)munmap(pages->alias, pages->count * CZ_EFI_PAGE_SIZE);
}

/* A region's, or a copy of a table elsewhere. */
void *cz_host_firmware_alias(struct cz_host *host, uint64_t physical,
			     size_t size)
{
	void *table;

	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (physical >= region->physical &&
		    physical - region->physical < region->size_bytes) {
			return region->kind == HOST_RAM
				       ? (uint8_t *)(uintptr_t)region->address +
						 (physical - region->physical)
				       : NULL;
		}
	}
	if (host->table_count == HOST_MAX_TABLES) {
		return NULL;
	}
	table = malloc(size);
	if (table == NULL ||
	    !machine_read(host->machine, physical, table, size)) {
		free(table);
		return NULL;
	}
	host->table[host->table_count++] = table;
	return table;
}

uint32_t cz_host_gates(struct cz_host *host)
{
	(void)host;
	return 1u << CZ_GATE_SANDBOX;
}

/* There is one, and it is this process's. */
cz_host_space cz_host_space_create(struct cz_host *host, enum cz_gate gate)
{
	(void)gate;
	host->part_count = 0;
	return (cz_host_space)host;
}

void cz_host_space_destroy(struct cz_host *host, cz_host_space space)
{
	(void)host;
	(void)space;
}

void space_to_firmware(void)
{
	hide_chip();
}

/* Before a call: nothing is half done. A daemon that starts anew makes its state from
 * the machine's RAM, for which this one has no rights any more. */
static void look_after_sleep(struct cz_host *host)
{
	if (!resume_happened_since(&awake)) {
		return;
	}
	/* Before the comparison, so that a sleep in the midst of it is noticed too. */
	resume_begin(&awake, &resume_clocks);
	if (!origin_is_same(host)) {
		host_say(host, CZ_LOG_ERROR,
			 "the machine has slept, and is not as it was: %s. A "
			 "caesurad that is started anew finds out what it has "
			 "to go on with; giving up",
			 host->why);
		_exit(1);
	}
	host_say(host, CZ_LOG_INFO, "the machine has slept, and is as it was");
}

/* A wild write of firmware's must hit neither the state file, which is mapped for
 * reading only, nor the chip: it would outlast the call. */
void cz_host_space_enter(struct cz_host *host, cz_host_space space)
{
	(void)space;
	if (host->state != NULL) {
		look_after_sleep(host);
	}
	space_to_firmware();
}

void cz_host_space_leave(struct cz_host *host, cz_host_space space)
{
	(void)host;
	(void)space;
}

static int prot_of(uint32_t prot)
{
	return PROT_READ | ((prot & CZ_PROT_WRITE) != 0 ? PROT_WRITE : 0) |
	       ((prot & CZ_PROT_EXEC) != 0 ? PROT_EXEC : 0);
}

static bool note_part(struct cz_host *host, const struct host_part *part)
{
	for (unsigned i = 0; i < host->part_count; i++) {
		if (host->part[i].address == part->address) {
			host->part[i] = *part;
			return true;
		}
	}
	if (host->part_count == HOST_MAX_PARTS) {
		return false;
	}
	host->part[host->part_count++] = *part;
	return true;
}

/* RAM cannot be written until it is: space_wrote(). Once, so that the kernel has
 * accounted for all of it: what could be written later alone would stay apart from its
 * neighbours. */
static bool map_ram_part(struct cz_host *host, const struct host_region *region,
			 const struct cz_mapping *mapping)
{
	struct host_part part = {
		.address = mapping->address,
		.size_bytes = mapping->page_count * CZ_EFI_PAGE_SIZE,
		.prot = mapping->prot,
		.dirty =
			host->dirty[region->number] +
			(mapping->address - region->address) / CZ_EFI_PAGE_SIZE,
	};

	void *at = (void *)(uintptr_t)part.address;

	return mprotect(at, part.size_bytes, prot_of(part.prot)) == 0 &&
	       mprotect(at, part.size_bytes,
			prot_of(part.prot & ~CZ_PROT_WRITE)) == 0 &&
	       note_part(host, &part);
}

static bool map_firmware(struct cz_host *host, const struct cz_mapping *mapping)
{
	uint64_t size = mapping->page_count * CZ_EFI_PAGE_SIZE;

	for (unsigned i = 0; i < host->region_count; i++) {
		const struct host_region *region = &host->region[i];

		if (mapping->cookie < region->physical ||
		    mapping->cookie - region->physical >= region->size_bytes) {
			continue;
		}
		if (region->kind == HOST_FLASH) {
			return true; /* flash.c has it in hand */
		}
		return region->kind == HOST_RAM
			       ? map_ram_part(host, region, mapping)
			       : mprotect((void *)(uintptr_t)mapping->address,
					  size, prot_of(mapping->prot)) == 0;
	}
	return false;
}

bool cz_host_space_map(struct cz_host *host, cz_host_space space,
		       const struct cz_mapping *mapping)
{
	void *at = (void *)(uintptr_t)mapping->address;
	uint64_t size = mapping->page_count * CZ_EFI_PAGE_SIZE;

	(void)space;
	if (mapping->backing == CZ_BACKING_FIRMWARE) {
		return map_firmware(host, mapping);
	}
	return mmap(at, size, prot_of(mapping->prot), MAP_SHARED | MAP_FIXED,
		    host->pages_fd, (off_t)mapping->cookie) == at &&
	       note_part(host, &(struct host_part){.address = mapping->address,
						   .size_bytes = size,
						   .prot = mapping->prot});
}

/* The window stays this process's own. */
void cz_host_space_unmap(struct cz_host *host, cz_host_space space,
			 uint64_t address, size_t page_count)
{
	(void)space;
	if (mmap((void *)(uintptr_t)address, page_count * CZ_EFI_PAGE_SIZE,
		 PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED) {
		abort();
	}
	for (unsigned i = 0; i < host->part_count; i++) {
		if (host->part[i].address == address) {
			host->part[i] = host->part[--host->part_count];
			return;
		}
	}
}

static bool part_holds(const struct host_part *part, uint64_t address,
		       uint32_t bytes)
{
	return address - part->address < part->size_bytes &&
	       bytes <= part->size_bytes - (address - part->address);
}

static struct host_part *part_of(struct cz_host *host, uint64_t address,
				 uint32_t bytes)
{
	for (unsigned i = 0; i < host->part_count; i++) {
		if (part_holds(&host->part[i], address, bytes)) {
			return &host->part[i];
		}
	}
	return NULL;
}

/* ---- Pages of RAM that a call has written ---- */

/* A run of pages is written in order, mostly: those behind one that has been come
 * along with the next. */
#define PAGES_AHEAD 8u

static void open_pages(struct host_part *part, uint64_t first, uint64_t count)
{
	if (mprotect((uint8_t *)(uintptr_t)part->address +
			     first * CZ_EFI_PAGE_SIZE,
		     count * CZ_EFI_PAGE_SIZE, prot_of(part->prot)) != 0) {
		abort();
	}
	memset(part->dirty + first, 1, count);
}

bool space_wrote(struct cz_host *host, uint64_t address)
{
	struct host_part *part = part_of(host, address, 1);
	uint64_t page, count = 1, rest;

	if (part == NULL || part->dirty == NULL ||
	    (part->prot & CZ_PROT_WRITE) == 0) {
		return false;
	}
	page = (address - part->address) / CZ_EFI_PAGE_SIZE;
	if (part->dirty[page] != 0) {
		return false;
	}
	if (page > 0 && part->dirty[page - 1] != 0) {
		rest = part->size_bytes / CZ_EFI_PAGE_SIZE - page;
		count = rest < PAGES_AHEAD ? rest : PAGES_AHEAD;
	}
	open_pages(part, page, count);
	return true;
}

/* All are as committed. */
static void close_pages(struct host_part *part)
{
	uint64_t count = part->size_bytes / CZ_EFI_PAGE_SIZE, end;
	uint8_t *start = (uint8_t *)(uintptr_t)part->address;

	for (uint64_t i = 0; i < count; i = end) {
		end = i + 1;
		if (part->dirty[i] == 0) {
			continue;
		}
		while (end < count && part->dirty[end] != 0) {
			end++;
		}
		if (mprotect(start + i * CZ_EFI_PAGE_SIZE,
			     (end - i) * CZ_EFI_PAGE_SIZE,
			     prot_of(part->prot & ~CZ_PROT_WRITE)) != 0) {
			abort();
		}
		memset(part->dirty + i, 0, end - i);
	}
}

static void close_ram(struct cz_host *host)
{
	for (unsigned i = 0; i < host->part_count; i++) {
		if (host->part[i].dirty != NULL) {
			close_pages(&host->part[i]);
		}
	}
}

/* Once for each instruction that is gone on with, and each of its accesses: mostly
 * in the same part as the last of its kind. */
void *space_reach(void *context, uint64_t address, uint32_t bytes,
		  enum flash_reach how)
{
	static const uint32_t needed[] = {
		[FLASH_REACH_READ] = CZ_PROT_READ,
		[FLASH_REACH_WRITE] = CZ_PROT_WRITE,
		[FLASH_REACH_EXECUTE] = CZ_PROT_EXEC,
	};
	struct cz_host *host = context;
	struct host_part *part = host->part_recent[how];

	if (part == NULL || part >= host->part + host->part_count ||
	    !part_holds(part, address, bytes)) {
		part = part_of(host, address, bytes);
		if (part == NULL) {
			return NULL;
		}
		host->part_recent[how] = part;
	}
	if ((part->prot & needed[how]) == 0) {
		return NULL;
	}
	if (how == FLASH_REACH_WRITE && part->dirty != NULL) {
		/* Stores that are made for it do not fault. */
		(void)space_wrote(host, address);
		(void)space_wrote(host, address + bytes - 1);
	}
	return (void *)(uintptr_t)address;
}

void cz_host_sync_code(struct cz_host *host, const void *alias, size_t size)
{
	(void)host;
	__builtin___clear_cache((char *)(uintptr_t)alias,
				(char *)(uintptr_t)alias + size);
}

/* A process has no conduit. */
bool cz_host_secure_call(struct cz_host *host, enum cz_conduit conduit,
			 uint64_t registers[18])
{
	(void)host;
	(void)conduit;
	(void)registers;
	return false;
}

/* ---- The end of a call ---- */

static bool commit(struct cz_host *host)
{
	switch (state_commit(host->state, host->mapping,
			     (const uint8_t *const *)host->dirty,
			     host->flash)) {
	case STATE_COMMITTED:
		return true;
	case STATE_COMMIT_REFUSED:
		host_say(host, CZ_LOG_ERROR, "not committed: %s",
			 state_error(host->state));
		return false;
	case STATE_COMMIT_FOREIGN:
		/* No call can be right any more, nor was this one. */
		host_say(host, CZ_LOG_ERROR,
			 "not committed: %s. Nothing has been written; giving "
			 "up",
			 state_error(host->state));
		_exit(1);
	default:
		/* A daemon that starts anew does it, or says that it cannot. */
		host_say(host, CZ_LOG_ERROR, "committed, but: %s; giving up",
			 state_error(host->state));
		_exit(1);
	}
}

bool cz_host_call_end(struct cz_host *host, uint32_t service, bool completed)
{
	(void)service;
	if (host->flash != NULL) {
		(void)flash_finish(host->flash, NULL);
	}
	if (completed && commit(host)) {
		close_ram(host);
		return true;
	}
	if (!state_drop(host->state, host->mapping)) {
		host_say(host, CZ_LOG_ERROR, "not dropped: %s; giving up",
			 state_error(host->state));
		_exit(1);
	}
	close_ram(host);
	if (host->flash != NULL) {
		flash_drop(host->flash);
	}
	return false;
}
