#include "api/query/query.h"

#include <stdarg.h>
#include <stdio.h>

int query_refuse(struct query_error *error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    error->status = 400;
    return -1;
}

int query_no_memory(struct query_error *error) {
    return query_refuse(error, "The query needs more than %zu MiB: a shorter window or a longer rollup helps",
                        QUERY_MEMORY_MAX >> 20);
}
