/* SPDX-License-Identifier: MIT */
/*
 * A host for the library: pthreads, one lock, and one condition variable for
 * all waits. Priorities are only computed; they do not change the scheduling. A
 * test can choose one of the defects that sim.h names. When the library breaks
 * the contract in <caesura/host.h>, these functions abort the test.
 */
#define _GNU_SOURCE
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGES_BYTES (16ull << 20)

/* These lie in the storage that the library provides. */
struct sim_mutex {
	struct sim_thread *holder;
	bool ready;
};
struct sim_event {
	bool set;
	bool ready;
};

static _Thread_local struct sim_thread *the_self;

static void demand(bool held, const char *what)
{
	if (!held) {
		fprintf(stderr, "sim: %s\n", what);
		abort();
	}
}

/* ---- Threads ---- */

static struct sim_thread *new_thread(struct cz_host *sim, int priority)
{
	struct sim_thread *thread = calloc(1, sizeof(*thread));

	demand(thread != NULL, "no memory");
	thread->sim = sim;
	thread->priority = priority;
	pthread_mutex_lock(&sim->lock);
	thread->next = sim->threads;
	sim->threads = thread;
	pthread_mutex_unlock(&sim->lock);
	return thread;
}

struct sim_thread *sim_self(struct cz_host *sim)
{
	if (the_self == NULL || the_self->sim != sim) {
		the_self = new_thread(sim, 10);
	}
	return the_self;
}

static void forget_thread(struct cz_host *sim, struct sim_thread *thread)
{
	struct sim_thread **at = &sim->threads;

	pthread_mutex_lock(&sim->lock);
	while (*at != thread) {
		at = &(*at)->next;
	}
	*at = thread->next;
	pthread_mutex_unlock(&sim->lock);
	free(thread);
}

static void *thread_main(void *argument)
{
	struct sim_thread *thread = argument;

	the_self = thread;
	if (thread->sim->broken != SIM_WORKER_STILL) {
		thread->entry(thread->argument);
	}
	return NULL;
}

struct sim_thread *sim_spawn(struct cz_host *sim, int priority,
			     void (*entry)(void *), void *argument)
{
	struct sim_thread *thread = new_thread(sim, priority);

	thread->entry = entry;
	thread->argument = argument;
	demand(pthread_create(&thread->pthread, NULL, thread_main, thread) == 0,
	       "no thread");
	return thread;
}

void sim_join(struct cz_host *sim, struct sim_thread *thread)
{
	pthread_join(thread->pthread, NULL);
	forget_thread(sim, thread);
}

/* Returns the higher of the thread's own priority and those that it inherits.
 * Called with the lock held. The chains of owners are short and have no
 * cycle. */
static int priority_of(struct cz_host *sim, const struct sim_thread *thread,
		       int depth)
{
	int priority = thread->priority;
	const struct sim_thread *other;

	demand(depth < 16, "threads wait for one another");
	for (other = sim->threads; other != NULL; other = other->next) {
		if (other->waits_for == thread) {
			int theirs = priority_of(sim, other, depth + 1);

			priority = theirs > priority ? theirs : priority;
		}
	}
	return priority;
}

int sim_priority(struct cz_host *sim, struct sim_thread *thread)
{
	int priority;

	pthread_mutex_lock(&sim->lock);
	priority = priority_of(sim, thread, 0);
	pthread_mutex_unlock(&sim->lock);
	return priority;
}

void sim_set_priority(struct sim_thread *thread, int priority)
{
	pthread_mutex_lock(&thread->sim->lock);
	thread->priority = priority;
	pthread_mutex_unlock(&thread->sim->lock);
}

cz_host_thread cz_host_worker_start(struct cz_host *sim, void (*entry)(void *),
				    void *argument)
{
	int priority = sim->broken == SIM_WORKER_URGENT ? 99 : 1;

	demand(sim_self(sim)->mutexes == 0, "worker_start under a mutex");
	if (sim->broken == SIM_WORKER_NONE || sim->fail_after-- == 0) {
		return NULL;
	}
	sim->workers_live++;
	return (cz_host_thread)sim_spawn(sim, priority, entry, argument);
}

