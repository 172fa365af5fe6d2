/* SPDX-License-Identifier: MIT */
/*
 * A test can act in the middle of the library's code, before one of its atomic
 * operations, as another thread might at that moment. The build includes this file
 * before each file of src/ whose operations are stopped at.
 */
#ifndef INTERLEAVE_H
#define INTERLEAVE_H

/* Calls act(argument) once, before this thread's next atomic operation on the object
 * at the address that comes after `skipped` others; NULL: never. */
void interleave_at(const volatile void *address, unsigned skipped,
		   void (*act)(void *), void *argument);

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
