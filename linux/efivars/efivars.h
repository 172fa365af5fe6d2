/* SPDX-License-Identifier: MIT */
/*
 * What every front end needs to show EFI variables as files: names of files;
 * contents as Linux's efivarfs lays them out (4 bytes of attributes, then the
 * value); which variables are protected and which values are refused; and the
 * errno value for each status of firmware and of the library. All of this
 * matches efivarfs unless a contract says otherwise. A front end that passes on
 * raw calls uses cz_*() itself.
 *
 * Functions return 0 or a positive errno value. Those that take a struct
 * efivars_limit block while they wait for firmware. Any number of threads may
 * call any of them at the same time.
 */
#ifndef EFIVARS_H
#define EFIVARS_H

#include <caesura/caesura.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Names (name.c) ---- */

#define EFIVARS_GUID_CHARS 36u
/* In 16-bit units, including the terminator. */
#define EFIVARS_NAME_UNITS (CZ_MAX_NAME_BYTES / 2)
/* The longest name of a file: each unit of a variable's name takes at most 3
 * bytes. */
#define EFIVARS_FILE_NAME_BYTES \
	((EFIVARS_NAME_UNITS - 1) * 3 + 1 + EFIVARS_GUID_CHARS + 1)
/* The longest name with which a file can be created, without the terminator. */
#define EFIVARS_CREATE_CHARS 255u

struct efivars_name {
	struct cz_efi_guid guid;
	uint16_t units[EFIVARS_NAME_UNITS]; /* terminated */
};

extern const struct cz_efi_guid efivars_global_guid;

bool efivars_guid_equal(const struct cz_efi_guid *a,
			const struct cz_efi_guid *b);

/*
 * Converts a file's name, "Name-GUID", to the variable's name and GUID. It has
 * at least one character, a dash, and 36 characters of GUID with hexadecimal
 * digits of either case. The name is UTF-8, with each surrogate as 3 bytes.
 * (efivarfs takes the name byte by byte, which is right only for ASCII.) '!'
 * stays '!', so the name of a variable that contains '/' can be learned only
 * from a listing. EINVAL: the form is wrong, or it is not UTF-8; ENAMETOOLONG.
 */
int efivars_parse_name(const char *file_name, struct efivars_name *name);

/* Converts a variable's name to a file's name, with the GUID in lower case and
 * '/' as '!'. Returns the length. */
size_t efivars_file_name(const struct efivars_name *name,
			 char file_name[EFIVARS_FILE_NAME_BYTES]);

/* Returns whether two names denote the same file: the GUID's case does not
 * matter. */
bool efivars_same_file(const char *a, const char *b);

/* ---- Rules (rules.c) ---- */

/* Returns whether a file may be changed and removed at once. Variables that are
 * not known to be harmless are immutable until a user clears the flag. */
bool efivars_is_removable(const struct efivars_name *name);

/* Returns whether the GUID is the random seed's. Its variables are not listed,
 * and cannot be created. */
bool efivars_is_hidden(const struct efivars_name *name);

/* Returns whether a value has the form that the specification demands of a
 * variable of that name. Returns true if nothing is known about the name. */
bool efivars_is_valid(const struct efivars_name *name, const void *value,
		      size_t size_bytes);

/* The attributes that may be written. 0x80 (ENHANCED_AUTHENTICATED) is not
 * among them. */
#define EFIVARS_ATTRIBUTES 0x7fu
#define EFIVARS_ATTRIBUTES_BYTES 4u
/* The most bytes to write, value and name together, as in the kernel. */
#define EFIVARS_MAX_BYTES 65536u
/* The most bytes of a value to read: U-Boot's VarToFile, which contains all
 * other variables, can be this large. The daemon's max_data_bytes. */
#define EFIVARS_MAX_READ_BYTES 131072u

/*
 * Returns the errno value for a status. For EFI's statuses it is that of the
 * kernel's efi_status_to_err(), which has EINVAL for every status without an
 * errno value of its own. The library's statuses are:
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
 * How long to wait. interrupted(), which may be NULL, returns whether the
 * caller was told to give up, as by Ctrl-C. It is called every 20 ms. If it
 * returns true, a call that has not started, or that only reads, ends with
 * EINTR. A write that firmware has started is waited for, because its caller
 * has to know the outcome.
 *
 * At the deadline, a call that has not started, or that only reads, ends with
 * ETIMEDOUT and changes nothing. A write that firmware has started ends with
 * EINPROGRESS. Firmware may still complete it; late.h reports the outcome.
 */
