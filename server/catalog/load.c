/* Files and what they include, as one catalog. */
#include "catalog/catalog.h"

#include "core/file.h"
#include <stdlib.h>

int catalog_read_text(struct catalog *c, const char *file, struct span text, struct catalog_error *error) {
    size_t i = span_starts(text, SPAN("\xef\xbb\xbf")) ? 3 : 0;
    if (text.n > CATALOG_FILE_MAX)
        return catalog_fail(error, file, 0, 0, "a catalog of %zu bytes: at most %u are read", text.n,
                            CATALOG_FILE_MAX);
    while (i < text.n && memchr(" \t\r\n", text.p[i], 4))
        i++;
    c->n_includes = 0;
    bool json = i < text.n && (text.p[i] == '{' || text.p[i] == '[');
    return json ? catalog_read_json(c, file, text, error) : catalog_read_csv(c, file, text, error);
}

struct catalog *catalog_read(const char *file, struct span text, struct catalog_error *error) {
    struct catalog *c = calloc(1, sizeof *c);
    file = file ? file : "";
    struct span name = c ? arena_copy(&c->arena, span_of(file, strlen(file) + 1)) : (struct span){NULL, 0};
    int result =
        name.p ? catalog_read_text(c, name.p, text, error) : catalog_fail(error, file, 0, 0, "out of memory");
    if (result == 0)
        return c;
    catalog_free(c);
    return NULL;
}

struct loader {
    struct catalog *catalog;
    catalog_open_fn *open;
    void *arg;
    size_t n_files;
    const char *files[CATALOG_FILES_MAX]; /* loaded, or being loaded */
    size_t depth;
    const char *stack[CATALOG_DEPTH_MAX]; /* being loaded, the outermost first */
    struct catalog_error *error;
};

char *catalog_open_file(void *arg, const char *path, size_t *n, struct err *err) {
    (void)arg;
    struct buf text;
    struct err why = {0};
    bool read = file_read(path, CATALOG_FILE_MAX, &text, &why) == 0;
    if (!read && text.failed)
        err_set(err, 0, "%s is too large: at most %u bytes are read", path, CATALOG_FILE_MAX);
    else if (!read)
        err_set(err, 0, "%s", why.text);
    if (!read)
        buf_free(&text);
    *n = text.n;
    return text.p || !read ? text.p : calloc(1, 1); /* an empty file is a text too */
}

struct span catalog_path(struct arena *arena, const char *base, struct span path) {
    const char *slash = base && path.n && path.p[0] != '/' ? strrchr(base, '/') : NULL;
    size_t folder = slash ? (size_t)(slash - base) + 1 : 0;
    char *joined = memory_take(arena, folder + path.n + 1);
    if (!joined)
        return (struct span){NULL, 0};
    size_t n = 0, root = 0;
    char *raw = memory_take(arena, folder + path.n + 1);
    if (!raw)
        return (struct span){NULL, 0};
    if (folder)
        memcpy(raw, base, folder);
    memcpy(raw + folder, path.p, path.n);
    size_t end = folder + path.n;
    if (end && raw[0] == '/')
        joined[n++] = '/', root = 1;
    for (size_t i = 0; i < end;) {
        const char *next = memchr(raw + i, '/', end - i);
        size_t length = next ? (size_t)(next - raw) - i : end - i;
        struct span part = span_of(raw + i, length);
        i += length + 1;
        if (length == 0 || span_eq(part, SPAN(".")))
            continue;
        size_t last = n;
        while (last > root && joined[last - 1] != '/')
            last--;
        bool up = span_eq(part, SPAN(".."));
        if (up && n > root && !span_eq(span_of(joined + last, n - last), SPAN(".."))) {
            n = last > root ? last - 1 : root;
            continue;
        }
        if (n > root)
            joined[n++] = '/';
        memcpy(joined + n, part.p, part.n);
        n += part.n;
    }
    joined[n] = '\0';
    return span_of(joined, n);
}

/* The file that includes another one; file NULL: none does. */
struct includer {
    const char *file;
    size_t line, column;
};

static int load_one(struct loader *l, const char *path, const struct includer *from);

static int refuse_cycle(struct loader *l, const char *path, const struct includer *from) {
    struct buf way = {.max = 300};
    bool within = false;
    for (size_t i = 0; i < l->depth; i++) {
        within |= strcmp(l->stack[i], path) == 0;
        if (within)
            buf_printf(&way, "%s -> ", l->stack[i]);
    }
    int result = 0;
    if (within)
        result = catalog_fail(l->error, from->file, from->line, from->column,
                              "the includes go in a circle: %s%s", way.p ? way.p : "", path);
    buf_free(&way);
    return result;
}

static int load_includes(struct loader *l, const char *path) {
    size_t n = l->catalog->n_includes;
    const struct span *includes = l->catalog->includes;
    const size_t *lines = l->catalog->include_lines, *columns = l->catalog->include_columns;
    for (size_t i = 0; i < n; i++) {
        struct span joined =
            includes[i].n ? catalog_path(&l->catalog->arena, path, includes[i]) : (struct span){NULL, 0};
        if (!joined.p)
            return catalog_fail(l->error, path, lines[i], columns[i], "an include of nothing");
        if (load_one(l, joined.p, &(struct includer){path, lines[i], columns[i]}))
            return -1;
    }
    return 0;
}

static int load_one(struct loader *l, const char *path, const struct includer *from) {
    if (refuse_cycle(l, path, from))
        return -1;
    for (size_t i = 0; i < l->n_files; i++)
        if (strcmp(l->files[i], path) == 0)
            return 0;
    if (l->n_files == CATALOG_FILES_MAX || l->depth == CATALOG_DEPTH_MAX)
        return catalog_fail(l->error, from->file, from->line, from->column,
                            "too many includes: at most %d files, %d deep", CATALOG_FILES_MAX,
                            CATALOG_DEPTH_MAX);
    struct err err = {0};
    size_t n = 0;
    char *text = l->open(l->arg, path, &n, &err);
    if (!text)
        return catalog_fail(l->error, from->file, from->line, from->column, "%s", err.text);
    l->files[l->n_files++] = path;
    l->stack[l->depth++] = path;
    int result = catalog_read_text(l->catalog, path, span_of(text, n), l->error);
    free(text);
    if (result == 0)
        result = load_includes(l, path);
    l->depth--;
    return result;
}

struct catalog *catalog_load(size_t n, const char *const *paths, catalog_open_fn *open, void *arg,
                             struct catalog_error *error) {
    struct loader l = {.catalog = calloc(1, sizeof *l.catalog), .open = open, .arg = arg, .error = error};
    int result = l.catalog ? 0 : catalog_fail(error, NULL, 0, 0, "out of memory");
    for (size_t i = 0; result == 0 && i < n; i++) {
        struct span path = catalog_path(&l.catalog->arena, NULL, span_str(paths[i]));
        result = path.p ? load_one(&l, path.p, &(struct includer){NULL, 0, 0})
                        : catalog_fail(error, NULL, 0, 0, "out of memory");
    }
    if (result == 0)
        result = catalog_finish(l.catalog, error);
    if (result == 0)
        return l.catalog;
    catalog_free(l.catalog);
    return NULL;
}
