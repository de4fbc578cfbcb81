#include "emit/thread.h"

#include <stdatomic.h>

_Thread_local unsigned thread_taken;

unsigned thread_take_number(void) {
    static atomic_uint n_threads;
    thread_taken = 1 + atomic_fetch_add(&n_threads, 1);
    return thread_taken - 1;
}
