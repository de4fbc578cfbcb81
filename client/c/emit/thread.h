/* A number for each thread, by which threads keep out of each other's way: each works on a part of its own.
 *
 * Threads: any. Numbers begin with 0 and are not given again when a thread ends.
 */
#ifndef CLIENT_EMIT_THREAD_H
#define CLIENT_EMIT_THREAD_H

extern _Thread_local unsigned thread_taken; /* 1 + the thread's number; 0: it has none yet */
unsigned thread_take_number(void);

static inline unsigned thread_number(void) {
    return thread_taken ? thread_taken - 1 : thread_take_number();
}

#endif
