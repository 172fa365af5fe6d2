/* SPDX-License-Identifier: MIT */
/*
 * A running daemon can be asked: a socket of its own, one word in, lines of text out.
 * `caesurad time` and `caesurad status` are its clients; only root may connect.
 */
#ifndef LINUX_CONTROL_H
#define LINUX_CONTROL_H

#include <caesura/caesura.h>
#include <stdbool.h>

/* Binds; before root is given up. The socket, or -1 and errno. */
int control_open(const char *path);

/* Answers until the process ends; a client that says nothing for a second, no more. */
void control_serve(int socket, struct cz *cz);

/* Asks the daemon and prints what it answers: an exit code. -1: none is there. */
int control_ask(const char *path, const char *question);

/* Answers a question on a stream of the caller's. 0, or 1 when it cannot be
 * answered, which is then said. */
int control_answer(struct cz *cz, const char *question, int fd);

#endif
