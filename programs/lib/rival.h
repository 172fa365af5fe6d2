/* SPDX-License-Identifier: MIT */
/*
 * Chooses the cz through which other threads call while a call is interrupted.
 * It is the only one, except in the image without the lock, which shows what
 * the lock is for.
 */
#ifndef PROGRAMS_RIVAL_H
#define PROGRAMS_RIVAL_H

#include <caesura/caesura.h>

/* Returns that cz. Called by a thread before the first call through it, with
 * nothing in flight. May block. */
struct cz *rival_firmware(void);

#endif
