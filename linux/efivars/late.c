/* SPDX-License-Identifier: MIT */
/* Each late write has a thread that waits for it. Firmware executes one call at
 * a time, so usually there is at most one such thread. */
#include "efivars/late.h"
#include "efivars/efivars.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES (256u << 10)

struct late {
	struct cz *cz;
	cz_request_id id;
	struct cz_call call; /* has no pointers to outputs */
	char name[EFIVARS_FILE_NAME_BYTES];
};

static struct late_counts counts; /* each counter is accessed atomically */

static void count(uint64_t *counter, uint64_t by)
{
	(void)__atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

struct late_counts late_counts(void)
{
	return (struct late_counts){
		.made = __atomic_load_n(&counts.made, __ATOMIC_RELAXED),
		.not_made = __atomic_load_n(&counts.not_made, __ATOMIC_RELAXED),
		.open = __atomic_load_n(&counts.open, __ATOMIC_ACQUIRE),
	};
}

static void *follow(void *argument)
{
	struct late *late = argument;
	cz_status status = cz_wait(late->cz, late->id, &late->call, CZ_FOREVER);

	if (status == CZ_OK) {
		efivars_warn(late->cz, "the late write of %s has been made",
			     late->name);
		count(&counts.made, 1);
	} else {
		efivars_warn(late->cz,
			     "the late write of %s has not been made: %s",
			     late->name, cz_status_name(status));
		count(&counts.not_made, 1);
	}
	free(late);
	(void)__atomic_fetch_sub(&counts.open, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Starts the thread with all signals blocked: other threads handle them. */
static bool start(struct late *late)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int error;

	(void)sigfillset(&all);
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&thread, &attributes, follow, late);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return error == 0;
}

/* SetVariable's name and GUID are its first two arguments. */
static void take_name(struct late *late)
{
	struct efivars_name name = {0};

	memcpy(&name.guid, late->call.argument[1].input, sizeof(name.guid));
	memcpy(name.units, late->call.argument[0].input,
	       late->call.argument[0].size_bytes);
	(void)efivars_file_name(&name, late->name);
	late->name[EFIVARS_LOGGED_CHARS] = 0;
}

void late_follow(struct cz *cz, cz_request_id id, const struct cz_call *call)
{
	struct late *late = calloc(1, sizeof(*late));

	count(&counts.open, 1);
	if (late != NULL) {
		late->cz = cz;
		late->id = id;
		late->call = *call;
		take_name(late);
		efivars_warn(cz,
			     "the write of %s is late: its caller's time is "
			     "over, and the log will say what becomes of it",
			     late->name);
		if (start(late)) {
			return;
		}
	}
	free(late);
	efivars_warn(cz, "no memory or thread to wait for a late write: read "
			 "the variable to see what has become of it");
	(void)__atomic_fetch_sub(&counts.open, 1, __ATOMIC_RELEASE);
	cz_release(cz, id);
}
