/* SPDX-License-Identifier: MIT */
/*
 * Resets that cannot fail silently: firmware's ResetSystem first, and if that
 * does not reset the machine, the host's own means.
 */
#include "core.h"

static const char *type_name(enum cz_efi_reset_type type)
{
	static const char *const names[] = {
		[CZ_EFI_RESET_COLD] = "cold reset",
		[CZ_EFI_RESET_WARM] = "warm reset",
		[CZ_EFI_RESET_SHUTDOWN] = "shutdown",
		[CZ_EFI_RESET_PLATFORM_SPECIFIC] = "platform-specific reset",
	};

	return names[type];
}

/* Returns why ResetSystem did not reset the machine. */
static const char *reason(const struct cz *cz, cz_status status)
{
	if (cz->function[CZ_RESET_SYSTEM] == 0) {
		return "is absent";
	}
	switch (status) {
	case CZ_E_WITHDRAWN:
		return "is withdrawn";
	case CZ_E_DEADLINE:
		return "has not ended by the deadline";
	case CZ_E_FAULT:
		return "faulted";
	case CZ_E_KILLED:
		return "ran past its kill limit";
	case CZ_E_BUSY:
		return "cannot be called: a call is in flight";
	default:
		return "returned";
	}
}

static cz_status by_host(struct cz *cz, enum cz_efi_reset_type type,
			 cz_status status)
{
	cz_warn(cz->host, "%s by the host: ResetSystem %s (%s)",
		type_name(type), reason(cz, status), cz_status_name(status));
	cz_host_reset(cz->host, type);
	cz_error(cz->host, "%s: the host failed, too", type_name(type));
	return status;
}

static void ask_firmware(struct cz *cz, enum cz_efi_reset_type type)
{
	if (cz_service_available(cz, CZ_RESET_SYSTEM)) {
		cz_info(cz->host, "%s: asking firmware's ResetSystem",
			type_name(type));
	}
}

cz_status cz_reset_system(struct cz *cz, enum cz_efi_reset_type type,
			  cz_status reset_status, const void *data,
			  size_t size_bytes, uint64_t deadline_ns)
{
	struct cz_call call;
	cz_status status = cz_prepare_reset_system(&call, type, reset_status,
						   data, size_bytes);

	if (status != CZ_OK) {
		return status;
	}
	ask_firmware(cz, type);
	return by_host(cz, type, cz_call_and_wait(cz, &call, deadline_ns));
}

cz_status cz_reset_now(struct cz *cz, enum cz_efi_reset_type type,
		       cz_status reset_status, const void *data,
		       size_t size_bytes)
{
	struct cz_call call;
	cz_status status = cz_prepare_reset_system(&call, type, reset_status,
						   data, size_bytes);

	if (status != CZ_OK) {
		return status;
	}
	ask_firmware(cz, type);
	return by_host(cz, type, cz_call_now(cz, &call));
}
