/* Locks that are held for less time than it takes to sleep and wake.
 *
 * Errors: none. musl knows no such kind of lock; there it is a usual one.
 */
#ifndef CLIENT_EMIT_MUTEX_H
#define CLIENT_EMIT_MUTEX_H

#include <pthread.h>

/* Who finds such a lock taken looks again for a moment before the kernel is asked to wait. */
static inline void mutex_init_brief(pthread_mutex_t *mutex) {
    pthread_mutexattr_t brief;
    pthread_mutexattr_init(&brief);
#ifdef __GLIBC__
    pthread_mutexattr_settype(&brief, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    pthread_mutex_init(mutex, &brief);
    pthread_mutexattr_destroy(&brief);
}

#endif
