/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * caesura-efivars's parts: firmware's memory for the daemon (memory.c), the
 * kernel's requests for variables and their answers (requests.c), the kernel's
 * provider that makes them (provider.c), and the device (device.c).
 *
 * Everything runs in process context and may sleep, but for
 * set_variable_nonblocking, which does nothing.
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

/* memory.c. Return 0 or a negative errno. */
bool memory_present(void);
u64 memory_map_bytes(void);
long memory_copy_map(const struct caesura_read *read);
long memory_copy(const struct caesura_read *read);
int memory_mmap(struct file *file, struct vm_area_struct *vma);

/* requests.c */
enum request_state {
	REQUEST_QUEUED, /* nobody has it; or a provider had, and died */
	REQUEST_TAKEN, /* by the provider */
	REQUEST_ENDED, /* answered, or given up */
};

struct request {
	struct kref kref; /* one for the caller, one for the list */
	struct completion done;

	/* requests.c's lock guards these until `done`. */
	struct list_head entry;
	enum request_state state;
	unsigned long deadline; /* jiffies: for the present state */
	unsigned int providers; /* that took it */
	struct caesura_request message;
	struct caesura_answer answer;
	void *answer_data;

	void *data; /* SetVariable's; the request's own */
};

/* A request for the caller to fill in; NULL: no memory. */
struct request *request_new(u32 operation);
void request_put(struct request *request);

/*
 * Hands the request to the provider and waits: for an answer, for a fatal signal
 * (EFI_ABORTED), or until for timeout_s no provider has taken it or the one that
 * has gives no answer (EFI_DEVICE_ERROR). With another status than those,
 * `answer` and `answer_data` are this request's.
 */
efi_status_t request_call(struct request *request);

/* For how long, in seconds. */
unsigned int requests_timeout_s(void);

/* The provider's process: one at a time. */
int requests_open(void);
void requests_attach(void);
void requests_release(void);
ssize_t requests_read(char __user *to, size_t size, bool nonblocking);
ssize_t requests_write(const char __user *from, size_t size);
__poll_t requests_poll(struct file *file, poll_table *table);

/* provider.c. Becomes the kernel's provider, if it is not already. 6.1 wants a
 * kobject with it. */
int provider_register(u32 supported, struct kobject *kobject);
bool provider_registered(void);

#endif
