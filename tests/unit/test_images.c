/* SPDX-License-Identifier: MIT */
/* PE images in runtime code, and the names in their debug records. */
#include "fixture.h"

#include <string.h>

#define PE (SIM_CODE_2 + 0x80)
#define OPTIONAL (PE + 24)

static void put32(struct fixture *fixture, uint64_t physical, uint32_t value)
{
	memcpy(sim_ram(&fixture->sim, physical), &value, sizeof(value));
}

/* Returns the second driver's name, or "" when no image was found. */
static const char *second_name(struct fixture *fixture)
{
	const struct cz_image *image;
	uint64_t offset;

	fixture_stop(fixture);
	assert_status(fixture_start(fixture), CZ_OK);
	image = cz_find_image(&fixture->cz, SIM_CODE_2, &offset);
	return image == NULL ? "" : image->name;
}

static const char *name_with_path(struct fixture *fixture, const char *path)
{
	memset(sim_ram(&fixture->sim, SIM_CODE_2), 0, 0x1000);
	sim_write_image(&fixture->sim, SIM_CODE_2, 0x5000, path);
	return second_name(fixture);
}

static void names_from_paths(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(name_with_path(fixture, "/a/b/RuntimeDxe.dll"),
			    "RuntimeDxe");
	assert_string_equal(name_with_path(fixture, "C:\\x.y\\Clock.v1.pdb"),
			    "Clock.v1");
	assert_string_equal(name_with_path(fixture, "Plain"), "Plain");
	assert_string_equal(name_with_path(fixture, "/a.b/Plain"), "Plain");
	assert_string_equal(name_with_path(fixture, "/a/.hidden"), ".hidden");
	assert_string_equal(name_with_path(fixture, "/a/b\x01 c\xff.dll"),
			    "b__c_");
	assert_string_equal(
		name_with_path(fixture,
			       "/0123456789012345678901234567890123456789.dll"),
		"0123456789012345678901234567890");
	assert_string_equal(name_with_path(fixture, "/a/b/"), "image@40400000");
	assert_string_equal(name_with_path(fixture, ""), "image@40400000");
	assert_string_equal(name_with_path(fixture, NULL), "image@40400000");
}

static void record_kinds(void **state)
{
	struct fixture *fixture = *state;
	char *record = sim_ram(&fixture->sim, SIM_CODE_2 + 0x380);

	name_with_path(fixture, "/a/b/Clock.dll");
	memcpy(record, "NB10", 4);
	strcpy(record + 16, "/a/Other.dll");
	assert_string_equal(second_name(fixture), "Other");
	memcpy(record, "MTOC", 4);
	strcpy(record + 20, "/a/Third.dll");
	assert_string_equal(second_name(fixture), "Third");
	memcpy(record, "????", 4);
	assert_string_equal(second_name(fixture), "image@40400000");
}

static void malformed_debug(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t value;
	} wrong[] = {
		{OPTIONAL + 108, 6}, /* too few directories */
		{OPTIONAL + 112 + 6 * 8, 0}, /* no debug directory */
		{OPTIONAL + 112 + 6 * 8, 0xfffffff0}, /* past the end */
		{OPTIONAL + 112 + 6 * 8 + 4, 27}, /* too short */
		{SIM_CODE_2 + 0x300 + 12, 4}, /* another type of record */
		{SIM_CODE_2 + 0x300 + 20, 0}, /* not loaded */
		{SIM_CODE_2 + 0x300 + 20, 0x7ffe}, /* ends past the end */
		{SIM_CODE_2 + 0x300 + 20, 0xffffffff},
		{SIM_CODE_2 + 0x300 + 16, 0xffffffff},
		{SIM_CODE_2 + 0x300 + 16, 24}, /* no room for a path */
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		name_with_path(fixture, "/a/b/Clock.dll");
		put32(fixture, wrong[i].at, wrong[i].value);
		assert_string_equal(second_name(fixture), "image@40400000");
	}
	/* The directory's size is absurd, but its first entry is valid. */
	name_with_path(fixture, "/a/b/Clock.dll");
	put32(fixture, OPTIONAL + 112 + 6 * 8 + 4, 0xffffffff);
	assert_string_equal(second_name(fixture), "Clock");
}

