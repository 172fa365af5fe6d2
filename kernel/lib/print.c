/* SPDX-License-Identifier: MIT */
/*
 * Prints formatted text on the serial port. kprintf() formats the text on the
 * caller's stack, puts it as a whole into a queue of slots, and then writes
 * queued text, including that of other callers, until the queue is empty. It
 * holds the lock, with interrupts masked, only to copy one text, or to write a
 * few bytes that the UART can take at once. It never waits with the lock held.
 * Hence no thread waits for a less urgent one, an interrupt handler or a panic
 * can always print, and all earlier text has been written when kprintf()
 * returns.
 */
#include <kernel/machine.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <stdbool.h>
#include <stdint.h>

#define SLOT_COUNT 32
#define SLOT_BYTES 512
#define BURST_BYTES 8 /* most bytes written while the lock is held once */

struct slot {
	uint64_t text[SLOT_BYTES / sizeof(uint64_t)];
	uint32_t length;
	uint32_t written;
};

/* `lock` guards all of it. `oldest` and `next` count slots since boot; slot n
 * is slots[n % SLOT_COUNT]. */
static struct {
	uint32_t lock;
	uint32_t oldest, next;
	struct slot slots[SLOT_COUNT];
} queue;

static uint64_t queue_lock(void)
{
	uint64_t daif;

	__asm__ volatile("mrs %0, daif\n\tmsr daifset, #3"
			 : "=r"(daif)
			 :
			 : "memory");
	while (__atomic_exchange_n(&queue.lock, 1, __ATOMIC_ACQUIRE) != 0) {
	}
	return daif;
}

static void queue_unlock(uint64_t daif)
{
	__atomic_store_n(&queue.lock, 0, __ATOMIC_RELEASE);
	__asm__ volatile("msr daif, %0" : : "r"(daif) : "memory");
}

/* Puts a text into the queue. Returns false if the queue is full. */
static bool queue_put(const uint64_t *text, uint32_t length)
{
	uint64_t daif = queue_lock();
	bool room = queue.next - queue.oldest < SLOT_COUNT;

	if (room) {
		struct slot *slot = &queue.slots[queue.next++ % SLOT_COUNT];
		memcpy(slot->text, text, (length + 7u) & ~7u);
		slot->length = length;
		slot->written = 0;
	}
	queue_unlock(daif);
	return room;
}

/* Writes as many bytes as the UART takes without waiting. Returns false if the
 * queue was empty. */
static bool queue_write_some(void)
{
	uint64_t daif = queue_lock();
	bool pending = queue.oldest != queue.next;

	if (pending) {
		struct slot *slot = &queue.slots[queue.oldest % SLOT_COUNT];
		uint32_t left = slot->length - slot->written;
		slot->written += pl011_write_some(
			(const char *)slot->text + slot->written,
			left < BURST_BYTES ? left : BURST_BYTES);
		if (slot->written == slot->length) {
			queue.oldest++;
		}
	}
	queue_unlock(daif);
	return pending;
}

void kvprintf(const char *format, va_list arguments)
{
	uint64_t text[SLOT_BYTES / sizeof(uint64_t)];
	int length = kvsnprintf((char *)text, sizeof(text), format, arguments);

	if (length >= SLOT_BYTES) {
		length = SLOT_BYTES - 1;
		((char *)text)[length - 1] = '\n';
	}
	if (length <= 0) {
		return;
	}
	while (!queue_put(text, (uint32_t)length)) {
		queue_write_some();
	}
	while (queue_write_some()) {
	}
}

void kprintf(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	kvprintf(format, arguments);
	va_end(arguments);
}
