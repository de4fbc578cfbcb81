/* The last reports. They are kept in memory, where any thread puts and reads them, and are written to the file by whoever commits. */
#include "store/sqlite/private.h"
#include <errno.h>
#include <stdlib.h>

struct kept {
    struct verdict_row row; /* its texts stand in `text` */
    char *text;             /* NULL: the slot is free */
    uint64_t worth;      /* who has least of it makes room: a free slot, the oldest that passed, the oldest */
    uint64_t writing_id; /* its row's id when the transaction under way wrote it, */
    uint64_t written_id; /* and when one was committed */
};

struct verdicts {
    pthread_mutex_t lock;
    uint64_t last_id;
    bool loading; /* what comes is in the file already, */
    bool moved;   /* in another slot than here: the next commit writes all anew */
    struct kept list[STORE_VERDICTS_MAX];
};

int store_verdicts_start(struct store *s, struct err *err) {
    s->verdicts = calloc(1, sizeof *s->verdicts);
    if (!s->verdicts)
        return err_set(err, ENOMEM, "cannot open the recording");
    pthread_mutex_init(&s->verdicts->lock, NULL);
    return 0;
}

static void clear(struct verdicts *v) {
    for (size_t i = 0; i < STORE_VERDICTS_MAX; i++) {
        free(v->list[i].text);
        v->list[i] = (struct kept){0};
    }
}

void store_verdicts_stop(struct store *s) {
    struct verdicts *v = s->verdicts;
    if (!v)
        return;
    clear(v);
    pthread_mutex_destroy(&v->lock);
    free(v);
}

/* --- in memory --------------------------------------------------------------------------------------------------------------- */

static bool same_question(const struct verdict_row *a, const struct verdict_row *b) {
    return a->question == b->question && span_eq(a->kind, b->kind) && span_eq(a->session, b->session);
}

static uint64_t worth_of(const struct verdict_row *row) {
    return span_eq(row->verdict, SPAN("pass")) ? row->id : row->id | UINT64_C(1) << 63;
}

/* The one whose place a row takes. */
static struct kept *place_for(struct verdicts *v, const struct verdict_row *row) {
    struct kept *least = &v->list[0];
    for (size_t i = 0; i < STORE_VERDICTS_MAX; i++) {
        struct kept *k = &v->list[i];
        if (k->text && same_question(&k->row, row))
            return k;
        if (k->worth < least->worth)
            least = k;
    }
    return least;
}

static struct span add_text(char **at, struct span text) {
    char *p = *at;
    if (text.n)
        memcpy(p, text.p, text.n);
    *at += text.n;
    return span_of(p, text.n);
}

/* The lock is held. */
static int keep(struct verdicts *v, const struct verdict_row *row) {
    char *text = malloc(row->session.n + row->kind.n + row->verdict.n + row->report.n + 1), *at = text;
    if (!text)
        return -1;
    struct kept *k = place_for(v, row);
    bool again = k->text && same_question(&k->row, row);
    uint64_t asked = again ? k->row.asked : 0;
    int64_t first_at = again ? k->row.first_at : row->at;
    free(k->text);
    k->text = text;
    k->row = *row;
    k->row.session = add_text(&at, row->session);
    k->row.kind = add_text(&at, row->kind);
    k->row.verdict = add_text(&at, row->verdict);
    k->row.report = add_text(&at, row->report);
    if (!v->loading) {
        k->row.id = v->last_id + 1;
        k->row.asked = asked + 1;
        k->row.first_at = first_at;
    }
    k->worth = worth_of(&k->row);
    if (v->last_id < k->row.id)
        v->last_id = k->row.id;
    k->written_id = v->loading ? k->row.id : 0;
    return 0;
}

int store_verdict(struct store *s, const struct verdict_row *verdict) {
    struct verdicts *v = s->verdicts;
    if (verdict->report.n > STORE_VERDICT_SIZE_MAX)
        return -1;
    pthread_mutex_lock(&v->lock);
    int result = keep(v, verdict);
    pthread_mutex_unlock(&v->lock);
    return result;
}

static int newer_first(const void *a, const void *b) {
    const struct kept *x = *(const struct kept *const *)a, *y = *(const struct kept *const *)b;
    return (x->row.id < y->row.id) - (x->row.id > y->row.id);
}

void store_verdicts_each(struct store *s, int (*fn)(void *arg, const struct verdict_row *), void *arg) {
    struct verdicts *v = s->verdicts;
    const struct kept *sorted[STORE_VERDICTS_MAX];
    size_t n = 0;
    if (s->look)
        s->look(s);
    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < STORE_VERDICTS_MAX; i++)
        if (v->list[i].text)
            sorted[n++] = &v->list[i];
    qsort(sorted, n, sizeof sorted[0], newer_first);
    for (size_t i = 0; i < n && fn(arg, &sorted[i]->row) == 0; i++) {
    }
    pthread_mutex_unlock(&v->lock);
}

