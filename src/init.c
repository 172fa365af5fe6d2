/* SPDX-License-Identifier: MIT */
/*
 * cz_init() reads firmware's tables, builds its address space and starts the
 * worker; cz_fini() undoes all of that. The library makes all its allocations
 * in cz_init().
 */
#include "call.h"

#define DEFAULT_REQUESTS 16u
#define DEFAULT_DATA_BYTES (32u << 10)
#define MAX_DATA_BYTES (16u << 20)
#define HEAD_BYTES CZ_PAGE /* for a call's arguments besides its data */

static cz_status check_config(const struct cz_config *config)
{
	if (config->max_requests > CZ_MAX_REQUESTS ||
	    config->max_data_bytes > MAX_DATA_BYTES ||
	    (uint32_t)config->map_mode > CZ_MAP_EXISTING ||
	    (uint32_t)config->gate > CZ_GATE_SANDBOX) {
		cz_error(config->host,
			 "configuration: %u requests of %u bytes, map mode %u, "
			 "gate %u",
			 config->max_requests, config->max_data_bytes,
			 (uint32_t)config->map_mode, (uint32_t)config->gate);
		return CZ_E_ARGUMENT;
	}
	if ((cz_host_gates(config->host) >> config->gate & 1) == 0) {
		cz_error(config->host, "the host does not offer gate %u",
			 (uint32_t)config->gate);
		return CZ_E_HOST;
	}
	return CZ_OK;
}

/* A limit that every call would exceed is a mistake, and so is 0 for "no
 * limit". */
static cz_status check_policy(const struct cz_config *config)
{
	for (uint32_t i = 0; config->policy != NULL && i < CZ_NULL_SERVICE;
	     i++) {
		uint64_t limit_ns = config->policy->service[i].kill_limit_ns;

		if (limit_ns < CZ_MIN_KILL_LIMIT_NS) {
			cz_error(
				config->host,
				"policy: %s may run for %llu ns; at least %llu",
				cz_service_name((enum cz_service)i),
				cz_ull(limit_ns), cz_ull(CZ_MIN_KILL_LIMIT_NS));
			return CZ_E_ARGUMENT;
		}
	}
	return CZ_OK;
}

static void start_state(struct cz *cz, const struct cz_config *config)
{
	memset(cz, 0, sizeof(*cz));
	cz->host = config->host;
	cz->gate = config->gate;
	cz->map_mode = config->map_mode;
	cz->policy =
		config->policy != NULL ? *config->policy : cz_default_policy;
	cz->no_secure_services = config->no_secure_services;
	cz_watch_init(cz);
	cz->request_count = config->max_requests != 0 ? config->max_requests
						      : DEFAULT_REQUESTS;
	cz->max_data_bytes = config->max_data_bytes != 0
				     ? config->max_data_bytes
				     : DEFAULT_DATA_BYTES;
	cz->request_pages =
		(uint32_t)((HEAD_BYTES +
			    cz_align_up(cz->max_data_bytes, CZ_PAGE)) /
			   CZ_PAGE);
	cz_host_mutex_init(cz->host, &cz->mutex);
	cz_host_event_init(cz->host, &cz->work);
	cz_host_event_init(cz->host, &cz->room);
	for (uint32_t i = 0; i < cz->request_count; i++) {
		cz->requests[i].mask = 1ull << i;
		cz_host_event_init(cz->host, &cz->requests[i].done);
	}
	cz->free_requests = UINT64_MAX >> (CZ_MAX_REQUESTS - cz->request_count);
}

/* Reads firmware's memory map and tables, and finds its drivers. Allocates
 * nothing. */
static cz_status read_firmware(struct cz_boot *boot)
{
	cz_status status = cz_memmap_open(&boot->map, boot->config);

	if (status != CZ_OK) {
		return status;
	}
	status = cz_tables_open(boot);
	if (status != CZ_OK) {
		return status;
	}
	status = cz_regions_build(boot);
	if (status == CZ_OK) {
		status = cz_memattr_regions(boot);
	}
	if (status != CZ_OK) {
		return status;
	}
	cz_images_find(boot);
	if (boot->config->map_mode == CZ_MAP_SET) {
		status = cz_tables_find_virtual_map(boot);
		if (status != CZ_OK) {
			return status;
		}
	}
	return cz_window_place(boot);
}

