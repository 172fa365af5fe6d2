/* SPDX-License-Identifier: MIT */
/*
 * A caesurad without firmware, for the tests of the module: provider.c on a
 * store in memory. A file keeps the store for the next process.
 *
 * fake_provider serve STORE [MASK]  serves until it is killed. It misbehaves
 *                           once for variables whose names begin with
 *                           DieBefore, DieAfter (it dies after SetVariable),
 *                           Hang or Lie, and each time for Poison, and for
 *                           Slow, whose reads take as long as a read may take
 * fake_provider check       asks the module for what it must give and for
 *                           what it must refuse; prints a line for each
 * fake_provider poke        checks refusals while another process serves
 * fake_provider mutable F   does what chattr -i does
 */
#include <caesura/caesura.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "efivars/efivars.h"
#include "machine/provider.h"
#include "module/caesura-uapi.h"

#define MAX_VARIABLES 64
#define MAX_VALUE_BYTES 4096
#define STORE_BYTES 100000u

struct variable {
	uint16_t name[CZ_MAX_NAME_BYTES / 2];
	struct cz_efi_guid guid;
	uint32_t attributes;
	uint32_t size; /* 0: unused */
	uint8_t value[MAX_VALUE_BYTES];
};

/* Shared with the next process by a file. */
struct store {
	uint32_t misbehaved; /* a mask of `mischief` */
	struct variable variables[MAX_VARIABLES];
};

static const char *const mischief[] = {"DieBefore", "DieAfter", "Hang", "Lie"};
enum mischief {
	DIE_BEFORE,
	DIE_AFTER,
	HANG,
	LIE,
};

static struct store *store;
static struct provider provider;

/* ---- The library's part -------------------------------------------------- */

