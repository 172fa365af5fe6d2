// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The kernel's provider of EFI variables, which efivarfs, efi-pstore and
 * drivers call. Each of its functions makes a request to the daemon.
 */
#define pr_fmt(format) KBUILD_MODNAME ": " format

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/ucs2_string.h>
#include <linux/version.h>

#include "caesura-efivars.h"

static DEFINE_MUTEX(lock);
static bool registered; /* guarded by lock */

static efi_status_t set_name(struct request *request, const efi_char16_t *name,
			     const efi_guid_t *vendor)
{
	size_t room = ARRAY_SIZE(request->message.name);
	size_t length = ucs2_strnlen(name, room);

	if (length == room) {
		return EFI_INVALID_PARAMETER;
	}
	memcpy(request->message.name, name, length * sizeof(*name));
	memcpy(request->message.guid, vendor, sizeof(request->message.guid));
	return EFI_SUCCESS;
}

static efi_status_t take_value(const struct request *request, u32 *attributes,
			       unsigned long *size, void *data)
{
	const struct caesura_answer *answer = &request->answer;

	if (answer->status == EFI_BUFFER_TOO_SMALL) {
		*size = answer->needed_bytes;
	} else if (answer->status == EFI_SUCCESS) {
		memcpy(data, request->answer_data, answer->data_bytes);
		*size = answer->data_bytes;
		if (attributes) {
			*attributes = answer->attributes;
		}
	}
	return answer->status;
}

static efi_status_t get_variable(efi_char16_t *name, efi_guid_t *vendor,
				 u32 *attributes, unsigned long *size,
				 void *data)
{
	struct request *request = request_new(CAESURA_GET_VARIABLE);
	efi_status_t status;

	if (!request) {
		return EFI_OUT_OF_RESOURCES;
	}
	status = set_name(request, name, vendor);
	if (status == EFI_SUCCESS) {
		request->message.size =
			data ? min_t(unsigned long, *size, CAESURA_DATA_BYTES)
			     : 0;
		status = request_call(request);
	}
	if (status == EFI_SUCCESS || status == EFI_BUFFER_TOO_SMALL) {
		status = take_value(request, attributes, size, data);
	}
	request_put(request);
	return status;
}

static efi_status_t get_next_variable(unsigned long *size, efi_char16_t *name,
				      efi_guid_t *vendor)
{
	struct request *request = request_new(CAESURA_GET_NEXT_VARIABLE_NAME);
	const struct caesura_answer *answer;
	efi_status_t status;

	if (!request) {
		return EFI_OUT_OF_RESOURCES;
	}
	answer = &request->answer;
	status = set_name(request, name, vendor);
	if (status == EFI_SUCCESS) {
		request->message.size =
			min_t(unsigned long, *size, CAESURA_NAME_BYTES);
		status = request_call(request);
	}
	if (status == EFI_SUCCESS) {
		memcpy(name, request->answer_data, answer->data_bytes);
		memcpy(vendor, answer->guid, sizeof(*vendor));
		*size = answer->data_bytes;
	} else if (status == EFI_BUFFER_TOO_SMALL) {
		*size = answer->needed_bytes;
	}
	request_put(request);
	return status;
}

/* An earlier provider deleted the variable and died before it answered, so the
 * next provider found no variable to delete. */
static bool was_deleted(const struct request *request, efi_status_t status)
{
	return status == EFI_NOT_FOUND && !request->message.size &&
	       (request->message.flags & CAESURA_REQUEST_AGAIN);
}

static efi_status_t set_variable(efi_char16_t *name, efi_guid_t *vendor,
				 u32 attributes, unsigned long size, void *data)
{
	struct request *request;
	efi_status_t status;

	if (size > CAESURA_DATA_BYTES) {
		return EFI_OUT_OF_RESOURCES;
	}
	request = request_new(CAESURA_SET_VARIABLE);
	if (!request) {
		return EFI_OUT_OF_RESOURCES;
	}
	status = set_name(request, name, vendor);
	if (status == EFI_SUCCESS && size) {
		request->data = kvmalloc(size, GFP_KERNEL);
		if (!request->data) {
			status = EFI_OUT_OF_RESOURCES;
		} else {
			memcpy(request->data, data, size);
		}
	}
	if (status == EFI_SUCCESS) {
		request->message.attributes = attributes;
		request->message.size = size;
		status = request_call(request);
		if (was_deleted(request, status)) {
			status = EFI_SUCCESS;
		}
	}
	request_put(request);
	return status;
}

/* efi-pstore calls this from a panic or an oops, where waiting for the daemon
 * is not possible. */
static efi_status_t set_variable_nonblocking(efi_char16_t *name,
					     efi_guid_t *vendor, u32 attributes,
					     unsigned long size, void *data)
{
	return EFI_NOT_READY;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
static efi_status_t query_variable_info(u32 attributes, u64 *storage,
					u64 *remaining, u64 *largest)
{
	struct request *request = request_new(CAESURA_QUERY_VARIABLE_INFO);
	efi_status_t status;

	if (!request) {
		return EFI_OUT_OF_RESOURCES;
	}
	request->message.attributes = attributes;
	status = request_call(request);
	if (status == EFI_SUCCESS) {
		if (storage) {
			*storage = request->answer.maximum_storage;
		}
		if (remaining) {
			*remaining = request->answer.remaining_storage;
		}
		if (largest) {
			*largest = request->answer.maximum_size;
		}
	}
	request_put(request);
	return status;
}
#endif

static struct efivar_operations operations = {
	.get_variable = get_variable,
	.get_next_variable = get_next_variable,
};

static struct efivars efivars;

static void offer(u32 supported)
{
	if (supported & EFI_RT_SUPPORTED_SET_VARIABLE) {
		operations.set_variable = set_variable;
		operations.set_variable_nonblocking = set_variable_nonblocking;
	}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	if (supported & EFI_RT_SUPPORTED_QUERY_VARIABLE_INFO) {
		operations.query_variable_info = query_variable_info;
	}
#endif
}

static int register_efivars(struct kobject *kobject)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return efivars_register(&efivars, &operations);
#else
	return efivars_register(&efivars, &operations, kobject);
#endif
}

static int register_once(u32 supported, struct kobject *kobject)
{
	int error;

	if (efi_enabled(EFI_RUNTIME_SERVICES)) {
		pr_err("this kernel calls EFI runtime services itself, and two "
		       "owners destroy the variables; start it with "
		       "efi=noruntime\n");
		return -EBUSY;
	}
	offer(supported);
	error = register_efivars(kobject);
	if (error) {
		pr_err("another driver provides the EFI variables (%d)\n",
		       error);
		return error;
	}
	/* efivarfs checks this mask in statfs() before it calls the provider.
	 * The kernel cleared the whole mask because its runtime services are
	 * off. The other bits stay clear for other users of the mask. */
	efi.runtime_supported_mask |=
		supported & EFI_RT_SUPPORTED_QUERY_VARIABLE_INFO;
	/* From now on efivarfs may be mounted; it would call code that is gone
	 * if the module were unloaded. */
	__module_get(THIS_MODULE);
	registered = true;
	pr_info("serving EFI variables; the module stays until the next "
		"boot\n");
	return 0;
}

int provider_register(u32 supported, struct kobject *kobject)
{
	int error = 0;

	mutex_lock(&lock);
	if (!registered) {
		error = register_once(supported, kobject);
	}
	mutex_unlock(&lock);
	return error;
}

bool provider_registered(void)
{
	bool is;

	mutex_lock(&lock);
	is = registered;
	mutex_unlock(&lock);
	return is;
}
