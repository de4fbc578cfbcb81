/* Global tags. A thread's scopes are a list of its own; those for all threads are one list under a lock,
 * which nobody takes while it is empty. Both grow at their inner end.
 *
 * `lock` guards the list of all threads and what its scopes point to; n_all is changed with it held and read
 * without. Readers never take it twice, so that writers may go first: with the default, threads that emit
 * without a pause would keep who opens a scope, or forks, waiting. */
#include "emit/tags.h"
#include <pthread.h>
#include <stdatomic.h>

static _Thread_local struct statwit_scope *thread_outermost, *thread_innermost;
static struct statwit_scope *all_outermost, *all_innermost;
static atomic_int n_all;
#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#define FRESH_LOCK PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#else /* musl */
#define FRESH_LOCK PTHREAD_RWLOCK_INITIALIZER
#endif
static pthread_rwlock_t lock = FRESH_LOCK;
static _Thread_local bool locked; /* by this thread, to read */

void statwit_scope_push(struct statwit_scope *scope, bool all_threads, const struct statwit_tag *tags) {
    struct statwit_scope **outermost = all_threads ? &all_outermost : &thread_outermost;
    struct statwit_scope **innermost = all_threads ? &all_innermost : &thread_innermost;
    if (all_threads)
        pthread_rwlock_wrlock(&lock);
    *scope = (struct statwit_scope){.tags = tags, .all_threads = all_threads, .above = *innermost};
    *(*innermost ? &(*innermost)->below : outermost) = scope;
    *innermost = scope;
    if (all_threads) {
        atomic_fetch_add(&n_all, 1);
        pthread_rwlock_unlock(&lock);
    }
}

void statwit_scope_pop(struct statwit_scope *scope) {
    struct statwit_scope **outermost = scope->all_threads ? &all_outermost : &thread_outermost;
    struct statwit_scope **innermost = scope->all_threads ? &all_innermost : &thread_innermost;
    if (scope->all_threads)
        pthread_rwlock_wrlock(&lock);
    *(scope->above ? &scope->above->below : outermost) = scope->below;
    *(scope->below ? &scope->below->above : innermost) = scope->above;
    if (scope->all_threads) {
        atomic_fetch_sub(&n_all, 1);
        pthread_rwlock_unlock(&lock);
    }
}

bool scope_any(void) {
    return thread_outermost || atomic_load_explicit(&n_all, memory_order_relaxed) > 0;
}

void scope_lock(void) {
    locked = atomic_load(&n_all) > 0;
    if (locked)
        pthread_rwlock_rdlock(&lock);
}

void scope_unlock(void) {
    if (locked)
        pthread_rwlock_unlock(&lock);
    /* A scope that another thread opens now is none of this thread's until it locks again. */
    locked = false;
}

void scope_walk(void (*visit)(void *context, const struct statwit_tag *tags), void *context) {
    for (const struct statwit_scope *scope = locked ? all_outermost : NULL; scope; scope = scope->below)
        visit(context, scope->tags);
    for (const struct statwit_scope *scope = thread_outermost; scope; scope = scope->below)
        visit(context, scope->tags);
}

void scope_before_fork(void) {
    pthread_rwlock_wrlock(&lock);
}

void scope_after_fork(bool child) {
    /* A write lock belongs to the thread that took it, whose id the child's only thread no longer has. */
    if (child)
        lock = (pthread_rwlock_t)FRESH_LOCK;
    else
        pthread_rwlock_unlock(&lock);
}
