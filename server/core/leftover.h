/* Files and folders that are there for a while, and that a SIGHUP, SIGINT or SIGTERM which ends the process takes along. A signal that does not
 * end it, as it is ignored, blocked or has a handler, takes nothing.
 *
 * Ownership: paths are copied.
 * Threads: any.
 * Limits: LEFTOVERS at a time, of less than PATH_MAX bytes. What is more stays when the process ends.
 */
#ifndef CORE_LEFTOVER_H
#define CORE_LEFTOVER_H

#include <signal.h>

#define LEFTOVERS 16

/* Around the making of something and leftover_add, so that no signal comes to this thread between the two. One that another thread takes ends the process
 * without what is being made. */
void leftover_hold(sigset_t *before);
void leftover_release(const sigset_t *before);
/* A folder goes when it is empty then. */
void leftover_add(const char *path);
/* It was removed, or is to stay. What was not added is forgotten, too. */
void leftover_forget(const char *path);

#endif
