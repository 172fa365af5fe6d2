/* SPDX-License-Identifier: MIT */
/*
 * The arguments of calls. Inputs are copied into pages of the request's own,
 * and outputs are copied back when the call is done. So firmware never holds a
 * pointer to the caller's memory, even after the caller has given up.
 *
 * Most arguments are packed upward from the start of the first page. One of
 * them, the tail, ends at the end of the last page. The page after that is
 * never mapped, so firmware faults if it writes beyond the caller's buffer.
 */
#include "core.h"

#define MAX_CAPSULES 8u
#define HEAD_ALIGNMENT 16u
#define TAIL_ALIGNMENT 8u

size_t cz_name_bytes(const uint16_t *name, size_t max_bytes)
{
	size_t max_units = max_bytes / 2;

	for (size_t i = 0; i < max_units; i++) {
		if (name[i] == 0) {
			return (i + 1) * 2;
		}
	}
	return 0;
}

/* ---- Capsules ---- */

/* Returns how many bytes of a capsule firmware gets: its header, or all of it
 * if it need not persist across a reset. 0: the capsule is malformed. */
static uint32_t capsule_bytes(const struct cz_efi_capsule_header *header)
{
	if (header == NULL ||
	    header->header_size < sizeof(struct cz_efi_capsule_header) ||
	    header->capsule_image_size < header->header_size) {
		return 0;
	}
	if ((header->flags & CZ_EFI_CAPSULE_PERSIST_ACROSS_RESET) != 0) {
		return header->header_size;
	}
	return header->capsule_image_size;
}

/* Returns the size of the table of pointers plus all capsules; 0 if a capsule
 * is malformed. */
static CZ_COLD uint64_t capsules_bytes(const struct cz_argument *argument)
{
	const struct cz_efi_capsule_header *const *capsules = argument->input;
	uint64_t total = argument->size_bytes * sizeof(uint64_t);

	if (argument->size_bytes == 0 || argument->size_bytes > MAX_CAPSULES) {
		return 0;
	}
	for (uint32_t i = 0; i < argument->size_bytes; i++) {
		uint32_t bytes = capsule_bytes(capsules[i]);

		if (bytes == 0) {
			return 0;
		}
		total += cz_align_up(bytes, TAIL_ALIGNMENT);
	}
	return total;
}

/* Copies the capsules and the table of pointers to them. Returns false when the
 * capsules have changed since they were measured. */
static CZ_COLD bool copy_capsules(uint8_t *to, uint64_t address, uint64_t room,
				  const struct cz_argument *argument)
{
	const struct cz_efi_capsule_header *const *capsules = argument->input;
	uint64_t at = argument->size_bytes * sizeof(uint64_t);

	if (at > room) {
		return false;
	}
	for (uint32_t i = 0; i < argument->size_bytes; i++) {
		uint32_t bytes = capsule_bytes(capsules[i]);
		uint64_t pointer = address + at;

		if (bytes == 0 || bytes > room - at) {
			return false;
		}
		memcpy(to + i * sizeof(pointer), &pointer, sizeof(pointer));
		memcpy(to + at, capsules[i], bytes);
		at += cz_align_up(bytes, TAIL_ALIGNMENT);
		if (at > room) {
			return false;
		}
	}
	return true;
}

/* ---- In ---- */

static inline bool in_memory(const struct cz_argument *argument)
{
	return argument->kind > CZ_ARGUMENT_NULL;
}

/* Returns whether the size of this output is the argument before it. */
static inline bool is_sized(const struct cz_argument *argument)
{
	return argument->kind == CZ_ARGUMENT_DATA ||
	       argument->kind == CZ_ARGUMENT_NAME;
}

/* Returns whether argument `i` is the size of the argument after it. */
static inline bool is_size(const struct cz_call *call, uint32_t i)
{
	return call->argument[i].kind == CZ_ARGUMENT_INOUT &&
	       i + 1 < call->argument_count && is_sized(&call->argument[i + 1]);
}

