#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE ((size_t)65536) /* a multiple of any page size in use */

/* GUARD_MAX readable bytes between two unreadable pages. */
static char *area(void) {
    static char *start;
    if (!start) {
        char *all = mmap(NULL, GUARD_MAX + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (all == MAP_FAILED || mprotect(all + PAGE, GUARD_MAX, PROT_READ | PROT_WRITE) != 0) {
            perror("guard");
            abort();
        }
        start = all + PAGE;
    }
    return start;
}

static struct span copy(char *to, struct span bytes) {
    if (bytes.n > 0)
        memcpy(to, bytes.p, bytes.n);
    return span_of(to, bytes.n);
}

struct span guard_end(struct span bytes) {
    return copy(area() + GUARD_MAX - bytes.n, bytes);
}

struct span guard_start(struct span bytes) {
    return copy(area(), bytes);
}
