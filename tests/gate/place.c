/* SPDX-License-Identifier: MIT */
/* Lets a program take the worker's place and enter a gate while the worker
 * sleeps. */
#include "place.h"
#include "lib/common.h"
#include "sched/sched.h"

#include <kernel/mm.h>
#include <kernel/port.h>

void place_take(void)
{
	migrate_disable();
	current_thread()->firmware = firmware;
	space_adopt(port_firmware_space());
	firmware->ended_by = 0;
}

void place_leave(void)
{
	space_adopt(NULL);
	current_thread()->firmware = NULL;
	migrate_enable();
}
