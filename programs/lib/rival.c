/* SPDX-License-Identifier: MIT */
/*
 * Through which cz other threads call while a call is interrupted. The one that
 * everybody uses, except in the image that shows what its lock is for.
 */
#include "lib/rival.h"

#include <kernel/options.h>

struct cz *rival_firmware(void)
{
	return firmware;
}
