/* A store that is only looked at: a pool of readers on one or two files, and what can be said of them. It has no connection that
 * writes, so nothing can be put into it. */
#include "store/sqlite/private.h"
#include "store/sqlite/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* DESIGN. What a recorder knows of its own file, counts and verdicts, is read here from the file. That is done when somebody asks and something
 * was committed since, on connections that are no others', so that who asks may have a reader of the pool. */
struct store_view {
    pthread_mutex_t lock;
    size_t n;
    struct rows *of[2];
    struct reader *reader; /* all of them */
    struct view_seen {
        uint64_t opened;
        unsigned version;
        struct reader_file file;
    } seen[2];
    atomic_uint_fast64_t changes, replaced;
    uint64_t told; /* the changes when all was read */
};

/* --- what the files hold ---------------------------------------------------------------------------------------------------- */

static int note_loss(void *arg, const struct loss_row *row) {
    struct store_stats *stats = arg;
    stats->losses[row->loss] += row->n;
    return 0;
}

static int add_count(struct rows *r, const char *sql, uint64_t *count, struct err *err) {
    int64_t n;
    if (db_int(r->db, sql, 0, &n, err) != 0)
        return -1;
    *count += (uint64_t)n;
    return 0;
}

/* What the lists of one file hold: not what its recorder has kept and puts there with its next commit. */
static int add_counts(struct rows *r, struct store_stats *stats, struct err *err) {
    static const struct filter all;
    struct rows_seen file;
    if (store_reader_see(r->path, &file))
        stats->bytes += (uint64_t)file.size + (uint64_t)file.log_size;
    return add_count(r, "SELECT sum(samples) FROM session_count", &stats->samples, err) != 0 ||
                   add_count(r, "SELECT sum(series) FROM session_count", &stats->series, err) != 0 ||
                   add_count(r, "SELECT sum(events) FROM session_count", &stats->events, err) != 0 ||
                   add_count(r, "SELECT sum(checks) FROM session_count", &stats->checks, err) != 0 ||
                   add_count(r, "SELECT sum(rejects) FROM session_count", &stats->rejects, err) != 0 ||
                   add_count(r, "SELECT count(*) FROM request", &stats->requests, err) != 0 ||
                   add_count(r, "SELECT count(*) FROM datagram", &stats->datagrams, err) != 0 ||
                   r->reader.ops->losses(&r->reader, &all, note_loss, stats, err) != 0
               ? -1
               : 0;
}

/* The reader has begun. */
static int see_files(struct store_view *v, struct err *err) {
    for (size_t i = 0; i < v->n; i++) {
        struct rows *r = v->of[i];
        struct view_seen *seen = &v->seen[i];
        struct reader_file file;
        bool known = seen->file.recording[0];
        if (known && seen->opened == r->opened && seen->version == r->version)
            continue;
        if (r->reader.ops->file(&r->reader, &file, err) != 0)
            return -1;
        v->replaced += known && !reader_file_is(&seen->file, &file);
        *seen = (struct view_seen){.opened = r->opened, .version = r->version, .file = file};
        v->changes++;
    }
    return 0;
}

/* The same; and all that is told of them. The name of the first is that of both. */
static int read_files(struct store *s, struct err *err) {
    struct store_view *v = s->view;
    struct store_stats stats = {0};
    if (see_files(v, err) != 0)
        return -1;
    if (v->told == v->changes)
        return 0;
    for (size_t i = 0; i < v->n; i++)
        if (add_counts(v->of[i], &stats, err) != 0)
            return -1;
    if (v->n > 1) /* pair.c tells of none */
        stats.datagrams = 0;
    if (store_verdicts_load(s, v->reader, err) != 0)
        return -1;
    pthread_mutex_lock(&s->stats_lock);
    s->stats = stats;
    memcpy(s->recording, v->seen[0].file.recording, sizeof s->recording);
    pthread_mutex_unlock(&s->stats_lock);
    v->told = v->changes;
    return 0;
}

/* The lock is held. */
static int look(struct store *s, bool reads, struct err *err) {
    struct reader *r = s->view->reader;
    if (r->ops->begin(r, err) != 0)
        return -1;
    int result = reads ? read_files(s, err) : see_files(s->view, err);
    r->ops->end(r);
    return result;
}

