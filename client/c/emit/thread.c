#include "emit/thread.h"

unsigned thread_number(void) {
    static atomic_uint n_threads;
    static _Thread_local unsigned number; /* from 1 */
    if (number == 0)
        number = 1 + atomic_fetch_add(&n_threads, 1);
    return number - 1;
}