/* Returns the size of an argument; UINT64_MAX if it is invalid. */
static uint64_t argument_bytes(const struct cz_call *call, uint32_t i)
{
	const struct cz_argument *argument = &call->argument[i];

	if (argument->kind == CZ_ARGUMENT_CAPSULES) {
		uint64_t bytes = capsules_bytes(argument);

		return bytes == 0 ? UINT64_MAX : bytes;
	}
	if (argument->kind > CZ_ARGUMENT_CAPSULES ||
	    (argument->pointer == NULL && argument->size_bytes != 0)) {
		return UINT64_MAX;
	}
	if (is_sized(argument) &&
	    (i == 0 || !is_size(call, i - 1) ||
	     call->argument[i - 1].size_bytes != sizeof(uint64_t))) {
		return UINT64_MAX;
	}
	return argument->size_bytes;
}

cz_status cz_arguments_measure(const struct cz *cz, const struct cz_call *call,
			       struct cz_layout *layout)
{
	uint64_t head_bytes = 0;
	uint64_t tail_bytes = 0;
	uint32_t tail = CZ_MAX_ARGUMENTS;
	bool settled = false;
	uint64_t pages;

	if (call->argument_count > CZ_MAX_ARGUMENTS) {
		return CZ_E_ARGUMENT;
	}
	for (uint32_t i = 0; i < call->argument_count; i++) {
		uint64_t bytes;

		if (!in_memory(&call->argument[i])) {
			continue;
		}
		bytes = argument_bytes(call, i);
		if (bytes == UINT64_MAX) {
			return CZ_E_ARGUMENT;
		}
		if (settled) {
			head_bytes += cz_align_up(bytes, HEAD_ALIGNMENT);
			continue;
		}
		head_bytes += cz_align_up(tail_bytes, HEAD_ALIGNMENT);
		tail_bytes = bytes;
		tail = i;
		settled = is_sized(&call->argument[i]);
	}
	pages = (head_bytes + cz_align_up(tail_bytes, TAIL_ALIGNMENT) +
		 CZ_PAGE - 1) /
		CZ_PAGE;
	if (tail_bytes > cz->max_data_bytes || pages > cz->request_pages) {
		return CZ_E_TOO_LARGE;
	}
	layout->tail = tail;
	layout->tail_bytes = (uint32_t)cz_align_up(tail_bytes, TAIL_ALIGNMENT);
	layout->page_count = (uint32_t)pages;
	return CZ_OK;
}

/* Clears an output. Most are one or two words, for which a call of memset()
 * would add instructions to the path of every call. */
static inline void clear(uint8_t *to, uint32_t bytes)
{
	static const uint64_t zero[2];

	if (bytes == 16) {
		memcpy(to, zero, 16);
	} else if (bytes == 8) {
		memcpy(to, zero, 8);
	} else {
		memset(to, 0, bytes);
	}
}

static CZ_COLD void copy_name(uint8_t *to, const struct cz_argument *argument)
{
	size_t bytes = cz_name_bytes(argument->input, argument->size_bytes);

	clear(to, argument->size_bytes);
	memcpy(to, argument->input, bytes);
}

/* Copies one argument into the request's pages. Returns false when it has
 * changed since it was measured. */
static inline bool fill(struct cz_request *request, const struct cz_call *call,
			uint32_t i, uint64_t room)
{
	const struct cz_argument *argument = &call->argument[i];
	uint8_t *to = request->argument_alias[i];

	switch (argument->kind) {
	case CZ_ARGUMENT_OUT:
	case CZ_ARGUMENT_DATA:
		clear(to, argument->size_bytes);
		return true;
	case CZ_ARGUMENT_NAME:
		copy_name(to, argument);
		return true;
	case CZ_ARGUMENT_CAPSULES:
		return copy_capsules(to, request->registers[i], room, argument);
	default:
		break;
	}
	if (is_size(call, i)) {
		/* Not the caller's variable, which may have changed since its
		 * value was measured. */
		uint64_t size = argument[1].size_bytes;

		memcpy(to, &size, sizeof(size));
	} else {
		memcpy(to, argument->input, argument->size_bytes);
	}
	return true;
}

