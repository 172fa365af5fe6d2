/* SPDX-License-Identifier: MIT */
/* /dev/caesura from caesurad's side: memory by ioctl() and mmap(), requests by
 * read() and write(). */
#include "machine/provider.h"
#include "efivars/efivars.h"

#include <caesura/caesura.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/fdt_chosen.h"
#include "module/caesura-uapi.h"

/* The most that the module copies in one call. */
#define MAX_COPY_BYTES (1u << 20)
#define NS_PER_S 1000000000ull

_Static_assert(sizeof(struct cz_efi_guid) == CAESURA_GUID_BYTES, "a GUID");
_Static_assert(CZ_MAX_NAME_BYTES == CAESURA_NAME_BYTES, "a name's room");

/* ---- Opening ------------------------------------------------------------- */

static int take_map(struct provider *provider, const struct caesura_info *info)
{
	struct caesura_read read = {.size = info->memory_map_bytes};

	provider->memory_map = malloc(info->memory_map_bytes);
	if (!provider->memory_map) {
		return -ENOMEM;
	}
	read.buffer = (uintptr_t)provider->memory_map;
	if (ioctl(provider->fd, CAESURA_IOC_MAP, &read)) {
		return -errno;
	}
	provider->memory_map_size_bytes = info->memory_map_bytes;
	provider->descriptor_size_bytes = info->descriptor_bytes;
	provider->descriptor_version = info->descriptor_version;
	return 0;
}

static int take_info(struct provider *provider, struct caesura_info *info)
{
	int error;

	if (ioctl(provider->fd, CAESURA_IOC_INFO, info)) {
		return -errno;
	}
	if (info->version != CAESURA_UAPI_VERSION) {
		return -EPROTO;
	}
	provider->timeout_s = info->timeout_s;
	provider->kernel_runtime = info->flags & CAESURA_INFO_KERNEL_RUNTIME;
	provider->was_registered = info->flags & CAESURA_INFO_REGISTERED;
	error = fdt_chosen_read("linux,uefi-system-table",
				&provider->system_table);
	return error == -ENOENT ? -ENODATA : error;
}

static int allocate(struct provider *provider)
{
	provider->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (provider->stop_fd < 0) {
		return -errno;
	}
	provider->request = malloc(CAESURA_REQUEST_BYTES);
	provider->answer = malloc(CAESURA_ANSWER_BYTES);
	return provider->request && provider->answer ? 0 : -ENOMEM;
}

static int adopt(struct provider *provider, int fd)
{
	struct caesura_info info;
	int error;

	memset(provider, 0, sizeof(*provider));
	provider->fd = fd;
	provider->stop_fd = -1;
	error = take_info(provider, &info);
	if (!error) {
		error = take_map(provider, &info);
	}
	if (!error) {
		error = allocate(provider);
	}
	if (error) {
		provider_close(provider);
	}
	return error;
}

int provider_open(struct provider *provider, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		return -errno;
	}
	return adopt(provider, fd);
}

void provider_close(struct provider *provider)
{
	free(provider->answer);
	free(provider->request);
	free(provider->memory_map);
	if (provider->stop_fd >= 0) {
		close(provider->stop_fd);
	}
	close(provider->fd);
}

/* ---- Memory -------------------------------------------------------------- */

int provider_read(const struct provider *provider, uint64_t physical,
		  void *buffer, size_t size_bytes)
{
	size_t done = 0;

	while (done < size_bytes) {
		size_t left = size_bytes - done;
		struct caesura_read read = {
			.physical = physical + done,
			.buffer = (uintptr_t)buffer + done,
			.size = left < MAX_COPY_BYTES ? left : MAX_COPY_BYTES,
		};

		if (ioctl(provider->fd, CAESURA_IOC_READ, &read)) {
			return -errno;
		}
		done += read.size;
	}
	return 0;
}

