/* SPDX-License-Identifier: MIT */
/*
 * What every front end needs that shows EFI variables as files: names of files,
 * variables' contents as Linux's efivarfs lays them out (4 bytes of attributes,
 * then the value), which of them it protects and which values it refuses, and
 * errno for what firmware and the library answer. All that matches efivarfs,
 * unless a contract says otherwise. A front end that hands on raw calls calls
 * cz_*() itself.
 *
 * Functions return 0 or an errno value, not negated. Those that take a struct
 * efivars_limit wait for firmware, and block; all may be called by any number of
 * threads at a time.
 */
#ifndef EFIVARS_H
#define EFIVARS_H

#include <caesura/caesura.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Names (name.c) ---- */

#define EFIVARS_GUID_CHARS 36u
/* In units of 16 bits, terminator included. */
#define EFIVARS_NAME_UNITS (CZ_MAX_NAME_BYTES / 2)
/* Of a file: each unit of a name takes at most 3 bytes. */
#define EFIVARS_FILE_NAME_BYTES \
	((EFIVARS_NAME_UNITS - 1) * 3 + 1 + EFIVARS_GUID_CHARS + 1)
/* The longest name of a file that can be made, without terminator. */
#define EFIVARS_CREATE_CHARS 255u

struct efivars_name {
	struct cz_efi_guid guid;
	uint16_t units[EFIVARS_NAME_UNITS]; /* terminated */
};

extern const struct cz_efi_guid efivars_global_guid;

bool efivars_guid_equal(const struct cz_efi_guid *a,
			const struct cz_efi_guid *b);

/*
 * A file's name, "Name-GUID", to the variable's: at least one character, a dash,
 * 36 characters of GUID with digits of either case. The name is UTF-8 with
 * surrogates as 3 bytes (efivarfs takes it byte by byte, which is right for
 * ASCII only). '!' stays '!': a name that has '/' is known from a listing only.
 * EINVAL: not of that form, or not UTF-8; ENAMETOOLONG.
 */
int efivars_parse_name(const char *file_name, struct efivars_name *name);

/* The other way round; GUID in lower case, '/' as '!'. The name's length. */
size_t efivars_file_name(const struct efivars_name *name,
			 char file_name[EFIVARS_FILE_NAME_BYTES]);

/* Whether two file names are the same file's: the GUID's case does not matter. */
bool efivars_same_file(const char *a, const char *b);

/* ---- Rules (rules.c) ---- */

/* Whether a file may be changed and removed as it is: those that are not known
 * to be harmless are immutable until somebody clears the flag. */
bool efivars_is_removable(const struct efivars_name *name);

/* The random seed's GUID: not listed, not to be made. */
bool efivars_is_hidden(const struct efivars_name *name);

/* Whether a value is what the specification says of a variable of that name;
 * true of names that nothing is known of. */
bool efivars_is_valid(const struct efivars_name *name, const void *value,
		      size_t size_bytes);

/* Attributes that may be written. 0x80 (ENHANCED_AUTHENTICATED) is not one. */
#define EFIVARS_ATTRIBUTES 0x7fu
#define EFIVARS_ATTRIBUTES_BYTES 4u
/* Of a value and its name together, as the kernel has it, to be written. */
#define EFIVARS_MAX_BYTES 65536u
/* Of a value to be read: U-Boot's VarToFile, which has all others in it, takes as much.
 * The daemon's max_data_bytes. */
#define EFIVARS_MAX_READ_BYTES 131072u

/*
 * errno for a status. EFI's as the kernel's efi_status_to_err(): EINVAL for
 * everything that it has no other number for. The library's own:
 *   CZ_E_DEADLINE                      ETIMEDOUT
 *   CZ_E_IN_FLIGHT                     EINPROGRESS
 *   CZ_E_CANCELLED                     EINTR
 *   CZ_E_BUSY                          EBUSY
 *   CZ_E_WITHDRAWN                     EOPNOTSUPP
 *   CZ_E_FAULT, _KILLED, _ABORTED, _BAD_STATUS, _BAD_SIZE, _TABLE, _HOST  EIO
 *   CZ_E_TOO_LARGE                     EFBIG
 *   CZ_E_NO_MEMORY                     ENOMEM
 *   CZ_E_STOPPED                       ESHUTDOWN
 *   CZ_E_ARGUMENT                      EINVAL
 */
