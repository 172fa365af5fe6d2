/* SPDX-License-Identifier: MIT */
/* cz_init() and cz_fini(): map modes, the window's pages, a host that runs out
 * of memory. */
#include "fixture.h"

#include "call.h"

#include <string.h>

static void configurations(void **state)
{
	struct fixture *fixture = *state;
	struct cz_policy policy;
	struct cz_config sound = fixture->config;

	fixture->config.max_requests = CZ_MAX_REQUESTS + 1;
	assert_status(fixture_start(fixture), CZ_E_ARGUMENT);
	assert_true(sim_logged(&fixture->sim, "configuration: 65 requests"));
	fixture->config = sound;
	fixture->config.max_data_bytes = 17 << 20;
	assert_status(fixture_start(fixture), CZ_E_ARGUMENT);
	fixture->config = sound;
	fixture->config.map_mode = 3;
	assert_status(fixture_start(fixture), CZ_E_ARGUMENT);
	fixture->config = sound;
	fixture->config.gate = CZ_GATE_SANDBOX;
	assert_status(fixture_start(fixture), CZ_E_HOST);
	assert_true(
		sim_logged(&fixture->sim, "the host does not offer gate 1"));
	fixture->config = sound;
	policy = cz_default_policy;
	policy.service[CZ_SET_TIME].kill_limit_ns = 999999;
	fixture->config.gate = CZ_GATE_DIRECT;
	fixture->config.policy = &policy;
	fixture_refused(fixture, CZ_E_ARGUMENT,
			"policy: SetTime may run for 999999 ns");
	fixture->config.policy = NULL;
	fixture->config.gate = 2;
	assert_status(fixture_start(fixture), CZ_E_ARGUMENT);
}

static void defaults(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.max_requests = 0;
	fixture->config.max_data_bytes = 0;
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(fixture->cz.request_count, 16);
	assert_int_equal(fixture->cz.max_data_bytes, 32768);
	assert_int_equal(fixture->cz.request_pages, 9);
	fixture_stop(fixture);
	fixture->config.max_requests = CZ_MAX_REQUESTS;
	fixture->config.max_data_bytes = 1;
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(fixture->cz.request_pages, 2);
}

static void summary(void **state)
{
	struct fixture *fixture = *state;

	assert_status(fixture_start(fixture), CZ_OK);
	assert_true(sim_logged(&fixture->sim,
			       "2 caesura " CZ_VERSION ": 6 regions, 2 images, "
			       "12 of 12 services, window "
			       "0x50000000-0x50400000"));
}

static void window_pages(void **state)
{
	struct fixture *fixture = *state;
	const struct sim_mapping *page;

	assert_status(fixture_start(fixture), CZ_OK);
	page = sim_mapped(&fixture->sim, SIM_WINDOW);
	assert_non_null(page);
	assert_int_equal(page->prot, CZ_PROT_READ | CZ_PROT_EXEC);
	assert_int_equal(page->page_count, 1);
	assert_null(sim_mapped(&fixture->sim, SIM_WINDOW + SIM_PAGE));
	page = sim_mapped(&fixture->sim, fixture->cz.stack_top - 1);
	assert_non_null(page);
	assert_int_equal(page->prot, CZ_PROT_READ | CZ_PROT_WRITE);
	assert_int_equal(page->page_count, CZ_STACK_PAGES);
	/* Neither the upper guard page nor a page for arguments is mapped. */
	for (uint64_t at = fixture->cz.stack_top;
	     at < SIM_WINDOW + SIM_WINDOW_BYTES; at += SIM_PAGE) {
		assert_null(sim_mapped(&fixture->sim, at));
	}
	assert_int_equal(*(uint64_t *)fixture->cz.stack.alias, CZ_STACK_CANARY);
}

/* Lets each allocation and mapping fail in turn. cz_init() then returns an
 * error and frees all that it has allocated. */