static void malformed_images(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t value;
	} wrong[] = {
		{SIM_CODE_2, 0}, /* no MZ */
		{SIM_CODE_2 + 60, 0x3c}, /* PE header inside the MZ header */
		{SIM_CODE_2 + 60, 0x82}, /* unaligned */
		{SIM_CODE_2 + 60, 0x7ffc}, /* too close to the region's end */
		{SIM_CODE_2 + 60, 0xfffffffc}, /* past the region's end */
		{PE, 0x4551},
		{PE + 20, 0x3b}, /* short optional header */
		{OPTIONAL, 0x107}, /* a ROM image */
		{OPTIONAL + 56, 0}, /* no size */
		{OPTIONAL + 56, 0x8001}, /* larger than its region */
		{OPTIONAL + 56, 0xffffffff},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		name_with_path(fixture, "/a/b/Clock.dll");
		put32(fixture, wrong[i].at, wrong[i].value);
		assert_string_equal(second_name(fixture), "");
		assert_int_equal(fixture->cz.image_count, 1);
	}
}

/* With sections that are aligned to 64 KiB, EDK II puts the PE header just
 * below the first section. */
static void header_far_from_start(void **state)
{
	struct fixture *fixture = *state;
	uint8_t *image = sim_ram(&fixture->sim, SIM_CODE);

	memmove(image + 0xee80, image + 0x80, 0x180);
	put32(fixture, SIM_CODE + 60, 0xee80);
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(fixture->cz.image_count, 2);
	assert_string_equal(fixture->cz.images[0].name, "RuntimeDxe");
}

static void pe32(void **state)
{
	struct fixture *fixture = *state;
	uint8_t *optional = sim_ram(&fixture->sim, OPTIONAL);

	name_with_path(fixture, "/a/b/Clock.dll");
	optional[0] = 0x0b;
	optional[1] = 0x01;
	memmove(optional + 92, optional + 108, 4 + 16 * 8);
	assert_string_equal(second_name(fixture), "Clock");
}

static void several_in_one_region(void **state)
{
	struct fixture *fixture = *state;

	sim_write_image(&fixture->sim, SIM_CODE, 0x3001, "/x/First.dll");
	sim_write_image(&fixture->sim, SIM_CODE + 0x4000, 0x1000,
			"/x/Next.dll");
	sim_write_image(&fixture->sim, SIM_CODE + 0x6000, 0xa000,
			"/x/Last.dll");
	assert_status(fixture_start(fixture), CZ_OK);
	assert_int_equal(fixture->cz.image_count, 4);
	assert_string_equal(fixture->cz.images[0].name, "First");
	assert_int_equal(fixture->cz.images[0].size_bytes, 0x3001);
	assert_string_equal(fixture->cz.images[1].name, "Next");
	assert_string_equal(fixture->cz.images[2].name, "Last");
	assert_int_equal(fixture->cz.images[2].physical, SIM_CODE + 0x6000);
}

static void too_many_images(void **state)
{
	struct fixture *fixture = *state;

	sim_add_entry(&fixture->sim, CZ_EFI_RUNTIME_SERVICES_CODE, 0x40500000,
		      100, CZ_EFI_MEMORY_WB | CZ_EFI_MEMORY_RUNTIME);
	for (uint32_t i = 0; i < 100; i++) {
		sim_write_image(&fixture->sim, 0x40500000 + i * 0x1000ull,
				0x1000, "/x/Many.dll");
	}
	fixture_refused(fixture, CZ_OK, "64 images");
}

int group_images(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(names_from_paths),
		FRESH(record_kinds),
		FRESH(malformed_debug),
		FRESH(malformed_images),
		FRESH(pe32),
		FRESH(header_far_from_start),
		FRESH(too_many_images),
		FRESH(several_in_one_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
