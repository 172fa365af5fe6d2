/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The parts of caesura-efivars: firmware's memory for the daemon (memory.c);
 * the kernel's requests for variables and their answers (requests.c); the
 * kernel's provider of EFI variables, which makes those requests (provider.c);
 * and the device (device.c).
 *
 * Everything runs in process context and may sleep, except for
 * set_variable_nonblocking(), which only returns an error.
 */
#ifndef CAESURA_EFIVARS_H
#define CAESURA_EFIVARS_H

#include <linux/completion.h>
#include <linux/efi.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/poll.h>

#include "caesura-uapi.h"

/* memory.c. Functions that return int or long return 0 or a negative errno. */
bool memory_present(void);
u64 memory_map_bytes(void);
long memory_copy_map(const struct caesura_read *read);
long memory_copy(const struct caesura_read *read);
int memory_mmap(struct file *file, struct vm_area_struct *vma);

/* requests.c */
enum request_state {
	REQUEST_QUEUED, /* not taken, or taken by a provider that died */
	REQUEST_TAKEN, /* taken by the provider */
	REQUEST_ENDED, /* answered or given up */
};

struct request {
	struct kref kref; /* one for the caller, one for the list */
	struct completion done;

	/* The lock of requests.c guards these until `done` completes. */
	struct list_head entry;
	enum request_state state;
	unsigned long deadline; /* jiffies: for the present state */
	unsigned int providers; /* number of providers that took it */
	struct caesura_request message;
	struct caesura_answer answer;
	void *answer_data;

	void *data; /* the value for SetVariable, owned by the request */
};

/* Returns a request for the caller to fill in, or NULL if memory is out. */
struct request *request_new(u32 operation);
void request_put(struct request *request);

/*
 * Passes the request to the provider and waits for the answer. Returns
 * EFI_ABORTED after a fatal signal. Returns EFI_DEVICE_ERROR if no provider
 * takes the request within timeout_s, or if the provider that took it does not
 * answer within timeout_s. With any other status, `answer` and `answer_data` of
 * the request are set.
 */
efi_status_t request_call(struct request *request);

/* Returns the timeout in seconds. */
unsigned int requests_timeout_s(void);

/* Calls of the provider's process. There is one such process at a time. */
int requests_open(void);
void requests_attach(void);
void requests_release(void);
ssize_t requests_read(char __user *to, size_t size, bool nonblocking);
ssize_t requests_write(const char __user *from, size_t size);
__poll_t requests_poll(struct file *file, poll_table *table);

/* provider.c. Becomes the kernel's provider, unless the module is already.
 * Linux 6.1 needs a kobject for that. */
int provider_register(u32 supported, struct kobject *kobject);
bool provider_registered(void);

#endif