static void host_out_of_memory(void **state)
{
	struct fixture *fixture = *state;
	cz_status status = CZ_E_HOST;
	int calls = 0;

	fixture->config.map_mode = CZ_MAP_SET;
	for (; status != CZ_OK; calls++) {
		sim_forget_log(&fixture->sim);
		fixture->sim.fail_after = calls;
		status = fixture_start(fixture);
		if (status != CZ_OK) {
			assert_true(status == CZ_E_HOST ||
				    status == CZ_E_NO_MEMORY);
			assert_true(sim_logged(&fixture->sim, "0 the host") ||
				    sim_logged(&fixture->sim, "0 no "));
			assert_true(sim_is_clean(&fixture->sim));
		}
		if (fixture->sim.virtual_set && status != CZ_OK) {
			/* cz_init() failed after SetVirtualAddressMap, which
			 * works only once: start with new firmware. */
			fixture->sim.virtual_set = false;
			fixture->sim.shift = 0;
			memset(fixture->sim.ram, 0, SIM_RAM_BYTES);
			fixture->sim.entry_count = 0;
			fixture->sim.attribute_count = 0;
			sim_firmware_start(&fixture->sim);
		}
		fixture->sim.pages_next = 0;
		/* The window is mapped in several hundred steps: skip most
		 * of them. */
		calls += calls > 24 && calls < 380 ? 40 : 0;
	}
	fixture->sim.fail_after = -1;
	assert_true(calls > 30);
}

/* ---- Virtual addresses ---- */

static void check_calls(struct fixture *fixture)
{
	struct cz_efi_time time;
	char data[4];
	size_t size = sizeof(data);

	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_int_equal(time.year, 2026);
	assert_status(cz_set_variable(&fixture->cz, u"A", &test_guid, 7, "abc",
				      4, LATER),
		      CZ_OK);
	assert_status(cz_get_variable(&fixture->cz, u"A", &test_guid, NULL,
				      data, &size, LATER),
		      CZ_OK);
	assert_string_equal(data, "abc");
}

static void map_set(void **state)
{
	struct fixture *fixture = *state;
	const struct sim_mapping *code;
	const struct cz_image *image;
	uint64_t offset;

	fixture->config.map_mode = CZ_MAP_SET;
	assert_status(fixture_start(fixture), CZ_OK);
	assert_true(fixture->sim.virtual_set);
	assert_int_equal(fixture->sim.order[0], SIM_SET_VIRTUAL);
	/* Firmware gets its 4 runtime entries, in the host's descriptor
	 * size. */
	assert_int_equal(fixture->sim.last_registers[0], 4 * 48);
	assert_int_equal(fixture->sim.last_registers[1], 48);
	assert_int_equal(fixture->sim.last_registers[2], 1);
	assert_null(sim_mapped(&fixture->sim, fixture->sim.last_registers[3]));
	/* Only the virtual addresses are mapped now, with the protection of
	 * their regions. */
	assert_null(sim_mapped(&fixture->sim, SIM_CODE));
	assert_null(sim_mapped(&fixture->sim, SIM_DATA));
	assert_null(sim_mapped(&fixture->sim, SIM_MMIO));
	code = sim_mapped(&fixture->sim, SIM_CODE - SIM_VIRTUAL);
	assert_non_null(code);
	assert_int_equal(code->prot, CZ_PROT_READ | CZ_PROT_EXEC);
	image = cz_find_image(&fixture->cz, SIM_CODE - SIM_VIRTUAL + 8,
			      &offset);
	assert_non_null(image);
	assert_int_equal(image->physical, SIM_CODE);
	assert_int_equal(fixture->cz.function[CZ_GET_TIME],
			 SIM_TEXT - SIM_VIRTUAL);
	check_calls(fixture);
}

