/* SPDX-License-Identifier: MIT */
/*
 * The names of services, statuses, anomalies and traps, the log functions, and
 * the search for the driver at an address.
 */
#include "core.h"

void cz_error(struct cz_host *host, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	cz_host_log(host, CZ_LOG_ERROR, format, arguments);
	va_end(arguments);
}

void cz_warn(struct cz_host *host, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	cz_host_log(host, CZ_LOG_WARNING, format, arguments);
	va_end(arguments);
}

void cz_info(struct cz_host *host, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	cz_host_log(host, CZ_LOG_INFO, format, arguments);
	va_end(arguments);
}

const char *cz_service_name(enum cz_service service)
{
	static const char *const names[CZ_SERVICE_COUNT] = {
		[CZ_GET_TIME] = "GetTime",
		[CZ_SET_TIME] = "SetTime",
		[CZ_GET_WAKEUP_TIME] = "GetWakeupTime",
		[CZ_SET_WAKEUP_TIME] = "SetWakeupTime",
		[CZ_GET_VARIABLE] = "GetVariable",
		[CZ_GET_NEXT_VARIABLE_NAME] = "GetNextVariableName",
		[CZ_SET_VARIABLE] = "SetVariable",
		[CZ_GET_NEXT_HIGH_MONOTONIC_COUNT] =
			"GetNextHighMonotonicCount",
		[CZ_RESET_SYSTEM] = "ResetSystem",
		[CZ_UPDATE_CAPSULE] = "UpdateCapsule",
		[CZ_QUERY_CAPSULE_CAPABILITIES] = "QueryCapsuleCapabilities",
		[CZ_QUERY_VARIABLE_INFO] = "QueryVariableInfo",
		[CZ_NULL_SERVICE] = "null service",
		[CZ_SET_WORKER_CPUS] = "set of CPUs",
	};

	if ((uint32_t)service >= CZ_SERVICE_COUNT) {
		return "unknown service";
	}
	return names[service];
}

const char *cz_anomaly_name(enum cz_anomaly anomaly)
{
	static const char *const names[CZ_ANOMALY_COUNT] = {
		[CZ_ANOMALY_INTERRUPTS] = "interrupt mask",
		[CZ_ANOMALY_STACK_SELECT] = "stack selection",
		[CZ_ANOMALY_PAN] = "PAN",
		[CZ_ANOMALY_STACK_POINTER] = "stack pointer",
		[CZ_ANOMALY_STACK_CANARY] = "stack canary",
		[CZ_ANOMALY_CALLEE_SAVED] = "callee-saved registers",
		[CZ_ANOMALY_PLATFORM_REGISTER] = "platform register",
		[CZ_ANOMALY_FP_CONTROL] = "FP control register",
		[CZ_ANOMALY_THREAD_USER] = "user thread register",
		[CZ_ANOMALY_THREAD_KERNEL] = "kernel thread register",
		[CZ_ANOMALY_TRANSLATION] = "translation table base",
		[CZ_ANOMALY_VECTORS] = "exception vector base",
		[CZ_ANOMALY_SYSTEM_CONTROL] = "system control register",
		[CZ_ANOMALY_COPROCESSOR] = "FP access control",
		[CZ_ANOMALY_STREAMING] = "streaming mode",
		[CZ_ANOMALY_UAO] = "UAO",
		[CZ_ANOMALY_DIT] = "DIT",
		[CZ_ANOMALY_SSBS] = "SSBS",
		[CZ_ANOMALY_TCO] = "TCO",
		[CZ_ANOMALY_ALLINT] = "ALLINT",
	};

	if ((uint32_t)anomaly >= CZ_ANOMALY_COUNT) {
		return "unknown anomaly";
	}
	return names[anomaly];
}

const char *cz_trap_name(enum cz_trap trap)
{
	static const char *const names[CZ_TRAP_COUNT] = {
		[CZ_TRAP_MASK] = "mask",
		[CZ_TRAP_STATE] = "state",
		[CZ_TRAP_IDENTIFICATION] = "identification",
		[CZ_TRAP_SYSTEM] = "system",
		[CZ_TRAP_CACHE] = "cache",
		[CZ_TRAP_TRANSLATION] = "translation",
		[CZ_TRAP_WAIT] = "wait",
		[CZ_TRAP_TIMER] = "timer",
		[CZ_TRAP_SECURE_CALL] = "secure_call",
		[CZ_TRAP_ALIGNMENT] = "alignment",
	};

	return (uint32_t)trap < CZ_TRAP_COUNT ? names[trap] : "unknown";
}

struct status_name {
	cz_status status;
	const char *name;
};

