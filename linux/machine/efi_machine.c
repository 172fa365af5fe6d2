/* SPDX-License-Identifier: MIT */
#include "machine/efi_machine.h"
#include "machine/device.h"
#include "machine/fdt_chosen.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_MAP_BYTES (1u << 20)
#define MIN_DESCRIPTOR_BYTES sizeof(struct cz_efi_memory_descriptor)
#define MAX_DESCRIPTOR_BYTES 512u
#define MAX_SEGMENTS 512u

__attribute__((format(printf, 2, 3))) static bool
append_why(struct machine *machine, const char *format, ...)
{
	size_t used = strlen(machine->why);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(machine->why + used, sizeof(machine->why) - used,
			format, arguments);
	va_end(arguments);
	return false;
}

/* Reads a small file and terminates the text. Returns the number of bytes, or
 * -1. */
static ssize_t read_file(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0) {
		return -1;
	}
	got = read(fd, text, room - 1);
	(void)close(fd);
	if (got >= 0) {
		text[got] = '\0';
	}
	return got;
}

static bool is_locked_down(void)
{
	char text[128];

	return read_file("/sys/kernel/security/lockdown", text, sizeof(text)) >
		       0 &&
	       strstr(text, "[none]") == NULL;
}

/* Reads a number that the EFI stub left for the kernel. */
static bool read_chosen(struct machine *machine, const char *name,
			uint64_t *value)
{
	int error = fdt_chosen_read(name, value);

	if (error == 0) {
		return true;
	}
	return append_why(machine,
			  "/sys/firmware/fdt: cannot read %s of /chosen: %s; "
			  "every kernel that UEFI firmware started has it\n",
			  name, strerror(-error));
}

/* ---- Memory by /proc/kcore and /dev/mem ---- */

static bool read_fully(int fd, void *into, size_t size, uint64_t offset)
{
	uint8_t *bytes = into;

	while (size > 0) {
		ssize_t got = pread(fd, bytes, size, (off_t)offset);

		if (got <= 0) {
			return false;
		}
		bytes += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return true;
}

/* Finds the offset of physical memory in /proc/kcore. Returns false if the file
 * does not have it. */
static bool find_in_kcore(int fd, uint64_t physical, uint64_t size,
			  uint64_t *offset)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (!read_fully(fd, &header, sizeof(header), 0) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_phentsize != sizeof(segment)) {
		return false;
	}
	for (uint32_t i = 0; i < header.e_phnum && i < MAX_SEGMENTS; i++) {
		if (!read_fully(fd, &segment, sizeof(segment),
				header.e_phoff + i * sizeof(segment))) {
			return false;
		}
		if (segment.p_type == PT_LOAD &&
		    segment.p_paddr != UINT64_MAX &&
		    physical >= segment.p_paddr && size <= segment.p_memsz &&
		    physical - segment.p_paddr <= segment.p_memsz - size) {
			*offset =
				segment.p_offset + (physical - segment.p_paddr);
			return true;
		}
	}
	return false;
}

/* Firmware wrote through the caches, but a read of Device memory bypasses
 * them. */
static void clean_caches(const void *memory, size_t size)
{
	uint64_t type;
	size_t line;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(type));
	line = (size_t)4 << (type >> 16 & 15);
	for (size_t i = 0; i < size; i += line) {
		__asm__ volatile("dc cvac, %0" ::"r"((uintptr_t)memory + i)
				 : "memory");
	}
	__asm__ volatile("dsb sy" ::: "memory");
}

/* Reads aligned words of 8 bytes: /dev/mem maps this memory as Device memory,
 * which allows no unaligned access. */
static bool read_by_mem(int fd, uint64_t physical, uint8_t *into, size_t size)
{
	uint64_t first = physical & ~(uint64_t)(CZ_EFI_PAGE_SIZE - 1);
	size_t span = (physical - first + size + CZ_EFI_PAGE_SIZE - 1) &
		      ~(size_t)(CZ_EFI_PAGE_SIZE - 1);
	struct device *words;

	words = mmap(NULL, span, PROT_READ, MAP_SHARED, fd, (off_t)first);
	if (words == MAP_FAILED) {
		return false;
	}
	clean_caches(words, span);
	while (size > 0) {
		uint64_t at = physical - first;
		uint64_t word = device_read64(words, at / 8 * 8);
		size_t part = 8 - at % 8 < size ? 8 - at % 8 : size;

		memcpy(into, (const uint8_t *)&word + at % 8, part);
		into += part;
		physical += part;
		size -= part;
	}
	(void)munmap(words, span);
	return true;
}