static void map_existing(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.map_mode = CZ_MAP_SET;
	assert_status(fixture_start(fixture), CZ_OK);
	fixture_stop(fixture);
	fixture->sim.order_count = 0;
	/* Now as in a kernel that kexec has started. */
	fixture->config.map_mode = CZ_MAP_EXISTING;
	assert_int_equal(sim_system_table(&fixture->sim)->runtime_services,
			 SIM_RUNTIME_TABLE - SIM_VIRTUAL);
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(fixture->sim.order_count, 0);
	assert_int_equal(fixture->cz.region_count, 6);
	check_calls(fixture);
}

/* The address of the Memory Attributes Table is physical, even if a region has
 * the same virtual address. */
static void map_existing_shares_addresses(void **state)
{
	struct fixture *fixture = *state;

	fixture->sim.entries[5].virtual_start = SIM_ATTRIBUTES;
	sim_write_map(&fixture->sim);
	fixture->config.map_mode = CZ_MAP_SET;
	assert_status(fixture_start(fixture), CZ_OK);
	fixture_stop(fixture);
	fixture->config.map_mode = CZ_MAP_EXISTING;
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(fixture->cz.region_count, 6);
	check_calls(fixture);
}

static void map_set_twice(void **state)
{
	struct fixture *fixture = *state;

	fixture->sim.virtual_set = true;
	fixture->config.map_mode = CZ_MAP_SET;
	assert_status(fixture_start(fixture), CZ_EFI_UNSUPPORTED);
	assert_true(sim_logged(&fixture->sim, "SetVirtualAddressMap returned "
					      "EFI_UNSUPPORTED"));
	assert_true(sim_is_clean(&fixture->sim));
}

static void map_set_unsupported(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.map_mode = CZ_MAP_SET;
	sim_write_properties(&fixture->sim, 0x3fff & ~0x80u);
	fixture_refused(fixture, CZ_EFI_UNSUPPORTED,
			"SetVirtualAddressMap is not supported by");
	sim_write_properties(&fixture->sim, 0x3fff);
	sim_runtime_table(&fixture->sim)->set_virtual_address_map = SIM_DATA;
	fixture_refused(fixture, CZ_E_TABLE,
			"SetVirtualAddressMap at 0x40100000 is not in an "
			"executable region");
	sim_runtime_table(&fixture->sim)->set_virtual_address_map = 0;
	fixture_refused(fixture, CZ_E_TABLE,
			"SetVirtualAddressMap at 0x0 is not");
}

static void map_set_to_itself(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.map_mode = CZ_MAP_SET;
	for (uint32_t i = 0; i < fixture->sim.entry_count; i++) {
		fixture->sim.entries[i].virtual_start =
			fixture->sim.entries[i].physical_start;
	}
	sim_write_map(&fixture->sim);
	assert_status(fixture_start(fixture), CZ_OK);
	check_calls(fixture);
}

static void map_set_collides(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.map_mode = CZ_MAP_SET;
	fixture->sim.entries[5].virtual_start = SIM_DATA;
	fixture_refused(fixture, CZ_E_TABLE,
			"virtual address 0x40100000 overlaps the physical "
			"addresses of the region at 0x40100000");
	/* The region overlaps itself, because it moves by only one page. */
	fixture->sim.entries[5].virtual_start = 0x20000000;
	fixture->sim.entries[1].virtual_start = SIM_DATA + SIM_PAGE;
	fixture_refused(fixture, CZ_E_TABLE,
			"virtual address 0x40101000 overlaps");
}

static uint64_t faults(struct cz_host *sim, struct cz *cz,
		       const uint64_t *registers)
{
	(void)sim;
	(void)cz;
	(void)registers;
	*(volatile uint8_t *)8 = 0;
	return 0;
}

static uint64_t bad_value(struct cz_host *sim, struct cz *cz,
			  const uint64_t *registers)
{
	(void)sim;
	(void)cz;
	(void)registers;
	return 99;
}