void cz_host_worker_join(struct cz_host *sim, cz_host_thread worker)
{
	struct sim_thread *thread = (struct sim_thread *)worker;

	sim->workers_live--;
	if (sim->broken == SIM_JOIN_EARLY) {
		sim->unjoined = thread;
		return;
	}
	if (sim->broken == SIM_MUTEX_STUCK) {
		/* The test has seen the defect: let the thread end. */
		sim->broken = SIM_SOUND;
		pthread_mutex_lock(&sim->lock);
		pthread_cond_broadcast(&sim->changed);
		pthread_mutex_unlock(&sim->lock);
	}
	sim_join(sim, thread);
}

cz_host_thread cz_host_self(struct cz_host *sim)
{
	if (sim->broken == SIM_SELF_ONE) {
		return (cz_host_thread)sim;
	}
	if (sim->broken == SIM_SELF_OTHER) {
		return (cz_host_thread)(uintptr_t)random();
	}
	return (cz_host_thread)sim_self(sim);
}

int cz_host_priority(struct cz_host *sim, cz_host_thread thread)
{
	if (sim->broken == SIM_SELF_ONE || sim->broken == SIM_SELF_OTHER) {
		return 0;
	}
	return sim_priority(sim, (struct sim_thread *)thread);
}

/* ---- Time and the log ---- */

/* How far sim_leap() has put the machine's clock ahead of the real one. */
static uint64_t leapt_ns;

uint64_t cz_host_now_ns(struct cz_host *sim)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (sim != NULL && sim->broken == SIM_CLOCK_STANDS) {
		return 1;
	}
	if (sim != NULL && sim->broken == SIM_CLOCK_RUNS_BACK) {
		return 1000000000 - sim->backward++;
	}
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec +
	       __atomic_load_n(&leapt_ns, __ATOMIC_RELAXED);
}

void sim_leap(struct cz_host *sim, uint64_t to_ns)
{
	uint64_t now_ns = cz_host_now_ns(NULL);

	pthread_mutex_lock(&sim->lock);
	if (to_ns > now_ns) {
		__atomic_fetch_add(&leapt_ns, to_ns - now_ns, __ATOMIC_RELAXED);
	}
	pthread_cond_broadcast(&sim->changed);
	pthread_mutex_unlock(&sim->lock);
}

static void hold(struct cz_host *sim)
{
	__atomic_store_n(&sim->entered_hold, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&sim->held, __ATOMIC_SEQ_CST)) {
		usleep(100);
	}
}

void cz_host_log(struct cz_host *sim, enum cz_log_level level,
		 const char *format, va_list arguments)
{
	char line[512];
	int length = vsnprintf(line, sizeof(line), format, arguments);

	demand(length > 0 && length < 256, "a log line's length");
	demand(strchr(line, '\n') == NULL, "a log line of two lines");
	if (__atomic_exchange_n(&sim->held_in_log, false, __ATOMIC_SEQ_CST)) {
		hold(sim);
	}
	pthread_mutex_lock(&sim->lock);
	if (sim->log_bytes + (size_t)length + 8 < sizeof(sim->log)) {
		sim->log_bytes += (size_t)sprintf(sim->log + sim->log_bytes,
						  "%d %s\n", level, line);
	}
	pthread_mutex_unlock(&sim->lock);
	if (getenv("SIM_LOG") != NULL) {
		fprintf(stderr, "log %d: %s\n", level, line);
	}
}

bool sim_logged(struct cz_host *sim, const char *text)
{
	bool found;

	pthread_mutex_lock(&sim->lock);
	found = strstr(sim->log, text) != NULL;
	pthread_mutex_unlock(&sim->lock);
	return found;
}

void sim_forget_log(struct cz_host *sim)
{
	pthread_mutex_lock(&sim->lock);
	sim->log_bytes = 0;
	sim->log[0] = 0;
	pthread_mutex_unlock(&sim->lock);
}

