/* SPDX-License-Identifier: MIT */
/*
 * The work of the other threads of a busy system while a call is interrupted.
 * One thread on each CPU overwrites every register; another thread calls
 * firmware too and checks the results. All are more urgent than the caller.
 */
#include "sweep/hostile.h"

#include "lib/clobber.h"
#include "lib/rival.h"
#include "lib/swept_service.h"

#include <kernel/machine.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/sync.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define PRIORITY_CLOBBER 50
#define PRIORITY_RIVAL 40
#define HOLD_NS 4096 /* how long FP registers are held across switches */
#define LIMIT_MS 1000

/* The thread that overwrites the registers of one CPU. */
struct clobberer {
	struct completion go, done;
	bool wrong;
};

static struct {
	struct store *store;
	struct prng *prng;
	struct cz *cz;
	struct clobberer clobberers[MACHINE_MAX_CPUS];
	unsigned clobberer_count;
	struct completion rival_go, rival_done;
	uint64_t seed;
	enum hostile_write write;
	bool rival_wrong;
	uint8_t data[MAX_VALUE_BYTES];
} hostile;

/* ---- The thread that clobbers ------------------------------------------- */

/* Holds a pattern in the FP registers while other threads run. */
static void clobber_round(struct clobberer *self, uint64_t seed)
{
	uint64_t wrong;

	fp_begin();
	fp_fill(seed);
	clobber_general(seed);
	thread_sleep_until(tick_after_ns(HOLD_NS));
	wrong = fp_check(seed);
	fp_end();
	if (wrong != 0) {
		kprintf("# FP register %llu of another thread has changed\n",
			(unsigned long long)wrong - 1);
		self->wrong = true;
	}
}

static void clobber_entry(void *argument)
{
	struct clobberer *self = argument;

	for (;;) {
		completion_wait(&self->go, NULL, FOREVER);
		completion_clear(&self->go);
		clobber_round(self, hostile.seed);
		completion_set(&self->done);
	}
}

/* ---- The thread that calls ---------------------------------------------- */

static bool rival_status(const char *service, cz_status status)
{
	if (status != CZ_OK) {
		kprintf("# another thread's %s: %s\n", service,
			cz_status_name(status));
		hostile.rival_wrong = true;
	}
	return status == CZ_OK;
}

static void rival_get_variable(void)
{
	const uint8_t *due = hostile.store->value[STORED_STILL].data;
	size_t due_bytes = hostile.store->value[STORED_STILL].size_bytes;
	size_t size_bytes = sizeof(hostile.data);
	cz_status status = cz_get_variable(
		hostile.cz, stored_name[STORED_STILL], &test_guid, NULL,
		hostile.data, &size_bytes, deadline_in_ms(LIMIT_MS));

	if (rival_status("GetVariable", status) &&
	    (size_bytes != due_bytes ||
	     memcmp(hostile.data, due, due_bytes) != 0)) {
		kprintf("# another thread's GetVariable: wrong data\n");
		hostile.rival_wrong = true;
	}
}

static void rival_set_variable(void)
{
	size_t size_bytes = hostile.store->value[STORED_RIVAL].size_bytes;
	cz_status status;

	memcpy(hostile.data, hostile.store->value[STORED_RIVAL].data,
	       size_bytes);
	if (hostile.write == HOSTILE_NEW_VALUE) {
		prng_fill(hostile.prng, hostile.data, size_bytes);
	}
	status = cz_set_variable(hostile.cz, stored_name[STORED_RIVAL],
				 &test_guid, TEST_ATTRIBUTES, hostile.data,
				 size_bytes, deadline_in_ms(LIMIT_MS));
	if (rival_status("SetVariable", status)) {
		store_expect(hostile.store, STORED_RIVAL, hostile.data,
			     size_bytes);
	}
}

static void rival_round(uint64_t seed)
{
	struct cz_efi_time time = {0};
	struct cz_call call;
	cz_request_id id;

	fp_begin();
	fp_fill(~seed);
	fp_end();
	clobber_general(~seed);

	cz_prepare_get_time(&call, &time, NULL);
	if (!rival_status("submit", cz_submit(hostile.cz, &call, &id))) {
		return;
	}
	if (hostile.write != HOSTILE_NO_WRITE) {
		rival_set_variable();
	}
	rival_get_variable();
	if (rival_status("GetTime", cz_wait(hostile.cz, id, &call,
					    deadline_in_ms(LIMIT_MS))) &&
	    !time_valid(&time)) {
		kprintf("# another thread's GetTime: out of bounds\n");
		hostile.rival_wrong = true;
	}
}

static void rival_entry(void *argument)
{
	(void)argument;
	for (;;) {
		completion_wait(&hostile.rival_go, NULL, FOREVER);
		completion_clear(&hostile.rival_go);
		rival_round(hostile.seed);
		completion_set(&hostile.rival_done);
	}
}

/* ---- Rounds -------------------------------------------------------------- */

static void start_clobberers(void)
{
	uint64_t left = cpus_online();

	for (; left != 0; left &= left - 1) {
		struct clobberer *one =
			&hostile.clobberers[hostile.clobberer_count++];
		struct thread *thread;

		completion_init(&one->go);
		completion_init(&one->done);
		completion_set(&one->done);
		thread = thread_create("clobber", PRIORITY_CLOBBER,
				       clobber_entry, one);
		(void)thread_set_cpus(thread, left & -left);
	}
}

void hostile_init(struct store *store, struct prng *prng)
{
	hostile.store = store;
	hostile.prng = prng;
	hostile.cz = rival_firmware();
	completion_init(&hostile.rival_go);
	completion_init(&hostile.rival_done);
	completion_set(&hostile.rival_done);
	start_clobberers();
	thread_create("rival", PRIORITY_RIVAL, rival_entry, NULL);
}

void hostile_release(enum hostile_write write)
{
	hostile.seed = prng_next(hostile.prng);
	hostile.write = write;
	completion_clear(&hostile.rival_done);
	for (unsigned i = 0; i < hostile.clobberer_count; i++) {
		completion_clear(&hostile.clobberers[i].done);
		completion_set(&hostile.clobberers[i].go);
	}
	completion_set(&hostile.rival_go);
}

void hostile_clobber(void)
{
	for (unsigned i = 0; i < hostile.clobberer_count; i++) {
		struct clobberer *one = &hostile.clobberers[i];

		if (__atomic_load_n(&one->done.done, __ATOMIC_ACQUIRE)) {
			completion_clear(&one->done);
			completion_set(&one->go);
		}
	}
}

bool hostile_wait(void)
{
	bool wrong;

	completion_wait(&hostile.rival_done, NULL, FOREVER);
	wrong = hostile.rival_wrong;
	hostile.rival_wrong = false;
	for (unsigned i = 0; i < hostile.clobberer_count; i++) {
		struct clobberer *one = &hostile.clobberers[i];

		completion_wait(&one->done, NULL, FOREVER);
		wrong = wrong || one->wrong;
		one->wrong = false;
	}
	return !wrong;
}
