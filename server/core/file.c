#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int file_read_from(int fd, const char *name, size_t max, struct buf *text, struct err *err) {
    char piece[65536];
    ssize_t n = 0;
    *text = (struct buf){.max = max};
    while (!text->failed && (n = read(fd, piece, sizeof piece)) != 0) {
        if (n < 0 && errno != EINTR)
            return err_set(err, errno, "cannot read %s", name);
        if (n > 0)
            buf_add(text, piece, (size_t)n);
    }
    return text->failed ? err_set(err, 0, "%s is larger than %zu MiB", name, max >> 20) : 0;
}

int file_read(const char *path, size_t max, struct buf *text, struct err *err) {
    *text = (struct buf){.max = max};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "cannot read %s", path);
    int result = file_read_from(fd, path, max, text, err);
    close(fd);
    return result;
}
