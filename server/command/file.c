#include "command/file.h"

#include "core/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static mode_t mode_of_new(void) {
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* --- the file beside, which a signal that ends the process takes along -------------------------------------- */

static int make_beside(char *path) {
    sigset_t before;
    leftover_hold(&before);
    int fd = mkostemp(path, O_CLOEXEC);
    int error = errno;
    if (fd >= 0)
        leftover_add(path);
    leftover_release(&before);
    errno = error;
    return fd;
}

/* It was renamed, or is to be unlinked. */
static void let_go(const char *beside, bool renamed) {
    if (!renamed)
        unlink(beside);
    leftover_forget(beside);
}

/* --- writing ------------------------------------------------------------------------------------------------- */

/* A descriptor of a new file beside the target; -1 with errno. */
static int open_beside(struct file_output *f, mode_t mode) {
    size_t size = strlen(f->target) + sizeof ".XXXXXX";
    f->beside = malloc(size);
    if (!f->beside)
        return -1;
    snprintf(f->beside, size, "%s.XXXXXX", f->target);
    int fd = make_beside(f->beside);
    if (fd >= 0 && fchmod(fd, mode) == 0)
        return fd;
    int error = errno;
    if (fd >= 0) {
        let_go(f->beside, false);
        close(fd);
    }
    errno = error;
    return -1;
}

bool file_is_stdout(const char *path) {
    return path && strcmp(path, "-") == 0;
}

bool file_is_replaced(const char *path) {
    struct stat st;
    return !file_is_stdout(path) && (stat(path, &st) != 0 || S_ISREG(st.st_mode));
}

int file_begin(struct file_output *f, const char *path, struct err *err) {
    struct stat st;
    bool there = stat(path, &st) == 0;
    *f = (struct file_output){.path = path};
    int fd = -1;
    if (there && !S_ISREG(st.st_mode))
        fd = open(path, O_WRONLY | O_CLOEXEC);
    else if ((f->target = there ? realpath(path, NULL) : strdup(path)))
        fd = open_beside(f, there ? st.st_mode & 0777 : mode_of_new());
    f->to = fd < 0 ? NULL : fdopen(fd, "w");
    if (f->to)
        return 0;
    err_set(err, errno, "cannot write %s", path);
    if (fd >= 0 && f->beside)
        let_go(f->beside, false);
    if (fd >= 0)
        close(fd);
    free(f->target);
    free(f->beside);
    return -1;
}

/* What is mounted by itself, as a container's single file, can't be replaced. 0 or what went wrong. */
static int copy_over(const char *from, const char *to) {
    int in = open(from, O_RDONLY | O_CLOEXEC), out = in < 0 ? -1 : open(to, O_WRONLY | O_TRUNC | O_CLOEXEC);
    ssize_t n = out < 0 ? -1 : 1;
    while (n > 0)
        n = sendfile(out, in, NULL, 1 << 30);
    int error = n < 0 ? errno : 0;
    if (out >= 0 && close(out) != 0 && !error)
        error = errno;
    if (in >= 0)
        close(in);
    return error;
}

int file_end(struct file_output *f, bool keep, struct err *err) {
    int error = fflush(f->to) != 0 ? errno : ferror(f->to) ? EIO : 0;
    if (fclose(f->to) != 0 && !error)
        error = errno;
    bool replaced = f->beside && keep && !error && rename(f->beside, f->target) == 0;
    if (f->beside && keep && !error && !replaced)
        error = errno == EBUSY || errno == EXDEV ? copy_over(f->beside, f->target) : errno;
    if (f->beside)
        let_go(f->beside, replaced);
    free(f->target);
    free(f->beside);
    return error && keep ? err_set(err, error, "cannot write %s", f->path) : 0;
}

int file_replace(const char *path, struct span text, struct err *err) {
    struct file_output f;
    if (file_begin(&f, path, err) != 0)
        return -1;
    fwrite(text.p ? text.p : "", 1, text.n, f.to);
    return file_end(&f, true, err);
}

void file_remove(const char *path) {
    struct stat st;
    if (!file_is_stdout(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        unlink(path);
}
