/* SPDX-License-Identifier: MIT */
/*
 * Removes the private pages of a request: firmware gets the caller's own
 * pointers, and still has them after the caller has given up. Replaces
 * src/arguments.c.
 */
#include "core.h"

size_t cz_name_bytes(const uint16_t *name, size_t max_bytes)
{
	for (size_t i = 0; i < max_bytes / 2; i++) {
		if (name[i] == 0) {
			return (i + 1) * 2;
		}
	}
	return 0;
}

cz_status cz_arguments_measure(const struct cz *cz, const struct cz_call *call,
			       struct cz_layout *layout)
{
	(void)cz;
	layout->page_count = 0;
	return call->argument_count > CZ_MAX_ARGUMENTS ? CZ_E_ARGUMENT : CZ_OK;
}

cz_status cz_arguments_in(struct cz_request *request,
			  const struct cz_call *call,
			  const struct cz_layout *layout)
{
	(void)layout;
	for (uint32_t i = 0; i < call->argument_count; i++) {
		const struct cz_argument *argument = &call->argument[i];

		request->registers[i] = argument->kind == CZ_ARGUMENT_VALUE
						? argument->value
						: (uint64_t)argument->pointer;
	}
	return CZ_OK;
}

cz_status cz_arguments_out(const struct cz_request *request,
			   const struct cz_call *call)
{
	(void)call;
	return request->status;
}
