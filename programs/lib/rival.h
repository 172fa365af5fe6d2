/* SPDX-License-Identifier: MIT */
/*
 * Through which cz other threads call while a call is interrupted. The one that
 * everybody uses, except in the image that shows what its lock is for.
 */
#ifndef PROGRAMS_RIVAL_H
#define PROGRAMS_RIVAL_H

#include <caesura/caesura.h>

/* Before any call through it: from a thread, nothing in flight. May block. */
struct cz *rival_firmware(void);

#endif
