/* SPDX-License-Identifier: MIT */
/*
 * Chooses the cz through which other threads call while a call is interrupted.
 * It is the only one, except in the image without the lock, which shows what
 * the lock is for.
 */
#include "lib/rival.h"

#include <kernel/options.h>

struct cz *rival_firmware(void)
{
	return firmware;
}
