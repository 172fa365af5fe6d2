/* SPDX-License-Identifier: MIT */
/* Offsets that assembly uses; each is asserted where its struct is defined. */
#ifndef KERNEL_ARCH_OFFSETS_H
#define KERNEL_ARCH_OFFSETS_H

#define FRAME_SP 248
#define FRAME_PC 256
#define FRAME_PSTATE 264
#define FRAME_SP_EL0 272
#define FRAME_BYTES 288

#define CPU_IRQ_STACK 0
#define CPU_GIC_IS_V2 8 /* follows the stack, so that one LDP loads both */
#define CPU_EMERGENCY_STACK 16
#define CPU_IDLE_STACK 24

#define THREAD_SP 0

/* A kernel stack fills the upper half of an aligned slot of twice its size, so
 * that one bit of SP tells whether SP is still inside the stack. */
#define STACK_SHIFT 14
#define STACK_BYTES (1 << STACK_SHIFT)

#endif