uint64_t cz_host_now_ns(struct cz_host *host)
{
	struct timespec now;

	(void)host;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool begins(const uint16_t *name, const char *with)
{
	while (*with && *name == (unsigned char)*with) {
		name++;
		with++;
	}
	return !*with;
}

static bool same_name(const uint16_t *a, const uint16_t *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static struct variable *find(const uint16_t *name,
			     const struct cz_efi_guid *guid)
{
	struct variable *v;

	for (v = store->variables; v < store->variables + MAX_VARIABLES; v++) {
		if (v->size && same_name(v->name, name) &&
		    !memcmp(&v->guid, guid, sizeof(*guid))) {
			return v;
		}
	}
	return NULL;
}

static bool misbehaves(enum mischief which, const uint16_t *name)
{
	if (!begins(name, mischief[which]) ||
	    (store->misbehaved & 1u << which)) {
		return false;
	}
	store->misbehaved |= 1u << which;
	return true;
}

static void expect_refused(const char *what, size_t size)
{
	if (write(provider.fd, provider.answer, size) >= 0) {
		printf("not ok - lie: %s was believed\n", what);
	} else {
		printf("ok - lie: %s: %s\n", what, strerror(errno));
	}
	fflush(stdout);
}

/* Sends answers that no caller may see, before the true one. */
static void lie(void)
{
	const struct caesura_request *request = provider.request;
	struct caesura_answer *answer = provider.answer;
	bool named = request->operation == CAESURA_GET_NEXT_VARIABLE_NAME;

	answer->id = request->id;
	answer->data_bytes = CAESURA_DATA_BYTES;
	expect_refused("more data than there is room",
		       sizeof(*answer) + answer->data_bytes);
	expect_refused("data that are not there", sizeof(*answer));
	answer->data_bytes = 0;
	answer->status = 5;
	expect_refused("a warning", sizeof(*answer));
	answer->status = CZ_EFI_BUFFER_TOO_SMALL;
	answer->needed_bytes = request->size;
	expect_refused("too small, but it is not", sizeof(*answer));
	answer->needed_bytes = UINT64_MAX;
	expect_refused("a size past the end", sizeof(*answer));
	answer->status = CZ_EFI_SUCCESS;
	answer->id = request->id + 1;
	expect_refused("an id that nobody had", sizeof(*answer));
	if (named) {
		answer->id = request->id;
		answer->data_bytes = 4;
		memset(answer + 1, 'A', 4);
		expect_refused("a name without an end", sizeof(*answer) + 4);
	}
	memset(answer, 0, sizeof(*answer));
	answer->id = request->id;
}

static void misbehave(const uint16_t *name)
{
	if (misbehaves(DIE_BEFORE, name) || begins(name, "Poison")) {
		_exit(9);
	}
	if (misbehaves(HANG, name)) {
		sleep(1000);
	}
	if (misbehaves(LIE, name)) {
		lie();
	}
}

cz_status cz_get_variable(struct cz *cz, const uint16_t *name,
			  const struct cz_efi_guid *guid, uint32_t *attributes,
			  void *data, size_t *size_bytes, uint64_t deadline_ns)
{
	const struct variable *v = find(name, guid);
	size_t room = *size_bytes;

	misbehave(name);
	if (begins(name, "Slow")) {
		while (cz_host_now_ns(cz->host) < deadline_ns) {
			usleep(10000);
		}
		return CZ_E_DEADLINE;
	}
	if (!v) {
		return CZ_EFI_NOT_FOUND;
	}
	*size_bytes = v->size;
	if (room < v->size) {
		return CZ_EFI_BUFFER_TOO_SMALL;
	}
	*attributes = v->attributes;
	memcpy(data, v->value, v->size);
	return CZ_OK;
}

cz_status cz_get_next_variable_name(struct cz *cz, size_t *size_bytes,
				    uint16_t *name, struct cz_efi_guid *guid,
				    uint64_t deadline_ns)
{
	const struct variable *v = store->variables;
	size_t size = 2;

	(void)cz;
	(void)deadline_ns;
	misbehave(name);
	if (name[0]) {
		v = find(name, guid);
		if (!v) {
			return CZ_EFI_INVALID_PARAMETER;
		}
		v++;
	}
	while (v < store->variables + MAX_VARIABLES && !v->size) {
		v++;
	}
	if (v == store->variables + MAX_VARIABLES) {
		return CZ_EFI_NOT_FOUND;
	}
	while (v->name[size / 2 - 1]) {
		size += 2;
	}
	if (*size_bytes < size) {
		*size_bytes = size;
		return CZ_EFI_BUFFER_TOO_SMALL;
	}
	*size_bytes = size;
	memcpy(name, v->name, size);
	*guid = v->guid;
	return CZ_OK;
}

static struct variable *
make(const uint16_t *name, const struct cz_efi_guid *guid, uint32_t attributes)
{
	struct variable *v;

	for (v = store->variables; v < store->variables + MAX_VARIABLES; v++) {
		if (!v->size) {
			memcpy(v->name, name, sizeof(v->name));
			v->guid = *guid;
			v->attributes = attributes;
			return v;
		}
	}
	return NULL;
}

static cz_status set(const uint16_t *name, const struct cz_efi_guid *guid,
		     uint32_t attributes, const void *data, size_t size)
{
	bool append = attributes & CZ_EFI_VARIABLE_APPEND_WRITE;
	struct variable *v = find(name, guid);
	size_t old;

	if (!size && !append) {
		if (v) {
			v->size = 0;
		}
		return v ? CZ_OK : CZ_EFI_NOT_FOUND;
	}
	old = v && append ? v->size : 0;
	if (size > MAX_VALUE_BYTES - old) {
		return CZ_EFI_OUT_OF_RESOURCES;
	}
	if (!v) {
		v = make(name, guid,
			 attributes & ~CZ_EFI_VARIABLE_APPEND_WRITE);
	}
	if (!v) {
		return CZ_EFI_OUT_OF_RESOURCES;
	}
	memcpy(v->value + old, data, size);
	v->size = (uint32_t)(old + size);
	return CZ_OK;
}

cz_status efivars_set(struct cz *cz, const uint16_t *name,
		      const struct cz_efi_guid *guid, uint32_t attributes,
		      const void *value, size_t size_bytes,
		      const struct efivars_limit *limit)
{
	cz_status status;

	(void)cz;
	(void)limit;
	misbehave(name);
	status = set(name, guid, attributes, value, size_bytes);
	if (misbehaves(DIE_AFTER, name)) {
		_exit(9);
	}
	return status;
}

cz_status cz_query_variable_info(struct cz *cz, uint32_t attributes,
				 uint64_t *maximum_storage,
				 uint64_t *remaining_storage,
				 uint64_t *maximum_size, uint64_t deadline_ns)
{
	const struct variable *v;

	(void)cz;
	(void)attributes;
	(void)deadline_ns;
	*maximum_storage = STORE_BYTES;
	*maximum_size = MAX_VALUE_BYTES;
	*remaining_storage = STORE_BYTES;
	for (v = store->variables; v < store->variables + MAX_VARIABLES; v++) {
		*remaining_storage -= v->size;
	}
	return CZ_OK;
}

/* ---- serve --------------------------------------------------------------- */

static int fail(const char *what, int error)
{
	printf("not ok - %s: %s\n", what, strerror(-error));
	return 1;
}

static int serve(const char *path, uint32_t supported)
{
	static struct cz cz;
	int error = provider_open(&provider, PROVIDER_DEVICE);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (error) {
		return fail("open", error);
	}
	if (fd < 0 || ftruncate(fd, sizeof(*store))) {
		return fail(path, -errno);
	}
	store = mmap(NULL, sizeof(*store), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (store == MAP_FAILED) {
		return fail(path, -errno);
	}
	error = provider_register(&provider, supported);
	if (error) {
		return fail("register", error);
	}
	printf("# serving%s\n", provider.was_registered ? " again" : "");
	fflush(stdout);
	error = provider_serve(&provider, &cz, CZ_FOREVER);
	return error ? fail("serve", error) : 0;
}

/* ---- check --------------------------------------------------------------- */

static int failures;

static void check(bool good, const char *what)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	failures += !good;
}

/* Checks that a call failed with this errno. */
static void refused(long result, int error, const char *what)
{
	bool good = result < 0 && errno == error;

	printf("%s - refused: %s%s%s\n", good ? "ok" : "not ok", what,
	       good ? "" : ": ",
	       good	     ? ""
	       : result >= 0 ? "it was not"
			     : strerror(errno));
	failures += !good;
}

static const struct cz_efi_memory_descriptor *
descriptor_after(const struct cz_efi_memory_descriptor *after)
{
	const uint8_t *at = provider.memory_map;
	const uint8_t *end = at + provider.memory_map_size_bytes;

	if (after) {
		at = (const uint8_t *)after + provider.descriptor_size_bytes;
	}
	return at < end ? (const void *)at : NULL;
}

static const struct cz_efi_memory_descriptor *of_type(uint32_t type,
						      bool runtime)
{
	const struct cz_efi_memory_descriptor *d = descriptor_after(NULL);

	while (d && (d->type != type ||
		     !(d->attribute & CZ_EFI_MEMORY_RUNTIME) == runtime)) {
		d = descriptor_after(d);
	}
	return d;
}

static long read_at(uint64_t physical, uint64_t size, void *buffer)
{
	struct caesura_read read = {physical, (uintptr_t)buffer, size};

	return ioctl(provider.fd, CAESURA_IOC_READ, &read);
}

static void *map_at(uint64_t physical, size_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, flags, provider.fd, (off_t)physical);
}

static void refuse_map(uint64_t physical, size_t size, int prot, int flags,
		       int error, const char *what)
{
	void *at = map_at(physical, size, prot, flags);

	refused(at == MAP_FAILED ? -1 : 0, error, what);
	if (at != MAP_FAILED) {
		munmap(at, size);
	}
}

static const struct cz_efi_guid attributes_guid = CZ_EFI_MEMORY_ATTRIBUTES_GUID;

/* Returns the address of the Memory Attributes Table, or 0 when firmware has
 * none. */
static uint64_t attributes_table(const struct cz_efi_system_table *system)
{
	struct cz_efi_configuration_table entry;
	uint64_t i;

	for (i = 0; i < system->number_of_table_entries; i++) {
		if (provider_read(&provider,
				  system->configuration_table +
					  i * sizeof(entry),
				  &entry, sizeof(entry))) {
			return 0;
		}
		if (!memcmp(&entry.guid, &attributes_guid,
			    sizeof(entry.guid))) {
			return entry.table;
		}
	}
	return 0;
}

static void check_attributes(uint64_t table)
{
	struct cz_efi_memory_attributes header;
	static uint8_t whole[1 << 16];
	uint64_t size;

	if (!table) {
		printf("# no Memory Attributes Table\n");
		return;
	}
	check(!provider_read(&provider, table, &header, sizeof(header)),
	      "Memory Attributes Table's header");
	size = sizeof(header) +
	       (uint64_t)header.number_of_entries * header.descriptor_size;
	printf("# %u entries of %u bytes\n", header.number_of_entries,
	       header.descriptor_size);
	check(size < sizeof(whole) &&
		      !provider_read(&provider, table, whole, size),
	      "all of the Memory Attributes Table");
	refused(read_at(table, size + 1, whole), EPERM, "more than the table");
	refused(read_at(table + 8, 16, whole), EPERM, "from its middle");
	refused(read_at(table - 48, 16, whole), EPERM, "what is before it");
}

static void check_tables(void)
{
	struct cz_efi_system_table system;

	if (provider_read(&provider, provider.system_table, &system,
			  sizeof(system))) {
		check(false, "the system table can be read");
		return;
	}
	check(system.header.signature == CZ_EFI_SYSTEM_TABLE_SIGNATURE,
	      "the system table's signature");
	check_attributes(attributes_table(&system));
}

/* Writes runtime data as a commit does, but stores the value that is already
 * there. */
static void check_writable(uint64_t physical, size_t size)
{
	volatile uint64_t *words;
	void *at;

	if (provider_map(&provider, physical, size, PROT_READ | PROT_WRITE,
			 NULL, &at)) {
		check(false, "runtime data can be mapped for writing");
		return;
	}
	words = at;
	words[0] = words[0];
	check(true, "runtime data can be mapped for writing");
	refused(mprotect(at, size, PROT_READ | PROT_EXEC), EACCES,
		"execution of RAM that was mapped for writing");
	munmap(at, size);
}

static void check_runtime_ram(void)
{
	const struct cz_efi_memory_descriptor *d =
		of_type(CZ_EFI_RUNTIME_SERVICES_DATA, true);
	size_t size = d ? d->number_of_pages * CZ_EFI_PAGE_SIZE : 0;
	uint8_t *copy = malloc(size);
	void *at;

	if (!d || !copy ||
	    provider_map(&provider, d->physical_start, size, PROT_READ, NULL,
			 &at)) {
		check(false, "runtime data can be mapped");
		return;
	}
	check(!provider_read(&provider, d->physical_start, copy, size) &&
		      !memcmp(at, copy, size),
	      "runtime data mapped and read are the same");
	refused(mprotect(at, size, PROT_READ | PROT_WRITE), EACCES,
		"write access to mapped RAM");
	refused(mprotect(at, size, PROT_READ | PROT_EXEC), EACCES,
		"execution of mapped RAM");
	munmap(at, size);
	free(copy);
	check_writable(d->physical_start, size);
	refuse_map(d->physical_start, size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		   EINVAL, "RAM, copy on write");
	refuse_map(d->physical_start, size, PROT_READ | PROT_EXEC, MAP_SHARED,
		   EPERM, "RAM, executable");
	refuse_map(d->physical_start, 1ul << 40, PROT_READ, MAP_SHARED, EPERM,
		   "past the end of a region");
	refused(read_at(d->physical_start + size - 8, 16, NULL), EPERM,
		"reading past the end of a region");
	refused(read_at(d->physical_start, 16, (void *)8), EFAULT,
		"a buffer that is not there");
	refused(read_at(d->physical_start, 16, (void *)-4096ul), EFAULT,
		"a buffer of the kernel's");
}

static void check_device(void)
{
	const struct cz_efi_memory_descriptor *d = of_type(CZ_EFI_MMIO, true);
	uint8_t buffer[16];
	void *at;

	if (!d) {
		printf("# firmware owns no device\n");
		return;
	}
	if (provider_map(&provider, d->physical_start, CZ_EFI_PAGE_SIZE,
			 PROT_READ | PROT_WRITE, NULL, &at)) {
		check(false, "a device can be mapped");
		return;
	}
	printf("# device %#llx: %#x\n", (unsigned long long)d->physical_start,
	       *(volatile uint32_t *)at);
	check(true, "a device can be mapped, writable");
	munmap(at, CZ_EFI_PAGE_SIZE);
	refuse_map(d->physical_start, CZ_EFI_PAGE_SIZE, PROT_READ, MAP_PRIVATE,
		   EINVAL, "a device, private");
	refuse_map(d->physical_start, CZ_EFI_PAGE_SIZE, PROT_READ | PROT_EXEC,
		   MAP_SHARED, EPERM, "a device, executable");
	refused(read_at(d->physical_start, 16, buffer), EPERM,
		"a device by copy");
}

static void check_elsewhere(void)
{
	static const uint32_t types[] = {
		CZ_EFI_CONVENTIONAL, CZ_EFI_LOADER_DATA, CZ_EFI_LOADER_CODE,
		CZ_EFI_BOOT_SERVICES_DATA, CZ_EFI_BOOT_SERVICES_CODE};
	uint8_t buffer[64];
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct cz_efi_memory_descriptor *d =
			of_type(types[i], false);

		if (d) {
			printf("# type %u\n", types[i]);
			refused(read_at(d->physical_start, 64, buffer), EPERM,
				"memory of the kernel's, by copy");
			refuse_map(d->physical_start, CZ_EFI_PAGE_SIZE,
				   PROT_READ, MAP_SHARED, EPERM,
				   "memory of the kernel's, by mmap()");
		}
	}
	refused(read_at(0, 16, buffer), EPERM, "address 0");
	refused(read_at(UINT64_MAX - 7, 16, buffer), EPERM,
		"the address wraps");
	refused(read_at(UINT64_MAX, 1, buffer), EPERM, "the last address");
	refused(read_at(provider.system_table, 0, buffer), EPERM, "no bytes");
	refused(read_at(provider.system_table, UINT64_MAX, buffer), E2BIG,
		"all bytes");
	refuse_map(0x7ffffffffffff000ull, 2 * CZ_EFI_PAGE_SIZE, PROT_READ,
		   MAP_SHARED, EPERM, "the last offset");
	refuse_map(0xfffffffffffff000ull, CZ_EFI_PAGE_SIZE, PROT_READ,
		   MAP_SHARED, EOVERFLOW, "the last page");
}

