#include "command/file.h"

#include "core/buf.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0, or an errno. Closes fd. */
static int write_all(int fd, struct span text) {
    int error = 0;
    for (size_t done = 0; error == 0 && done < text.n;) {
        ssize_t n = write(fd, text.p + done, text.n - done);
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            error = errno;
    }
    return close(fd) != 0 && error == 0 ? errno : error;
}

static int write_into(const char *path, struct span text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? errno : write_all(fd, text);
}

static int write_beside(const char *path, mode_t mode, struct span text) {
    struct buf beside = {.max = 65536};
    buf_printf(&beside, "%s.XXXXXX", path);
    int fd = beside.failed ? -1 : mkostemp(beside.p, O_CLOEXEC);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0) {
        int refused = fchmod(fd, mode) != 0 ? errno : 0;
        error = write_all(fd, text);
        error = refused ? refused : error;
        if (error == 0 && rename(beside.p, path) != 0)
            error = errno;
        if (error != 0)
            unlink(beside.p);
    }
    buf_free(&beside);
    return error;
}

static mode_t mode_of_new(void) {
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

int file_replace(const char *path, struct span text, struct err *err) {
    struct stat st;
    bool there = stat(path, &st) == 0;
    char *target = there ? realpath(path, NULL) : NULL;
    int error = there && !S_ISREG(st.st_mode)
                    ? write_into(path, text)
                    : write_beside(target ? target : path, there ? st.st_mode & 0777 : mode_of_new(), text);
    free(target);
    return error ? err_set(err, error, "cannot write %s", path) : 0;
}

void file_remove(const char *path) {
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        unlink(path);
}
