#include "emit/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct statwit_error *error, enum statwit_error_code code, const char *format, ...) {
    if (!error)
        return -1;
    error->code = code;
    error->status = 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return -1;
}

int error_memory(struct statwit_error *error) {
    return error_set(error, STATWIT_NO_MEMORY, "out of memory");
}
