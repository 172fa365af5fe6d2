/* SPDX-License-Identifier: MIT */
/*
 * The part of UEFI 2.11 that exists only until ExitBootServices: boot services
 * (chapter 7) and the protocols that the boot code uses. Members that it does
 * not call have no type. The EFI calling convention on arm64 is that of C.
 */
#ifndef KERNEL_BOOT_EFI_BOOT_H
#define KERNEL_BOOT_EFI_BOOT_H

#include <caesura/uefi.h>
#include <stddef.h>
#include <stdint.h>

/* EFI_ALLOCATE_TYPE, section 7.2.1. */
enum efi_allocate_type {
	EFI_ALLOCATE_ANY_PAGES = 0,
	EFI_ALLOCATE_MAX_ADDRESS = 1,
	EFI_ALLOCATE_ADDRESS = 2,
};

/* EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL, section 12.4. */
struct efi_text_output {
	void *reset;
	uint64_t (*output_string)(struct efi_text_output *self,
				  const uint16_t *text);
};

/* EFI_LOADED_IMAGE_PROTOCOL, section 9.1. */
struct efi_loaded_image {
	uint32_t revision;
	void *parent_handle;
	struct cz_efi_system_table *system_table;
	void *device_handle;
	void *file_path;
	void *reserved;
	uint32_t load_options_size;
	const void *load_options;
	void *image_base;
	uint64_t image_size;
	uint32_t image_code_type;
	uint32_t image_data_type;
	void *unload;
};

#define EFI_LOADED_IMAGE_GUID                                          \
	{                                                              \
		0x5b1b31a1, 0x9562, 0x11d2,                            \
		{                                                      \
			0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b \
		}                                                      \
	}

/* EFI_FILE_PROTOCOL, section 13.5. */
struct efi_file {
	uint64_t revision;
	uint64_t (*open)(struct efi_file *self, struct efi_file **opened,
			 const uint16_t *path, uint64_t mode,
			 uint64_t attributes);
	uint64_t (*close)(struct efi_file *self);
	void *delete;
	uint64_t (*read)(struct efi_file *self, uint64_t *size, void *buffer);
};

#define EFI_FILE_MODE_READ 1

/* EFI_SIMPLE_FILE_SYSTEM_PROTOCOL, section 13.4. */
struct efi_simple_file_system {
	uint64_t revision;
	uint64_t (*open_volume)(struct efi_simple_file_system *self,
				struct efi_file **root);
};

#define EFI_SIMPLE_FILE_SYSTEM_GUID                                    \
	{                                                              \
		0x964e5b22, 0x6459, 0x11d2,                            \
		{                                                      \
			0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b \
		}                                                      \
	}

/* Configuration tables, section 4.6. */
#define EFI_ACPI_20_TABLE_GUID                                         \
	{                                                              \
		0x8868e871, 0xe4f1, 0x11d3,                            \
		{                                                      \
			0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 \
		}                                                      \
	}
#define EFI_DEVICE_TREE_GUID                                           \
	{                                                              \
		0xb1b621d5, 0xf19c, 0x41a5,                            \
		{                                                      \
			0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0 \
		}                                                      \
	}

/* EFI_BOOT_SERVICES, section 4.4. */
struct efi_boot_services {
	struct cz_efi_table_header header;
	void *raise_tpl;
	void *restore_tpl;
	uint64_t (*allocate_pages)(enum efi_allocate_type how,
				   enum cz_efi_memory_type type,
				   uint64_t page_count, uint64_t *address);
	uint64_t (*free_pages)(uint64_t address, uint64_t page_count);
	uint64_t (*get_memory_map)(uint64_t *size, void *map, uint64_t *key,
				   uint64_t *descriptor_size,
				   uint32_t *descriptor_version);
	void *allocate_pool;
	void *free_pool;
	void *create_event;
	void *set_timer;
	void *wait_for_event;
	void *signal_event;
	void *close_event;
	void *check_event;
	void *install_protocol_interface;
	void *reinstall_protocol_interface;
	void *uninstall_protocol_interface;
	uint64_t (*handle_protocol)(void *handle,
				    const struct cz_efi_guid *protocol,
				    void *interface);
	void *reserved;
	void *register_protocol_notify;
	void *locate_handle;
	void *locate_device_path;
	void *install_configuration_table;
	uint64_t (*load_image)(uint8_t boot_policy, void *parent,
			       const void *device_path, const void *source,
			       uint64_t source_size, void **image);
	uint64_t (*start_image)(void *image, uint64_t *exit_data_size,
				uint16_t **exit_data);
	void *exit;
	uint64_t (*unload_image)(void *image);
	uint64_t (*exit_boot_services)(void *image, uint64_t map_key);
};

_Static_assert(offsetof(struct efi_boot_services, allocate_pages) == 40,
	       "boot services: allocate_pages");
_Static_assert(offsetof(struct efi_boot_services, handle_protocol) == 152,
	       "boot services: handle_protocol");
_Static_assert(offsetof(struct efi_boot_services, load_image) == 200,
	       "boot services: load_image");
_Static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 232,
	       "boot services: exit_boot_services");

#endif