static bool read_raw(struct machine *machine, uint64_t physical, void *into,
		     size_t size)
{
	uint64_t offset;

	if (find_in_kcore(machine->kcore, physical, size, &offset) &&
	    read_fully(machine->kcore, into, size, offset)) {
		return true;
	}
	if (read_by_mem(machine->mem, physical, into, size)) {
		return true;
	}
	return append_why(machine,
			  "cannot read memory at 0x%llx (%zu bytes), neither "
			  "by /proc/kcore nor by /dev/mem: %s\n",
			  (unsigned long long)physical, size, strerror(errno));
}

static bool open_raw(struct machine *machine)
{
	machine->mem = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	if (machine->mem < 0) {
		append_why(machine, "cannot open /dev/mem: %s\n",
			   strerror(errno));
	}
	machine->kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	if (machine->kcore < 0) {
		append_why(machine, "cannot open /proc/kcore: %s\n",
			   strerror(errno));
	}
	if (machine->mem >= 0 && machine->kcore >= 0) {
		return true;
	}
	if (is_locked_down()) {
		append_why(machine, "the kernel is locked down (as under "
				    "Secure Boot), which forbids both; the "
				    "module caesura-efivars, signed with a key "
				    "that the machine trusts, needs neither\n");
	} else {
		append_why(machine, "start caesurad with CAP_SYS_RAWIO, or "
				    "load the module caesura-efivars\n");
	}
	return false;
}

/* ---- The memory map ---- */

static bool check_sizes(struct machine *machine, uint64_t map_bytes,
			uint64_t descriptor_bytes)
{
	if (descriptor_bytes < MIN_DESCRIPTOR_BYTES ||
	    descriptor_bytes > MAX_DESCRIPTOR_BYTES || map_bytes == 0 ||
	    map_bytes > MAX_MAP_BYTES) {
		return append_why(machine,
				  "the EFI memory map is not valid: it has "
				  "%llu bytes, and descriptors of %llu bytes\n",
				  (unsigned long long)map_bytes,
				  (unsigned long long)descriptor_bytes);
	}
	machine->map_bytes = map_bytes;
	machine->descriptor_bytes = descriptor_bytes;
	return true;
}

static bool read_map(struct machine *machine)
{
	uint64_t start, size, stride, version;

	if (!read_chosen(machine, "linux,uefi-system-table",
			 &machine->system_table) ||
	    !read_chosen(machine, "linux,uefi-mmap-start", &start) ||
	    !read_chosen(machine, "linux,uefi-mmap-size", &size) ||
	    !read_chosen(machine, "linux,uefi-mmap-desc-size", &stride) ||
	    !read_chosen(machine, "linux,uefi-mmap-desc-ver", &version) ||
	    !check_sizes(machine, size, stride)) {
		return false;
	}
	machine->descriptor_version = (uint32_t)version;
	machine->map = malloc(machine->map_bytes);
	return machine->map != NULL &&
	       read_raw(machine, start, machine->map, machine->map_bytes);
}

static bool take_map(struct machine *machine)
{
	const struct provider *module = machine->module;

	if (!check_sizes(machine, module->memory_map_size_bytes,
			 module->descriptor_size_bytes)) {
		return false;
	}
	machine->map = malloc(machine->map_bytes);
	if (machine->map == NULL) {
		return append_why(machine,
				  "out of memory for the EFI memory map\n");
	}
	memcpy(machine->map, module->memory_map, machine->map_bytes);
	machine->descriptor_version = module->descriptor_version;
	machine->system_table = module->system_table;
	return true;
}

bool machine_open(struct machine *machine, struct provider *module)
{
	*machine = (struct machine){.module = module, .mem = -1, .kcore = -1};
	if (sysconf(_SC_PAGESIZE) != CZ_EFI_PAGE_SIZE) {
		return append_why(
			machine,
			"the kernel uses pages of %ld bytes, so that "
			"firmware's 4 KiB regions cannot be protected one by "
			"one; use a kernel with 4 KiB pages\n",
			sysconf(_SC_PAGESIZE));
	}
	machine->was_kexeced = fdt_chosen_has("linux,booted-from-kexec");
	if (module != NULL) {
		return take_map(machine);
	}
	return open_raw(machine) && read_map(machine);
}

void machine_shut(struct machine *machine)
{
	if (machine->mem >= 0) {
		(void)close(machine->mem);
	}
	if (machine->kcore >= 0) {
		(void)close(machine->kcore);
	}
	machine->mem = machine->kcore = -1;
}

bool machine_entry(const struct machine *machine, uint32_t number,
		   struct cz_efi_memory_descriptor *entry)
{
	size_t at = number * machine->descriptor_bytes;

