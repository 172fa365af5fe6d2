/* SPDX-License-Identifier: MIT */
/* linux: on which CPUs a call may continue, and when the worker is considered
 * alive. */
#include "daemon/life.h"
#include "host/pin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka.h needs the four headers above. */
#include <cmocka.h>

#define A57 "0x00000000411fd070\n"
#define A76 "0x00000000414fd0b1\n"

static char directory[64];

static void put(const char *path, const char *text)
{
	char whole[256];
	FILE *file;

	(void)snprintf(whole, sizeof(whole), "%s/%s", directory, path);
	for (char *at = whole + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdir(whole, 0700);
		*at = '/';
	}
	file = fopen(whole, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void put_cpu(unsigned cpu, const char *midr, const char *revidr)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "cpu%u/regs/identification/midr_el1",
		       cpu);
	put(path, midr);
	(void)snprintf(path, sizeof(path),
		       "cpu%u/regs/identification/revidr_el1", cpu);
	put(path, revidr);
}

static int setup(void **state)
{
	(void)state;
	(void)strcpy(directory, "/tmp/test_pin.XXXXXX");
	assert_non_null(mkdtemp(directory));
	put("cpufreq/x", "");
	put("possible", "0-3\n");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

/* Returns a mask of the CPUs among the first four on which a call that begins
 * on `cpu` may continue. */
static unsigned chosen(const struct pin *pin, int cpu)
{
	cpu_set_t from, to;
	unsigned mask = 0;

	CPU_ZERO(&from);
	for (int i = 0; i < 4; i++) {
		CPU_SET(i, &from);
	}
	pin_choose(pin, cpu, &from, &to);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &to)) {
			assert_true(i < 4);
			mask |= 1u << i;
		}
	}
	return mask;
}

static void equal_cpus_allow_migration(void **state)
{
	struct pin pin = {0};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		put_cpu(i, A57, "0x0\n");
	}
	pin_read(&pin, directory);
	assert_true(pin_is_free(&pin));
	/* A device that is passed through forces one CPU. */
	pin.one_cpu = true;
	assert_false(pin_is_free(&pin));
	assert_int_equal(chosen(&pin, 2), 4);
}

static void a_call_stays_on_its_cpu_model(void **state)
{
	struct pin pin = {0};

	(void)state;
	put_cpu(0, A57, "0x0\n");
	put_cpu(1, A76, "0x0\n");
	put_cpu(2, A57, "0x0\n");
	put_cpu(3, A76, "0x1\n");
	pin_read(&pin, directory);
	assert_false(pin_is_free(&pin));
	assert_int_equal(chosen(&pin, 0), 5);
	assert_int_equal(chosen(&pin, 1), 2);
	assert_int_equal(chosen(&pin, 3), 8);
}

/* CPU 2 is offline, so its model is unknown. */
static void a_call_avoids_unknown_cpus(void **state)
{
	struct pin pin = {0};

	(void)state;
	put_cpu(0, A57, "0x0\n");
	put_cpu(1, A57, "0x0\n");
	put("cpu2/online", "0\n");
	pin_read(&pin, directory);
	assert_false(pin_is_free(&pin));
	assert_int_equal(chosen(&pin, 1), 3);
	assert_int_equal(chosen(&pin, 2), 4);
	pin_read(&pin, "/nowhere");
	assert_false(pin_is_free(&pin));
	assert_int_equal(chosen(&pin, 1), 2);
}

/* ---- The worker ---- */

static void a_stuck_worker_is_detected(void **state)
{
	static const struct {
		struct life_look look;
		bool is_well;
	} looks[] = {
		{{.completed = 1, .ran_ns = 5}, true},
		/* The worker sleeps although a request is not completed. */
		{{.completed = 1, .ran_ns = 5}, false},
		/* The worker waits for a CPU; it may do so for any time. */
		{{.completed = 1, .ran_ns = 5, .is_runnable = true}, true},
		{{.completed = 1, .ran_ns = 5, .is_runnable = true}, true},
		/* A long call is still within its limit. */
		{{.completed = 1, .ran_ns = 104, .is_runnable = true}, true},
		/* The limit has passed, and did not end the call. */
		{{.completed = 1, .ran_ns = 105, .is_runnable = true}, false},
		{{.completed = 2, .ran_ns = 106, .is_runnable = true}, true},
		{{.completed = 2, .ran_ns = 205, .is_runnable = true}, true},
		{{.completed = 2, .ran_ns = 206, .is_runnable = true}, false},
	};
	struct life life = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		assert_int_equal(life_is_well(&life, &looks[i].look, 100),
				 looks[i].is_well);
	}
}

static void states_r_and_d_count_as_runnable(void **state)
{
	(void)state;
	assert_true(life_is_runnable("7 (caesurad) R 1 7"));
	assert_true(life_is_runnable("7 (caesurad) D 1 7"));
	assert_false(life_is_runnable("7 (caesurad) S 1 7"));
	assert_false(life_is_runnable("7 (a) R 1) S 1 7"));
	assert_false(life_is_runnable(""));
}

#define IN_DIRECTORY(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(equal_cpus_allow_migration),
		IN_DIRECTORY(a_call_stays_on_its_cpu_model),
		IN_DIRECTORY(a_call_avoids_unknown_cpus),
		cmocka_unit_test(a_stuck_worker_is_detected),
		cmocka_unit_test(states_r_and_d_count_as_runnable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
