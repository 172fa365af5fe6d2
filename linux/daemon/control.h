/* SPDX-License-Identifier: MIT */
/*
 * The socket by which a running daemon answers questions: a client sends one
 * word and gets lines of text. `caesurad time` and `caesurad status` are its
 * clients. Only root may connect.
 */
#ifndef LINUX_CONTROL_H
#define LINUX_CONTROL_H

#include <caesura/caesura.h>
#include <stdbool.h>

/* Binds the socket. Called before the process drops root. Returns the socket,
 * or -1 and sets errno. */
int control_open(const char *path);

/* Answers clients until the process ends. A client that sends nothing for a
 * second is dropped. */
void control_serve(int socket, struct cz *cz);

/* Asks the daemon and prints its answer. Returns an exit code, or -1 if no
 * daemon is there. */
int control_ask(const char *path, const char *question);

/* Writes the answer to a question to `fd`. Returns 0, or 1 if it cannot be
 * answered; then the reason is written. */
int control_answer(struct cz *cz, const char *question, int fd);

#endif
