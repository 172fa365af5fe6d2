/* SPDX-License-Identifier: MIT */
/*
 * An operation whose completion is polled for, as by firmware that has asked
 * the secure world for something: the answer comes to the CPU that asked.
 */
#ifndef ADVERSARY_AFFINITY_H
#define ADVERSARY_AFFINITY_H

#include "adversary.h"

/*
 * Polls for about so many instructions, and counts the call in the record.
 * EFI_SUCCESS, or EFI_DEVICE_ERROR when a poll ran on another CPU than the
 * start.
 */
uint64_t affinity_run(uint64_t instructions,
		      struct adversary_affinity_record *record);

#endif
