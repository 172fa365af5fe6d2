/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The interface between the kernel module caesura-efivars and caesurad: the
 * device /dev/caesura. One process at a time can have it open.
 *
 * ioctl() and mmap() give access to firmware's memory, without further
 * permission: the EFI memory map, tables, runtime regions, and the devices that
 * firmware owns. Runtime regions and devices can be written as well. After
 * CAESURA_IOC_REGISTER, this process serves the kernel's EFI variables: each
 * read() takes one request and each write() answers one, in any order, from any
 * thread. poll() reports POLLIN when there is a request.
 */
#ifndef CAESURA_UAPI_H
#define CAESURA_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define CAESURA_UAPI_VERSION 1

#define CAESURA_GUID_BYTES 16
#define CAESURA_NAME_BYTES 1024 /* a variable's name, terminator included */
#define CAESURA_DATA_BYTES 65536 /* a variable's value */

/* ---- Firmware's memory --------------------------------------------------- */

/* The kernel makes runtime calls itself, so REGISTER fails with EBUSY. */
#define CAESURA_INFO_KERNEL_RUNTIME 1u
/* The module has been the kernel's provider since an earlier REGISTER. */
#define CAESURA_INFO_REGISTERED 2u

struct caesura_info {
	__u32 version; /* CAESURA_UAPI_VERSION */
	__u32 flags; /* CAESURA_INFO_* */
	__u64 memory_map; /* its physical address */
	__u64 memory_map_bytes;
	__u32 descriptor_bytes;
	__u32 descriptor_version;
	__u32 runtime_version; /* 0x2000a: UEFI 2.10 */
	__u32 timeout_s; /* how long a caller waits for a provider */
};

/* Copies memory to `buffer`. */
struct caesura_read {
	__u64 physical;
	__u64 buffer;
	__u64 size;
};

/* Describes a provider. */
struct caesura_register {
	__u32 version; /* CAESURA_UAPI_VERSION, as the daemon was built */
	__u32 supported; /* firmware's EFI_RT_PROPERTIES_TABLE mask */
};

/* Allowed at any time. */
#define CAESURA_IOC_INFO _IOR('z', 0x40, struct caesura_info)

/* Copies the first `size` bytes of the memory map; `physical` is 0. E2BIG: the
 * map has fewer bytes. */
#define CAESURA_IOC_MAP _IOW('z', 0x41, struct caesura_read)

/*
 * Copies memory that lies in one descriptor of the map: any RAM that has
 * EFI_MEMORY_RUNTIME or is of a type in which firmware keeps tables. The kernel
 * uses EfiBootServicesData itself by now, so only a Memory Attributes Table can
 * be read from it. EPERM: no descriptor allows the access.
 */
#define CAESURA_IOC_READ _IOW('z', 0x42, struct caesura_read)

/*
 * Makes this process the provider of EFI variables. From the first call on, the
 * module stays loaded until the machine is restarted. Requests that an earlier
 * provider took and did not answer are delivered again. EBUSY: the kernel has
 * another provider, which is its own runtime services or a driver; the log says
 * which. EPROTO: the versions differ.
 */
#define CAESURA_IOC_REGISTER _IOW('z', 0x43, struct caesura_register)

/* ---- Requests ------------------------------------------------------------ */

enum caesura_operation {
	CAESURA_GET_VARIABLE = 1,
	CAESURA_GET_NEXT_VARIABLE_NAME = 2,
	CAESURA_SET_VARIABLE = 3,
	CAESURA_QUERY_VARIABLE_INFO = 4,
};

/* An earlier provider took this request, and may or may not have executed
 * it. */
#define CAESURA_REQUEST_AGAIN 1u

/*
 * What read() returns, followed by the data for SetVariable. The buffer needs
 * room for the largest request, CAESURA_REQUEST_BYTES; otherwise read() fails
 * with EMSGSIZE. EAGAIN: there is no request, and O_NONBLOCK is set; ENOTCONN:
 * this process has not registered.
 */
struct caesura_request {
	__u64 id; /* never used twice while the machine runs */
	__u32 operation; /* enum caesura_operation */
	__u32 flags; /* CAESURA_REQUEST_* */
	__u32 attributes; /* SetVariable's, QueryVariableInfo's */
	/* GetVariable: room for the value; GetNextVariableName: room for the
	 * name; SetVariable: number of bytes that follow. At most
	 * CAESURA_DATA_BYTES, for a name CAESURA_NAME_BYTES. */
	__u32 size;
	__u8 guid[CAESURA_GUID_BYTES]; /* as in memory */
	__u16 name[CAESURA_NAME_BYTES / 2]; /* UCS-2, ended by a zero */
};

#define CAESURA_REQUEST_BYTES \
	(sizeof(struct caesura_request) + CAESURA_DATA_BYTES)

/*
 * What write() takes, followed by data_bytes of data: the value for GetVariable
 * or the name for GetNextVariableName, and no data unless `status` is 0.
 * ENOENT: no caller waits for this answer any more. EINVAL: the answer does not
 * fit the request, which stays open.
 */
struct caesura_answer {
	__u64 id;
	__u64 status; /* EFI_STATUS */
	__u32 data_bytes;
	__u32 attributes; /* GetVariable's */
	__u64 needed_bytes; /* with EFI_BUFFER_TOO_SMALL */
	__u8 guid[CAESURA_GUID_BYTES]; /* GetNextVariableName's */
	__u64 maximum_storage; /* QueryVariableInfo's */
	__u64 remaining_storage;
	__u64 maximum_size;
};

#define CAESURA_ANSWER_BYTES \
	(sizeof(struct caesura_answer) + CAESURA_DATA_BYTES)

#endif