/* Who asks reads the files, too, and says what is wrong with them. */
static void look_now(struct store *s) {
    pthread_mutex_lock(&s->view->lock);
    look(s, true, NULL);
    pthread_mutex_unlock(&s->view->lock);
}

uint64_t store_view_changes(struct store *s) {
    struct store_view *v = s->view;
    if (pthread_mutex_trylock(&v->lock) == 0) { /* else somebody looks already */
        look(s, false, NULL);
        pthread_mutex_unlock(&v->lock);
    }
    return v->changes;
}

uint64_t store_view_replaced(struct store *s) {
    struct store_view *v = s->view;
    if (!v)
        return 0;
    pthread_mutex_lock(&v->lock);
    look(s, false, NULL);
    uint64_t replaced = v->replaced;
    pthread_mutex_unlock(&v->lock);
    return replaced;
}

/* --- open and close ---------------------------------------------------------------------------------------------------------- */

/* Who holds the lock of the view looks just now, and finds it himself. */
static void drop_all(struct store *s) {
    store_pool_drop(s, pair_drop);
    if (pthread_mutex_trylock(&s->view->lock) != 0)
        return;
    pair_drop(s->view->reader);
    pthread_mutex_unlock(&s->view->lock);
}

/* A file to look at, or the copy that is read in its place. */
struct viewed {
    char real[FILE_PATH_MAX], copy[FILE_PATH_MAX]; /* copy "": there is none */
    const char *path;
    struct rows_seen seen; /* before it was copied */
    bool left_out;         /* from the copy: its log, which is another file's */
};

static struct reader *open_one(struct store *s, const struct viewed *files, size_t n, struct rows *out[2],
                               struct err *err) {
    struct reader *of[2] = {NULL};
    for (size_t i = 0; i < n; i++) {
        if (!(of[i] = store_reader_open(files[i].path, err)) ||
            (files[i].copy[0] && store_reader_stands_for(of[i], files[i].real, &files[i].seen, err) != 0)) {
            reader_close(of[0]);
            reader_close(of[1]);
            return NULL;
        }
        store_reader_settles(of[i]);
        ((struct rows *)of[i])->view = s;
        ((struct rows *)of[i])->stuck = drop_all;
        if (files[i].copy[0] && files[i].left_out)
            store_reader_left_out(of[i]);
        if (out)
            out[i] = (struct rows *)of[i];
    }
    return n == 1 ? of[0] : pair_reader(of[0], of[1], err);
}

static int open_readers(struct store *s, const struct viewed *files, size_t n, struct err *err) {
    for (size_t i = 0; i < STORE_READERS; i++)
        if (!(s->pool.readers[i] = open_one(s, files, n, NULL, err)))
            return -1;
    s->view->n = n;
    s->view->reader = open_one(s, files, n, s->view->of, err);
    if (!s->view->reader)
        return -1;
    pthread_mutex_lock(&s->view->lock);
    int looked = look(s, true, err);
    pthread_mutex_unlock(&s->view->lock);
    return looked;
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
        struct err why = {0};
        failed = store_copy_settled(f->real, f->copy, &f->left_out, &why);
        bool unchanged = store_reader_unchanged(f->real, &f->seen);
        if (!failed && unchanged) {
            f->path = f->copy;
            continue;
        }
        if (!failed) /* of two states */
            file_private_remove(f->copy);
        else if (unchanged)
            err_pass(err, &why, NULL);
        f->copy[0] = '\0';
        failed = failed && unchanged;
    }
    failed = failed || open_readers(s, files, n, err) != 0;
    for (size_t i = 0; i < 2; i++) /* every connection is open: the names can go */
        if (files[i].copy[0])
            file_private_remove(files[i].copy);
    return failed ? -1 : 0;
}

static void close_view(struct store *s) {
    reader_close(s->view->reader);
    pthread_mutex_destroy(&s->view->lock);
    free(s->view);
}

static int start_view(struct store *s, struct err *err) {
    s->view = calloc(1, sizeof *s->view);
    if (!s->view)
        return err_set(err, ENOMEM, "cannot open the recording");
    pthread_mutex_init(&s->view->lock, NULL);
    s->look_end = close_view;
    return 0;
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
    if (store_verdicts_start(s, err) == 0 && start_view(s, err) == 0 && open_pool(s, paths, n, err) == 0) {
        s->look = look_now;
        return s;
    }
    store_close(s);
    return NULL;
}
