/* SPDX-License-Identifier: MIT */
/* ESR_EL1, the syndrome of an exception (Arm ARM D17.2.37). */
#ifndef CAESURA_ARM64_SYNDROME_H
#define CAESURA_ARM64_SYNDROME_H

#include <stdint.h>

#define EC(esr) ((esr) >> 26 & 0x3f)
#define EC_UNKNOWN 0x00
#define EC_WAIT 0x01
#define EC_FP 0x07
#define EC_BRANCH_TARGET 0x0d
#define EC_ILLEGAL_STATE 0x0e
#define EC_SVC 0x15
#define EC_SYSTEM 0x18
#define EC_SVE 0x19
#define EC_POINTER_AUTHENTICATION 0x1c
#define EC_SME 0x1d
#define EC_INSTRUCTION_ABORT_EL0 0x20
#define EC_INSTRUCTION_ABORT 0x21
#define EC_PC_ALIGNMENT 0x22
#define EC_DATA_ABORT_EL0 0x24
#define EC_DATA_ABORT 0x25
#define EC_SP_ALIGNMENT 0x26
#define EC_SERROR 0x2f
#define EC_BREAKPOINT_EL0 0x30
#define EC_BREAKPOINT 0x31
#define EC_STEP_EL0 0x32
#define EC_STEP 0x33
#define EC_WATCHPOINT_EL0 0x34
#define EC_WATCHPOINT 0x35
#define EC_BRK 0x3c

/* Fields of the syndrome of an abort. */
#define ISS_WNR (1u << 6)
#define ISS_CM (1u << 8) /* cache maintenance */
#define ISS_FNV (1u << 10) /* FAR is not valid */
#define FAULT_STATUS(esr) ((uint32_t)((esr)&0x3f))
#define FAULT_KIND(esr) (FAULT_STATUS(esr) & ~3u) /* without the level */
#define FAULT_ADDRESS_SIZE 0x00u
#define FAULT_TRANSLATION 0x04u
#define FAULT_ACCESS_FLAG 0x08u
#define FAULT_PERMISSION 0x0cu
#define FAULT_EXTERNAL 0x10u
#define FAULT_ALIGNMENT 0x21u

/* Fields of the syndrome of an SError. */
#define ISS_IDS (1u << 24) /* the syndrome is implementation defined */
#define SERROR_ASYNCHRONOUS 0x11u
#define SERROR_AET(esr) ((uint32_t)((esr) >> 10 & 7))
#define AET_UNCONTAINABLE 0u
#define AET_CORRECTED 6u

#endif
