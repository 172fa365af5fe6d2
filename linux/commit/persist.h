/* SPDX-License-Identifier: MIT */
/*
 * Decides where this machine's EFI variables persist, so that caesurad does not
 * accept a write that is lost at the next boot. The decision is a pure function
 * of facts. The facts are collected while firmware's memory is mapped, without
 * calling firmware.
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
	PERSIST_FILE, /* on the EFI system partition */
	PERSIST_RAM, /* not at all: variables are lost with the next boot */
	PERSIST_SECURE, /* in secure firmware, behind a buffer in RAM */
	PERSIST_HOST, /* in a hypervisor's device, which reads RAM */
	PERSIST_UNKNOWN,
};

enum persist_service {
	PERSIST_SERVED,
	PERSIST_READ_ONLY,
	PERSIST_REFUSED, /* no runtime service can work in a process */
};

struct persist_facts {
	/* A runtime region of RAM that firmware shares, see
	 * persist_is_shared(). */
	bool has_shared_ram;
	uint64_t shared_address, shared_bytes;
	/* The product whose device reads firmware's messages from RAM, or
	 * NULL. */
	const char *host_device;
	uint64_t host_address;

	bool has_chip; /* a flash chip of a known kind */
	bool chip_has_store; /* it holds EDK II's variable store */
	bool has_direct; /* --direct names a device that is not a known clock */

	/* Found by persist_look() in firmware's RAM: a variable store of EDK
	 * II, and the file that firmware wants the operating system to write.
	 * The file's name may be empty. */
	bool ram_has_store;
	bool has_file;
	char file[PERSIST_FILE_CHARS];

	/* firmware has SetVariable at run time (EFI_RT_PROPERTIES_TABLE) */
	bool has_set_variable;
};

struct persist {
	enum persist_place place;
	enum persist_service service;
	/* One line for people: where variables persist, what can be done. */
	char line[PERSIST_LINE_CHARS];
};

struct persist persist_judge(const struct persist_facts *facts);

/*
 * Returns whether a runtime region is RAM that firmware shares with software
 * outside of the normal world of the machine's processors. Such a region is
 * cacheable, but neither firmware's code or data nor a device. That software
 * would never see a private copy of it.
 */
bool persist_is_shared(const struct cz_efi_memory_descriptor *entry);

/* Returns whether the device is QEMU's uefi-vars. Reads its first word; where
 * no register is, the bus may answer with an external abort. */
bool persist_is_uefi_vars(const struct device *device);

/* Searches a region of firmware's RAM and adds what it finds to the facts.
 * Called once for each region. */
void persist_look(struct persist_facts *facts, const void *ram,
		  size_t size_bytes);

#endif