static int count_one(void *arg, const struct verdict_row *row) {
    struct store_verdict_counts *counts = arg;
    counts->kept++;
    counts->failed += span_eq(row->verdict, SPAN("fail"));
    if (counts->last_id < row->id)
        counts->last_id = row->id;
    return 0;
}

void store_verdicts_count(struct store *s, struct store_verdict_counts *counts) {
    *counts = (struct store_verdict_counts){0};
    store_verdicts_each(s, count_one, counts);
}

/* --- in the file ------------------------------------------------------------------------------------------------------------- */

static int load_one(void *arg, const struct verdict_row *row) {
    struct verdicts *v = arg;
    return row->report.n <= STORE_VERDICT_SIZE_MAX ? keep(v, row) != 0 : 0;
}

int store_verdicts_load(struct store *s, struct reader *reader, struct err *err) {
    struct verdicts *v = s->verdicts;
    if (!reader->ops->verdicts)
        return 0;
    struct verdicts *fresh = calloc(1, sizeof *fresh);
    if (!fresh)
        return err_set(err, ENOMEM, "cannot read the verdicts");
    fresh->loading = true;
    int result = reader->ops->verdicts(reader, load_one, fresh, err);
    if (result == 0) {
        pthread_mutex_lock(&v->lock);
        clear(v);
        memcpy(v->list, fresh->list, sizeof v->list);
        v->last_id = fresh->last_id;
        v->moved = v->last_id > 0;
        pthread_mutex_unlock(&v->lock);
    } else
        clear(fresh);
    free(fresh);
    return result;
}

bool store_verdicts_due(struct store *s) {
    struct verdicts *v = s->verdicts;
    bool due = false;
    if (!v || !s->db || s->in_memory)
        return false;
    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < STORE_VERDICTS_MAX; i++)
        due = due || (v->list[i].text && v->list[i].written_id != v->list[i].row.id);
    pthread_mutex_unlock(&v->lock);
    return due;
}

static int write_one(struct store *s, sqlite3_stmt *stmt, size_t slot, const struct verdict_row *row,
                     struct err *err) {
    db_bind_id(stmt, 1, slot);
    db_bind_id(stmt, 2, row->id);
    sqlite3_bind_int64(stmt, 3, row->first_at);
    sqlite3_bind_int64(stmt, 4, row->at);
    db_bind_id(stmt, 5, row->asked);
    db_bind_id(stmt, 6, row->question);
    db_bind_span(stmt, 7, row->session);
    db_bind_span(stmt, 8, row->kind);
    db_bind_span(stmt, 9, row->verdict);
    db_bind_span(stmt, 10, row->report);
    return db_done(s->db, stmt, err);
}

int store_verdicts_write(struct store *s, struct err *err) {
    struct verdicts *v = s->verdicts;
    if (!store_verdicts_due(s))
        return 0;
    sqlite3_stmt *stmt = db_prepare(s->db,
                                    "INSERT OR REPLACE INTO verdict (slot, id, first_at, at, asked, question,"
                                    " session, kind, verdict, report) VALUES (?,?,?,?,?,?,?,?,?,?)",
                                    err);
    if (!stmt)
        return -1;
    pthread_mutex_lock(&v->lock);
    int result = v->moved ? db_run(s->db, "DELETE FROM verdict", err) : 0;
    for (size_t i = 0; i < STORE_VERDICTS_MAX && result == 0; i++) {
        struct kept *k = &v->list[i];
        if (!k->text || (k->written_id == k->row.id && !v->moved))
            continue;
        result = write_one(s, stmt, i, &k->row, err);
        k->writing_id = k->row.id;
    }
    pthread_mutex_unlock(&v->lock);
    sqlite3_finalize(stmt);
    return result;
}

void store_verdicts_written(struct store *s) {
    struct verdicts *v = s->verdicts;
    if (!v)
        return;
    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < STORE_VERDICTS_MAX; i++) {
        struct kept *k = &v->list[i];
        v->moved = v->moved && !k->writing_id;
        if (k->writing_id && k->writing_id == k->row.id)
            k->written_id = k->writing_id;
        k->writing_id = 0;
    }
    pthread_mutex_unlock(&v->lock);
}

int store_verdicts_clear(struct store *s, struct err *err) {
    struct verdicts *v = s->verdicts;
    pthread_mutex_lock(&v->lock);
    clear(v);
    pthread_mutex_unlock(&v->lock);
    return db_run(s->db, "DELETE FROM verdict", err);
}
