/* SPDX-License-Identifier: MIT */
/*
 * cz_host_selftest(): calls the functions of <caesura/host.h> and logs which
 * one breaks its contract. It cannot check what only firmware sees, for example
 * that a page is mapped at the right address. Tests with a firmware do that.
 */
#include "core.h"
#include "gate.h"

#define SHORT_NS 2000000ull /* long enough to be measured */
#define LONG_NS 2000000000ull /* a port that needs longer is broken */
#define MAX_READS 10000000u
#define TEST_PAGES 2u
#define TEST_ADDRESS 0x40000000ull

/* Shared by the thread that the test starts and by the tester, which called
 * cz_host_selftest(). Events order all accesses, except to the atomic flags. */
struct probe {
	struct cz_host *host;
	cz_host_mutex mutex;
	cz_host_event ready, go, done, gone;
	cz_host_thread tester;
	cz_host_thread self;
	int priority_tester;
	int priority_before, priority_holder, priority_owner;
	bool arriving; /* the tester is about to lock the mutex; atomic */
	bool inside; /* the thread holds the mutex; atomic */
	bool takes_cpus; /* the set of all CPUs was accepted */
	bool ended; /* the thread has ended; atomic */
};

cz_status cz_selftest_fails(struct cz_host *host, const char *function,
			    const char *what)
{
	cz_error(host, "selftest: cz_host_%s: %s", function, what);
	return CZ_E_HOST;
}

static cz_status test_clock(struct cz_host *host)
{
	uint64_t first = cz_host_now_ns(host);
	uint64_t last = first;

	for (uint32_t i = 0; i < MAX_READS; i++) {
		uint64_t now = cz_host_now_ns(host);

		if (now < last) {
			return cz_selftest_fails(host, "now_ns",
						 "the clock went backwards");
		}
		if (now - first >= 1000) {
			return CZ_OK;
		}
		last = now;
	}
	return cz_selftest_fails(host, "now_ns", "the clock stands still");
}

static cz_status check_pages(struct cz_host *host, struct cz_host_pages *pages)
{
	if (pages->alias == NULL || (uintptr_t)pages->alias % CZ_PAGE != 0 ||
	    pages->count != TEST_PAGES) {
		return cz_selftest_fails(
			host, "pages_alloc",
			"the alias is not page aligned, or the count is wrong");
	}
	for (uint32_t i = 0; i < TEST_PAGES * CZ_PAGE; i++) {
		if (pages->alias[i] != 0) {
			return cz_selftest_fails(host, "pages_alloc",
						 "the pages are not zeroed");
		}
	}
	memset(pages->alias, 0x5a, (size_t)TEST_PAGES * CZ_PAGE);
	if (pages->alias[0] != 0x5a ||
	    pages->alias[TEST_PAGES * CZ_PAGE - 1] != 0x5a) {
		return cz_selftest_fails(host, "pages_alloc",
					 "the pages cannot be written");
	}
	if (cz_host_firmware_alias(host, ~0ull - (2 * CZ_PAGE - 1), CZ_PAGE) !=
	    NULL) {
		return cz_selftest_fails(
			host, "firmware_alias",
			"claims RAM at the end of the address space");
	}
	return CZ_OK;
}

/* ---- Events and the mutex ---- */

static cz_status test_event(struct cz_host *host)
{
	cz_host_event event;
	uint64_t start;

	cz_host_event_init(host, &event);
	if (cz_host_event_wait(host, &event, NULL, 0)) {
		return cz_selftest_fails(host, "event_init",
					 "the event is set");
	}
	start = cz_host_now_ns(host);
	if (cz_host_event_wait(host, &event, NULL, start + SHORT_NS)) {
		return cz_selftest_fails(
			host, "event_wait",
			"returned true, but nobody set the event");
	}
	if (cz_host_now_ns(host) < start + SHORT_NS) {
		return cz_selftest_fails(host, "event_wait",
					 "returned before the deadline");
	}
	cz_host_event_set(host, &event);
	start = cz_host_now_ns(host);
	if (!cz_host_event_wait(host, &event, NULL, start + LONG_NS) ||
	    !cz_host_event_wait(host, &event, NULL, start + LONG_NS)) {
		return cz_selftest_fails(host, "event_set",
					 "the event does not stay set");
	}
	/* An event that is set counts even if the deadline has passed. */
	if (!cz_host_event_wait(host, &event, NULL, 0)) {
		return cz_selftest_fails(
			host, "event_wait",
			"returned false, but the event is set");
	}
	cz_host_event_clear(host, &event);
	if (cz_host_event_wait(host, &event, NULL, 0)) {
		return cz_selftest_fails(host, "event_clear",
					 "the event is still set");
	}
	return CZ_OK;
}

