/* Samples whose timestamps lie too far away. They were counted as they came, for each spelling and kind. A count is the answer when all that
 * it counts is asked for; else the samples of that series are looked at: some lie before `since`, or were evicted. */
#include "core/array.h"
#include "core/stray.h"
#include "store/sqlite/rows.h"
#include <errno.h>
#include <stdlib.h>

struct counted {
    uint64_t series_id, context_id;
    struct stray_row row;
    bool whole;
};

struct strays {
    struct rows *r;
    struct counted *list;
    size_t n, cap;
};

static int take_counted(struct strays *s, sqlite3_stmt *stmt, uint64_t since, struct err *err) {
    uint64_t first_id = db_id(stmt, 5), last_id = db_id(stmt, 6), first_kept = db_id(stmt, 7);
    int kind = sqlite3_column_int(stmt, 2);
    if (kind <= STRAY_NONE || kind > STRAY_KINDS)
        return rows_damaged(err);
    if (last_id <= since || last_id < first_kept)
        return 0;
    if (!array_room(&s->list, s->n, &s->cap, sizeof *s->list))
        return err_set(err, ENOMEM, "cannot read the recording");
    s->list[s->n++] = (struct counted){
        .series_id = db_id(stmt, 0),
        .context_id = db_id(stmt, 1),
        .row = {.kind = kind, .n = db_id(stmt, 3), .timestamp = sqlite3_column_int64(stmt, 4)},
        .whole = first_id > since && first_id >= first_kept,
    };
    return 0;
}

static int read_counted(struct strays *s, const struct filter *f, struct err *err) {
    sqlite3_stmt *stmt = rows_statement(
        s->r,
        "SELECT m.id, t.context_id, t.kind, t.n, t.timestamp, t.first_id, t.last_id, y.first_id FROM stray t" DB_SPELLING(
            "t.context_id") " CROSS JOIN summary y ON y.metric_id = m.id"
                            " WHERE ?1 IS NULL OR m.session_id = (SELECT id FROM session WHERE name = ?1) ORDER BY m.id, t.first_id",
        err);
    if (!stmt)
        return -1;
    db_bind_span(stmt, 1, f->session);
    int got = -1, result = 0;
    while (result == 0 && (got = db_row(s->r->db, stmt, err)) == 1)
        result = take_counted(s, stmt, f->since, err);
    rows_done(s->r, stmt);
    return got < 0 ? -1 : result;
}

/* Of one series, in order of spellings and kinds. */
struct again {
    struct counted **list;
    size_t n;
};

static int by_spelling(const void *a, const void *b) {
    const struct counted *x = *(struct counted *const *)a, *y = *(struct counted *const *)b;
    int order = (x->context_id > y->context_id) - (x->context_id < y->context_id);
    return order ? order : x->row.kind - y->row.kind;
}

static int count_again(void *arg, const struct sample_row *row) {
    const struct again *a = arg;
    struct counted of = {.context_id = row->spelling_id,
                         .row.kind =
                             (int)stray_of(row->value.timestamp, row->received_at, STRAY_POINT_OLD_S)},
                   *key = &of;
    struct counted *const *found = of.row.kind == STRAY_NONE
                                       ? NULL
                                       : bsearch(&key, a->list, a->n, sizeof(struct counted *), by_spelling);
    if (found && (*found)->row.n++ == 0)
        (*found)->row.timestamp = row->value.timestamp;
    return 0;
}

/* The next series in the list, which ends before *end. Its samples are read once, however many spellings it has. */
static int look_again(struct strays *s, size_t from, size_t *end, uint64_t since, struct err *err) {
    const uint64_t series_id = s->list[from].series_id;
    struct again a = {NULL, 0};
    for (*end = from; *end < s->n && s->list[*end].series_id == series_id; ++*end)
        a.n += !s->list[*end].whole;
    if (a.n == 0)
        return 0;
    if (!(a.list = malloc(a.n * sizeof(struct counted *))))
        return err_set(err, ENOMEM, "cannot read the recording");
    a.n = 0;
    for (size_t i = from; i < *end; i++) {
        if (s->list[i].whole)
            continue;
        s->list[i].row.n = 0;
        a.list[a.n++] = &s->list[i];
    }
    qsort(a.list, a.n, sizeof(struct counted *), by_spelling);
    struct filter f = {.series_id = series_id, .since = since, .timed = true};
    int result = rows_samples(&s->r->reader, &f, false, count_again, &a, err);
    free(a.list);
    return result;
}

int rows_strays(struct reader *reader, const struct filter *f, int (*row)(void *, const struct stray_row *),
                void *arg, struct err *err) {
    struct strays s = {.r = (struct rows *)reader};
    int result = read_counted(&s, f, err), stop = 0;
    for (size_t i = 0, looked = 0; i < s.n && result == 0 && !stop; i++) {
        struct counted *c = &s.list[i];
        if (i == looked)
            result = look_again(&s, i, &looked, f->since, err);
        struct rows_spelling *spelling =
            result == 0 && c->row.n > 0 ? rows_spelling(s.r, c->context_id, err) : NULL;
        if (spelling) {
            c->row.name = spelling->metric.name;
            stop = row(arg, &c->row);
        } else if (c->row.n > 0)
            result = -1;
    }
    free(s.list);
    return result;
}