bool sim_until(bool (*check)(void *), void *argument)
{
	uint64_t limit = cz_host_now_ns(NULL) + 2000000000ull;

	while (!check(argument)) {
		if (cz_host_now_ns(NULL) > limit) {
			return false;
		}
		usleep(200);
	}
	return true;
}

/* ---- Mutexes and events ---- */

void cz_host_mutex_init(struct cz_host *sim, cz_host_mutex *storage)
{
	struct sim_mutex *mutex = (struct sim_mutex *)storage;

	(void)sim;
	mutex->holder = NULL;
	mutex->ready = true;
}

void cz_host_mutex_lock(struct cz_host *sim, cz_host_mutex *storage)
{
	struct sim_mutex *mutex = (struct sim_mutex *)storage;
	struct sim_thread *self = sim_self(sim);

	demand(mutex->ready, "a mutex was not made");
	demand(!self->masked, "a mutex is taken with interrupts off");
	demand(self->mutexes == 0, "a thread takes a second mutex");
	pthread_mutex_lock(&sim->lock);
	while (mutex->holder != NULL && sim->broken != SIM_MUTEX_OPEN) {
		demand(mutex->holder != self, "a mutex is taken twice");
		if (sim->broken == SIM_MUTEX_STUCK) {
			pthread_cond_wait(&sim->changed, &sim->lock);
			mutex->holder = sim->broken == SIM_MUTEX_STUCK
						? mutex->holder
						: NULL;
			continue;
		}
		self->waits_for = sim->broken == SIM_MUTEX_NO_INHERITANCE
					  ? NULL
					  : mutex->holder;
		pthread_cond_wait(&sim->changed, &sim->lock);
	}
	self->waits_for = NULL;
	mutex->holder = self;
	self->mutexes++;
	pthread_mutex_unlock(&sim->lock);
}

void cz_host_mutex_unlock(struct cz_host *sim, cz_host_mutex *storage)
{
	struct sim_mutex *mutex = (struct sim_mutex *)storage;
	struct sim_thread *self = sim_self(sim);

	if (sim->unlocking != NULL) {
		sim->unlocking();
	}
	pthread_mutex_lock(&sim->lock);
	demand(mutex->holder == self || sim->broken == SIM_MUTEX_OPEN,
	       "a mutex is given back by another");
	self->mutexes--;
	if (sim->broken == SIM_MUTEX_STUCK) {
		/* The mutex stays locked, by a holder that is no thread. */
		mutex->holder = (struct sim_thread *)mutex;
	} else {
		mutex->holder = NULL;
	}
	pthread_cond_broadcast(&sim->changed);
	pthread_mutex_unlock(&sim->lock);
}

void cz_host_event_init(struct cz_host *sim, cz_host_event *storage)
{
	struct sim_event *event = (struct sim_event *)storage;

	event->set = sim->broken == SIM_EVENT_STARTS_SET;
	event->ready = true;
}

void cz_host_event_set(struct cz_host *sim, cz_host_event *storage)
{
	struct sim_event *event = (struct sim_event *)storage;

	demand(event->ready, "an event was not made");
	demand(!sim_self(sim)->masked, "an event is set with interrupts off");
	pthread_mutex_lock(&sim->lock);
	event->set = true;
	pthread_cond_broadcast(&sim->changed);
	pthread_mutex_unlock(&sim->lock);
}

void cz_host_event_clear(struct cz_host *sim, cz_host_event *storage)
{
	struct sim_event *event = (struct sim_event *)storage;

	demand(event->ready, "an event was not made");
	pthread_mutex_lock(&sim->lock);
	if (sim->broken != SIM_EVENT_STICKS) {
		event->set = false;
	}
	pthread_mutex_unlock(&sim->lock);
}

/* Waits once for `changed`, at most until the deadline. Returns false when the
 * deadline has passed. */