int provider_map(const struct provider *provider, uint64_t physical,
		 size_t size_bytes, int prot, void *address, void **mapping)
{
	int flags = MAP_SHARED | (address ? MAP_FIXED_NOREPLACE : 0);
	void *at = mmap(address, size_bytes, prot, flags, provider->fd,
			(off_t)physical);

	if (at == MAP_FAILED) {
		return -errno;
	}
	*mapping = at;
	return 0;
}

/* ---- Requests ------------------------------------------------------------ */

int provider_register(struct provider *provider, uint32_t supported)
{
	struct caesura_register arguments = {
		.version = CAESURA_UAPI_VERSION,
		.supported = supported,
	};

	return ioctl(provider->fd, CAESURA_IOC_REGISTER, &arguments) ? -errno
								     : 0;
}

/*
 * Converts a status of the library into one for which the kernel has an errno
 * value. A status of firmware is returned as it is.
 */
static uint64_t efi_status(cz_status status)
{
	switch (status) {
	case CZ_E_ARGUMENT:
		return CZ_EFI_INVALID_PARAMETER;
	case CZ_E_TOO_LARGE:
	case CZ_E_NO_MEMORY:
		return CZ_EFI_OUT_OF_RESOURCES;
	case CZ_E_CANCELLED:
		return CZ_EFI_ABORTED;
	default:
		break;
	}
	return (status & ~0xffffull) == CZ_ERROR_BASE ? CZ_EFI_DEVICE_ERROR
						      : status;
}

/* Fills in the answer from the status and size that cz_get_variable() or
 * cz_get_next_variable_name() returned. */
static void answer_sized(struct caesura_answer *answer, cz_status status,
			 size_t size)
{
	if (status == CZ_EFI_SUCCESS) {
		answer->data_bytes = (uint32_t)size;
	} else if (status == CZ_EFI_BUFFER_TOO_SMALL) {
		answer->needed_bytes = size;
	}
	answer->status = efi_status(status);
}

static void get_variable(struct provider *provider, struct cz *cz,
			 uint64_t deadline_ns)
{
	const struct caesura_request *request = provider->request;
	struct caesura_answer *answer = provider->answer;
	size_t size = request->size;
	struct cz_efi_guid guid;
	cz_status status;

	memcpy(&guid, request->guid, sizeof(guid));
	status = cz_get_variable(cz, request->name, &guid, &answer->attributes,
				 size ? answer + 1 : NULL, &size, deadline_ns);
	answer_sized(answer, status, size);
}

static void get_next_variable_name(struct provider *provider, struct cz *cz,
				   uint64_t deadline_ns)
{
	const struct caesura_request *request = provider->request;
	struct caesura_answer *answer = provider->answer;
	size_t size = request->size & ~1u;
	uint16_t *name = (uint16_t *)(answer + 1);
	struct cz_efi_guid guid;
	cz_status status;

	memcpy(name, request->name, sizeof(request->name));
	memcpy(&guid, request->guid, sizeof(guid));
	status = cz_get_next_variable_name(cz, &size, name, &guid, deadline_ns);
	memcpy(answer->guid, &guid, sizeof(guid));
	answer_sized(answer, status, size);
}

static void set_variable(struct provider *provider, struct cz *cz,
			 uint64_t deadline_ns)
{
	const struct caesura_request *request = provider->request;
	struct efivars_limit limit = {.deadline_ns = deadline_ns};
	struct cz_efi_guid guid;
	cz_status status;

	if (provider->read_only) {
		provider->answer->status = CZ_EFI_WRITE_PROTECTED;
		return;
	}
	memcpy(&guid, request->guid, sizeof(guid));
	status = efivars_set(cz, request->name, &guid, request->attributes,
			     request->size ? request + 1 : NULL, request->size,
			     &limit);
	/* A write that missed its deadline before it started will never be
	 * made: the kernel's caller gets EINTR. If it had started, its outcome
	 * is unknown: EIO. */
	if (status == CZ_E_DEADLINE) {
		status = CZ_E_CANCELLED;
	}
	provider->answer->status = efi_status(status);
}

