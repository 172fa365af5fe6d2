// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Queues the kernel's requests for EFI variables for the provider's process,
 * and returns the answers. Requests outlive that process: the next provider
 * gets those that one took and did not answer.
 */
#define pr_fmt(format) KBUILD_MODNAME ": " format

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "caesura-efivars.h"

#define MAX_TIMEOUT_S 3600u

/* A request is not delivered again after this many providers died with it. */
#define MAX_PROVIDERS 8u

/* Some kernels' efi.h lacks these. */
#define ATTRIBUTE_AUTHENTICATED 0xb0u /* by count, by time, enhanced */

static unsigned int timeout_s = 60;
module_param(timeout_s, uint, 0644);
MODULE_PARM_DESC(timeout_s,
		 "seconds for which a caller waits without a provider, or for "
		 "one that took its request; 1 to 3600, 60 by default");

static DEFINE_MUTEX(lock);
/* Guarded by lock. */
static bool opened; /* a process has the device open */
static bool attached; /* that process is the provider */
static u64 last_id;
static LIST_HEAD(queued);
static LIST_HEAD(taken);

/* The provider sleeps here until something is queued. */
static DECLARE_WAIT_QUEUE_HEAD(arrival);

struct request *request_new(u32 operation)
{
	struct request *request = kzalloc(sizeof(*request), GFP_KERNEL);

	if (!request) {
		return NULL;
	}
	kref_init(&request->kref);
	init_completion(&request->done);
	INIT_LIST_HEAD(&request->entry);
	request->message.operation = operation;
	return request;
}

static void request_free(struct kref *kref)
{
	struct request *request = container_of(kref, struct request, kref);

	kvfree(request->data);
	kvfree(request->answer_data);
	kfree(request);
}

void request_put(struct request *request)
{
	kref_put(&request->kref, request_free);
}

unsigned int requests_timeout_s(void)
{
	return clamp(READ_ONCE(timeout_s), 1u, MAX_TIMEOUT_S);
}

/* Sets the state. This function and all that follow, up to request_call(), are
 * called with the lock held. */
static void request_enter(struct request *request, enum request_state state)
{
	request->state = state;
	WRITE_ONCE(request->deadline, jiffies + requests_timeout_s() * HZ);
}

static void request_end(struct request *request)
{
	request->state = REQUEST_ENDED;
	list_del_init(&request->entry);
	complete(&request->done);
	request_put(request);
}

/* Returns whether the request may be delivered again: executing it twice must
 * have the same effect as executing it once. */
static bool is_repeatable(const struct request *request)
{
	if (request->providers >= MAX_PROVIDERS) {
		return false;
	}
	return request->message.operation != CAESURA_SET_VARIABLE ||
	       !(request->message.attributes &
		 (EFI_VARIABLE_APPEND_WRITE | ATTRIBUTE_AUTHENTICATED));
}

/* Requeues the requests of a provider that is gone. The oldest comes first, and
 * all come before requests that arrived since. */
static void hand_back(void)
{
	struct request *request, *next;

	list_for_each_entry_safe_reverse(request, next, &taken, entry)
	{
		if (is_repeatable(request)) {
			request->message.flags |= CAESURA_REQUEST_AGAIN;
			request_enter(request, REQUEST_QUEUED);
			list_move(&request->entry, &queued);
		} else {
			request->answer.status = EFI_DEVICE_ERROR;
			request_end(request);
		}
	}
}

static struct request *find_taken(u64 id)
{
	struct request *request;

	list_for_each_entry(request, &taken, entry)
	{
		if (request->message.id == id) {
			return request;
		}
	}
	return NULL;
}

/* Returns whether the caller continues to wait, or the request has ended.
 * Otherwise gives the request up. */
static bool request_goes_on(struct request *request, long left)
{
	bool goes_on;

	mutex_lock(&lock);
	goes_on = request->state == REQUEST_ENDED ||
		  (!left && time_before(jiffies, request->deadline));
	if (!goes_on) {
		request->answer.status = left ? EFI_ABORTED : EFI_DEVICE_ERROR;
		request_end(request);
	}
	mutex_unlock(&lock);
	return goes_on;
}

efi_status_t request_call(struct request *request)
{
	unsigned long deadline;
	long left;

	mutex_lock(&lock);
	request->message.id = ++last_id;
	request_enter(request, REQUEST_QUEUED);
	deadline = request->deadline;
	kref_get(&request->kref);
	list_add_tail(&request->entry, &queued);
	mutex_unlock(&lock);
	wake_up_interruptible(&arrival);
	do {
		left = max_t(long, deadline - jiffies, 1);
		left = wait_for_completion_killable_timeout(&request->done,
							    left);
		deadline = READ_ONCE(request->deadline);
	} while (left <= 0 && request_goes_on(request, left));
	if (!left) {
		pr_warn_ratelimited("no answer to a request in %u s; is "
				    "caesurad running?\n",
				    requests_timeout_s());
	}
	return request->answer.status;
}

int requests_open(void)
{
	int error = 0;

	mutex_lock(&lock);
	if (opened) {
		error = -EBUSY;
	}
	opened = true;
	mutex_unlock(&lock);
	return error;
}

