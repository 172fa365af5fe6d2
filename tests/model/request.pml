/* SPDX-License-Identifier: MIT */
/*
 * Models a request's state machine and all that runs concurrently with it:
 * callers that wait, give up or cancel; the worker; firmware that returns,
 * faults or hangs, and that may have written to a device; the watch's kill and
 * a host's abort, which are requested by the call's number and take effect
 * later; a call outside the queue; withdrawal of services, and a host that
 * restores them. The model holds a lock where src/ holds its mutex.
 *
 * Each of these macros removes one mechanism, and spin must then find an error:
 * NO_NUMBER: a request to end a call applies to whatever call is in flight.
 * NO_OWNER: firmware has no single owner.
 * NO_SWEEP: a call outside the queue that took firmware over from one that was
 *   ended releases firmware before the queue has been swept.
 * EARLY_FREE: a caller that gives up frees a request that is in flight.
 * LOST_WAKE: the worker misses a caller that came while it searched the queue.
 * NO_LOOK: a caller that is woken does not check the state. Its event may have
 *   been set late, for the previous user of the request.
 * NO_WATCH: no watch ends a call that hangs.
 */
#include "states.h"

#define SLOTS 2
#define CALLERS 2
#define WORKER 1 /* owner of firmware; 0 is nobody */
#define NOW 2
#define NOW_CUT_OFF 3 /* a NOW that was ended; the queue must be swept */
#define KILL 1
#define NO_SLOT 255

byte slot[SLOTS]; /* REQUEST_* */
byte user[SLOTS]; /* ghost variable: the caller whose request it is */
bool mutex, work, withdrawn;
bool done[SLOTS]; /* the requests' events */
byte owner, in_flight = NO_SLOT;
byte number; /* of the latest call */
byte end_request; /* number * 2 + kill; 0: none */
bool hangs, wrote; /* firmware, in the present call */
byte callers_left = CALLERS;
byte inside; /* ghost variable: how many calls are in firmware */

#define STEP_IS(from, to) || (slot[s] == REQUEST_##from && now_ == REQUEST_##to)

/* Changes a request's state by a step that states.h lists. */
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

/* Ends the queued requests. Holds the lock. */
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
		/* Takes a free request. Each caller finds one. */
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
	:: atomic { /* the deadline: gives up, unless the request is done */
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

/* Makes a call in the worker; sets `how` to the way in which it ends. */
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
	/* At an interrupt, a request to end this call takes effect. */
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
				/* the request stays and has no effect */
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
			/* Polls until firmware has no owner. */
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
				:: slot[s] == REQUEST_GONE ->
					go(s, REQUEST_FREE)
				:: else -> go(s, how)
				fi;
				mutex = false
			};
			done[s] = true
		fi
	od;
	/* When no caller is left, no request and no call is left either. */
	assert(in_flight == NO_SLOT);
	assert(slot[0] == REQUEST_FREE && slot[1] == REQUEST_FREE)
}

/* The watch's timer: it reads the call's number first, and requests the kill at
 * any later time. */
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

/* cz_call_now() waits for nothing and therefore takes no lock. It cannot end
 * the queued requests; the worker does that later. Another cz_call_now() may
 * come before that. */
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

/* The host restores the services: cz_restore(). */
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
