#include "core/buf.h"
#include "core/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_MAX_DEFAULT ((size_t)1 << 30)

bool buf_reserve(struct buf *b, size_t n) {
    size_t max = b->max ? b->max : BUF_MAX_DEFAULT;
    if (b->failed || n > max || b->n > max - n) {
        b->failed = true;
        return false;
    }
    if (b->n + n < b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 256;
    while (cap <= b->n + n)
        cap *= 2;
    if (cap > max) /* so that what buf_add finds room for is within the maximum */
        cap = max + 1;
    char *p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void buf_u64(struct buf *b, uint64_t n) {
    char digits[NUMBER_DIGITS];
    buf_add(b, digits, number_put(n, digits));
}

void buf_printf(struct buf *b, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        b->failed = true;
    else if (buf_reserve(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_free(struct buf *b) {
    free(b->p);
    b->p = NULL;
    b->n = b->cap = 0;
}
