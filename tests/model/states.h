/* SPDX-License-Identifier: MIT */
/*
 * The states of a request and every step between them. Two files include this
 * list: request.pml, of which spin visits all states, and
 * tests/unit/test_model.c, which checks that the library takes all of these
 * steps and no others.
 *
 * A request is GONE if it is in flight and its caller has given up; its end is
 * counted as late. The states from RETURNED on say how a request ended.
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
	step(FILLING, QUEUED) /* waits for its turn */ \
	step(FILLING, FREE) /* its service was withdrawn meanwhile */ \
	step(QUEUED, IN_FLIGHT) /* the worker has taken it */ \
	step(QUEUED, CANCELLED) /* by its caller */ \
	step(QUEUED, WITHDRAWN) /* with its service */ \
	step(QUEUED, FREE) /* the caller has given up */ \
	step(IN_FLIGHT, GONE) /* the caller has given up */ \
	step(IN_FLIGHT, RETURNED) /* firmware returned */ \
	step(IN_FLIGHT, FAULTED) /* firmware faulted */ \
	step(IN_FLIGHT, KILLED) /* past its kill limit */ \
	step(IN_FLIGHT, ABORTED) /* on request */ \
	step(GONE, FREE) /* it has ended, too late for its caller */ \
	step(RETURNED, FREE) /* its caller has taken the result */ \
	step(FAULTED, FREE) /* the same as above, as for all below */ \
	step(KILLED, FREE) \
	step(ABORTED, FREE) \
	step(CANCELLED, FREE) \
	step(WITHDRAWN, FREE)
/* clang-format on */
