/* SPDX-License-Identifier: MIT */
/*
 * The try-lock of cz_call_now(): firmware has one owner, the worker from before
 * a call until after it, however often it is preempted meanwhile, or one
 * cz_call_now() on one CPU.
 */
#include "call.h"

bool cz_owner_try(struct cz *cz)
{
	return cz_owner_take(cz, &cz->now);
}
