/* A number for each thread, by which threads keep out of each other's way: each works on a part of its own.
 *
 * Threads: any. Numbers begin with 0 and are not given again when a thread ends.
 */
#ifndef CLIENT_EMIT_THREAD_H
#define CLIENT_EMIT_THREAD_H

#include <stdatomic.h>

unsigned thread_number(void);

#endif
