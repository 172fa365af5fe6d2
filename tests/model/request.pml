/* SPDX-License-Identifier: MIT */
/*
 * The request's state machine under everything that can come in between: callers
 * that wait, give up, cancel; a worker; firmware that returns, faults, hangs, and may
 * have written to a device; the watch's kill and a host's abort, each asked for by a
 * call's number and acted on later; a call outside the queue; withdrawal, and a host
 * that brings services back. What src/ does under its mutex is done here under a
 * lock, in steps; what it does without, without.
 *
 * With one of these defined something is left out, and spin has to find an error:
 * NO_NUMBER (an end asked for is whosever), NO_OWNER (no one owner of firmware),
 * NO_SWEEP (a call outside the queue that takes over from one that was cut off gives
 * firmware to anyone), EARLY_FREE (who gives up frees a request in flight), LOST_WAKE
 * (the worker forgets who came while it looked), NO_LOOK (who is woken does not look at the state: an
 * event may be set late, for the request's last user), NO_WATCH (nobody ends what
 * hangs).
 */
#include "states.h"

#define SLOTS 2
#define CALLERS 2
#define WORKER 1 /* owner of firmware; 0 is nobody */
#define NOW 2
#define NOW_CUT_OFF 3 /* the queue is to be told */
#define KILL 1
#define NO_SLOT 255

byte slot[SLOTS]; /* REQUEST_* */
byte user[SLOTS]; /* ghost: the caller whose request it is */
bool mutex, work, withdrawn;
bool done[SLOTS]; /* events */
byte owner, in_flight = NO_SLOT;
byte number; /* of the latest call */
byte end_request; /* number * 2 + kill; 0: none */
bool hangs, wrote; /* firmware, in the present call */
byte callers_left = CALLERS;
byte inside; /* ghost: who is in firmware */

#define STEP_IS(from, to) || (slot[s] == REQUEST_##from && now_ == REQUEST_##to)

/* Every change of a request is one of the table's. */
inline go(s, next_) {
	d_step {
		now_ = next_;
		assert(false STEPS(STEP_IS));
		slot[s] = next_;
	}
}

inline enter_firmware() {
	inside++;
	assert(inside == 1);
}

inline leave_firmware() { inside-- }

/* Ends what is queued; with the lock. */
inline end_queued(i_) {
	i_ = 0;
	do
	:: i_ < SLOTS ->
		if
		:: slot[i_] == REQUEST_QUEUED ->
			go(i_, REQUEST_WITHDRAWN);
			done[i_] = true
		:: else
		fi;
		i_++
	:: else -> break
	od
}

inline end_withdrawn(i_) {
	if
	:: owner == NOW_CUT_OFF -> owner = 0
	:: else
	fi;
	if
	:: withdrawn -> end_queued(i_)
	:: else
	fi
}

proctype caller(byte me) {
	byte s, now_;

	atomic {
		!mutex;
		/* A free request; there is room for both. */
		do
		:: slot[s] != REQUEST_FREE -> s++
		:: else -> break
		od;
		go(s, REQUEST_FILLING);
		user[s] = me;
		done[s] = false
	}
	atomic {
		!mutex;
		if
		:: withdrawn -> go(s, REQUEST_FREE); goto out
		:: else -> go(s, REQUEST_QUEUED)
		fi
	}
	work = true;
	if
	:: me == 1 -> atomic { /* cancels */
		!mutex;
		if
		:: slot[s] == REQUEST_QUEUED ->
			go(s, REQUEST_CANCELLED);
			done[s] = true
		:: else
		fi
	}
	:: true
	fi;
	do
	:: done[s] ->
#ifdef NO_LOOK
		break
#else
		atomic {
			!mutex;
			if
			:: slot[s] >= REQUEST_RETURNED -> break
			:: else -> done[s] = false
			fi
		}
#endif
	:: atomic { /* the deadline: gives up, unless it is done by now */
		!mutex;
		if
		:: slot[s] == REQUEST_QUEUED -> go(s, REQUEST_FREE); goto out
		:: slot[s] == REQUEST_IN_FLIGHT ->
#ifdef EARLY_FREE
			slot[s] = REQUEST_FREE;
#else
			go(s, REQUEST_GONE);
#endif
			goto out
		:: else -> break
		fi
	}
	od;
	atomic {
		!mutex;
		assert(slot[s] >= REQUEST_RETURNED && user[s] == me);
		go(s, REQUEST_FREE)
	}
out:
	atomic {
		callers_left--;
		if
		:: callers_left == 0 -> work = true /* cz_fini() */
		:: else
		fi
	}
}

