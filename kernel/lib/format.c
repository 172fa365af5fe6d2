/* SPDX-License-Identifier: MIT */
/*
 * ksnprintf() implements the part of C11's snprintf that print.h lists. It has
 * no state and allocates nothing, so any context may call it.
 */
#include <kernel/print.h>
#include <kernel/string.h>
#include <stdbool.h>
#include <stdint.h>

/* The destination of the text. `length` also counts characters that did not
 * fit. */
struct sink {
	char *buffer;
	size_t size;
	size_t length;
};

/* One parsed conversion specification. */
struct conversion {
	bool left, zero;
	unsigned width;
	bool precise;
	unsigned precision;
	unsigned longs; /* number of l and z: 0 means int, else 64 bits */
};

static void put(struct sink *sink, char c)
{
	if (sink->length + 1 < sink->size) {
		sink->buffer[sink->length] = c;
	}
	sink->length++;
}

static void put_many(struct sink *sink, char c, size_t count)
{
	while (count-- > 0) {
		put(sink, c);
	}
}

/* Outputs a sign or prefix and a body, padded to the width. */
static void put_padded(struct sink *sink, const struct conversion *how,
		       const char *prefix, const char *body, size_t length)
{
	size_t whole = strlen(prefix) + length;
	size_t padding = how->width > whole ? how->width - whole : 0;

	if (!how->left && !how->zero) {
		put_many(sink, ' ', padding);
	}
	while (*prefix != '\0') {
		put(sink, *prefix++);
	}
	if (!how->left && how->zero) {
		put_many(sink, '0', padding);
	}
	for (size_t i = 0; i < length; i++) {
		put(sink, body[i]);
	}
	if (how->left) {
		put_many(sink, ' ', padding);
	}
}

static void put_number(struct sink *sink, const struct conversion *how,
		       const char *prefix, uint64_t value, unsigned base)
{
	char digits[20];
	size_t start = sizeof(digits);

	do {
		digits[--start] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	put_padded(sink, how, prefix, digits + start, sizeof(digits) - start);
}

static void put_string(struct sink *sink, const struct conversion *how,
		       const char *text)
{
	size_t length = 0;

	if (text == NULL) {
		text = "(null)";
	}
	while ((!how->precise || length < how->precision) &&
	       text[length] != '\0') {
		length++;
	}
	put_padded(sink, how, "", text, length);
}

static unsigned parse_number(const char **format)
{
	unsigned value = 0;

	while (**format >= '0' && **format <= '9') {
		value = value * 10 + (unsigned)(*(*format)++ - '0');
	}
	return value;
}

/* Parses everything between '%' and the letter. Takes the va_list by pointer,
 * since "*" consumes an argument. */
static struct conversion parse_conversion(const char **format,
					  va_list *arguments)
{
	struct conversion how = {0};

	for (;; (*format)++) {
		if (**format == '-') {
			how.left = true;
		} else if (**format == '0') {
			how.zero = true;
		} else {
			break;
		}
	}
	how.width = parse_number(format);
	if (**format == '.') {
		(*format)++;
		how.precise = true;
		if (**format == '*') {
			(*format)++;
			int precision = va_arg(*arguments, int);
			how.precise = precision >= 0;
			how.precision = (unsigned)precision;
		} else {
			how.precision = parse_number(format);
		}
	}
	for (; **format == 'l' || **format == 'z'; (*format)++) {
		how.longs++;
	}
	return how;
}

static uint64_t unsigned_argument(const struct conversion *how,
				  va_list *arguments)
{
	return how->longs != 0 ? va_arg(*arguments, uint64_t)
			       : va_arg(*arguments, unsigned);
}

static void put_signed(struct sink *sink, const struct conversion *how,
		       va_list *arguments)
{
	int64_t value = how->longs != 0 ? va_arg(*arguments, int64_t)
					: va_arg(*arguments, int);

	put_number(sink, how, value < 0 ? "-" : "",
		   value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

static void put_conversion(struct sink *sink, const struct conversion *how,
			   char letter, va_list *arguments)
{
	char c;

	switch (letter) {
	case 's':
		put_string(sink, how, va_arg(*arguments, const char *));
		break;
	case 'c':
		c = (char)va_arg(*arguments, int);
		put_padded(sink, how, "", &c, 1);
		break;
	case 'd':
	case 'i':
		put_signed(sink, how, arguments);
		break;
	case 'u':
		put_number(sink, how, "", unsigned_argument(how, arguments),
			   10);
		break;
	case 'x':
		put_number(sink, how, "", unsigned_argument(how, arguments),
			   16);
		break;
	case 'p':
		put_number(sink, how, "0x",
			   (uintptr_t)va_arg(*arguments, void *), 16);
		break;
	default:
		put(sink, '%');
		if (letter != '%') {
			put(sink, letter);
		}
		break;
	}
}

int kvsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct sink sink = {buffer, size, 0};
	va_list moving;

	va_copy(moving, arguments);
	while (*format != '\0') {
		if (*format != '%') {
			put(&sink, *format++);
			continue;
		}
		format++;
		struct conversion how = parse_conversion(&format, &moving);
		if (*format == '\0') {
			break;
		}
		put_conversion(&sink, &how, *format++, &moving);
	}
	va_end(moving);
	if (size > 0) {
		buffer[sink.length < size ? sink.length : size - 1] = '\0';
	}
	return (int)sink.length;
}

int ksnprintf(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int length = kvsnprintf(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}
