/* SPDX-License-Identifier: MIT */
/*
 * The states of a request and every step between them, for two readers: request.pml,
 * in which spin goes through all that can happen, and tests/unit/test_model.c, which
 * watches the library and finds these steps, all of them, and no others.
 *
 * GONE: in flight, and nobody waits for it any more; its end is counted as late.
 * Of a request that is done, the state says how.
 */
#define REQUEST_FREE 0
#define REQUEST_FILLING 1
#define REQUEST_QUEUED 2
#define REQUEST_IN_FLIGHT 3
#define REQUEST_GONE 4
#define REQUEST_RETURNED 5
#define REQUEST_FAULTED 6
#define REQUEST_KILLED 7
#define REQUEST_ABORTED 8
#define REQUEST_CANCELLED 9
#define REQUEST_WITHDRAWN 10
#define REQUEST_STATES 11

/* clang-format off */
#define STEPS(step) \
	step(FREE, FILLING) /* submitted: its inputs are copied */ \
	step(FILLING, QUEUED) /* and it waits for its turn */ \
	step(FILLING, FREE) /* its service was withdrawn meanwhile */ \
	step(QUEUED, IN_FLIGHT) /* the worker has taken it */ \
	step(QUEUED, CANCELLED) /* by its caller */ \
	step(QUEUED, WITHDRAWN) /* with its service */ \
	step(QUEUED, FREE) /* the caller has given up */ \
	step(IN_FLIGHT, GONE) /* likewise */ \
	step(IN_FLIGHT, RETURNED) /* firmware did */ \
	step(IN_FLIGHT, FAULTED) /* firmware did */ \
	step(IN_FLIGHT, KILLED) /* past its limit */ \
	step(IN_FLIGHT, ABORTED) /* on request */ \
	step(GONE, FREE) /* late, however it ended */ \
	step(RETURNED, FREE) /* its caller has taken it */ \
	step(FAULTED, FREE) /* likewise, from here on */ \
	step(KILLED, FREE) \
	step(ABORTED, FREE) \
	step(CANCELLED, FREE) \
	step(WITHDRAWN, FREE)
/* clang-format on */
