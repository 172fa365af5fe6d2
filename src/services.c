/* SPDX-License-Identifier: MIT */
/*
 * The services of UEFI 2.11 chapter 8. Each function fills one struct cz_call;
 * from there on all services share the same path.
 */
#include "core.h"

#define MAX_CAPSULES 8u

static inline void set_value(struct cz_argument *argument, uint64_t value)
{
	argument->kind = CZ_ARGUMENT_VALUE;
	argument->size_bytes = 0;
	argument->value = value;
}

/* A size that does not fit into 32 bits is rejected later, as too large. */
static inline uint32_t saturate(size_t size_bytes)
{
	return size_bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)size_bytes;
}

static inline void set_input(struct cz_argument *argument, const void *pointer,
			     size_t size_bytes)
{
	argument->kind = CZ_ARGUMENT_IN;
	argument->size_bytes = saturate(size_bytes);
	argument->input = pointer;
}

static inline void set_output(struct cz_argument *argument,
			      enum cz_argument_kind kind, void *pointer,
			      size_t size_bytes)
{
	argument->kind = kind;
	argument->size_bytes = saturate(size_bytes);
	argument->pointer = pointer;
}

/* Adds an output; NULL if the caller does not want it. */
static inline void set_optional(struct cz_argument *argument, void *pointer,
				size_t size_bytes)
{
	set_output(argument,
		   pointer == NULL ? CZ_ARGUMENT_NULL : CZ_ARGUMENT_OUT,
		   pointer, pointer == NULL ? 0 : size_bytes);
}

static inline void start(struct cz_call *call, enum cz_service service,
			 uint32_t argument_count)
{
	call->service = service;
	call->argument_count = argument_count;
}

/* ---- Time ---- */

cz_status cz_prepare_get_time(struct cz_call *call, struct cz_efi_time *time,
			      struct cz_efi_time_caps *caps)
{
	if (time == NULL) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_GET_TIME, 2);
	set_output(&call->argument[0], CZ_ARGUMENT_OUT, time, sizeof(*time));
	set_optional(&call->argument[1], caps, sizeof(*caps));
	return CZ_OK;
}

cz_status cz_prepare_set_time(struct cz_call *call,
			      const struct cz_efi_time *time)
{
	if (time == NULL) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_SET_TIME, 1);
	set_input(&call->argument[0], time, sizeof(*time));
	return CZ_OK;
}

cz_status cz_prepare_get_wakeup_time(struct cz_call *call, uint8_t *enabled,
				     uint8_t *pending, struct cz_efi_time *time)
{
	if (enabled == NULL || pending == NULL || time == NULL) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_GET_WAKEUP_TIME, 3);
	set_output(&call->argument[0], CZ_ARGUMENT_OUT, enabled, 1);
	set_output(&call->argument[1], CZ_ARGUMENT_OUT, pending, 1);
	set_output(&call->argument[2], CZ_ARGUMENT_OUT, time, sizeof(*time));
	return CZ_OK;
}

cz_status cz_prepare_set_wakeup_time(struct cz_call *call, uint8_t enable,
				     const struct cz_efi_time *time)
{
	if (enable != 0 && time == NULL) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_SET_WAKEUP_TIME, 2);
	set_value(&call->argument[0], enable != 0);
	set_input(&call->argument[1], time, time == NULL ? 0 : sizeof(*time));
	return CZ_OK;
}

/* ---- Variables ---- */

/* Adds a name and a GUID as arguments 0 and 1. Returns false if either is
 * invalid. */
static bool set_variable_id(struct cz_call *call, const uint16_t *name,
			    const struct cz_efi_guid *guid)
{
	size_t bytes;

	if (name == NULL || guid == NULL) {
		return false;
	}
	bytes = cz_name_bytes(name, CZ_MAX_NAME_BYTES);
	set_input(&call->argument[0], name, bytes);
	set_input(&call->argument[1], guid, sizeof(*guid));
	return bytes != 0;
}

cz_status cz_prepare_get_variable(struct cz_call *call, const uint16_t *name,
				  const struct cz_efi_guid *guid,
				  uint32_t *attributes, void *data,
				  size_t *size_bytes)
{
	_Static_assert(sizeof(size_t) == 8, "firmware's UINTN is ours");

	if (!set_variable_id(call, name, guid) || size_bytes == NULL ||
	    (data == NULL && *size_bytes != 0)) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_GET_VARIABLE, 5);
	set_optional(&call->argument[2], attributes, sizeof(*attributes));
	set_output(&call->argument[3], CZ_ARGUMENT_INOUT, size_bytes,
		   sizeof(*size_bytes));
	set_output(&call->argument[4], CZ_ARGUMENT_DATA, data, *size_bytes);
	return CZ_OK;
}

