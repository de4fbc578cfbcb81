#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The system's words for EAGAIN ("try again") help nobody when a thread or a process could not be started. */
static const char *words_of(int sys, char *room, size_t size) {
    if (sys == EAGAIN)
        return "no more threads or processes are allowed here (ulimit -u, TasksMax=, a container's pids limit)";
#ifdef __GLIBC__
    return strerror_r(sys, room, size); /* GNU's, which may answer with a text of its own */
#else
    return strerror_r(sys, room, size) == 0 ? room : "an error that the system has no words for";
#endif
}

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
        snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", words_of(sys, words, sizeof words));
    }
    return -1;
}

int err_pass(struct err *err, const struct err *why, const char *of) {
    bool named = !of || strstr(why->text, of);
    err_set(err, 0, "%s%s%s", named ? "" : of, named ? "" : ": ", why->text);
    if (err)
        err->sys = why->sys;
    return -1;
}
