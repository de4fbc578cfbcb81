/* A store that is only looked at: a pool of readers on one or two files, and what can be said of them. It has no connection that
 * writes, so nothing can be put into it. */
#include "store/sqlite/private.h"
#include "store/sqlite/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void add_counts(struct store_stats *to, const struct store_stats *more) {
    to->samples += more->samples;
    to->series += more->series;
    to->events += more->events;
    to->checks += more->checks;
    to->rejects += more->rejects;
    to->requests += more->requests;
    to->datagrams += more->datagrams;
    for (int i = 0; i < LOSS_N; i++)
        to->losses[i] += more->losses[i];
}

/* A reader only: a run that died, or one that goes on. */
static int note_unwritten(void *arg, const struct loss_row *row) {
    struct store_stats *stats = arg;
    if (row->id == INT64_MAX)
        stats->losses[row->loss] += row->n;
    return 0;
}

/* What one file holds. The name of the first is that of both. */
static int count_file(struct store *s, struct reader *reader, const char *path, struct store_stats *all,
                      struct err *err) {
    struct stat st;
    s->db = ((struct rows *)reader)->db; /* only to be read, and only here */
    int failed = store_load_counts(s, err) != 0 || (!s->recording[0] && store_run_name(s, err) != 0);
    s->db = NULL;
    struct filter f = {.since = INT64_MAX - 1};
    if (failed || reader->ops->losses(reader, &f, note_unwritten, &s->now, err) != 0)
        return -1;
    add_counts(all, &s->now);
    all->bytes += stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    return 0;
}

/* A file to look at, or the copy that is read in its place. */
struct viewed {
    char real[FILE_PATH_MAX], copy[FILE_PATH_MAX]; /* copy "": there is none */
    const char *path;
    struct rows_seen seen; /* before it was copied */
};

static struct reader *open_one(struct store *s, const struct viewed *files, size_t n,
                               struct store_stats *count, struct err *err) {
    struct reader *of[2] = {NULL};
    for (size_t i = 0; i < n; i++)
        if (!(of[i] = store_reader_open(files[i].path, err)) ||
            (files[i].copy[0] && store_reader_stands_for(of[i], files[i].real, &files[i].seen, err) != 0) ||
            (count && count_file(s, of[i], files[i].path, count, err) != 0)) {
            reader_close(of[0]);
            reader_close(of[1]);
            return NULL;
        }
    return n == 1 ? of[0] : pair_reader(of[0], of[1], err);
}

static int open_readers(struct store *s, const struct viewed *files, size_t n, struct err *err) {
    struct store_stats count = {0};
    for (size_t i = 0; i < STORE_READERS; i++)
        if (!(s->pool.readers[i] = open_one(s, files, n, i ? NULL : &count, err)))
            return -1;
    if (n > 1) /* pair.c tells of none */
        count.datagrams = 0;
    s->stats = s->now = count;
    return store_verdicts_load(s, s->pool.readers[0], err);
}

static int open_pool(struct store *s, const char *const *paths, size_t n, struct err *err) {
    struct viewed files[2] = {0};
    int failed = 0;
    for (size_t i = 0; i < n && !failed; i++) {
        struct viewed *f = &files[i];
        f->path = paths[i];
        failed = file_path(paths[i], f->real, err);
        if (failed)
            continue;
        file_real(f->real);
        if (!store_reader_see(f->real, &f->seen) || !store_reader_unsettled(f->real))
            continue;
        failed = store_copy_settled(f->real, f->copy, err);
        if (failed)
            f->copy[0] = '\0';
        else
            f->path = f->copy;
    }
    failed = failed || open_readers(s, files, n, err) != 0;
    for (size_t i = 0; i < 2; i++) /* every connection is open: the names can go */
        if (files[i].copy[0])
            store_copy_remove(files[i].copy);
    return failed ? -1 : 0;
}

struct store *store_open_view(const char *const *paths, size_t n, struct err *err) {
    struct store *s = calloc(1, sizeof *s);
    int named = !s       ? -1
                : n == 1 ? asprintf(&s->path_given, "%s", paths[0])
                         : asprintf(&s->path_given, "%s, %s", paths[0], paths[1]);
    if (named < 0) {
        free(s);
        err_set(err, ENOMEM, "cannot open the recording");
        return NULL;
    }
    s->options.path = s->path_given;
    s->lock_fd = -1;
    pthread_mutex_init(&s->stats_lock, NULL);
    pthread_mutex_init(&s->pool.lock, NULL);
    pthread_cond_init(&s->pool.given, NULL);
    if (store_verdicts_start(s, err) == 0 && open_pool(s, paths, n, err) == 0)
        return s;
    store_close(s);
    return NULL;
}