/* ---- The timer, and is_running ---- */

struct alarm {
	struct cz_host *host;
	cz_host_timer timer;
	cz_host_event event;
	uint64_t fired_ns;
};

static void ring(void *argument)
{
	struct alarm *alarm = argument;

	alarm->fired_ns = cz_host_now_ns(alarm->host);
	cz_host_event_set(alarm->host, &alarm->event);
}

static cz_status test_timer(struct cz_host *host)
{
	struct alarm alarm = {.host = host};
	uint64_t due_ns = cz_host_now_ns(host) + SHORT_NS;
	bool came;

	cz_host_event_init(host, &alarm.event);
	cz_host_timer_start(host, &alarm.timer, due_ns, ring, &alarm);
	came = cz_host_event_wait(host, &alarm.event, NULL, due_ns + LONG_NS);
	cz_host_timer_stop(host, &alarm.timer);
	if (!came) {
		return cz_selftest_fails(host, "timer_start",
					 "the timer does not fire");
	}
	if (alarm.fired_ns < due_ns) {
		return cz_selftest_fails(host, "timer_start",
					 "the timer fires early");
	}
	if (!cz_host_is_running(host, cz_host_self(host))) {
		return cz_selftest_fails(host, "is_running",
					 "says that the caller does not run");
	}
	cz_host_interrupt(host, cz_host_self(host));
	return CZ_OK;
}

