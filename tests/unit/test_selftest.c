/* SPDX-License-Identifier: MIT */
/* cz_host_selftest(): a host without defects passes. For each defect, the log
 * names the host's function and what is wrong. */
#include "fixture.h"

static void sound_host(void **state)
{
	struct fixture *fixture = *state;

	fixture->sim.timers_run = true;
	assert_status(cz_host_selftest(&fixture->sim, CZ_GATE_DIRECT), CZ_OK);
	assert_status(cz_host_selftest_now(&fixture->sim, CZ_GATE_DIRECT),
		      CZ_OK);
	assert_false(sim_logged(&fixture->sim, "selftest"));
	assert_true(sim_is_clean(&fixture->sim));
}

static void gate_not_offered(void **state)
{
	struct fixture *fixture = *state;

	fixture->sim.timers_run = true;
	assert_status(cz_host_selftest(&fixture->sim, CZ_GATE_SANDBOX),
		      CZ_E_HOST);
	assert_true(sim_logged(&fixture->sim, "cz_host_gates"));
}

/* The self-test makes an access for firmware that must fail. */
static void refused_access(void **state)
{
	struct fixture *fixture = *state;

	fixture->sim.timers_run = true;
	fixture->sim.has_sandbox = true;
	assert_status(cz_host_selftest(&fixture->sim, CZ_GATE_SANDBOX), CZ_OK);
	assert_true(sim_logged(&fixture->sim, "the port does not call"));
	fixture->sim.broken = SIM_UNMAP_LEAVES;
	assert_status(cz_host_selftest(&fixture->sim, CZ_GATE_SANDBOX),
		      CZ_E_HOST);
	fixture->sim.broken = SIM_SOUND;
	assert_true(sim_logged(&fixture->sim, "space_unmap: an unmapped page"));
	assert_true(sim_is_clean(&fixture->sim));
}

static void broken_hosts(void **state)
{
	static const struct {
		enum sim_broken broken;
		const char *words;
	} cases[] = {
		{SIM_CLOCK_STANDS, "now_ns: the clock stands still"},
		{SIM_CLOCK_RUNS_BACK, "now_ns: the clock went backwards"},
		{SIM_PAGES_NONE, "pages_alloc: allocated no pages"},
		{SIM_PAGES_DIRTY, "pages_alloc: the pages are not zeroed"},
		{SIM_PAGES_NO_ALIAS, "pages_alloc: the alias is not"},
		{SIM_ALIAS_EVERYWHERE, "firmware_alias: claims RAM"},
		{SIM_GATES_NONE, "gates: does not offer this gate"},
		{SIM_SPACE_NONE, "space_create: created no space"},
		{SIM_MAP_REFUSED, "space_map: cannot map pages"},
		{SIM_MAP_NO_CHANGE, "space_map: cannot change a protection"},
		{SIM_MAP_NO_AGAIN, "space_map: cannot map pages again"},
		{SIM_WORKER_NONE, "worker_start: started no thread"},
		{SIM_WORKER_STILL, "worker_start: the thread does not run"},
		{SIM_WORKER_URGENT, "priority: the worker is more urgent"},
		{SIM_JOIN_EARLY,
		 "worker_join: returned before the thread had ended"},
		{SIM_SELF_ONE,
		 "self: returned another thread than worker_start"},
		{SIM_SELF_OTHER, "self: "},
		{SIM_MUTEX_OPEN, "mutex_lock: two threads hold it"},
		{SIM_MUTEX_STUCK, "mutex_unlock: the next thread still waits"},
		{SIM_MUTEX_NO_INHERITANCE,
		 "mutex_lock: the holder does not inherit"},
		{SIM_EVENT_STARTS_SET, "event_init: the event is set"},
		{SIM_EVENT_FORGETS, "event_set: the event does not stay set"},
		{SIM_EVENT_DEAF, "event_wait: returned false"},
		{SIM_EVENT_STICKS, "event_clear: the event is still set"},
		{SIM_EVENT_EARLY, "event_wait: returned before the deadline"},
		{SIM_EVENT_LIES,
		 "event_wait: returned true, but nobody set the event"},
		{SIM_EVENT_NO_INHERITANCE,
		 "event_wait: the owner does not inherit"},
		{SIM_CPUS_REFUSED, "worker_set_cpus: refuses the set of all"},
		{SIM_TIMER_DEAD, "timer_start: the timer does not"},
		{SIM_TIMER_EARLY, "timer_start: the timer fires"},
		{SIM_NOT_RUNNING, "is_running: says that the caller"},
	};
	struct fixture *fixture = *state;

	fixture->sim.timers_run = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cz_status status;

		sim_forget_log(&fixture->sim);
		fixture->sim.broken = cases[i].broken;
		status = cz_host_selftest(&fixture->sim, CZ_GATE_DIRECT);
		fixture->sim.broken = SIM_SOUND;
		if (!sim_logged(&fixture->sim, cases[i].words)) {
			print_error("wanted: %s\nlog: %s", cases[i].words,
				    fixture->sim.log);
		}
		assert_status(status, CZ_E_HOST);
		assert_true(sim_logged(&fixture->sim, "0 selftest: cz_host_"));
		assert_true(sim_logged(&fixture->sim, cases[i].words));
		assert_true(sim_is_clean(&fixture->sim));
	}
}

static void interrupts_stay_off(void **state)
{
	struct fixture *fixture = *state;

	fixture->sim.broken = SIM_INTERRUPTS_STAY;
	assert_status(cz_host_selftest_now(&fixture->sim, CZ_GATE_DIRECT),
		      CZ_E_HOST);
	fixture->sim.broken = SIM_SOUND;
	assert_true(
		sim_logged(&fixture->sim,
			   "cz_host_interrupts_restore: interrupts are not in "
			   "their previous state"));
	assert_true(sim_is_clean(&fixture->sim));
}

int group_selftest(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(sound_host),	    FRESH(gate_not_offered),
		FRESH(refused_access),	    FRESH(broken_hosts),
		FRESH(interrupts_stay_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
