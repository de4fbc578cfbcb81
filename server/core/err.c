#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int sys, const char *format, ...) {
    if (!err || err->set)
        return -1;
    err->set = true;
    err->sys = sys;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (sys != 0 && n >= 0 && (size_t)n < sizeof err->text) {
        char words[128];
        const char *text = strerror_r(sys, words, sizeof words);
        snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", text);
    }
    return -1;
}