static void free_pages(struct cz *cz, struct cz_host_pages *pages)
{
	if (pages->alias != NULL) {
		cz_host_pages_free(cz->host, pages);
	}
}

static void release_memory(struct cz *cz)
{
	if (cz->space != NULL) {
		cz_host_space_destroy(cz->host, cz->space);
	}
	free_pages(cz, &cz->stack);
	free_pages(cz, &cz->trampoline);
	free_pages(cz, &cz->direct_request.pages);
	for (uint32_t i = 0; i < cz->request_count; i++) {
		free_pages(cz, &cz->requests[i].pages);
	}
}

static bool allocate(struct cz *cz, size_t count, struct cz_host_pages *pages)
{
	if (cz_host_pages_alloc(cz->host, count, pages)) {
		return true;
	}
	pages->alias = NULL;
	cz_error(cz->host, "the host could not allocate %zu pages", count);
	return false;
}

static cz_status take_memory(struct cz *cz)
{
	if (!allocate(cz, CZ_STACK_PAGES, &cz->stack) ||
	    !allocate(cz, 1, &cz->trampoline) ||
	    !allocate(cz, cz->request_pages, &cz->direct_request.pages)) {
		return CZ_E_NO_MEMORY;
	}
	for (uint32_t i = 0; i < cz->request_count; i++) {
		if (!allocate(cz, cz->request_pages, &cz->requests[i].pages)) {
			return CZ_E_NO_MEMORY;
		}
	}
	return CZ_OK;
}

/* Builds the space, calls SetVirtualAddressMap if the configuration says so,
 * and finds the services. */
static cz_status enter_firmware(struct cz_boot *boot)
{
	bool relocating = boot->config->map_mode == CZ_MAP_SET;
	cz_status status = cz_space_build(boot, relocating);

	if (status == CZ_OK && relocating) {
		status = cz_space_relocate(boot);
	}
	if (status == CZ_OK) {
		status = cz_tables_services(boot);
	}
	/* The worker performs this one without a function of firmware's; any
	 * value but 0 says that it is available. */
	boot->cz->function[CZ_SET_WORKER_CPUS] = boot->cz->window_address;
	return status;
}

static void summarize(struct cz *cz)
{
	uint32_t services = 0;

	for (uint32_t i = 0; i < CZ_NULL_SERVICE; i++) {
		services += cz->function[i] != 0;
	}
	cz_info(cz->host,
		"caesura " CZ_VERSION ": %u regions, %u images, %u of %u "
		"services, window 0x%llx-0x%llx",
		cz->region_count, cz->image_count, services,
		(uint32_t)CZ_NULL_SERVICE, cz_ull(cz->window_address),
		cz_ull(cz->window_address + cz->window_pages * CZ_PAGE));
}

cz_status cz_init(struct cz *cz, const struct cz_config *config)
{
	struct cz_boot boot = {.cz = cz, .config = config};
	cz_status status = check_config(config);

	if (status == CZ_OK) {
		status = check_policy(config);
	}
	if (status != CZ_OK) {
		return status;
	}
	start_state(cz, config);
	status = read_firmware(&boot);
	if (status != CZ_OK) {
		return status;
	}
	status = take_memory(cz);
	if (status != CZ_OK) {
		goto release;
	}
	status = enter_firmware(&boot);
	if (status != CZ_OK) {
		goto release;
	}
	cz->worker = cz_host_worker_start(cz->host, cz_worker, cz);
	if (cz->worker == NULL) {
		cz_error(cz->host, "the host could not start the worker");
		status = CZ_E_HOST;
		goto release;
	}
	summarize(cz);
	return CZ_OK;

release:
	release_memory(cz);
	return status;
}

void cz_fini(struct cz *cz)
{
	uint64_t ended;

	cz_host_mutex_lock(cz->host, &cz->mutex);
	cz->stopping = true;
	ended = cz_requests_end(cz, UINT32_MAX, CZ_E_STOPPED);
	cz_host_mutex_unlock(cz->host, &cz->mutex);
	cz_requests_signal(cz, ended);
	cz_host_event_set(cz->host, &cz->room);
	cz_host_event_set(cz->host, &cz->work);
	cz_host_worker_join(cz->host, cz->worker);
	cz_watch_stop(cz);
	release_memory(cz);
}
