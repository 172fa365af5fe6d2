/* SPDX-License-Identifier: MIT */
/*
 * Driver for the serial port, an Arm PL011 (DDI0183) or its SBSA subset. It
 * polls, and leaves the port as firmware configured it. It discards all text
 * before pl011_init().
 */
#include <kernel/machine.h>
#include <kernel/mm.h>
#include <stddef.h>
#include <stdint.h>

#define UARTDR 0x00
#define UARTFR 0x18
#define UARTFR_BUSY (1u << 3)
#define UARTFR_TXFF (1u << 5)

static volatile uint8_t *uart;

void pl011_init(uint64_t physical)
{
	uart = device_map(physical, PAGE_SIZE);
}

static uint32_t flags(void)
{
	return *(volatile uint32_t *)(uart + UARTFR);
}

uint32_t pl011_write_some(const char *text, uint32_t length)
{
	uint32_t count = 0;

	if (uart == NULL) {
		return length;
	}
	while (count < length && (flags() & UARTFR_TXFF) == 0) {
		*(volatile uint32_t *)(uart + UARTDR) = (uint8_t)text[count++];
	}
	return count;
}

void pl011_flush(void)
{
	while (uart != NULL && (flags() & UARTFR_BUSY) != 0) {
	}
}