static bool wait_once(struct cz_host *sim, uint64_t deadline_ns)
{
	uint64_t real_ns =
		deadline_ns - __atomic_load_n(&leapt_ns, __ATOMIC_RELAXED);
	struct timespec until = {
		.tv_sec = (time_t)(real_ns / 1000000000),
		.tv_nsec = (long)(real_ns % 1000000000),
	};

	if (deadline_ns == CZ_FOREVER) {
		pthread_cond_wait(&sim->changed, &sim->lock);
		return true;
	}
	if (cz_host_now_ns(NULL) >= deadline_ns) {
		return false;
	}
	pthread_cond_timedwait(&sim->changed, &sim->lock, &until);
	return true;
}

static void run_timer(struct cz_host *sim)
{
	if (!sim->timers_run || sim->timer_fire == NULL ||
	    sim->broken == SIM_TIMER_DEAD) {
		return;
	}
	while (sim->broken != SIM_TIMER_EARLY &&
	       cz_host_now_ns(sim) < sim->timer_ns) {
		usleep(100);
	}
	sim_fire(sim);
}

bool cz_host_event_wait(struct cz_host *sim, cz_host_event *storage,
			cz_host_thread owner, uint64_t deadline_ns)
{
	struct sim_event *event = (struct sim_event *)storage;
	struct sim_thread *self = sim_self(sim);
	bool came;

	demand(event->ready, "an event was not made");
	demand(self->mutexes == 0, "a thread waits with a mutex");
	demand(!self->masked, "a wait with interrupts off");
	demand((struct sim_thread *)owner != self, "a thread waits for itself");
	run_timer(sim);
	if (sim->broken == SIM_EVENT_LIES && deadline_ns != CZ_FOREVER &&
	    deadline_ns != 0) {
		return true;
	}
	if (sim->broken == SIM_EVENT_EARLY && deadline_ns != CZ_FOREVER) {
		/* At once: on a busy machine a wait that is only a little too
		 * short may still end after the deadline. */
		deadline_ns = 0;
	}
	if (sim->broken == SIM_EVENT_DEAF && deadline_ns == 0) {
		return false;
	}
	pthread_mutex_lock(&sim->lock);
	if (sim->broken != SIM_EVENT_NO_INHERITANCE) {
		self->waits_for = (struct sim_thread *)owner;
	}
	while (!event->set && wait_once(sim, deadline_ns)) {
		;
	}
	came = event->set;
	if (sim->broken == SIM_EVENT_FORGETS) {
		event->set = false;
	}
	self->waits_for = NULL;
	pthread_mutex_unlock(&sim->lock);
	return came;
}

/* ---- Memory ---- */

bool cz_host_pages_alloc(struct cz_host *sim, size_t count,
			 struct cz_host_pages *pages)
{
	size_t at = sim->pages_next;

	demand(sim_self(sim)->mutexes == 0, "pages_alloc under a mutex");
	demand(count != 0, "no pages");
	if (sim->broken == SIM_PAGES_NONE || sim->fail_after-- == 0) {
		return false;
	}
	demand(at + count * SIM_PAGE <= PAGES_BYTES, "the pages are used up");
	sim->pages_next += count * SIM_PAGE;
	sim->pages_live++;
	pages->alias = sim->pages + at;
	pages->cookie = at;
	pages->count = count;
	memset(pages->alias, sim->broken == SIM_PAGES_DIRTY ? 0xa5 : 0,
	       count * SIM_PAGE);
	if (sim->broken == SIM_PAGES_NO_ALIAS) {
		pages->alias = NULL;
	}
	return true;
}

void cz_host_pages_free(struct cz_host *sim, struct cz_host_pages *pages)
{
	for (uint32_t i = 0; i < sim->mapping_count; i++) {
		const struct sim_mapping *mapping = &sim->mappings[i];

		demand(mapping->backing != CZ_BACKING_PAGES ||
			       mapping->cookie >=
				       pages->cookie +
					       pages->count * SIM_PAGE ||
			       pages->cookie >=
				       mapping->cookie +
					       mapping->page_count * SIM_PAGE,
		       "pages are freed while they are mapped");
	}
	sim->pages_live--;
}