static void check_ioctls(void)
{
	struct caesura_read read = {.buffer = (uintptr_t)provider.memory_map};
	struct caesura_register reg = {.version = CAESURA_UAPI_VERSION + 1};

	refused(ioctl(provider.fd, _IO('z', 0x40), 0), ENOTTY, "a bad ioctl");
	refused(ioctl(provider.fd, 0xffffffff, 0), ENOTTY, "a worse ioctl");
	refused(ioctl(provider.fd, CAESURA_IOC_INFO, NULL), EFAULT,
		"INFO to NULL");
	refused(ioctl(provider.fd, CAESURA_IOC_READ, (void *)-1ul), EFAULT,
		"READ from nowhere");
	refused(ioctl(provider.fd, CAESURA_IOC_MAP, &read), E2BIG,
		"MAP of nothing");
	read.size = provider.memory_map_size_bytes + 1;
	refused(ioctl(provider.fd, CAESURA_IOC_MAP, &read), E2BIG,
		"MAP of more than there is");
	read.size = 16;
	read.physical = 1;
	refused(ioctl(provider.fd, CAESURA_IOC_MAP, &read), EINVAL,
		"MAP with an address");
	refused(ioctl(provider.fd, CAESURA_IOC_REGISTER, &reg), EPROTO,
		"REGISTER of another version");
}