void requests_attach(void)
{
	mutex_lock(&lock);
	/* A process may have died while its descriptor stayed open, for example
	 * because it was passed on. */
	hand_back();
	attached = true;
	mutex_unlock(&lock);
	wake_up_interruptible(&arrival);
}

void requests_release(void)
{
	mutex_lock(&lock);
	hand_back();
	attached = false;
	opened = false;
	mutex_unlock(&lock);
}

/* Takes the oldest queued request. Returns it with a reference, NULL if there
 * is none, or an error pointer. */
static struct request *request_take(void)
{
	struct request *request;

	mutex_lock(&lock);
	if (!attached) {
		request = ERR_PTR(-ENOTCONN);
	} else {
		request = list_first_entry_or_null(&queued, struct request,
						   entry);
	}
	if (!IS_ERR_OR_NULL(request)) {
		kref_get(&request->kref);
		request_enter(request, REQUEST_TAKEN);
		request->providers++;
		list_move_tail(&request->entry, &taken);
	}
	mutex_unlock(&lock);
	return request;
}

static struct request *request_take_or_wait(bool nonblocking)
{
	struct request *request = request_take();

	while (!request) {
		if (nonblocking) {
			return ERR_PTR(-EAGAIN);
		}
		if (wait_event_interruptible(arrival,
					     !list_empty_careful(&queued))) {
			return ERR_PTR(-ERESTARTSYS);
		}
		request = request_take();
	}
	return request;
}

static void request_untake(struct request *request)
{
	mutex_lock(&lock);
	if (request->state == REQUEST_TAKEN) {
		request_enter(request, REQUEST_QUEUED);
		list_move(&request->entry, &queued);
	}
	mutex_unlock(&lock);
}

ssize_t requests_read(char __user *to, size_t size, bool nonblocking)
{
	struct request *request;
	size_t data_size;
	ssize_t result;

	if (size < CAESURA_REQUEST_BYTES) {
		return -EMSGSIZE;
	}
	request = request_take_or_wait(nonblocking);
	if (IS_ERR(request)) {
		return PTR_ERR(request);
	}
	data_size = request->data ? request->message.size : 0;
	result = sizeof(request->message) + data_size;
	if (copy_to_user(to, &request->message, sizeof(request->message)) ||
	    copy_to_user(to + sizeof(request->message), request->data,
			 data_size)) {
		request_untake(request);
		result = -EFAULT;
	}
	request_put(request);
	return result;
}

static bool is_name(const void *data, u32 size)
{
	const u16 *name = data;

	return size >= sizeof(*name) && size % sizeof(*name) == 0 &&
	       !name[size / sizeof(*name) - 1];
}

/* Returns whether this is a plausible answer to the request. Callers trust the
 * sizes and the status in it. */
static bool answers(const struct caesura_request *question,
		    const struct caesura_answer *answer, const void *data)
{
	bool named = question->operation == CAESURA_GET_NEXT_VARIABLE_NAME;
	bool sized = named || question->operation == CAESURA_GET_VARIABLE;

	if (answer->status == EFI_BUFFER_TOO_SMALL) {
		return sized && !answer->data_bytes &&
		       answer->needed_bytes > question->size &&
		       answer->needed_bytes <= (named ? CAESURA_NAME_BYTES
						      : CAESURA_DATA_BYTES);
	}
	if (answer->status) {
		return !answer->data_bytes && (s64)answer->status < 0;
	}
	if (!sized) {
		return !answer->data_bytes;
	}
	return answer->data_bytes <= question->size &&
	       (!named || is_name(data, answer->data_bytes));
}

/* Delivers an answer. If it returns 0, it has taken over the data and set *data
 * to NULL. */
static int deliver(const struct caesura_answer *answer, void **data)
{
	struct request *request = find_taken(answer->id);

	if (!request) {
		return -ENOENT;
	}
	if (!answers(&request->message, answer, *data)) {
		return -EINVAL;
	}
	request->answer = *answer;
	request->answer_data = *data;
	*data = NULL;
	request_end(request);
	return 0;
}

ssize_t requests_write(const char __user *from, size_t size)
{
	struct caesura_answer answer;
	void *data = NULL;
	int error;

	if (size < sizeof(answer) || size > CAESURA_ANSWER_BYTES) {
		return -EMSGSIZE;
	}
	if (copy_from_user(&answer, from, sizeof(answer))) {
		return -EFAULT;
	}
	if (answer.data_bytes != size - sizeof(answer)) {
		return -EMSGSIZE;
	}
	if (answer.data_bytes) {
		data = vmemdup_user(from + sizeof(answer), answer.data_bytes);
		if (IS_ERR(data)) {
			return PTR_ERR(data);
		}
	}
	mutex_lock(&lock);
	error = attached ? deliver(&answer, &data) : -ENOTCONN;
	mutex_unlock(&lock);
	kvfree(data);
	return error ? error : size;
}

__poll_t requests_poll(struct file *file, poll_table *table)
{
	__poll_t ready = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &arrival, table);
	mutex_lock(&lock);
	if (attached && !list_empty(&queued)) {
		ready |= EPOLLIN | EPOLLRDNORM;
	}
	mutex_unlock(&lock);
	return ready;
}
