/* SPDX-License-Identifier: MIT */
/*
 * The interfaces between the files of the portable core. Embedders do not
 * include this file.
 */
#ifndef CAESURA_CORE_H
#define CAESURA_CORE_H

#include <caesura/caesura.h>

/* The functions of a C library that the core needs. With -ffreestanding,
 * compilers inline small copies only under these names. */
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
#define memcmp __builtin_memcmp

#define CZ_PAGE CZ_EFI_PAGE_SIZE

/* The window contains, from its start: the trampoline, a guard page, firmware's
 * stack, a guard page, and the arguments of calls up to its end. */
#define CZ_WINDOW_STACK_PAGE 2u
#define CZ_WINDOW_ARGUMENT_PAGE (CZ_WINDOW_STACK_PAGE + CZ_STACK_PAGES + 1)
#define CZ_WINDOW_MIN_BYTES (4ull << 20)
#define CZ_WINDOW_MAX_BYTES (64ull << 20)

/* The value of the stack's lowest word. If firmware has changed it, it has used
 * the whole stack. */
#define CZ_STACK_CANARY 0x9d3ca35e17c0de5full

/* For functions that most calls do not need. They are kept out of line, so that
 * the path that every call takes does not save registers for them. */
#define CZ_COLD __attribute__((noinline, cold))

static inline uint64_t cz_align_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

/* Converts a number for %llx and %llu: uint64_t is unsigned long on some
 * targets. */
static inline unsigned long long cz_ull(uint64_t value)
{
	return value;
}

/* Returns whether a status is one of Caesura's own codes. */
static inline bool cz_is_own_status(cz_status status)
{
	return status >> 16 == CZ_ERROR_BASE >> 16;
}

/* Returns the value of cz->end_request that asks for the end of the call with
 * this number; 0 asks for nothing. With `kill` the call ends even if it has
 * written to a device. */
static inline uint64_t cz_end_of(uint64_t number, bool kill)
{
	return number << 1 | kill;
}

/* Returns whether the library notes the first write of a call to the region. */
static inline bool cz_is_watched_device(const struct cz_region *region)
{
	return region->type == CZ_MEMORY_DEVICE &&
	       (region->prot & CZ_PROT_WRITE) != 0;
}

/* Returns the physical address of one of firmware's addresses, in the region
 * that cz_find_region() returned for it. The address may already be physical:
 * see is_relocating. */
static inline uint64_t cz_physical_of(const struct cz_region *region,
				      uint64_t address)
{
	uint64_t offset = address - region->address;

	return offset < region->page_count * CZ_PAGE ? region->physical + offset
						     : address;
}

/* ---- names.c ---- */

#define CZ_PRINTF __attribute__((format(printf, 2, 3)))
CZ_PRINTF void cz_error(struct cz_host *host, const char *format, ...);
CZ_PRINTF void cz_warn(struct cz_host *host, const char *format, ...);
CZ_PRINTF void cz_info(struct cz_host *host, const char *format, ...);

/* ---- memmap.c ---- */

/* A memory map as the host passed it; cz_memmap_open() has checked it. */
struct cz_memmap {
	const uint8_t *bytes;
	size_t stride; /* bytes from one entry to the next */
	uint32_t count;
	enum cz_map_mode mode;
};

/* Checks the memory map of the configuration. Returns CZ_OK, or CZ_E_TABLE
 * after it has logged the defect. The map uses the configuration's memory. */
cz_status cz_memmap_open(struct cz_memmap *map, const struct cz_config *config);

/* Reads an entry. Returns false when it is malformed: it is empty or unaligned,
 * or wraps around. */
bool cz_memmap_entry(const struct cz_memmap *map, uint32_t number,
		     struct cz_efi_memory_descriptor *entry);

/* Returns whether firmware uses the entry at run time. */
bool cz_memmap_is_runtime(const struct cz_efi_memory_descriptor *entry);

/* Returns the address at which firmware sees the entry's first byte. */
uint64_t cz_memmap_address(const struct cz_memmap *map,
			   const struct cz_efi_memory_descriptor *entry);

/* Finds the entry that contains the byte at `physical`. */
bool cz_memmap_find(const struct cz_memmap *map, uint64_t physical,
		    struct cz_efi_memory_descriptor *entry);

/* Finds the entry that contains `physical`, if firmware uses it at run time. */
bool cz_memmap_find_runtime(const struct cz_memmap *map, uint64_t physical,
			    struct cz_efi_memory_descriptor *entry);

/* Returns whether one entry contains all of [physical, physical + size). */
bool cz_memmap_holds(const struct cz_memmap *map, uint64_t physical,
		     uint64_t size);

/* Returns the physical address of a pointer in firmware's tables. */
uint64_t cz_memmap_physical(const struct cz_memmap *map, uint64_t address);

static inline uint64_t
cz_entry_end(const struct cz_efi_memory_descriptor *entry)
{
	return entry->physical_start +
	       entry->number_of_pages * CZ_EFI_PAGE_SIZE;
}

/* ---- what cz_init() needs only while it runs ---- */

struct cz_boot {
	struct cz *cz;
	const struct cz_config *config;
	struct cz_memmap map;
	uint64_t runtime_table; /* physical addresses; 0: absent */
	uint64_t attributes_table;
	uint64_t properties_table;
	uint64_t set_virtual_address_map; /* the function */
};

/* ---- tables.c ---- */

/* Returns the address at which the library reads firmware's [physical, +size),
 * or NULL after it has logged that `what` cannot be read. */
const void *cz_tables_alias(struct cz_boot *boot, const char *what,
			    uint64_t physical, uint64_t size);

