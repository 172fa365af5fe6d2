/* SPDX-License-Identifier: MIT */
/* The kernel's side of a host: one for each cz. */
#ifndef KERNEL_PORT_PORT_H
#define KERNEL_PORT_PORT_H

#include <caesura/caesura.h>

struct cz_host {
	struct cz *cz; /* whose firmware runs in its spaces */
};

#endif
