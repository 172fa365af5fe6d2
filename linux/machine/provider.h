/* SPDX-License-Identifier: MIT */
/*
 * caesurad's side of /dev/caesura. The device gives access to firmware's memory
 * without /dev/mem, and delivers the kernel's own requests for EFI variables,
 * which are passed to the library.
 *
 * Functions return 0 or a negative errno unless they say otherwise.
 * provider_read() and provider_map() may be called by any thread;
 * provider_open(), provider_register(), provider_serve() and provider_close()
 * by one.
 */
#ifndef LINUX_PROVIDER_H
#define LINUX_PROVIDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROVIDER_DEVICE "/dev/caesura"

struct cz;
struct caesura_request;
struct caesura_answer;

struct provider {
	/* Fixed by provider_open(). */
	int fd;
	uint64_t system_table; /* its physical address */
	void *memory_map; /* as the EFI stub left it, with virtual_start */
	size_t memory_map_size_bytes;
	size_t descriptor_size_bytes;
	uint32_t descriptor_version;
	uint32_t timeout_s; /* how long the kernel's callers wait */
	/* The kernel makes runtime calls itself, so caesurad must not. */
	bool kernel_runtime;
	/* An earlier caesurad has been the kernel's provider. */
	bool was_registered;

	/* Answers every SetVariable with EFI_WRITE_PROTECTED, which callers see
	 * as EROFS. Set before provider_serve(). */
	bool read_only;

	/* Used by provider_serve() only. */
	int stop_fd;
	struct caesura_request *request;
	struct caesura_answer *answer;
	_Atomic uint64_t served; /* requests answered */
};

/*
 * Opens the device and reads the memory map. The system table's address comes
 * from /sys/firmware/fdt. -ENOENT: the module is not loaded; -EBUSY: another
 * process has opened the device; -EPROTO: the module has another version;
 * -ENODATA: /chosen does not have the system table's address.
 */
int provider_open(struct provider *provider, const char *path);

/* Closes the device and frees memory. Mappings stay; as long as there is one,
 * no other process can open the device. */
void provider_close(struct provider *provider);

/*
 * Copies [physical, + size_bytes), which must lie in one descriptor of the
 * memory map and must be firmware's RAM or a table. -EPERM: it does not, or is
 * not.
 */
int provider_read(const struct provider *provider, uint64_t physical,
		  void *buffer, size_t size_bytes);

/*
 * Maps [physical, + size_bytes): whole pages of one descriptor that has
 * EFI_MEMORY_RUNTIME. RAM is mapped with its cacheable attributes, a device as
 * Device-nGnRE; `prot` is PROT_READ or PROT_READ | PROT_WRITE. `address` is an
 * address at which nothing is mapped yet, or NULL for any. The caller unmaps
 * *mapping.
 */
int provider_map(const struct provider *provider, uint64_t physical,
		 size_t size_bytes, int prot, void *address, void **mapping);

/*
 * Registers this process as the kernel's provider of EFI variables. `supported`
 * is the mask of firmware's EFI_RT_PROPERTIES_TABLE, or UINT32_MAX if there is
 * no such table. This needs no privilege, so it may be called before or after
 * the process is confined. -EBUSY: the kernel has another provider.
 */
int provider_register(struct provider *provider, uint32_t supported);

/*
 * Answers the kernel's requests, one after the other, until provider_stop() is
 * called; then returns 0. A request waits for firmware for limit_ns, but for no
 * more than nine tenths of the timeout that the module had when the device was
 * opened.
 */
int provider_serve(struct provider *provider, struct cz *cz, uint64_t limit_ns);

/* Makes provider_serve() return before it takes the next request. Any thread
 * and any signal handler may call this. */
void provider_stop(struct provider *provider);

#endif