	if (at + machine->descriptor_bytes > machine->map_bytes) {
		return false;
	}
	memcpy(entry, (const uint8_t *)machine->map + at, sizeof(*entry));
	return true;
}

bool machine_read(struct machine *machine, uint64_t physical, void *into,
		  size_t size_bytes)
{
	int error;

	if (machine->module == NULL) {
		return read_raw(machine, physical, into, size_bytes);
	}
	error = provider_read(machine->module, physical, into, size_bytes);
	return error == 0 || append_why(machine,
					"the module cannot read memory at "
					"0x%llx (%zu bytes): %s\n",
					(unsigned long long)physical,
					size_bytes, strerror(-error));
}

void *machine_map_device(struct machine *machine, uint64_t physical,
			 size_t size_bytes, void *address)
{
	int how = MAP_SHARED | (address == NULL ? 0 : MAP_FIXED_NOREPLACE);
	void *mapping = NULL;
	int error = 0;

	if (machine->module != NULL) {
		error = -provider_map(machine->module, physical, size_bytes,
				      PROT_READ | PROT_WRITE, address,
				      &mapping);
	} else {
		mapping = mmap(address, size_bytes, PROT_READ | PROT_WRITE, how,
			       machine->mem, (off_t)physical);
		error = mapping == MAP_FAILED ? errno : 0;
	}
	if (error != 0) {
		append_why(machine,
			   "cannot map memory at 0x%llx (%zu bytes) for "
			   "writing: %s\n",
			   (unsigned long long)physical, size_bytes,
			   strerror(error));
		return NULL;
	}
	return mapping;
}

/* ---- Whose firmware it is ---- */

enum provider_of_variables { NONE, SOMEBODY, UNKNOWN };

/* Tries to mount efivarfs in a mount namespace of its own, where no other
 * process sees the mount. */
static int try_to_mount(void)
{
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		return UNKNOWN;
	}
	if (mount("efivarfs", "/sys/firmware/efi/efivars", "efivarfs",
		  MS_RDONLY, NULL) == 0 ||
	    errno == EBUSY) {
		return SOMEBODY;
	}
	return errno == EOPNOTSUPP ? NONE : UNKNOWN;
}

/* The kernel mounts efivarfs only if it has a provider of EFI variables. */
static enum provider_of_variables kernel_provider(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		_exit(try_to_mount());
	}
	if (child < 0 || waitpid(child, &status, 0) != child ||
	    !WIFEXITED(status)) {
		return UNKNOWN;
	}
	return (enum provider_of_variables)WEXITSTATUS(status);
}

/* The kernel creates this device if its runtime services are on and include a
 * clock. */
static bool has_runtime_clock(void)
{
	return access("/sys/bus/platform/devices/rtc-efi.0", F_OK) == 0;
}

/* Looks for a message that the kernel logs when it starts. The message is gone
 * if the log has overflowed since. */
static bool kernel_said_runtime(void)
{
	static const char words[] = "Remapping and enabling EFI services";
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char line[1024];
	bool said = false;

	while (fd >= 0 && !said) {
		ssize_t got = read(fd, line, sizeof(line) - 1);

		if (got < 0 && errno == EPIPE) {
			continue;
		}
		if (got <= 0) {
			break;
		}
		line[got] = '\0';
		said = strstr(line, words) != NULL;
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	return said;
}

bool machine_is_hyperv(void)
{
	char vendor[64], product[64];

	return read_file("/sys/class/dmi/id/sys_vendor", vendor,
			 sizeof(vendor)) > 0 &&
	       read_file("/sys/class/dmi/id/product_name", product,
			 sizeof(product)) > 0 &&
	       strcmp(vendor, "Microsoft Corporation\n") == 0 &&
	       strcmp(product, "Virtual Machine\n") == 0;
}

bool machine_is_ours(struct machine *machine)
{
	bool ours = true;

	if (has_runtime_clock() || kernel_said_runtime() ||
	    (machine->module != NULL && machine->module->kernel_runtime)) {
		ours = append_why(
			machine,
			"the kernel's own EFI runtime services are on, and two "
			"owners of one variable store destroy it. Start the "
			"kernel with efi=noruntime (real-time kernels have "
			"them off, unless they are started with "
			"efi=runtime)\n");
	} else if ((machine->module == NULL ||
		    !machine->module->was_registered) &&
		   kernel_provider() == SOMEBODY) {
		ours = append_why(
			machine,
			"another driver of the kernel provides EFI variables "
			"already, and two owners of one variable store destroy "
			"it; disable that driver and restart the machine\n");
	}
	return ours;
}