struct efivars_limit {
	uint64_t deadline_ns; /* absolute, as for cz_*() */
	bool (*interrupted)(void *argument);
	void *argument;
};

/* Writes a line to the host's log; the format is that of cz_host_log(). A
 * file's name should be cut to EFIVARS_LOGGED_CHARS. */
#define EFIVARS_LOGGED_CHARS 120u
void efivars_warn(struct cz *cz, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Calls SetVariable within the limit and returns its status. CZ_E_IN_FLIGHT:
 * firmware started the write and had not finished it at the deadline. */
cz_status efivars_set(struct cz *cz, const uint16_t *name,
		      const struct cz_efi_guid *guid, uint32_t attributes,
		      const void *value, size_t size_bytes,
		      const struct efivars_limit *limit);

/*
 * Calls found(argument, name) once for each variable that is not hidden. An
 * error of found() ends the listing and is returned. The listing is cut short,
 * with a warning in the host's log, if firmware repeats a name, returns too
 * many names, or a name without a terminator; so it is if firmware fails after
 * the first name. Then the function returns 0, and the variables found so far
 * are shown. But EINTR and ETIMEDOUT are returned. ENOMEM: the function
 * allocates memory.
 */
#define EFIVARS_MAX_VARIABLES 4096u
int efivars_list(struct cz *cz, const struct efivars_limit *limit,
		 int (*found)(void *argument, const struct efivars_name *name),
		 void *argument);

/* The contents of a file. */
struct efivars_contents {
	uint8_t *bytes; /* attributes and value; the owner frees them */
	size_t size_bytes;
};

/*
 * Reads a whole variable. hint_bytes is the last known size of the value, or 0.
 * ENOENT: there is no such variable; EFBIG: it is larger than the library's
 * max_data_bytes. If the function returns 0, the caller owns contents->bytes.
 */
int efivars_read(struct cz *cz, const struct efivars_name *name,
		 size_t hint_bytes, const struct efivars_limit *limit,
		 struct efivars_contents *contents);

/*
 * Sets *size_bytes to the size of the value without attributes. Sets
 * *attributes, unless `attributes` is NULL; to 0 if firmware does not return
 * them together with a size (UEFI before 2.8). ENOENT: there is no such
 * variable.
 */
int efivars_size(struct cz *cz, const struct efivars_name *name,
		 const struct efivars_limit *limit, size_t *size_bytes,
		 uint32_t *attributes);

/*
 * Writes a file's contents by one SetVariable. Contents that are only
 * attributes delete the variable, or change nothing if they include
 * APPEND_WRITE. Afterwards *value_bytes is the size of the value, and *exists
 * is whether the variable still exists. EINVAL: there are less than 4 bytes,
 * the attributes are not within EFIVARS_ATTRIBUTES, or the value is not valid;
 * ENOSPC: larger than EFIVARS_MAX_BYTES; EFBIG: larger than max_data_bytes;
 * EIO: firmware returned NOT_FOUND, for example because the variable to delete
 * does not exist.
 */
int efivars_write(struct cz *cz, const struct efivars_name *name,
		  const void *contents, size_t size_bytes,
		  const struct efivars_limit *limit, size_t *value_bytes,
		  bool *exists);

/* Deletes a variable. Returns 0 also if it does not exist. All EFI errors
 * become EINVAL, those of the library become what efivars_errno() returns. */
int efivars_delete(struct cz *cz, const struct efivars_name *name,
		   const struct efivars_limit *limit);

/* Space for variables that are non-volatile and accessible at run time. */
struct efivars_space {
	uint64_t total_bytes, free_bytes;
};

/* Sets both to 0 if firmware cannot tell. Fails with EINTR and ETIMEDOUT
 * only. */
int efivars_space(struct cz *cz, const struct efivars_limit *limit,
		  struct efivars_space *space);

#endif
