#include "catalog/error.h"

#include <stdarg.h>
#include <stdio.h>

int catalog_fail(struct catalog_error *e, const char *file, size_t line, size_t column, const char *format,
                 ...) {
    if (e->set)
        return -1;
    e->set = true;
    snprintf(e->file, sizeof e->file, "%s", file ? file : "");
    e->line = line;
    e->column = column;
    va_list args;
    va_start(args, format);
    vsnprintf(e->message, sizeof e->message, format, args);
    va_end(args);
    return -1;
}

void catalog_error_print(const struct catalog_error *e, struct buf *out) {
    if (e->file[0])
        buf_printf(out, "%s:", e->file);
    if (e->line)
        buf_printf(out, "%zu:", e->line);
    if (e->column)
        buf_printf(out, "%zu:", e->column);
    buf_printf(out, "%s%s", out->n ? " " : "", e->message);
    if (e->path[0])
        buf_printf(out, " (at %s)", e->path);
}