int efivars_errno(cz_status status);

/* ---- Calls (efivars.c) ---- */

/*
 * How long to wait. interrupted, which may be NULL, says whether the caller has
 * been told to give up (Ctrl-C): looked at every 20 ms. A call that has not
 * started, or that only reads, then ends with EINTR; one in flight that writes
 * is waited for, since its caller must know what became of it. At the deadline a
 * call that has not started, or that only reads, ends with ETIMEDOUT, and changes
 * nothing. A write that firmware has started ends with EINPROGRESS: it may still be
 * made, and late.h says what becomes of it.
 */
struct efivars_limit {
	uint64_t deadline_ns; /* absolute, as cz_*() takes it */
	bool (*interrupted)(void *argument);
	void *argument;
};

/* A line in the host's log; the format as cz_host_log() takes it. Of a file's name
 * no more than EFIVARS_LOGGED_CHARS belong there. */
#define EFIVARS_LOGGED_CHARS 120u
void efivars_warn(struct cz *cz, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* SetVariable, within the limit: its status. CZ_E_IN_FLIGHT: firmware has started the
 * write and has not ended it at the deadline. */
cz_status efivars_set(struct cz *cz, const uint16_t *name,
		      const struct cz_efi_guid *guid, uint32_t attributes,
		      const void *value, size_t size_bytes,
		      const struct efivars_limit *limit);

/*
 * Calls found(argument, name) for every variable, once each; hidden ones left
 * out. When found() returns an error that ends it. Firmware that gives a name
 * again, no end of names, or names without an end is cut short with a warning
 * in the host's log, and 0: what was found is shown. So is an error of firmware's
 * after the first name, but EINTR and ETIMEDOUT are returned. Allocates; ENOMEM.
 */
#define EFIVARS_MAX_VARIABLES 4096u
int efivars_list(struct cz *cz, const struct efivars_limit *limit,
		 int (*found)(void *argument, const struct efivars_name *name),
		 void *argument);

/* A file's contents. */
struct efivars_contents {
	uint8_t *bytes; /* attributes and value; free() */
	size_t size_bytes;
};

/*
 * Reads a variable whole. hint_bytes: the value's size as last known, or 0.
 * ENOENT when there is none; EFBIG when it is larger than the library's
 * max_data_bytes. contents->bytes is the caller's when 0 is returned.
 */
int efivars_read(struct cz *cz, const struct efivars_name *name,
		 size_t hint_bytes, const struct efivars_limit *limit,
		 struct efivars_contents *contents);

/*
 * The value's size, without attributes; and, unless NULL, the attributes: 0 of firmware
 * that does not tell them with a size (UEFI before 2.8). ENOENT when there is no variable.
 */
int efivars_size(struct cz *cz, const struct efivars_name *name,
		 const struct efivars_limit *limit, size_t *size_bytes,
		 uint32_t *attributes);

/*
 * Writes a file's contents: one SetVariable. Attributes alone delete, with
 * APPEND_WRITE among them they change nothing. Afterwards *value_bytes is the
 * value's size and *exists whether there still is a variable. EINVAL: less than
 * 4 bytes, attributes not in EFIVARS_ATTRIBUTES, a value that is not valid;
 * ENOSPC: above EFIVARS_MAX_BYTES; EFBIG: above max_data_bytes; EIO for firmware's
 * NOT_FOUND, as deleting what is not there.
 */
int efivars_write(struct cz *cz, const struct efivars_name *name,
		  const void *contents, size_t size_bytes,
		  const struct efivars_limit *limit, size_t *value_bytes,
		  bool *exists);

/* Deletes; 0 also when there was none. EFI's errors are all EINVAL, the library's
 * as efivars_errno(). */
int efivars_delete(struct cz *cz, const struct efivars_name *name,
		   const struct efivars_limit *limit);

/* Of variables that are non-volatile and accessible at run time. */
struct efivars_space {
	uint64_t total_bytes, free_bytes;
};

/* Both 0 when firmware cannot tell. EINTR, ETIMEDOUT. */
int efivars_space(struct cz *cz, const struct efivars_limit *limit,
		  struct efivars_space *space);

#endif
