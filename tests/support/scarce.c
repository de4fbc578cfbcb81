#include "scarce.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic long countdown = -1; /* the allocation that fails; below 0: none */

void scarce_begin(long n) {
    atomic_store(&countdown, n);
}

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
bool scarce_end(void) {
    return false;
}
#else
bool scarce_end(void) {
    return atomic_exchange(&countdown, -1) < 0;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *bytes, size_t size);

static bool fails(void) {
    return atomic_load_explicit(&countdown, memory_order_relaxed) >= 0 &&
           atomic_fetch_sub(&countdown, 1) == 0;
}

static void *refuse(void) {
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size) {
    return fails() ? refuse() : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    return fails() ? refuse() : __libc_calloc(n, size);
}

void *realloc(void *bytes, size_t size) {
    return fails() ? refuse() : __libc_realloc(bytes, size);
}
#endif