cz_status cz_prepare_get_next_variable_name(struct cz_call *call,
					    size_t *size_bytes, uint16_t *name,
					    struct cz_efi_guid *guid)
{
	if (size_bytes == NULL || name == NULL || guid == NULL ||
	    *size_bytes % 2 != 0 || *size_bytes > CZ_MAX_NAME_BYTES ||
	    cz_name_bytes(name, *size_bytes) == 0) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_GET_NEXT_VARIABLE_NAME, 3);
	set_output(&call->argument[0], CZ_ARGUMENT_INOUT, size_bytes,
		   sizeof(*size_bytes));
	set_output(&call->argument[1], CZ_ARGUMENT_NAME, name, *size_bytes);
	set_output(&call->argument[2], CZ_ARGUMENT_INOUT, guid, sizeof(*guid));
	return CZ_OK;
}

cz_status cz_prepare_set_variable(struct cz_call *call, const uint16_t *name,
				  const struct cz_efi_guid *guid,
				  uint32_t attributes, const void *data,
				  size_t size_bytes)
{
	if (!set_variable_id(call, name, guid) ||
	    (data == NULL && size_bytes != 0)) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_SET_VARIABLE, 5);
	set_value(&call->argument[2], attributes);
	set_value(&call->argument[3], size_bytes);
	set_input(&call->argument[4], data, size_bytes);
	return CZ_OK;
}

cz_status cz_prepare_query_variable_info(struct cz_call *call,
					 uint32_t attributes,
					 uint64_t *maximum_storage,
					 uint64_t *remaining_storage,
					 uint64_t *maximum_size)
{
	if (maximum_storage == NULL || remaining_storage == NULL ||
	    maximum_size == NULL) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_QUERY_VARIABLE_INFO, 4);
	set_value(&call->argument[0], attributes);
	set_output(&call->argument[1], CZ_ARGUMENT_OUT, maximum_storage,
		   sizeof(*maximum_storage));
	set_output(&call->argument[2], CZ_ARGUMENT_OUT, remaining_storage,
		   sizeof(*remaining_storage));
	set_output(&call->argument[3], CZ_ARGUMENT_OUT, maximum_size,
		   sizeof(*maximum_size));
	return CZ_OK;
}

/* ---- The rest ---- */

cz_status cz_prepare_get_next_high_monotonic_count(struct cz_call *call,
						   uint32_t *count)
{
	if (count == NULL) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_GET_NEXT_HIGH_MONOTONIC_COUNT, 1);
	set_output(&call->argument[0], CZ_ARGUMENT_OUT, count, sizeof(*count));
	return CZ_OK;
}

cz_status cz_prepare_reset_system(struct cz_call *call,
				  enum cz_efi_reset_type type,
				  cz_status reset_status, const void *data,
				  size_t size_bytes)
{
	if ((uint32_t)type > CZ_EFI_RESET_PLATFORM_SPECIFIC ||
	    (data == NULL && size_bytes != 0)) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_RESET_SYSTEM, 4);
	set_value(&call->argument[0], type);
	set_value(&call->argument[1], reset_status);
	set_value(&call->argument[2], size_bytes);
	set_input(&call->argument[3], data, size_bytes);
	return CZ_OK;
}

static bool set_capsules(struct cz_argument *argument,
			 const struct cz_efi_capsule_header *const *capsules,
			 size_t count)
{
	if (capsules == NULL || count == 0 || count > MAX_CAPSULES) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (capsules[i] == NULL) {
			return false;
		}
	}
	argument->kind = CZ_ARGUMENT_CAPSULES;
	argument->size_bytes = (uint32_t)count;
	argument->input = capsules;
	return true;
}

cz_status
cz_prepare_update_capsule(struct cz_call *call,
			  const struct cz_efi_capsule_header *const *capsules,
			  size_t count, uint64_t scatter_gather_list)
{
	if (!set_capsules(&call->argument[0], capsules, count)) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_UPDATE_CAPSULE, 3);
	set_value(&call->argument[1], count);
	set_value(&call->argument[2], scatter_gather_list);
	return CZ_OK;
}