static bool get(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void set(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

/* Waits until the thread has inherited the tester's priority, or until end_ns.
 * Returns its priority then. */
static int watch_priority(struct probe *probe, uint64_t end_ns)
{
	int priority;

	do {
		priority = cz_host_priority(probe->host, probe->self);
	} while (priority < probe->priority_tester &&
		 cz_host_now_ns(probe->host) < end_ns);
	return priority;
}

/* Holds the mutex until the tester has been waiting for it for a while. */
static void hold_mutex(struct probe *probe)
{
	struct cz_host *host = probe->host;
	uint64_t limit = cz_host_now_ns(host) + LONG_NS / 4;
	uint64_t arrived;

	cz_host_mutex_lock(host, &probe->mutex);
	set(&probe->inside, true);
	cz_host_event_set(host, &probe->ready);
	while (!get(&probe->arriving) && cz_host_now_ns(host) < limit) {
	}
	arrived = cz_host_now_ns(host);
	probe->priority_holder = watch_priority(probe, limit);
	while (cz_host_now_ns(host) < arrived + SHORT_NS) {
	}
	set(&probe->inside, false);
	cz_host_mutex_unlock(host, &probe->mutex);
}

/* Sets all CPUs, a set that no host may refuse. */
static bool take_all_cpus(struct cz_host *host)
{
	struct cz_cpu_set all;

	memset(&all, 0xff, sizeof(all));
	return cz_host_worker_set_cpus(host, &all);
}

/* The entry function of the thread that the test starts. */
static void probe_thread(void *argument)
{
	struct probe *probe = argument;
	struct cz_host *host = probe->host;

	probe->self = cz_host_self(host);
	probe->priority_before = cz_host_priority(host, probe->self);
	probe->takes_cpus = take_all_cpus(host);
	hold_mutex(probe);
	cz_host_event_wait(host, &probe->go, NULL, CZ_FOREVER);
	probe->priority_owner =
		watch_priority(probe, cz_host_now_ns(host) + LONG_NS / 4);
	cz_host_event_set(host, &probe->done);
	/* Wait here, so that a join that does not wait for the thread returns
	 * before `ended` is set. */
	(void)cz_host_event_wait(host, &probe->gone, NULL,
				 cz_host_now_ns(host) + 10 * SHORT_NS);
	set(&probe->ended, true);
	cz_host_event_set(host, &probe->gone);
}

static bool wait(struct probe *probe, cz_host_event *event,
		 cz_host_thread owner)
{
	return cz_host_event_wait(probe->host, event, owner,
				  cz_host_now_ns(probe->host) + LONG_NS);
}

static cz_status test_mutex(struct probe *probe, cz_host_thread thread)
{
	struct cz_host *host = probe->host;
	bool excluded;

	if (!wait(probe, &probe->ready, thread)) {
		return probe->self == NULL
			       ? cz_selftest_fails(host, "worker_start",
						   "the thread does not run")
			       : cz_selftest_fails(
					 host, "mutex_unlock",
					 "the next thread still waits");
	}
	set(&probe->arriving, true);
	cz_host_mutex_lock(host, &probe->mutex);
	excluded = !get(&probe->inside);
	cz_host_mutex_unlock(host, &probe->mutex);
	if (!excluded) {
		return cz_selftest_fails(host, "mutex_lock",
					 "two threads hold it");
	}
	if (probe->priority_holder < probe->priority_tester) {
		return cz_selftest_fails(
			host, "mutex_lock",
			"the holder does not inherit the priority of the "
			"waiter");
	}
	return CZ_OK;
}

static cz_status test_inheritance(struct probe *probe, cz_host_thread thread)
{
	struct cz_host *host = probe->host;

	if (probe->self == probe->tester || probe->self != thread) {
		return cz_selftest_fails(
			host, "self",
			"returned another thread than worker_start");
	}
	if (cz_host_self(host) != probe->tester) {
		return cz_selftest_fails(host, "self",
					 "one thread has two values");
	}
	if (!probe->takes_cpus) {
		return cz_selftest_fails(host, "worker_set_cpus",
					 "refuses the set of all CPUs");
	}
	if (probe->priority_before > probe->priority_tester) {
		return cz_selftest_fails(
			host, "priority",
			"the worker is more urgent than its starter");
	}
	cz_host_event_set(host, &probe->go);
	if (!wait(probe, &probe->done, thread)) {
		return cz_selftest_fails(
			host, "event_wait",
			"the owner does not run while another thread waits");
	}
	if (probe->priority_owner < probe->priority_tester) {
		return cz_selftest_fails(
			host, "event_wait",
			"the owner does not inherit the waiter's "
			"priority");
	}
	return CZ_OK;
}

static void start_probe(struct probe *probe, struct cz_host *host)
{
	memset(probe, 0, sizeof(*probe));
	probe->host = host;
	probe->tester = cz_host_self(host);
	probe->priority_tester = cz_host_priority(host, probe->tester);
	cz_host_mutex_init(host, &probe->mutex);
	cz_host_event_init(host, &probe->ready);
	cz_host_event_init(host, &probe->go);
	cz_host_event_init(host, &probe->done);
	cz_host_event_init(host, &probe->gone);
	cz_host_mutex_lock(host, &probe->mutex);
	cz_host_mutex_unlock(host, &probe->mutex);
}

static cz_status test_threads(struct cz_host *host)
{
	struct probe probe;
	cz_host_thread thread;
	cz_status status;

	start_probe(&probe, host);
	thread = cz_host_worker_start(host, probe_thread, &probe);
	if (thread == NULL) {
		return cz_selftest_fails(host, "worker_start",
					 "started no thread");
	}
	status = test_mutex(&probe, thread);
	if (status == CZ_OK) {
		status = test_inheritance(&probe, thread);
	}
	cz_host_event_set(host, &probe.go);
	cz_host_worker_join(host, thread);
	/* If join did not wait, the thread still uses the probe. */
	if (!get(&probe.ended)) {
		status = status == CZ_OK
				 ? cz_selftest_fails(host, "worker_join",
						     "returned before the "
						     "thread had ended")
				 : status;
		(void)wait(&probe, &probe.gone, NULL);
	}
	return status;
}

/* ---- The space ---- */

static cz_status test_mappings(struct cz_host *host, cz_host_space space,
			       const struct cz_host_pages *pages)
{
	struct cz_mapping mapping = {
		.address = TEST_ADDRESS,
		.cookie = pages->cookie,
		.page_count = TEST_PAGES,
		.backing = CZ_BACKING_PAGES,
		.type = CZ_MEMORY_WRITE_BACK,
		.prot = CZ_PROT_READ | CZ_PROT_WRITE,
	};

	if (!cz_host_space_map(host, space, &mapping)) {
		return cz_selftest_fails(host, "space_map", "cannot map pages");
	}
	mapping.prot = CZ_PROT_READ;
	if (!cz_host_space_map(host, space, &mapping)) {
		return cz_selftest_fails(host, "space_map",
					 "cannot change a protection");
	}
	cz_host_space_unmap(host, space, TEST_ADDRESS, TEST_PAGES);
	mapping.cookie += CZ_PAGE;
	mapping.page_count = 1;
	mapping.prot = CZ_PROT_READ | CZ_PROT_EXEC;
	if (!cz_host_space_map(host, space, &mapping)) {
		return cz_selftest_fails(host, "space_map",
					 "cannot map pages again");
	}
	cz_host_sync_code(host, pages->alias + CZ_PAGE, CZ_PAGE);
	cz_host_space_unmap(host, space, TEST_ADDRESS, 1);
	return CZ_OK;
}

/* Does twice what a call does around firmware, and sleeps inside. */
static cz_status test_sections(struct cz_host *host, cz_host_space space)
{
	cz_host_event never;

	cz_host_event_init(host, &never);
	for (int i = 0; i < 2; i++) {
		bool woken;

		cz_host_pin(host);
		cz_host_space_enter(host, space);
		cz_host_fp_begin(host);
		woken = cz_host_event_wait(host, &never, NULL,
					   cz_host_now_ns(host) + SHORT_NS / 4);
		cz_host_fp_end(host);
		cz_host_space_leave(host, space);
		cz_host_unpin(host);
		if (woken) {
			return cz_selftest_fails(
				host, "event_wait",
				"returned true in a pinned section");
		}
	}
	return CZ_OK;
}

/* Checks that an abort of the library's own access for firmware does not crash
 * the kernel. */
static cz_status test_refusal(struct cz_host *host, cz_host_space space)
{
	bool failed;

	cz_info(host,
		"selftest: reading from 0x%llx, where nothing is mapped; if "
		"this is the last line, the port does not call "
		"cz_kernel_exception()",
		cz_ull(TEST_ADDRESS));
	cz_host_pin(host);
	cz_host_space_enter(host, space);
	failed = cz_gate_read_fails(host, TEST_ADDRESS);
	cz_host_space_leave(host, space);
	cz_host_unpin(host);
	return failed ? CZ_OK
		      : cz_selftest_fails(host, "space_unmap",
					  "an unmapped page can be read");
}

static cz_status test_space(struct cz_host *host, enum cz_gate gate,
			    const struct cz_host_pages *pages)
{
	cz_host_space space;
	cz_status status;

	if ((cz_host_gates(host) >> gate & 1) == 0) {
		return cz_selftest_fails(host, "gates",
					 "does not offer this gate");
	}
	space = cz_host_space_create(host, gate);
	if (space == NULL) {
		return cz_selftest_fails(host, "space_create",
					 "created no space");
	}
	status = test_mappings(host, space, pages);
	if (status == CZ_OK) {
		status = test_sections(host, space);
	}
	if (status == CZ_OK && gate == CZ_GATE_SANDBOX) {
		status = test_refusal(host, space);
	}
	cz_host_space_destroy(host, space);
	return status;
}

cz_status cz_host_selftest(struct cz_host *host, enum cz_gate gate)
{
	struct cz_host_pages pages;
	cz_status status = test_clock(host);

	if (status == CZ_OK) {
		status = test_event(host);
	}
	if (status == CZ_OK) {
		status = test_timer(host);
	}
	if (status == CZ_OK) {
		status = test_threads(host);
	}
	if (status != CZ_OK) {
		return status;
	}
	if (!cz_host_pages_alloc(host, TEST_PAGES, &pages)) {
		return cz_selftest_fails(host, "pages_alloc",
					 "allocated no pages");
	}
	status = check_pages(host, &pages);
	if (status == CZ_OK) {
		status = test_space(host, gate, &pages);
	}
	cz_host_pages_free(host, &pages);
	return status;
}
