/* SPDX-License-Identifier: MIT */
/*
 * What the files of the portable core know of one another. Nothing here is an
 * embedder's business.
 */
#ifndef CAESURA_CORE_H
#define CAESURA_CORE_H

#include <caesura/caesura.h>

/* All of a C library that the core needs. Under -ffreestanding compilers expand
 * small ones in place only by these names. */
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
#define memcmp __builtin_memcmp

#define CZ_PAGE 4096u

/* The window: trampoline, guard, stack, guard, arguments to its end. */
#define CZ_WINDOW_STACK_PAGE 2u
#define CZ_WINDOW_ARGUMENT_PAGE (CZ_WINDOW_STACK_PAGE + CZ_STACK_PAGES + 1)
#define CZ_WINDOW_MIN_BYTES (4ull << 20)
#define CZ_WINDOW_MAX_BYTES (64ull << 20)

/* The stack's lowest word; firmware that changes it has overrun its stack. */
#define CZ_STACK_CANARY 0x9d3ca35e17c0de5full

/* Off the path that every call takes: kept out of line, so that the path does
 * not save registers for it. */
#define CZ_COLD __attribute__((noinline, cold))

static inline uint64_t cz_align_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

/* For %llx: uint64_t is unsigned long on some targets. */
static inline unsigned long long cz_ull(uint64_t value)
{
	return value;
}

/* Whether a status is Caesura's own. */
static inline bool cz_is_ours(cz_status status)
{
	return status >> 16 == CZ_ERROR_BASE >> 16;
}

/* A request to end a call, by its number; 0 is none. A kill ends it whatever it
 * has written to. */
static inline uint64_t cz_end_of(uint64_t number, bool kill)
{
	return number << 1 | kill;
}

/* Whether writes to a region are noted. */
static inline bool cz_is_watched_device(const struct cz_region *region)
{
	return region->type == CZ_MEMORY_DEVICE &&
	       (region->prot & CZ_PROT_WRITE) != 0;
}

/* The physical address behind one of firmware's, in the region that
 * cz_find_region() has for it: it may be that itself, see is_relocating. */
static inline uint64_t cz_physical_of(const struct cz_region *region,
				      uint64_t address)
{
	uint64_t offset = address - region->address;

	return offset < region->page_count * CZ_PAGE ? region->physical + offset
						     : address;
}

/* ---- report.c ---- */

#define CZ_PRINTF __attribute__((format(printf, 2, 3)))
CZ_PRINTF void cz_error(struct cz_host *host, const char *format, ...);
CZ_PRINTF void cz_warn(struct cz_host *host, const char *format, ...);
CZ_PRINTF void cz_info(struct cz_host *host, const char *format, ...);

/* ---- memmap.c ---- */

/* A memory map as the host passed it, checked by cz_memmap_open(). */
struct cz_memmap {
	const uint8_t *bytes;
	size_t stride;
	uint32_t count;
	enum cz_map_mode mode;
};

cz_status cz_memmap_open(struct cz_memmap *map, const struct cz_config *config);

/* Reads an entry; false when it describes nothing (no pages, wraps around). */
bool cz_memmap_entry(const struct cz_memmap *map, uint32_t number,
		     struct cz_efi_memory_descriptor *entry);

/* Whether firmware uses the entry at run time. */
bool cz_memmap_is_runtime(const struct cz_efi_memory_descriptor *entry);

/* Where firmware sees the entry's first byte, by the map's mode. */
uint64_t cz_memmap_address(const struct cz_memmap *map,
			   const struct cz_efi_memory_descriptor *entry);

/* Finds the entry that holds the byte at `physical`. */
bool cz_memmap_find(const struct cz_memmap *map, uint64_t physical,
		    struct cz_efi_memory_descriptor *entry);

/* The same, for a runtime entry. */
bool cz_memmap_find_runtime(const struct cz_memmap *map, uint64_t physical,
			    struct cz_efi_memory_descriptor *entry);

/* Whether one entry holds all of [physical, physical + size). */
bool cz_memmap_holds(const struct cz_memmap *map, uint64_t physical,
		     uint64_t size);

/* The physical address behind a pointer in firmware's tables. */
uint64_t cz_memmap_physical(const struct cz_memmap *map, uint64_t address);

static inline uint64_t
cz_entry_end(const struct cz_efi_memory_descriptor *entry)
{
	return entry->physical_start +
	       entry->number_of_pages * CZ_EFI_PAGE_SIZE;
}

/* ---- what cz_init() knows, beyond what it leaves in struct cz ---- */

struct cz_boot {
	struct cz *cz;
	const struct cz_config *config;
	struct cz_memmap map;
	uint64_t runtime_table; /* physical addresses; 0: none */
	uint64_t attributes_table;
	uint64_t properties_table;
	uint64_t set_virtual_address_map; /* the function */
};

/* ---- tables.c ---- */

/* Where the library reads [physical, +size) of firmware; NULL after a log line
 * that names `what`. */
