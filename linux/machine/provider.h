/* SPDX-License-Identifier: MIT */
/*
 * caesurad's side of /dev/caesura: firmware's memory without /dev/mem, and the
 * kernel's own requests for EFI variables, which are handed to the library.
 *
 * Functions return 0 or a negative errno unless they say otherwise. Those that
 * give memory may be called from any thread; provider_open() to
 * provider_close() from one.
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
	void *memory_map; /* the stub's, virtual_start filled in */
	size_t memory_map_size_bytes;
	size_t descriptor_size_bytes;
	uint32_t descriptor_version;
	uint32_t timeout_s; /* for which the kernel's callers wait for us */
	bool kernel_runtime; /* the kernel makes runtime calls: do not serve */
	bool was_registered; /* an earlier process of ours was the provider */

	/* Every SetVariable is answered with EFI_WRITE_PROTECTED, which is EROFS. Set
	 * before provider_serve(). */
	bool read_only;

	/* provider_serve()'s. */
	int stop_fd;
	struct caesura_request *request;
	struct caesura_answer *answer;
	_Atomic uint64_t served; /* requests answered */
};

/*
 * Opens the device and takes the memory map; the system table's address comes
 * from /sys/firmware/fdt. -ENOENT: the module is not there; -EBUSY: another process
 * has it; -EPROTO: the module is of another version; -ENODATA: nothing names the
 * system table.
 */
int provider_open(struct provider *provider, const char *path);

/* Ends what provider_open() began. Mappings stay; the device stays taken while
 * there is one. */
void provider_close(struct provider *provider);

/*
 * Copies [physical, + size_bytes), which lies in one descriptor of the memory map:
 * RAM of firmware's or a table. -EPERM: it does not.
 */
int provider_read(const struct provider *provider, uint64_t physical,
		  void *buffer, size_t size_bytes);

/*
 * Maps [physical, + size_bytes), whole pages of one descriptor with
 * EFI_MEMORY_RUNTIME: RAM with PROT_READ, a device (Device-nGnRE) with PROT_READ
 * or PROT_READ | PROT_WRITE. At `address`, where nothing may be mapped yet;
 * NULL: anywhere. *mapping is for munmap().
 */
int provider_map(const struct provider *provider, uint64_t physical,
		 size_t size_bytes, int prot, void *address, void **mapping);

/*
 * Becomes the kernel's provider of EFI variables. `supported` is the mask of
 * firmware's EFI_RT_PROPERTIES_TABLE, UINT32_MAX without one. Before or after
 * confine: it takes no permission. -EBUSY: the kernel has another provider.
 */
int provider_register(struct provider *provider, uint32_t supported);

/*
 * Answers the kernel's requests, one after the other, until provider_stop().
 * limit_ns: for which a request waits for firmware; at most nine tenths of the
 * module's timeout, as it was when the device was opened.
 * Returns 0 after provider_stop().
 */
int provider_serve(struct provider *provider, struct cz *cz, uint64_t limit_ns);

/* Has provider_serve() return before the next request. Any thread, or a signal
 * handler. */
void provider_stop(struct provider *provider);

#endif
