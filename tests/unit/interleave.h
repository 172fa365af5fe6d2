/* SPDX-License-Identifier: MIT */
/*
 * A test can run a function in the middle of the library's code, before one of
 * its atomic operations. That function does what another thread could do at
 * that moment. The build includes this header before each file of src/, so that
 * the macros below replace the atomic builtins there.
 */
#ifndef INTERLEAVE_H
#define INTERLEAVE_H

/* Makes this thread call act(argument) once, before an atomic operation on the
 * object at the address. The thread first makes `skipped` operations on that
 * object without a call. If act is NULL, nothing is called. */
void interleave_at(const volatile void *address, unsigned skipped,
		   void (*act)(void *), void *argument);

/* Called before each atomic operation on the object at the address. */
void interleave_step(const volatile void *address);

#ifdef INTERLEAVE
#define __atomic_load_n(address, ...) \
	(interleave_step(address), __atomic_load_n(address, __VA_ARGS__))
#define __atomic_store_n(address, ...) \
	(interleave_step(address), __atomic_store_n(address, __VA_ARGS__))
#define __atomic_fetch_add(address, ...) \
	(interleave_step(address), __atomic_fetch_add(address, __VA_ARGS__))
#define __atomic_fetch_or(address, ...) \
	(interleave_step(address), __atomic_fetch_or(address, __VA_ARGS__))
#define __atomic_fetch_and(address, ...) \
	(interleave_step(address), __atomic_fetch_and(address, __VA_ARGS__))
#define __atomic_compare_exchange_n(address, ...) \
	(interleave_step(address),                \
	 __atomic_compare_exchange_n(address, __VA_ARGS__))
#endif

#endif
