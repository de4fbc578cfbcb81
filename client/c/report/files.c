#include "report/files.h"

#include "emit/error.h"
#include "emit/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- one file ---- */

static int cannot(const char *verb, const char *path, struct statwit_error *error) {
    return error_set(error, STATWIT_INVALID, "cannot %s %.300s: %s", verb, path, strerror(errno));
}

static int read_all(int fd, struct text *text) {
    char piece[65536];
    ssize_t n;
    text_put(text, "", 0);
    while ((n = read(fd, piece, sizeof piece)) != 0 && !text->failed) {
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            text_put(text, piece, (size_t)n);
    }
    return 0;
}

char *files_read(const char *path, size_t max, size_t *size, bool *missing, struct statwit_error *error) {
    struct text text = {.max = max};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (missing)
        *missing = fd < 0 && errno == ENOENT;
    bool read_it = fd >= 0 && read_all(fd, &text) == 0;
    if (!read_it)
        cannot("read", path, error);
    else if (text.failed)
        error_set(error, STATWIT_INVALID, "%.300s is larger than %zu MiB, or memory is out", path, max >> 20);
    if (fd >= 0)
        close(fd);
    if (!read_it || text.failed) {
        text_free(&text);
        return NULL;
    }
    *size = text.size;
    return text.bytes;
}

/* The mode of what is replaced; else what the umask leaves of a new file's. */
static int open_beside(const char *path, char *beside) {
    struct stat old;
    int fd = mkostemp(beside, O_CLOEXEC);
    mode_t mode = 0644;
    if (stat(path, &old) == 0)
        mode = old.st_mode & 0777;
    if (fd >= 0 && fchmod(fd, mode) != 0) {
        close(fd);
        unlink(beside);
        return -1;
    }
    return fd;
}

int files_write(const char *path, const char *text, struct statwit_error *error) {
    struct text beside = {.max = 65536};
    text_puts(&beside, path);
    text_puts(&beside, ".XXXXXX");
    if (beside.failed)
        return error_memory(error);
    int fd = open_beside(path, beside.bytes);
    bool written = fd >= 0;
    for (size_t left = strlen(text); written && left > 0;) {
        ssize_t n = write(fd, text, left);
        if (n < 0 && errno != EINTR)
            written = false;
        text += n > 0 ? n : 0;
        left -= n > 0 ? (size_t)n : 0;
    }
    written = written && rename(beside.bytes, path) == 0;
    int result = written ? 0 : cannot("write", path, error);
    if (fd >= 0 && !written)
        unlink(beside.bytes);
    if (fd >= 0)
        close(fd);
    text_free(&beside);
    return result;
}

/* ---- a catalog ---- */

struct collection {
    json_t *files;               /* [{"file","text"}…] */
    json_t *includes[FILES_MAX]; /* of each, or NULL */
    size_t bytes;
};

static bool is_taken(const struct collection *c, const char *path) {
    const json_t *file;
    size_t i;
    json_array_foreach(c->files, i, file) {
        if (strcmp(json_string_value(json_object_get(file, "file")), path) == 0)
            return true;
    }
    return false;
}

static json_t *includes_of(const char *bytes, size_t size) {
    static const char bom[] = {'\xef', '\xbb', '\xbf'};
    size_t skip = size >= sizeof bom && memcmp(bytes, bom, sizeof bom) == 0 ? sizeof bom : 0;
    json_t *document = json_loadb(bytes + skip, size - skip, JSON_ALLOW_NUL, NULL);
    json_t *include = json_incref(json_object_get(document, "include"));
    json_decref(document);
    return include;
}

static int take_file(struct collection *c, const char *path, struct statwit_error *error) {
    size_t size = 0, n = json_array_size(c->files);
    char *bytes = files_read(path, FILES_BYTES_MAX, &size, NULL, error);
    if (!bytes)
        return -1;
    json_t *file = json_object();
    int failed = !file || json_object_set_new(file, "file", json_string(path));
    failed |= json_object_set_new(file, "text", json_stringn(bytes, size));
    failed |= json_array_append_new(c->files, file);
    if (!failed)
        c->includes[n] = includes_of(bytes, size);
    free(bytes);
    c->bytes += size;
    if (failed)
        return error_set(error, STATWIT_INVALID, "%.300s is not UTF-8, or memory is out", path);
    return c->bytes <= FILES_TOTAL_MAX
               ? 0
               : error_set(error, STATWIT_INVALID,
                           "%.300s and what was read before it are larger than %u MiB", path,
                           FILES_TOTAL_MAX >> 20);
}

/* The name of an included file is the includer's folder and what the include says; the server follows the same. */
static int take_include(struct collection *c, const char *base, const char *to, struct statwit_error *error) {
    const char *slash = *to == '/' ? NULL : strrchr(base, '/');
    struct text name = {.max = 65536};
    struct statwit_error why = {0};
    text_put(&name, base, slash ? (size_t)(slash - base) + 1 : 0);
    text_puts(&name, to);
    int result = 0;
    if (name.failed)
        result = error_set(error, STATWIT_INVALID, "what %.300s includes has too long a name", base);
    else if (!is_taken(c, name.bytes) && take_file(c, name.bytes, &why) != 0)
        result = error_set(error, why.code, "%.150s includes %.330s", base, why.text);
    text_free(&name);
    return result;
}

/* Every file once, and what it includes behind it. What is wrong with the includes otherwise, circles too, the server
 * says. */
static int take_includes(struct collection *c, struct statwit_error *error) {
    int result = 0;
    for (size_t i = 0; result == 0 && i < json_array_size(c->files); i++) {
        const char *base = json_string_value(json_object_get(json_array_get(c->files, i), "file"));
        size_t n = json_array_size(c->includes[i]);
        for (size_t k = 0; result == 0 && k < n && json_array_size(c->files) < FILES_MAX; k++) {
            const char *to = json_string_value(json_array_get(c->includes[i], k));
            if (to && *to)
                result = take_include(c, base, to, error);
        }
    }
    return result;
}

json_t *files_catalog(const char *path, struct statwit_error *error) {
    struct collection c = {.files = json_array()};
    int result = c.files ? take_file(&c, path, error) : error_memory(error);
    if (result == 0)
        result = take_includes(&c, error);
    for (size_t i = 0; i < FILES_MAX; i++)
        json_decref(c.includes[i]);
    if (result == 0)
        return c.files;
    json_decref(c.files);
    return NULL;
}
