/* SPDX-License-Identifier: MIT */
/*
 * An operation that polls for its completion, like firmware that has called the
 * secure world: the answer arrives at the CPU that made the call.
 */
#ifndef ADVERSARY_AFFINITY_H
#define ADVERSARY_AFFINITY_H

#include "adversary.h"

/*
 * Polls for about `instructions` instructions, and counts the call in the
 * record. Returns EFI_SUCCESS, or EFI_DEVICE_ERROR if a poll ran on another CPU
 * than the first one.
 */
uint64_t affinity_run(uint64_t instructions,
		      struct adversary_affinity_record *record);

#endif
