// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Firmware's memory for the daemon: the EFI memory map and tables by copying,
 * runtime regions by mmap(). Every access has to lie in one descriptor of the
 * map.
 */
#include <linux/io.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "caesura-efivars.h"

#define MAX_COPY_BYTES SZ_1M

/* Upper limits for a plausible Memory Attributes Table. */
#define MAX_ATTRIBUTES_ENTRIES 1024
#define MAX_ATTRIBUTES_STRIDE 64

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static void vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

bool memory_present(void)
{
	return efi_enabled(EFI_BOOT) && efi_enabled(EFI_MEMMAP) &&
	       efi.memmap.map;
}

u64 memory_map_bytes(void)
{
	return (u64)efi.memmap.nr_map * efi.memmap.desc_size;
}

static const efi_memory_desc_t *find_descriptor(u64 physical, u64 size)
{
	const efi_memory_desc_t *md;

	for_each_efi_memory_desc(md)
	{
		u64 offset = physical - md->phys_addr;
		u64 bytes = md->num_pages << EFI_PAGE_SHIFT;

		if (md->num_pages > U64_MAX >> EFI_PAGE_SHIFT ||
		    physical < md->phys_addr || offset >= bytes) {
			continue;
		}
		return size && size <= bytes - offset ? md : NULL;
	}
	return NULL;
}

static bool is_device(const efi_memory_desc_t *md)
{
	return md->type == EFI_MEMORY_MAPPED_IO ||
	       md->type == EFI_MEMORY_MAPPED_IO_PORT_SPACE;
}

static bool is_runtime(const efi_memory_desc_t *md)
{
	return md->attribute & EFI_MEMORY_RUNTIME;
}

static bool is_runtime_ram(const efi_memory_desc_t *md)
{
	return is_runtime(md) && !is_device(md) &&
	       (md->attribute & EFI_MEMORY_WB);
}

static bool may_hold_tables(const efi_memory_desc_t *md)
{
	if (is_runtime_ram(md)) {
		return true;
	}
	return (md->type == EFI_ACPI_RECLAIM_MEMORY ||
		md->type == EFI_ACPI_MEMORY_NVS) &&
	       (md->attribute & EFI_MEMORY_WB);
}

long memory_copy_map(const struct caesura_read *read)
{
	if (read->physical) {
		return -EINVAL;
	}
	if (!read->size || read->size > memory_map_bytes()) {
		return -E2BIG;
	}
	if (copy_to_user(u64_to_user_ptr(read->buffer), efi.memmap.map,
			 read->size)) {
		return -EFAULT;
	}
	return 0;
}

static void *copy_physical(u64 physical, size_t size)
{
	void *from = memremap(physical, size, MEMREMAP_WB);
	void *copy;

	if (!from) {
		return NULL;
	}
	copy = kvmalloc(size, GFP_KERNEL);
	if (copy) {
		memcpy(copy, from, size);
	}
	memunmap(from);
	return copy;
}

/* Returns whether each entry describes runtime memory that is in the map. */
static bool attributes_are_plausible(const void *entries, u32 count, u32 stride)
{
	u32 i;

	for (i = 0; i < count; i++) {
		const efi_memory_desc_t *entry = entries + (size_t)i * stride;
		const efi_memory_desc_t *md;

		if (entry->num_pages > U64_MAX >> EFI_PAGE_SHIFT) {
			return false;
		}
		md = find_descriptor(entry->phys_addr,
				     entry->num_pages << EFI_PAGE_SHIFT);
		if (!md || !is_runtime(md) || !is_runtime(entry)) {
			return false;
		}
	}
	return true;
}

/*
 * A Memory Attributes Table lies in EfiBootServicesData, which the kernel
 * otherwise uses for itself by now. The kernel preserves the table, but does
 * not export its address. So this function recognizes the table by its
 * contents. Returns NULL if there is no table at the address.
 */
static void *copy_attributes_table(u64 physical, u64 *size)
{
	u32 *header = copy_physical(physical, 4 * sizeof(u32));
	u32 version, count, stride;
	void *table;

	if (!header) {
		return NULL;
	}
	version = header[0];
	count = header[1];
	stride = header[2];
	kvfree(header);
	*size = 4 * sizeof(u32) + (u64)count * stride;
	if (!version || version > 2 || !count ||
	    count > MAX_ATTRIBUTES_ENTRIES || stride % sizeof(u64) ||
	    stride < sizeof(efi_memory_desc_t) ||
	    stride > MAX_ATTRIBUTES_STRIDE ||
	    !find_descriptor(physical, *size)) {
		return NULL;
	}
	table = copy_physical(physical, *size);
	if (table &&
	    !attributes_are_plausible(table + 4 * sizeof(u32), count, stride)) {
		kvfree(table);
		return NULL;
	}
	return table;
}

static long copy_attributes(const struct caesura_read *read)
{
	u64 size;
	void *table;
	long error = 0;

	if (read->physical % sizeof(u64) ||
	    !find_descriptor(read->physical, 4 * sizeof(u32))) {
		return -EPERM;
	}
	table = copy_attributes_table(read->physical, &size);
	if (!table || read->size > size) {
		error = -EPERM;
	} else if (copy_to_user(u64_to_user_ptr(read->buffer), table,
				read->size)) {
		error = -EFAULT;
	}
	kvfree(table);
	return error;
}

long memory_copy(const struct caesura_read *read)
{
	const efi_memory_desc_t *md;
	void *copy;
	long error = 0;

	if (read->size > MAX_COPY_BYTES) {
		return -E2BIG;
	}
	md = find_descriptor(read->physical, read->size);
	if (!md) {
		return -EPERM;
	}
	if (md->type == EFI_BOOT_SERVICES_DATA && !is_runtime(md)) {
		return copy_attributes(read);
	}
	if (!may_hold_tables(md)) {
		return -EPERM;
	}
	copy = copy_physical(read->physical, read->size);
	if (!copy) {
		return -ENOMEM;
	}
	if (copy_to_user(u64_to_user_ptr(read->buffer), copy, read->size)) {
		error = -EFAULT;
	}
	kvfree(copy);
	return error;
}

int memory_mmap(struct file *file, struct vm_area_struct *vma)
{
	u64 size = vma->vm_end - vma->vm_start;
	u64 physical = (u64)vma->vm_pgoff << PAGE_SHIFT;
	const efi_memory_desc_t *md;

	if (physical >> PAGE_SHIFT != vma->vm_pgoff) {
		return -EPERM;
	}
	md = find_descriptor(physical, size);
	if (!md || !is_runtime(md) || (vma->vm_flags & VM_EXEC)) {
		return -EPERM;
	}
	if (md->type == EFI_MEMORY_MAPPED_IO) {
		if (!(vma->vm_flags & VM_SHARED)) {
			return -EINVAL;
		}
		vma->vm_page_prot = pgprot_device(vma->vm_page_prot);
	} else if (!is_runtime_ram(md)) {
		return -EPERM;
	} else if (!(vma->vm_flags & VM_WRITE)) {
		vm_flags_clear(vma, VM_MAYWRITE);
	} else if (!(vma->vm_flags & VM_SHARED)) {
		return -EINVAL;
	}
	vm_flags_clear(vma, VM_MAYEXEC);
	return remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, size,
			       vma->vm_page_prot);
}