void *cz_host_firmware_alias(struct cz_host *sim, uint64_t physical,
			     size_t size)
{
	if (sim->broken == SIM_ALIAS_EVERYWHERE) {
		return sim->ram;
	}
	if (physical < SIM_RAM || physical - SIM_RAM >= SIM_RAM_BYTES ||
	    size > SIM_RAM_BYTES - (physical - SIM_RAM)) {
		return NULL;
	}
	return sim->ram + (physical - SIM_RAM);
}

uint32_t cz_host_gates(struct cz_host *sim)
{
	if (sim->broken == SIM_GATES_NONE) {
		return 0;
	}
	return 1u << CZ_GATE_DIRECT |
	       (sim->has_sandbox ? 1u << CZ_GATE_SANDBOX : 0);
}

cz_host_space cz_host_space_create(struct cz_host *sim, enum cz_gate gate)
{
	demand(gate == CZ_GATE_DIRECT || sim->has_sandbox,
	       "a gate that is not offered");
	if (sim->broken == SIM_SPACE_NONE || sim->fail_after-- == 0) {
		return NULL;
	}
	demand(sim->spaces_live == 0, "two spaces");
	sim->spaces_live++;
	sim->maps_seen = 0;
	memset(sim->seen, 0, sizeof(sim->seen));
	return (cz_host_space)&sim->mappings;
}

static void unmap_at(struct cz_host *sim, uint32_t number)
{
	struct sim_mapping *mapping = &sim->mappings[number];

	munmap((void *)mapping->address, mapping->page_count * SIM_PAGE);
	*mapping = sim->mappings[--sim->mapping_count];
}

void cz_host_space_destroy(struct cz_host *sim, cz_host_space space)
{
	const struct sim_thread *thread;

	demand(space == (cz_host_space)&sim->mappings, "another's space");
	for (thread = sim->threads; thread != NULL; thread = thread->next) {
		demand(thread->entered == NULL, "a space ends with a thread");
	}
	while (sim->mapping_count != 0) {
		unmap_at(sim, 0);
	}
	sim->spaces_live--;
}

static bool overlap(const struct sim_mapping *a, uint64_t address,
		    size_t page_count)
{
	return a->address < address + page_count * SIM_PAGE &&
	       address < a->address + a->page_count * SIM_PAGE;
}

const struct sim_mapping *sim_mapped(struct cz_host *sim, uint64_t address)
{
	for (uint32_t i = 0; i < sim->mapping_count; i++) {
		if (address - sim->mappings[i].address <
		    sim->mappings[i].page_count * SIM_PAGE) {
			return &sim->mappings[i];
		}
	}
	return NULL;
}

/* Unmaps what is mapped there already. Aborts the test unless the contract
 * allows the library to map it again. */
static void make_way(struct cz_host *sim, const struct cz_mapping *mapping)
{
	for (uint32_t i = sim->mapping_count; i-- > 0;) {
		const struct sim_mapping *there = &sim->mappings[i];

		if (!overlap(there, mapping->address, mapping->page_count)) {
			continue;
		}
		demand(there->address == mapping->address &&
			       there->page_count == mapping->page_count &&
			       there->cookie == mapping->cookie &&
			       there->backing == mapping->backing &&
			       there->type == mapping->type,
		       "pages are mapped over others");
		unmap_at(sim, i);
	}
}

static void map_file(struct cz_host *sim, const struct cz_mapping *mapping)
{
	int file = sim->pages_file;
	off_t offset = (off_t)mapping->cookie;
	int prot = PROT_READ;

	if (mapping->backing == CZ_BACKING_FIRMWARE) {
		bool is_ram = mapping->cookie >= SIM_RAM &&
			      mapping->cookie < SIM_RAM + SIM_RAM_BYTES;

		file = is_ram ? sim->ram_file : sim->mmio_file;
		offset = is_ram ? (off_t)(mapping->cookie - SIM_RAM) : 0;
	}
	if ((mapping->prot & CZ_PROT_WRITE) != 0) {
		prot |= PROT_WRITE;
	}
	demand(mmap((void *)mapping->address, mapping->page_count * SIM_PAGE,
		    prot, MAP_SHARED | MAP_FIXED_NOREPLACE, file,
		    offset) == (void *)mapping->address,
	       "mmap");
}