/* One call of the worker's: how it comes back. */
inline firmware() {
	hangs = false;
	wrote = false;
	how = REQUEST_RETURNED;
	enter_firmware();
	if
	:: true -> wrote = true
	:: true
	fi;
	if
	:: true /* returns */
	:: true -> how = REQUEST_FAULTED
	:: true -> hangs = true
	fi;
	/* Interrupts: what is asked for is acted on, if it is for this call. */
	do
	:: end_request != 0 ->
		atomic {
#ifdef NO_NUMBER
			asked = number * 2 + end_request % 2;
#else
			asked = end_request;
#endif
			if
			:: asked == number * 2 + KILL ->
				end_request = 0;
				assert(hangs);
				how = REQUEST_KILLED;
				break
			:: asked == number * 2 && !wrote ->
				end_request = 0;
				how = REQUEST_ABORTED;
				break
			:: asked == number * 2 && wrote ->
				/* stays, and is not acted on */
				if
				:: !hangs -> break
				:: hangs -> end_request != asked
				fi
			:: else -> end_request = 0
			fi
		}
	:: !hangs -> break
	od;
	hangs = false;
	leave_firmware()
}

proctype worker() {
	byte s, now_, i_, how, asked;

	do
	:: atomic {
		!mutex;
		s = 0;
		do
		:: s < SLOTS && slot[s] != REQUEST_QUEUED -> s++
		:: else -> break
		od;
		if
		:: s == SLOTS && callers_left == 0 -> break
		:: s == SLOTS && callers_left != 0 ->
#ifdef LOST_WAKE
			skip
#else
			work = false
#endif
#ifdef NO_OWNER
		:: s < SLOTS ->
#else
		:: s < SLOTS && owner != 0 -> end_withdrawn(i_)
		:: s < SLOTS && owner == 0 ->
			owner = WORKER;
			assert(!withdrawn);
#endif
			go(s, REQUEST_IN_FLIGHT);
			in_flight = s;
			number++
		fi
	};
		if
		:: s == SLOTS ->
#ifdef LOST_WAKE
			work = false;
#endif
			work
		:: s < SLOTS && in_flight == NO_SLOT ->
			/* It looks again a while later. */
			owner == 0 || owner == NOW_CUT_OFF
		:: s < SLOTS && in_flight != NO_SLOT ->
			firmware();
			atomic {
				!mutex;
				mutex = true;
				if
				:: how != REQUEST_RETURNED ->
					withdrawn = true;
					end_queued(i_)
				:: else
				fi;
				in_flight = NO_SLOT
			};
#ifndef NO_OWNER
			owner = 0;
#endif
			atomic {
				if
				:: slot[s] == REQUEST_GONE -> go(s, REQUEST_FREE)
				:: else -> go(s, how)
				fi;
				mutex = false
			};
			done[s] = true
		fi
	od;
	/* Nobody is left: nor is a request, a call, or an owner of theirs. */
	assert(in_flight == NO_SLOT);
	assert(slot[0] == REQUEST_FREE && slot[1] == REQUEST_FREE)
}

/* The timer: the number is read first, and acted on after anything else. */
proctype watch() {
	byte seen;

end_watch:
	do
#ifndef NO_WATCH
	:: atomic { hangs -> seen = number };
		end_request = seen * 2 + KILL
#else
	:: false
#endif
	od
}

proctype aborter() {
	atomic {
		!mutex;
		if
		:: in_flight != NO_SLOT -> end_request = number * 2
		:: else
		fi
	}
}

/* cz_call_now(): waits for nothing, so takes no lock; and cannot end what is
 * queued, which the worker does for it. Before that another may come. */
proctype caller_now() {
	bool faults;

#ifdef NO_OWNER
	if
	:: true
#else
	if
	:: atomic { owner == 0 -> owner = NOW }
	:: owner != 0 -> goto busy
#endif
	fi;
	number++;
	enter_firmware();
	if
	:: true -> faults = true
	:: true
	fi;
	leave_firmware();
	if
	:: faults ->
		withdrawn = true;
		owner = NOW_CUT_OFF;
		if
		:: atomic {
			owner == NOW_CUT_OFF -> owner = NOW;
			number++;
			enter_firmware()
		};
			atomic {
				leave_firmware();
#ifdef NO_SWEEP
				owner = 0
#else
				owner = NOW_CUT_OFF
#endif
			}
		:: owner != NOW_CUT_OFF
		fi
	:: else -> owner = 0
	fi;
busy:	skip
}

/* The host brings the services back. */
proctype host() {
	byte now_, i_;

	atomic {
		!mutex;
		end_withdrawn(i_);
		withdrawn = false
	}
}

init {
	atomic {
		run worker();
		run watch();
		run aborter();
		run caller_now();
		run host();
		run caller(1);
		run caller(2)
	}
}