cz_status cz_prepare_query_capsule_capabilities(
	struct cz_call *call,
	const struct cz_efi_capsule_header *const *capsules, size_t count,
	uint64_t *maximum_size, enum cz_efi_reset_type *reset_type)
{
	if (!set_capsules(&call->argument[0], capsules, count) ||
	    maximum_size == NULL || reset_type == NULL) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_QUERY_CAPSULE_CAPABILITIES, 4);
	set_value(&call->argument[1], count);
	set_output(&call->argument[2], CZ_ARGUMENT_OUT, maximum_size,
		   sizeof(*maximum_size));
	set_output(&call->argument[3], CZ_ARGUMENT_OUT, reset_type,
		   sizeof(*reset_type));
	return CZ_OK;
}

cz_status cz_prepare_null_service(struct cz_call *call)
{
	/* The null service returns its argument as the status. */
	start(call, CZ_NULL_SERVICE, 1);
	set_value(&call->argument[0], CZ_EFI_SUCCESS);
	return CZ_OK;
}

cz_status cz_prepare_set_worker_cpus(struct cz_call *call,
				     const struct cz_cpu_set *cpus)
{
	uint64_t all = 0;

	for (size_t i = 0; i < CZ_MAX_CPUS / 64; i++) {
		all |= cpus->bits[i];
	}
	if (all == 0) {
		return CZ_E_ARGUMENT;
	}
	start(call, CZ_SET_WORKER_CPUS, 1);
	set_input(&call->argument[0], cpus, sizeof(*cpus));
	return CZ_OK;
}

/* ---- The synchronous functions ---- */

static inline cz_status finish(struct cz *cz, cz_status prepared,
			       const struct cz_call *call, uint64_t deadline_ns)
{
	if (prepared != CZ_OK) {
		return prepared;
	}
	return cz_call_and_wait(cz, call, deadline_ns);
}

cz_status cz_get_time(struct cz *cz, struct cz_efi_time *time,
		      struct cz_efi_time_caps *caps, uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_get_time(&call, time, caps);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_set_time(struct cz *cz, const struct cz_efi_time *time,
		      uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_set_time(&call, time);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_get_wakeup_time(struct cz *cz, uint8_t *enabled, uint8_t *pending,
			     struct cz_efi_time *time, uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status =
		cz_prepare_get_wakeup_time(&call, enabled, pending, time);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_set_wakeup_time(struct cz *cz, uint8_t enable,
			     const struct cz_efi_time *time,
			     uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_set_wakeup_time(&call, enable, time);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_get_variable(struct cz *cz, const uint16_t *name,
			  const struct cz_efi_guid *guid, uint32_t *attributes,
			  void *data, size_t *size_bytes, uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_get_variable(
		&call, name, guid, attributes, data, size_bytes);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_get_next_variable_name(struct cz *cz, size_t *size_bytes,
				    uint16_t *name, struct cz_efi_guid *guid,
				    uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_get_next_variable_name(&call, size_bytes,
							     name, guid);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_set_variable(struct cz *cz, const uint16_t *name,
			  const struct cz_efi_guid *guid, uint32_t attributes,
			  const void *data, size_t size_bytes,
			  uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_set_variable(
		&call, name, guid, attributes, data, size_bytes);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_query_variable_info(struct cz *cz, uint32_t attributes,
				 uint64_t *maximum_storage,
				 uint64_t *remaining_storage,
				 uint64_t *maximum_size, uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_query_variable_info(
		&call, attributes, maximum_storage, remaining_storage,
		maximum_size);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_get_next_high_monotonic_count(struct cz *cz, uint32_t *count,
					   uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status =
		cz_prepare_get_next_high_monotonic_count(&call, count);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_update_capsule(struct cz *cz,
			    const struct cz_efi_capsule_header *const *capsules,
			    size_t count, uint64_t scatter_gather_list,
			    uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_update_capsule(&call, capsules, count,
						     scatter_gather_list);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_query_capsule_capabilities(
	struct cz *cz, const struct cz_efi_capsule_header *const *capsules,
	size_t count, uint64_t *maximum_size,
	enum cz_efi_reset_type *reset_type, uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_query_capsule_capabilities(
		&call, capsules, count, maximum_size, reset_type);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_null_service(struct cz *cz, uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_null_service(&call);

	return finish(cz, status, &call, deadline_ns);
}

cz_status cz_set_worker_cpus(struct cz *cz, const struct cz_cpu_set *cpus,
			     uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_set_worker_cpus(&call, cpus);

	return finish(cz, status, &call, deadline_ns);
}