cz_status cz_arguments_in(struct cz_request *request,
			  const struct cz_call *call,
			  const struct cz_layout *layout)
{
	uint64_t tail_at =
		(uint64_t)layout->page_count * CZ_PAGE - layout->tail_bytes;
	uint64_t next = 0;

	for (uint32_t i = 0; i < call->argument_count; i++) {
		const struct cz_argument *argument = &call->argument[i];
		uint64_t at = tail_at;
		uint64_t room = layout->tail_bytes;

		if (!in_memory(argument) || argument->size_bytes == 0) {
			request->registers[i] =
				argument->kind == CZ_ARGUMENT_VALUE
					? argument->value
					: 0;
			continue;
		}
		if (i != layout->tail) {
			at = next;
			room = argument->size_bytes;
			if (argument->kind == CZ_ARGUMENT_CAPSULES) {
				room = capsules_bytes(argument);
			}
			next += cz_align_up(room, HEAD_ALIGNMENT);
			if (next > tail_at) {
				return CZ_E_ARGUMENT;
			}
		}
		request->registers[i] = request->address + at;
		request->argument_alias[i] = request->pages.alias + at;
		if (!fill(request, call, i, room)) {
			return CZ_E_ARGUMENT;
		}
	}
	return CZ_OK;
}

/* ---- Out ---- */

/* Returns the size that firmware has returned for argument `i`. */
static uint64_t returned_size(const struct cz_request *request, uint32_t i)
{
	uint64_t size;

	memcpy(&size, request->argument_alias[i - 1], sizeof(size));
	return size;
}

/* Returns whether firmware's size fits into the caller's buffer; a name must
 * also have its terminator within it. */
static bool size_is_good(const struct cz_request *request,
			 const struct cz_call *call, uint32_t i)
{
	const struct cz_argument *argument = &call->argument[i];
	uint64_t size = returned_size(request, i);

	if (size > argument->size_bytes) {
		return false;
	}
	return argument->kind == CZ_ARGUMENT_DATA ||
	       cz_name_bytes((const void *)request->argument_alias[i], size) !=
		       0;
}

/* Copies the outputs of a call that succeeded: all of them, or none if a size
 * is invalid. */
static cz_status copy_all(const struct cz_request *request,
			  const struct cz_call *call)
{
	uint32_t count = call->argument_count;

	for (uint32_t i = 1; i < count; i++) {
		if (is_sized(&call->argument[i]) &&
		    !size_is_good(request, call, i)) {
			return CZ_E_BAD_SIZE;
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct cz_argument *argument = &call->argument[i];
		uint64_t size = argument->size_bytes;

		if (argument->kind < CZ_ARGUMENT_OUT ||
		    argument->kind > CZ_ARGUMENT_NAME || size == 0) {
			continue;
		}
		if (is_sized(argument)) {
			size = returned_size(request, i);
		}
		memcpy(argument->pointer, request->argument_alias[i], size);
	}
	return CZ_OK;
}

/* Copies the sizes of a call that failed: they may say how large the buffer has
 * to be. */
static CZ_COLD void copy_sizes(const struct cz_request *request,
			       const struct cz_call *call)
{
	for (uint32_t i = 0; i < call->argument_count; i++) {
		if (is_size(call, i)) {
			memcpy(call->argument[i].pointer,
			       request->argument_alias[i], sizeof(uint64_t));
		}
	}
}

/*
 * Copies the attributes. Since UEFI 2.8 GetVariable also returns them with
 * EFI_BUFFER_TOO_SMALL (section 8.2.1). Older firmware leaves the zero that was
 * there; no variable has these attributes.
 */
static CZ_COLD void copy_attributes(const struct cz_request *request,
				    const struct cz_call *call)
{
	uint32_t attributes;

	for (uint32_t i = 0; i < call->argument_count; i++) {
		if (call->argument[i].kind != CZ_ARGUMENT_OUT ||
		    call->argument[i].size_bytes != sizeof(attributes)) {
			continue;
		}
		memcpy(&attributes, request->argument_alias[i],
		       sizeof(attributes));
		if (attributes != 0) {
			memcpy(call->argument[i].pointer, &attributes,
			       sizeof(attributes));
		}
	}
}

cz_status cz_arguments_out(const struct cz_request *request,
			   const struct cz_call *call)
{
	cz_status status = request->status;

	if (status == CZ_OK) {
		return copy_all(request, call);
	}
	if (cz_is_own_status(status)) {
		return status;
	}
	copy_sizes(request, call);
	if (status == CZ_EFI_BUFFER_TOO_SMALL &&
	    request->service == CZ_GET_VARIABLE) {
		copy_attributes(request, call);
	}
	return status;
}