const void *cz_tables_alias(struct cz_boot *boot, const char *what,
			    uint64_t physical, uint64_t size);

/* Reads the system table, finds the others, reads EFI_RT_PROPERTIES_TABLE. */
cz_status cz_tables_open(struct cz_boot *boot);

/* Reads where SetVirtualAddressMap is, while addresses are physical. */
cz_status cz_tables_find_virtual_map(struct cz_boot *boot);

/* Fills cz->function; what is not in an executable region stays absent. */
cz_status cz_tables_services(struct cz_boot *boot);

/* ---- memattr.c ---- */

/* Adds the Memory Attributes Table's entries to cz->regions. */
cz_status cz_memattr_regions(struct cz_boot *boot);

/* ---- regions.c ---- */

/* Fills cz->regions, sorted by address. */
cz_status cz_regions_build(struct cz_boot *boot);

/* Adds a part of a runtime entry to cz->regions; `what` and `number` name it in
 * a log line. */
cz_status cz_regions_add(struct cz_boot *boot,
			 const struct cz_efi_memory_descriptor *entry,
			 uint64_t physical, uint64_t page_count, uint32_t prot,
			 const char *what, uint32_t number);

/* Sets cz->window_address and cz->window_pages. */
cz_status cz_window_place(struct cz_boot *boot);

/* ---- images.c ---- */

/* Fills cz->images. */
void cz_images_find(struct cz_boot *boot);

/* ---- space.c ---- */

/* Makes cz->space, with stack and trampoline, and regions as calls need them;
 * or, with `relocating`, as SetVirtualAddressMap does. */
cz_status cz_space_build(struct cz_boot *boot, bool relocating);

/* Calls SetVirtualAddressMap, and takes away what only it needed. */
cz_status cz_space_relocate(struct cz_boot *boot);

/* ---- arguments.c ---- */

/* Where a call's arguments go in its request's pages. */
struct cz_layout {
	uint32_t tail; /* the argument that ends where the pages end */
	uint32_t tail_bytes;
	uint32_t page_count;
};

/* Measures a call. CZ_OK, CZ_E_ARGUMENT or CZ_E_TOO_LARGE. */
cz_status cz_arguments_measure(const struct cz *cz, const struct cz_call *call,
			       struct cz_layout *layout);

/* Copies inputs into the request's pages and fills its registers. */
cz_status cz_arguments_in(struct cz_request *request,
			  const struct cz_call *call,
			  const struct cz_layout *layout);

/* Copies outputs to where the call points; the status for the caller. */
cz_status cz_arguments_out(const struct cz_request *request,
			   const struct cz_call *call);

/* The bytes of a UCS-2 name with its terminator; 0 when there is none within
 * `max_bytes`. */
size_t cz_name_bytes(const uint16_t *name, size_t max_bytes);

/* ---- selftest.c ---- */

/* Says which function of the port does what it must not; CZ_E_HOST. */
cz_status cz_selftest_fails(struct cz_host *host, const char *function,
			    const char *what);

/* ---- requests.c: all under cz->mutex ---- */

/* The next request to run, now in flight; NULL when nothing is queued. */
struct cz_request *cz_requests_take(struct cz *cz);

/* Undoes that: firmware has another owner. */
void cz_requests_put_back(struct cz *cz, struct cz_request *request);

/* Makes a request free. If cz->room_waiters is not 0, cz->room is to be set then,
 * without the mutex. */
void cz_requests_free(struct cz *cz, struct cz_request *request);

/* Ends what is queued for a mask of services; a mask of requests, whose events
 * are to be set by cz_requests_signal() without the mutex. */
uint64_t cz_requests_end(struct cz *cz, uint32_t services, cz_status status);
void cz_requests_signal(struct cz *cz, uint64_t requests);

/* Without the mutex, any context: whether a call can be made at all. CZ_OK,
 * CZ_E_ARGUMENT, CZ_EFI_UNSUPPORTED, CZ_E_WITHDRAWN or CZ_E_TOO_LARGE. */
cz_status cz_requests_admit(struct cz *cz, const struct cz_call *call,
			    struct cz_layout *layout);

/* ---- worker.c ---- */

/* The worker's thread; the argument is a struct cz. */
void cz_worker(void *argument);

/* Makes a call into firmware on the calling thread, which is pinned and enters
 * the space for it. */
uint64_t cz_worker_enter(struct cz *cz, uint64_t function,
			 const uint64_t *registers, uint32_t *anomalies,
			 uint64_t *enter_ns, uint64_t *exit_ns);

/* With the mutex: ends what is queued for services that a cz_call_now() which was
 * cut off has withdrawn, and gives firmware back after it. A mask of requests. */
uint64_t cz_worker_end_withdrawn(struct cz *cz);

/* Firmware's value as a status, or CZ_E_BAD_STATUS. */
cz_status cz_worker_status(uint64_t value);

#endif