/* Returns whether the page was mapped in this space before, and records that it
 * is mapped now. */
static bool see_page(struct cz_host *sim, uint64_t address)
{
	uint64_t at = address / SIM_PAGE * 0x9e3779b97f4a7c15ull >> 48;

	for (; sim->seen[at] != 0; at = (at + 1) % SIM_MAX_SEEN) {
		if (sim->seen[at] == address) {
			return true;
		}
	}
	sim->seen[at] = address;
	return false;
}

/* A host that allocates page tables when it maps could run out of memory in the
 * middle of a call. During calls the library therefore maps only addresses that
 * it has mapped before. */
static void see_pages(struct cz_host *sim, const struct cz_mapping *mapping)
{
	for (size_t i = 0; i < mapping->page_count; i++) {
		bool seen = see_page(sim, mapping->address + i * SIM_PAGE);

		demand(seen || sim_self(sim)->entry == NULL,
		       "the worker maps what was never mapped before");
	}
}

static void note_mapping(struct cz_host *sim, const struct cz_mapping *mapping)
{
	struct sim_mapping *slot = &sim->mappings[sim->mapping_count++];

	demand(sim->mapping_count < SIM_MAX_MAPPINGS, "many mappings");
	slot->address = mapping->address;
	slot->page_count = mapping->page_count;
	slot->cookie = mapping->cookie;
	slot->backing = mapping->backing;
	slot->type = mapping->type;
	slot->prot = mapping->prot;
}

/* When interrupts are masked, the thread is in a cz_call_now(), which may
 * change the space only between borrow_begin and borrow_end. */
static void demand_owner(struct cz_host *sim)
{
	demand(!sim_self(sim)->masked || sim_self(sim)->borrowing,
	       "the space is changed before or after it is borrowed");
}

bool cz_host_space_map(struct cz_host *sim, cz_host_space space,
		       const struct cz_mapping *mapping)
{
	demand(space == (cz_host_space)&sim->mappings, "another's space");
	demand(mapping->address % SIM_PAGE == 0 && mapping->page_count != 0 &&
		       mapping->cookie % SIM_PAGE == 0 &&
		       (mapping->prot & CZ_PROT_READ) != 0,
	       "a mapping's shape");
	demand(mapping->type != CZ_MEMORY_DEVICE ||
		       (mapping->prot & CZ_PROT_EXEC) == 0,
	       "a device is executable");
	demand(sim_self(sim)->mutexes == 0 || sim_self(sim)->masked,
	       "space_map under a mutex");
	demand_owner(sim);
	sim->maps_seen++;
	if (sim->broken == SIM_MAP_REFUSED ||
	    (sim->broken == SIM_MAP_NO_CHANGE && sim->maps_seen == 2) ||
	    (sim->broken == SIM_MAP_NO_AGAIN && sim->maps_seen == 3)) {
		return false;
	}
	/* While fail_after is negative, no mapping fails. */
	if (sim->fail_after >= 0 && sim->fail_after-- == 0) {
		return false;
	}
	see_pages(sim, mapping);
	make_way(sim, mapping);
	map_file(sim, mapping);
	note_mapping(sim, mapping);
	return true;
}

void cz_host_space_unmap(struct cz_host *sim, cz_host_space space,
			 uint64_t address, size_t page_count)
{
	demand(space == (cz_host_space)&sim->mappings, "another's space");
	demand_owner(sim);
	for (uint32_t i = 0; i < sim->mapping_count; i++) {
		if (sim->mappings[i].address == address &&
		    sim->mappings[i].page_count == page_count) {
			unmap_at(sim, i);
			return;
		}
	}
	demand(false, "what is unmapped was not mapped");
}

