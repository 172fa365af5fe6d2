/* SPDX-License-Identifier: MIT */
/*
 * Removes pinning: a thread that asked to stay on its CPU is moved like any
 * other. Replaces kernel/sched/pin.c.
 */
#include <kernel/thread.h>

void migrate_disable(void)
{
}

void migrate_enable(void)
{
}