/* Reads the system table, finds the other tables, and reads
 * EFI_RT_PROPERTIES_TABLE. */
cz_status cz_tables_open(struct cz_boot *boot);

/* Reads the address of SetVirtualAddressMap while addresses are physical. */
cz_status cz_tables_find_virtual_map(struct cz_boot *boot);

/* Fills cz->function. A service whose address is not in an executable region is
 * treated as absent. */
cz_status cz_tables_services(struct cz_boot *boot);

/* ---- memattr.c ---- */

/* Adds the Memory Attributes Table's entries to cz->regions, after
 * cz_regions_build(). Without a table, logs that code is writable. */
cz_status cz_memattr_regions(struct cz_boot *boot);

/* ---- regions.c ---- */

/* Fills cz->regions, sorted by address, from the memory map. Where there is a
 * Memory Attributes Table, leaves runtime code and data to memattr.c. */
cz_status cz_regions_build(struct cz_boot *boot);

/* Adds a part of a runtime entry to cz->regions. Log lines name the entry by
 * `what` (the table) and `number`. */
cz_status cz_regions_add(struct cz_boot *boot,
			 const struct cz_efi_memory_descriptor *entry,
			 uint64_t physical, uint64_t page_count, uint32_t prot,
			 const char *what, uint32_t number);

/* Sets cz->window_address and cz->window_pages. */
cz_status cz_window_place(struct cz_boot *boot);

/* ---- images.c ---- */

/* Finds the images of firmware's drivers and fills cz->images. */
void cz_images_find(struct cz_boot *boot);

/* ---- space.c ---- */

/* Creates cz->space and maps the stack, the trampoline and firmware's regions
 * as calls need them, or, with `relocating`, as SetVirtualAddressMap needs
 * them. */
cz_status cz_space_build(struct cz_boot *boot, bool relocating);

/* Calls SetVirtualAddressMap, and then maps the regions as calls need them. */
cz_status cz_space_relocate(struct cz_boot *boot);

/* ---- arguments.c ---- */

/* How a call's arguments are laid out in its request's pages. */
struct cz_layout {
	uint32_t tail; /* the argument that ends where the pages end */
	uint32_t tail_bytes;
	uint32_t page_count;
};

/* Computes the layout of a call's arguments. Returns CZ_OK, CZ_E_ARGUMENT or
 * CZ_E_TOO_LARGE. */
cz_status cz_arguments_measure(const struct cz *cz, const struct cz_call *call,
			       struct cz_layout *layout);

/* Copies the inputs into the request's pages and fills its registers. Returns
 * CZ_OK, or CZ_E_ARGUMENT when the inputs have changed since they were
 * measured. */
cz_status cz_arguments_in(struct cz_request *request,
			  const struct cz_call *call,
			  const struct cz_layout *layout);

/* Copies the outputs to where the call points. Returns the status for the
 * caller, which is CZ_E_BAD_SIZE when firmware returned an invalid size. */
cz_status cz_arguments_out(const struct cz_request *request,
			   const struct cz_call *call);

/* Returns the size in bytes of a UCS-2 name with its terminator; 0 when there
 * is no terminator within `max_bytes`. */
size_t cz_name_bytes(const uint16_t *name, size_t max_bytes);

/* ---- selftest.c ---- */

/* Logs which function of the port broke its contract, and how. Returns
 * CZ_E_HOST. */
cz_status cz_selftest_fails(struct cz_host *host, const char *function,
			    const char *what);

/* ---- requests.c: all under cz->mutex ---- */

/* Takes the next request off the queue and marks it as in flight. Returns NULL
 * when nothing is queued. */
struct cz_request *cz_requests_take(struct cz *cz);

/* Puts a request back that cz_requests_take() returned, because firmware has
 * another owner. */
void cz_requests_put_back(struct cz *cz, struct cz_request *request);

/* Makes a request free. If cz->room_waiters is not 0, the caller must set
 * cz->room after it has released the mutex. */
void cz_requests_free(struct cz *cz, struct cz_request *request);

/* Ends the queued requests for a mask of services. Returns a mask of requests,
 * which the caller passes to cz_requests_signal() without the mutex. */
uint64_t cz_requests_end(struct cz *cz, uint32_t services, cz_status status);

/* Ends the queued requests for all withdrawn services. If a cz_call_now() whose
 * call was ended still owns firmware, because it could not do that itself, this
 * function releases firmware. Returns a mask of requests for
 * cz_requests_signal(). */
uint64_t cz_requests_end_withdrawn(struct cz *cz);

/* Sets the events of a mask of requests. Called without the mutex. */
void cz_requests_signal(struct cz *cz, uint64_t requests);

/* Checks whether a call can be made at all, and computes its layout. Called
 * without the mutex, in any context. Returns CZ_OK, CZ_E_ARGUMENT,
 * CZ_EFI_UNSUPPORTED, CZ_E_WITHDRAWN or CZ_E_TOO_LARGE. */
cz_status cz_requests_admit(struct cz *cz, const struct cz_call *call,
			    struct cz_layout *layout);

/* ---- worker.c ---- */

/* The entry function of the worker's thread; the argument is a struct cz. */
void cz_worker(void *argument);

/* Makes a call into firmware on the calling thread, which must be pinned:
 * enters the space and an FP section, and leaves both. Returns firmware's
 * x0. */
uint64_t cz_worker_enter(struct cz *cz, uint64_t function,
			 const uint64_t *registers, uint32_t *anomalies,
			 uint64_t *enter_ns, uint64_t *exit_ns);

/* Returns firmware's value if it is a valid status, else CZ_E_BAD_STATUS. */
cz_status cz_worker_status(uint64_t value);

#endif
