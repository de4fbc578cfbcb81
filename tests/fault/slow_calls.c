/* For LD_PRELOAD: of the calls that look for, open, read, write, lock and remove files, one in SLOW_CALLS takes up to 8 ms longer, so that what
 * other processes do comes in between. No test is right because of it, or wrong. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void be_late(void) {
    static _Thread_local unsigned seed;
    if (!seed)
        seed = (unsigned)time(NULL) * 31 + (unsigned)gettid();
    const char *text = getenv("SLOW_CALLS");
    int one_in = text ? atoi(text) : 0;
    if (one_in > 0 && rand_r(&seed) % one_in == 0)
        nanosleep(&(struct timespec){.tv_nsec = rand_r(&seed) % 8000 * 1000L}, NULL);
}

/* The C library's own, behind this one. */
#define LATE(type, name, parameters, arguments)                                                              \
    type name parameters {                                                                                   \
        static type(*real) parameters;                                                                       \
        if (!real)                                                                                           \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                                       \
        be_late();                                                                                           \
        return real arguments;                                                                               \
    }

LATE(int, stat, (const char *path, struct stat *st), (path, st))
LATE(int, stat64, (const char *path, struct stat64 *st), (path, st))
LATE(int, fstat, (int fd, struct stat *st), (fd, st))
LATE(int, fstat64, (int fd, struct stat64 *st), (fd, st))
LATE(int, access, (const char *path, int mode), (path, mode))
LATE(int, unlink, (const char *path), (path))
LATE(ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
LATE(ssize_t, pread64, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
LATE(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
LATE(ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))

/* The third argument, where there is none, is handed on as it lies there. */
#define LATE_OPEN(name, first)                                                                               \
    int name(first, int flags, ...) {                                                                        \
        static int (*real)(first, int, ...);                                                                 \
        va_list rest;                                                                                        \
        if (!real)                                                                                           \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                                       \
        va_start(rest, flags);                                                                               \
        void *third = va_arg(rest, void *);                                                                  \
        va_end(rest);                                                                                        \
        be_late();                                                                                           \
        return real(at, flags, third);                                                                       \
    }

LATE_OPEN(open, const char *at)
LATE_OPEN(open64, const char *at)
LATE_OPEN(fcntl, int at)
LATE_OPEN(fcntl64, int at)