bool sim_is_clean(const struct cz_host *sim)
{
	return sim->pages_live == 0 && sim->spaces_live == 0 &&
	       sim->workers_live == 0 && sim->mapping_count == 0;
}

/* ---- Around firmware ---- */

void cz_host_space_enter(struct cz_host *sim, cz_host_space space)
{
	struct sim_thread *self = sim_self(sim);

	demand(self->entered == NULL, "a space is entered twice");
	self->entered = space;
}

void cz_host_space_leave(struct cz_host *sim, cz_host_space space)
{
	struct sim_thread *self = sim_self(sim);

	demand(self->entered == space, "a space is left, not entered");
	self->entered = NULL;
}

void cz_host_sync_code(struct cz_host *sim, const void *alias, size_t size)
{
	const uint8_t *at = alias;

	demand(at >= sim->pages && at + size <= sim->pages + PAGES_BYTES,
	       "sync_code of what is no page");
}

void cz_host_fp_begin(struct cz_host *sim)
{
	demand(sim_self(sim)->sections++ == 0, "FP sections nest");
}

void cz_host_fp_end(struct cz_host *sim)
{
	demand(--sim_self(sim)->sections == 0, "an FP section ends twice");
}

void cz_host_pin(struct cz_host *sim)
{
	demand(sim_self(sim)->pins++ == 0, "pins nest");
}

void cz_host_unpin(struct cz_host *sim)
{
	demand(--sim_self(sim)->pins == 0, "a thread is unpinned twice");
}

bool cz_host_call_end(struct cz_host *sim, uint32_t service, bool completed)
{
	demand(sim_self(sim)->pins != 0, "a call ends on a thread not pinned");
	demand(sim_self(sim)->entered == NULL, "a call ends in its space");
	demand(service <= CZ_SERVICE_COUNT, "no such service");
	sim->calls_ended++;
	sim->calls_completed += completed;
	if (sim->held_at_end) {
		hold(sim);
	}
	return !sim->keeps_nothing;
}

/* ---- The timer, which a test fires ---- */

void cz_host_timer_start(struct cz_host *sim, cz_host_timer *timer,
			 uint64_t at_ns, void (*fire)(void *), void *argument)
{
	(void)timer;
	pthread_mutex_lock(&sim->lock);
	demand(sim->timer_fire == NULL, "the timer is started twice");
	sim->timer_fire = fire;
	sim->timer_argument = argument;
	sim->timer_ns = at_ns;
	pthread_mutex_unlock(&sim->lock);
}

void cz_host_timer_stop(struct cz_host *sim, cz_host_timer *timer)
{
	(void)timer;
	pthread_mutex_lock(&sim->lock);
	sim->timer_fire = NULL;
	pthread_mutex_unlock(&sim->lock);
}

bool sim_fire(struct cz_host *sim)
{
	void (*fire)(void *);
	void *argument;

	if (sim->timer_fire != NULL && sim->broken == SIM_SOUND) {
		sim_leap(sim, sim->timer_ns);
	}
	pthread_mutex_lock(&sim->lock);
	fire = sim->timer_fire;
	argument = sim->timer_argument;
	sim->timer_fire = NULL;
	pthread_mutex_unlock(&sim->lock);
	if (fire != NULL) {
		fire(argument);
	}
	return fire != NULL;
}

bool cz_host_is_running(struct cz_host *sim, cz_host_thread thread)
{
	demand(thread != NULL, "no thread");
	return !sim->not_running && sim->broken != SIM_NOT_RUNNING;
}

void cz_host_interrupt(struct cz_host *sim, cz_host_thread thread)
{
	demand(thread != NULL, "no thread");
	__atomic_fetch_add(&sim->interrupts_sent, 1, __ATOMIC_RELAXED);
}

/* ---- Outside the queue ---- */

