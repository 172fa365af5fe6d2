/* SPDX-License-Identifier: MIT */
/*
 * Helpers for programs that need the misbehaving driver: they check that the
 * driver is loaded, and read what its register loop has recorded.
 */
#include "lib/adversary.h"

#include "lib/common.h"

const struct cz_efi_guid adversary_guid = ADVERSARY_GUID;

bool adversary_record(struct adversary_registers_record *record)
{
	size_t size_bytes = sizeof(*record);
	cz_status status =
		cz_get_variable(firmware, ADVERSARY_REGISTERS, &adversary_guid,
				NULL, record, &size_bytes, CZ_FOREVER);

	return status == CZ_OK && size_bytes == sizeof(*record);
}

int without_adversary(void)
{
	if (!cz_service_available(firmware, CZ_GET_VARIABLE)) {
		return could_not_run(
			"firmware's GetVariable is treated as absent, "
			"as the lines above say: the adversary's "
			"driver cannot be reached");
	}
	return could_not_run("the adversary's driver is not there");
}