static const struct status_name status_names[] = {
	{CZ_EFI_SUCCESS, "EFI_SUCCESS"},
	{1, "EFI_WARN_UNKNOWN_GLYPH"},
	{2, "EFI_WARN_DELETE_FAILURE"},
	{3, "EFI_WARN_WRITE_FAILURE"},
	{4, "EFI_WARN_BUFFER_TOO_SMALL"},
	{5, "EFI_WARN_STALE_DATA"},
	{6, "EFI_WARN_FILE_SYSTEM"},
	{7, "EFI_WARN_RESET_REQUIRED"},
	{CZ_EFI_ERROR(1), "EFI_LOAD_ERROR"},
	{CZ_EFI_ERROR(2), "EFI_INVALID_PARAMETER"},
	{CZ_EFI_ERROR(3), "EFI_UNSUPPORTED"},
	{CZ_EFI_ERROR(4), "EFI_BAD_BUFFER_SIZE"},
	{CZ_EFI_ERROR(5), "EFI_BUFFER_TOO_SMALL"},
	{CZ_EFI_ERROR(6), "EFI_NOT_READY"},
	{CZ_EFI_ERROR(7), "EFI_DEVICE_ERROR"},
	{CZ_EFI_ERROR(8), "EFI_WRITE_PROTECTED"},
	{CZ_EFI_ERROR(9), "EFI_OUT_OF_RESOURCES"},
	{CZ_EFI_ERROR(10), "EFI_VOLUME_CORRUPTED"},
	{CZ_EFI_ERROR(11), "EFI_VOLUME_FULL"},
	{CZ_EFI_ERROR(12), "EFI_NO_MEDIA"},
	{CZ_EFI_ERROR(13), "EFI_MEDIA_CHANGED"},
	{CZ_EFI_ERROR(14), "EFI_NOT_FOUND"},
	{CZ_EFI_ERROR(15), "EFI_ACCESS_DENIED"},
	{CZ_EFI_ERROR(16), "EFI_NO_RESPONSE"},
	{CZ_EFI_ERROR(17), "EFI_NO_MAPPING"},
	{CZ_EFI_ERROR(18), "EFI_TIMEOUT"},
	{CZ_EFI_ERROR(19), "EFI_NOT_STARTED"},
	{CZ_EFI_ERROR(20), "EFI_ALREADY_STARTED"},
	{CZ_EFI_ERROR(21), "EFI_ABORTED"},
	{CZ_EFI_ERROR(22), "EFI_ICMP_ERROR"},
	{CZ_EFI_ERROR(23), "EFI_TFTP_ERROR"},
	{CZ_EFI_ERROR(24), "EFI_PROTOCOL_ERROR"},
	{CZ_EFI_ERROR(25), "EFI_INCOMPATIBLE_VERSION"},
	{CZ_EFI_ERROR(26), "EFI_SECURITY_VIOLATION"},
	{CZ_EFI_ERROR(27), "EFI_CRC_ERROR"},
	{CZ_EFI_ERROR(28), "EFI_END_OF_MEDIA"},
	{CZ_EFI_ERROR(31), "EFI_END_OF_FILE"},
	{CZ_EFI_ERROR(32), "EFI_INVALID_LANGUAGE"},
	{CZ_EFI_ERROR(33), "EFI_COMPROMISED_DATA"},
	{CZ_EFI_ERROR(34), "EFI_IP_ADDRESS_CONFLICT"},
	{CZ_EFI_ERROR(35), "EFI_HTTP_ERROR"},
	{CZ_E_DEADLINE, "CZ_E_DEADLINE"},
	{CZ_E_CANCELLED, "CZ_E_CANCELLED"},
	{CZ_E_IN_FLIGHT, "CZ_E_IN_FLIGHT"},
	{CZ_E_WITHDRAWN, "CZ_E_WITHDRAWN"},
	{CZ_E_FAULT, "CZ_E_FAULT"},
	{CZ_E_ABORTED, "CZ_E_ABORTED"},
	{CZ_E_BUSY, "CZ_E_BUSY"},
	{CZ_E_BAD_STATUS, "CZ_E_BAD_STATUS"},
	{CZ_E_BAD_SIZE, "CZ_E_BAD_SIZE"},
	{CZ_E_ARGUMENT, "CZ_E_ARGUMENT"},
	{CZ_E_TOO_LARGE, "CZ_E_TOO_LARGE"},
	{CZ_E_TABLE, "CZ_E_TABLE"},
	{CZ_E_NO_MEMORY, "CZ_E_NO_MEMORY"},
	{CZ_E_HOST, "CZ_E_HOST"},
	{CZ_E_STOPPED, "CZ_E_STOPPED"},
	{CZ_E_KILLED, "CZ_E_KILLED"},
};

const char *cz_status_name(cz_status status)
{
	for (size_t i = 0; i < sizeof(status_names) / sizeof(status_names[0]);
	     i++) {
		if (status_names[i].status == status) {
			return status_names[i].name;
		}
	}
	return "unknown status";
}

const struct cz_image *cz_find_image(const struct cz *cz, uint64_t address,
				     uint64_t *offset)
{
	for (uint32_t i = 0; i < cz->image_count; i++) {
		const struct cz_image *image = &cz->images[i];

		if (address - image->address < image->size_bytes) {
			*offset = address - image->address;
			return image;
		}
		if (cz->is_relocating &&
		    address - image->physical < image->size_bytes) {
			*offset = address - image->physical;
			return image;
		}
	}
	return NULL;
}