static void check_messages(int error)
{
	size_t size = sizeof(*provider.answer);
	char byte;

	memset(provider.answer, 0, size);
	refused(read(provider.fd, provider.request, CAESURA_REQUEST_BYTES),
		error, "read() with nothing to read");
	refused(read(provider.fd, &byte, 1), EMSGSIZE, "read() of a byte");
	refused(write(provider.fd, &byte, 1), EMSGSIZE, "write() of a byte");
	refused(write(provider.fd, provider.answer, CAESURA_ANSWER_BYTES + 1),
		EMSGSIZE, "write() of too much");
	provider.answer->data_bytes = 8;
	refused(write(provider.fd, provider.answer, size), EMSGSIZE,
		"write() without the data it speaks of");
	refused(write(provider.fd, (void *)-4096ul, size), EFAULT,
		"write() from the kernel");
	provider.answer->data_bytes = 0;
	refused(write(provider.fd, provider.answer, size),
		error == EAGAIN ? ENOENT : error, "an answer to nothing");
}

static int check_all(void)
{
	int error = provider_open(&provider, PROVIDER_DEVICE);

	if (error) {
		return fail("open", error);
	}
	printf("# system table %#llx, map of %zu bytes, timeout %u s\n",
	       (unsigned long long)provider.system_table,
	       provider.memory_map_size_bytes, provider.timeout_s);
	refused(open(PROVIDER_DEVICE, O_RDWR), EBUSY, "a second opener");
	check_tables();
	check_runtime_ram();
	check_device();
	check_elsewhere();
	check_ioctls();
	check_messages(ENOTCONN);
	provider_close(&provider);
	return failures != 0;
}

static int poke(void)
{
	int error = provider_open(&provider, PROVIDER_DEVICE);

	if (error) {
		return fail("open", error);
	}
	check(provider.was_registered, "the module says that it is registered");
	error = provider_register(&provider, UINT32_MAX);
	check(!error, "registering again");
	check_messages(EAGAIN);
	refused(read(provider.fd, (void *)-4096ul, CAESURA_REQUEST_BYTES),
		EFAULT, "read() to the kernel");
	provider_close(&provider);
	return failures != 0;
}

static int make_mutable(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int flags = 0;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags)) {
		return fail(path, -errno);
	}
	flags &= ~FS_IMMUTABLE_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) ? fail(path, -errno) : 0;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "serve")) {
		return serve(argv[2],
			     argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0)
				      : UINT32_MAX);
	}
	if (argc == 2 && !strcmp(argv[1], "check")) {
		return check_all();
	}
	if (argc == 2 && !strcmp(argv[1], "poke")) {
		return poke();
	}
	if (argc == 3 && !strcmp(argv[1], "mutable")) {
		return make_mutable(argv[2]);
	}
	fprintf(stderr, "usage: fake_provider serve STORE [MASK] | check | "
			"poke | mutable FILE\n");
	return 2;
}