static void query_variable_info(struct provider *provider, struct cz *cz,
				uint64_t deadline_ns)
{
	uint64_t maximum = 0, remaining = 0, largest = 0;
	cz_status status;

	status = cz_query_variable_info(cz, provider->request->attributes,
					&maximum, &remaining, &largest,
					deadline_ns);
	provider->answer->maximum_storage = maximum;
	provider->answer->remaining_storage = remaining;
	provider->answer->maximum_size = largest;
	provider->answer->status = efi_status(status);
}

static void make_call(struct provider *provider, struct cz *cz,
		      uint64_t limit_ns)
{
	struct caesura_answer *answer = provider->answer;
	uint64_t deadline_ns = cz_host_now_ns(cz->host) + limit_ns;

	memset(answer, 0, sizeof(*answer));
	answer->id = provider->request->id;
	switch (provider->request->operation) {
	case CAESURA_GET_VARIABLE:
		get_variable(provider, cz, deadline_ns);
		break;
	case CAESURA_GET_NEXT_VARIABLE_NAME:
		get_next_variable_name(provider, cz, deadline_ns);
		break;
	case CAESURA_SET_VARIABLE:
		set_variable(provider, cz, deadline_ns);
		break;
	case CAESURA_QUERY_VARIABLE_INFO:
		query_variable_info(provider, cz, deadline_ns);
		break;
	default:
		answer->status = CZ_EFI_UNSUPPORTED;
	}
}

static int write_answer(struct provider *provider)
{
	struct caesura_answer *answer = provider->answer;
	size_t size = sizeof(*answer) + answer->data_bytes;

	return write(provider->fd, answer, size) < 0 ? -errno : 0;
}

static int reply(struct provider *provider)
{
	int error = write_answer(provider);

	if (error == -EINVAL) {
		/* The module has rejected firmware's answer as not
		 * plausible. */
		provider->answer->status = CZ_EFI_DEVICE_ERROR;
		provider->answer->data_bytes = 0;
		error = write_answer(provider);
	}
	atomic_fetch_add(&provider->served, 1);
	/* -ENOENT: the caller does not wait any more. It was killed, or its
	 * time was over. */
	return error == -ENOENT ? 0 : error;
}

/* Waits for a request. Returns 1 when there is one, 0 when provider_stop() was
 * called, or a negative errno. */
static int next_request(struct provider *provider)
{
	struct pollfd fds[] = {
		{.fd = provider->stop_fd, .events = POLLIN},
		{.fd = provider->fd, .events = POLLIN},
	};

	for (;;) {
		ssize_t size;

		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			return -errno;
		}
		if (fds[0].revents) {
			return 0;
		}
		size = read(provider->fd, provider->request,
			    CAESURA_REQUEST_BYTES);
		if (size >= 0) {
			return 1;
		}
		if (errno != EAGAIN && errno != EINTR) {
			return -errno;
		}
	}
}

int provider_serve(struct provider *provider, struct cz *cz, uint64_t limit_ns)
{
	/* Give up before the module does, so that the caller gets the exact
	 * status instead of the module's EFI_DEVICE_ERROR. */
	uint64_t most_ns = provider->timeout_s * NS_PER_S / 10 * 9;
	int result = next_request(provider);

	if (limit_ns > most_ns) {
		limit_ns = most_ns;
	}
	while (result > 0) {
		make_call(provider, cz, limit_ns);
		result = reply(provider);
		if (!result) {
			result = next_request(provider);
		}
	}
	return result;
}

void provider_stop(struct provider *provider)
{
	int saved = errno;
	uint64_t one = 1;

	/* The write fails only if the counter is full. Then the eventfd is
	 * readable already. */
	(void)!write(provider->stop_fd, &one, sizeof(one));
	errno = saved;
}