static void map_set_goes_wrong(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.map_mode = CZ_MAP_SET;
	fixture->sim.hook[SIM_SET_VIRTUAL] = faults;
	assert_status(fixture_start(fixture), CZ_E_FAULT);
	assert_true(sim_logged(&fixture->sim,
			       "SetVirtualAddressMap: data abort at"));
	fixture->sim.hook[SIM_SET_VIRTUAL] = bad_value;
	fixture->sim.leave_anomalies = 1u << CZ_ANOMALY_INTERRUPTS;
	assert_status(fixture_start(fixture), CZ_E_BAD_STATUS);
	assert_true(sim_logged(&fixture->sim,
			       "SetVirtualAddressMap left "
			       "interrupt mask changed: mended"));
}

static uint64_t make_secure_call(struct cz_host *sim, struct cz *cz,
				 const uint64_t *registers)
{
	cz_note_secure_call(cz);
	sim->hook[SIM_SET_VIRTUAL] = NULL;
	return sim_service_call(sim, cz, SIM_SET_VIRTUAL, registers);
}

/* A secure call that SetVirtualAddressMap makes does not count for the first
 * call of a service. */
static void map_set_clears_touched(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.map_mode = CZ_MAP_SET;
	fixture->sim.hook[SIM_SET_VIRTUAL] = make_secure_call;
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(fixture->cz.touched, 0);
}

/* ---- The end ---- */

static void init_after_fini(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++) {
		assert_status(fixture_start(fixture), CZ_OK);
		check_calls(fixture);
		fixture_stop(fixture);
		assert_true(sim_is_clean(&fixture->sim));
		fixture->sim.pages_next = 0;
	}
}

static bool is_held(void *argument)
{
	struct fixture *fixture = argument;

	return __atomic_load_n(&fixture->sim.entered_hold, __ATOMIC_SEQ_CST);
}

static void release_later(void *argument)
{
	struct fixture *fixture = argument;
	uint64_t until = cz_host_now_ns(NULL) + 10000000;

	while (cz_host_now_ns(NULL) < until) {
		;
	}
	sim_release_hold(&fixture->sim);
}

/* cz_fini() waits for the call in flight. Queued requests do not start. */
static void fini_with_requests(void **state)
{
	struct fixture *fixture = *state;
	struct sim_thread *thread;
	struct cz_efi_time time;
	struct cz_call call;
	cz_request_id first;
	cz_request_id second;

	assert_status(fixture_start(fixture), CZ_OK);
	fixture->sim.hook[CZ_GET_TIME] = sim_hold;
	fixture->sim.held = true;
	cz_prepare_get_time(&call, &time, NULL);
	assert_status(cz_submit(&fixture->cz, &call, &first), CZ_OK);
	assert_true(sim_until(is_held, fixture));
	assert_status(cz_submit(&fixture->cz, &call, &second), CZ_OK);
	thread = sim_spawn(&fixture->sim, 5, release_later, fixture);
	cz_fini(&fixture->cz);
	fixture->started = false;
	sim_join(&fixture->sim, thread);
	assert_int_equal(fixture->sim.order_count, 1);
	assert_int_equal(fixture->cz.requests[0].state, CZ_REQUEST_DONE);
	assert_status(fixture->cz.requests[0].status, CZ_OK);
	assert_status(fixture->cz.requests[1].status, CZ_E_STOPPED);
	assert_status(cz_submit(&fixture->cz, &call, &second), CZ_E_STOPPED);
}

int group_init(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(configurations),
		FRESH(defaults),
		FRESH(summary),
		FRESH(window_pages),
		FRESH(host_out_of_memory),
		FRESH(map_set),
		FRESH(map_existing),
		FRESH(map_existing_shares_addresses),
		FRESH(map_set_twice),
		FRESH(map_set_to_itself),
		FRESH(map_set_unsupported),
		FRESH(map_set_collides),
		FRESH(map_set_goes_wrong),
		FRESH(map_set_clears_touched),
		FRESH(init_after_fini),
		FRESH(fini_with_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