uint64_t cz_host_interrupts_off(struct cz_host *sim)
{
	struct sim_thread *self = sim_self(sim);
	bool before = self->masked;

	self->masked = true;
	return before;
}

void cz_host_interrupts_restore(struct cz_host *sim, uint64_t before)
{
	demand(sim_self(sim)->masked, "interrupts are on already");
	sim_self(sim)->masked =
		before != 0 || sim->broken == SIM_INTERRUPTS_STAY;
}

/* The thread's state before it borrowed the CPU. */
struct sim_borrow {
	cz_host_space entered;
	int sections, pins;
};

void cz_host_borrow_begin(struct cz_host *sim, cz_host_space space,
			  cz_host_borrow *storage)
{
	struct sim_borrow *borrow = (struct sim_borrow *)storage;
	struct sim_thread *self = sim_self(sim);

	demand(self->masked, "borrowed with interrupts on");
	demand(!self->borrowing, "borrowing nests");
	self->borrowing = true;
	borrow->entered = self->entered;
	borrow->sections = self->sections;
	borrow->pins = self->pins;
	self->entered = space;
	self->sections = 1;
	self->pins = 1;
}

void cz_host_borrow_end(struct cz_host *sim, cz_host_space space,
			cz_host_borrow *storage)
{
	struct sim_borrow *borrow = (struct sim_borrow *)storage;
	struct sim_thread *self = sim_self(sim);

	demand(self->masked && self->borrowing && self->entered == space,
	       "what is given back was not borrowed");
	self->borrowing = false;
	self->entered = borrow->entered;
	self->sections = borrow->sections;
	self->pins = borrow->pins;
}

void cz_host_reset(struct cz_host *sim, enum cz_efi_reset_type type)
{
	sim->host_resets++;
	sim->host_reset_type = type;
}

bool cz_host_secure_call(struct cz_host *sim, enum cz_conduit conduit,
			 uint64_t registers[18])
{
	(void)sim;
	(void)conduit;
	(void)registers;
	return false;
}

bool cz_host_worker_set_cpus(struct cz_host *sim, const struct cz_cpu_set *set)
{
	struct sim_thread *self = sim_self(sim);

	demand(self->pins == 0 && self->mutexes == 0 && !self->masked,
	       "set_cpus while pinned");
	if (sim->broken == SIM_CPUS_REFUSED || sim->cpus_refused) {
		return false;
	}
	sim->cpus = *set;
	return true;
}

/* ---- Beginning and end ---- */

static int make_file(size_t size)
{
	int file = memfd_create("sim", 0);

	demand(file >= 0 && ftruncate(file, (off_t)size) == 0, "memfd");
	return file;
}

static uint8_t *map_alias(int file, size_t size)
{
	void *alias =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	demand(alias != MAP_FAILED, "no alias");
	return alias;
}

void sim_host_start(struct cz_host *sim)
{
	pthread_condattr_t attributes;

	memset(sim, 0, sizeof(*sim));
	leapt_ns = 0;
	sim->fail_after = -1;
	pthread_mutex_init(&sim->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&sim->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	sim->ram_file = make_file(SIM_RAM_BYTES);
	sim->mmio_file = make_file(SIM_PAGE);
	sim->pages_file = make_file(PAGES_BYTES);
	sim->ram = map_alias(sim->ram_file, SIM_RAM_BYTES);
	sim->pages = map_alias(sim->pages_file, PAGES_BYTES);
}

void sim_host_stop(struct cz_host *sim)
{
	if (sim->unjoined != NULL) {
		sim_join(sim, sim->unjoined);
	}
	munmap(sim->ram, SIM_RAM_BYTES);
	munmap(sim->pages, PAGES_BYTES);
	close(sim->ram_file);
	close(sim->mmio_file);
	close(sim->pages_file);
	while (sim->threads != NULL) {
		forget_thread(sim, sim->threads);
	}
	the_self = NULL;
	pthread_cond_destroy(&sim->changed);
	pthread_mutex_destroy(&sim->lock);
}
