/* SPDX-License-Identifier: MIT */
/*
 * Where this machine's EFI variables persist, so that a write is not accepted which
 * the next boot does not have. The decision is a pure function of facts; the facts
 * are collected while firmware's memory is mapped, without a call of firmware's.
 */
#ifndef LINUX_PERSIST_H
#define LINUX_PERSIST_H

#include "machine/device.h"

#include <caesura/uefi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERSIST_FILE_CHARS 64
#define PERSIST_LINE_CHARS 512

enum persist_place {
	PERSIST_FLASH,
	PERSIST_FILE, /* of the EFI system partition */
	PERSIST_RAM, /* nowhere: they are lost with the next boot */
	PERSIST_SECURE, /* in secure firmware, behind a buffer in RAM */
	PERSIST_HOST, /* in a hypervisor's device, which reads RAM */
	PERSIST_UNKNOWN,
};

enum persist_service {
	PERSIST_SERVED,
	PERSIST_READ_ONLY,
	PERSIST_REFUSED, /* no service of firmware's can work in a process */
};

struct persist_facts {
	/* A runtime region of RAM that is nobody's own: persist_is_shared(). */
	bool has_shared_ram;
	uint64_t shared_address, shared_bytes;
	/* The product whose device reads firmware's messages from RAM; or NULL. */
	const char *host_device;
	uint64_t host_address;

	bool has_chip; /* a flash chip that is known */
	bool chip_has_store; /* and EDK II's variable store is in it */
	bool has_direct; /* a device that --direct names, and no clock that is known */

	/* persist_look() finds these in firmware's RAM: a store of EDK II's, and the
	 * file that firmware wants the operating system to write. Its name may be
	 * empty. */
	bool ram_has_store;
	bool has_file;
	char file[PERSIST_FILE_CHARS];

	bool has_set_variable; /* at run time, see EFI_RT_PROPERTIES_TABLE */
};

struct persist {
	enum persist_place place;
	enum persist_service service;
	/* One line for people: where variables persist, and what can be done. */
	char line[PERSIST_LINE_CHARS];
};

struct persist persist_judge(const struct persist_facts *facts);

/*
 * Whether a runtime region is RAM that firmware shares with somebody outside of the
 * machine's own processors' normal world: neither firmware's code or data nor a
 * device, but cacheable. A private copy of it would reach nobody.
 */
bool persist_is_shared(const struct cz_efi_memory_descriptor *entry);

/* Whether the device is QEMU's uefi-vars. Reads its first word, of which a bus may make
 * an abort. */
bool persist_is_uefi_vars(const struct device *device);

/* Looks at a region of firmware's RAM; again for each. */
void persist_look(struct persist_facts *facts, const void *ram,
		  size_t size_bytes);

#endif
