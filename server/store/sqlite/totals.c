/* DESIGN. Each series knows its name, and leads to the series of that name before it. When a name comes to TOTALS_FROM series, its totals are
 * summed up along that chain, once; from then on each slice adds to them what it adds to the series. What was evicted or read from
 * the file is summed up along the chain again. A row is written with the summaries that it sums up, in the same transaction. */
#include "store/sqlite/totals.h"

#include "core/array.h"
#include "core/json.h"
#include "store/sqlite/private.h"
#include "store/sqlite/rows.h"
#include <errno.h>
#include <math.h>
#include <xxhash.h>

static int no_memory(struct err *err) {
    return err_set(err, ENOMEM, "cannot record");
}

/* --- tag keys -------------------------------------------------------------------------------------------- */

static void add_key(struct total *t, struct span tag) {
    const char *colon = tag.n ? memchr(tag.p, ':', tag.n) : NULL;
    struct span key = colon ? span_of(tag.p, (size_t)(colon - tag.p)) : tag;
    uint64_t hash = XXH3_64bits(key.n ? key.p : "", key.n);
    for (size_t i = 0; i < t->n_keys; i++)
        if (t->keys[i] == hash)
            return;
    t->keys[t->n_keys++] = hash;
    buf_char(&t->text, t->text.n ? ',' : '[');
    json_put_string_raw(&t->text, key);
}

static void add_keys(struct total *t, size_t n_tags, const struct span *tags) {
    for (size_t i = 0; i < n_tags && t->n_keys < TOTALS_KEYS; i++)
        add_key(t, tags[i]);
}

static void clear_keys(struct total *t) {
    t->n_keys = 0;
    buf_clear(&t->text);
}

/* Those that its row in the file has, and the id of the newest series that they are of. 0: there is no row. */
static int read_keys(struct store *s, struct total *t, struct rows_tags *tags, uint64_t *after,
                     struct err *err) {
    const struct intern *in = &s->intern;
    sqlite3_stmt *stmt = s->sql[SQL_TOTAL_KEYS];
    db_bind_id(stmt, 1, t->metric_id);
    int got = db_row(s->db, stmt, err);
    *after = 0;
    if (got == 1 && rows_tags(tags, db_span(stmt, 1), err) == 0) {
        uint32_t newer = in->names[t->name].n_series - (uint32_t)db_id(stmt, 0);
        uint32_t ix = in->names[t->name].newest;
        while (newer-- > 0 && ix != INTERN_NONE)
            ix = in->series[ix].before;
        *after = ix == INTERN_NONE ? 0 : in->series[ix].id;
        if (*after)
            add_keys(t, tags->n, tags->tags);
    } else if (got == 1) {
        got = -1;
    }
    sqlite3_reset(stmt);
    return got < 0 ? -1 : 0;
}

/* Those of all its series that the row does not know. */
static int find_keys(struct store *s, struct total *t, struct err *err) {
    struct rows_tags tags = {0};
    uint64_t after;
    clear_keys(t);
    int got = read_keys(s, t, &tags, &after, err);
    if (got == 0) {
        sqlite3_stmt *stmt = s->sql[SQL_TOTAL_TAGS];
        db_bind_id(stmt, 1, t->metric_id);
        db_bind_id(stmt, 2, after);
        while (t->n_keys < TOTALS_KEYS && (got = db_row(s->db, stmt, err)) == 1) {
            if (rows_tags(&tags, db_span(stmt, 0), err) != 0) {
                got = -1;
                break;
            }
            add_keys(t, tags.n, tags.tags);
        }
        sqlite3_reset(stmt);
    }
    rows_tags_free(&tags);
    t->has_keys = got >= 0;
    return t->has_keys ? 0 : -1;
}

/* --- joining --------------------------------------------------------------------------------------------- */

bool totals_hash(struct store *s, uint64_t session_id, uint64_t era, enum metric_type type, struct span name,
                 struct intern_hash *hash) {
    struct buf *key = &s->totals.key;
    struct {
        uint64_t session_id, era;
        uint32_t kind, type;
    } head = {session_id, era, 'N', (uint32_t)type};
    key->max = STORE_SCRATCH_MAX;
    buf_clear(key);
    buf_add(key, &head, sizeof head);
    buf_span(key, name);
    *hash = intern_hash(&s->intern, buf_view(key));
    return !key->failed;
}

static void make_dirty(struct name_totals *t, uint32_t ix) {
    if (!t->list[ix].dirty)
        t->dirty[t->n_dirty++] = ix;
    t->list[ix].dirty = true;
}

static int add_due(struct name_totals *t, uint64_t session_id, uint32_t name, struct err *err) {
    if (!array_room(&t->due, t->n_due, &t->cap_due, sizeof *t->due))
        return no_memory(err);
    t->due[t->n_due++] = (struct due_total){session_id, name};
    return 0;
}

int totals_join(struct store *s, uint64_t session_id, struct intern_hash hash, uint32_t series, size_t n_tags,
                const struct span *tags, struct err *err) {
    struct intern *in = &s->intern;
    struct name_totals *t = &s->totals;
    uint32_t ix = intern_find(in, hash);
    if (ix == INTERN_NONE) {
        struct intern_name new_name = {0, series, INTERN_NONE, INTERN_NONE};
        ix = intern_add_name(in, &new_name);
        if (ix == INTERN_NONE || !intern_lead(in, hash, ix))
            return no_memory(err);
        struct store_session *session = store_find_session(s, session_id);
        if (session)
            session->n_interned++;
    }
    struct intern_name *n = &in->names[ix];
    struct intern_series *y = &in->series[series];
    y->before = n->newest;
    y->totalled = n->total != INTERN_NONE;
    y->of = (y->totalled ? n->total : ix) & (INTERN_NAMES_MAX - 1);
    n->newest = series;
    n->n_series++;
    if (y->totalled) {
        if (tags && t->list[n->total].has_keys)
            add_keys(&t->list[n->total], n_tags, tags);
        make_dirty(t, n->total);
        return 0;
    }
    return n->n_series == TOTALS_FROM ? add_due(t, session_id, ix, err) : 0;
}

/* --- summing up ------------------------------------------------------------------------------------------ */

void totals_add(struct store *s, uint32_t total, const struct slice_group *g, uint64_t last_id) {
    struct total *t = &s->totals.list[total];
    t->samples += g->n;
    t->count += g->count;
    t->sum += g->sum;
    if (!(t->min <= g->min) && !isnan(g->min))
        t->min = g->min;
    if (!(t->max >= g->max) && !isnan(g->max))
        t->max = g->max;
    if (g->first_at < t->first_at)
        t->first_at = g->first_at;
    if (last_id > t->last_id) {
        t->last_id = last_id;
        t->last_at = g->last_at;
        t->last = g->last_value;
    }
    make_dirty(&s->totals, total);
}

static void sum_up(struct store *s, struct total *t) {
    const struct intern *in = &s->intern;
    const struct intern_name *n = &in->names[t->name];
    t->samples = t->last_id = 0;
    t->count = t->sum = 0;
    t->min = t->max = t->last = (double)NAN;
    t->first_at = INT64_MAX;
    t->last_at = 0;
    for (uint32_t ix = n->newest; ix != INTERN_NONE; ix = in->series[ix].before) {
        struct intern_series *y = &in->series[ix];
        y->totalled = 1;
        y->of = n->total & (INTERN_NAMES_MAX - 1);
        if (y->samples == 0)
            continue;
        t->samples += y->samples;
        t->count += y->count;
        t->sum += y->sum;
        if (!(t->min <= y->min) && !isnan(y->min))
            t->min = y->min;
        if (!(t->max >= y->max) && !isnan(y->max))
            t->max = y->max;
        if (y->first_at < t->first_at)
            t->first_at = y->first_at;
        if (y->last_id > t->last_id) {
            t->last_id = y->last_id;
            t->last_at = y->last_at;
            t->last = y->last;
        }
    }
    t->stale = false;
}

static bool totals_room(struct name_totals *t) {
    size_t before = t->cap;
    if (!array_room(&t->list, t->n, &t->cap, sizeof *t->list))
        return false;
    uint32_t *dirty = t->cap == before ? t->dirty : realloc(t->dirty, t->cap * sizeof *dirty);
    if (!dirty)
        t->cap = before;
    else
        t->dirty = dirty;
    return dirty != NULL;
}

/* Of the names that have come to so many series. */
int totals_begin(struct store *s, struct err *err) {
    struct name_totals *t = &s->totals;
    for (size_t i = 0; i < t->n_due; i++) {
        struct intern_name *n = &s->intern.names[t->due[i].name];
        if (t->n >= INTERN_NAMES_MAX || !totals_room(t))
            return no_memory(err);
        n->total = (uint32_t)t->n;
        t->list[t->n++] = (struct total){.metric_id = s->intern.series[n->oldest].id,
                                         .session_id = t->due[i].session_id,
                                         .name = t->due[i].name,
                                         .stale = true,
                                         .text.max = STORE_SCRATCH_MAX};
        make_dirty(t, n->total);
    }
    t->n_due = 0;
    return 0;
}

/* --- writing --------------------------------------------------------------------------------------------- */

static int ready_rows(struct store *s, struct err *err) {
    struct name_totals *t = &s->totals;
    for (size_t i = 0; i < t->n_dirty; i++) {
        struct total *one = &t->list[t->dirty[i]];
        if (one->stale)
            sum_up(s, one);
        if (!one->has_keys && find_keys(s, one, err) != 0)
            return -1;
    }
    return 0;
}

static bool total_row(void *arg, size_t i, struct bulk_value *values) {
    struct store *s = arg;
    struct total *t = &s->totals.list[s->totals.dirty[i]];
    const double numbers[] = {t->count, t->sum, t->min, t->max, t->last};
    struct buf *text = &s->totals.key;
    buf_clear(text);
    buf_span(text, t->n_keys ? buf_view(&t->text) : SPAN("["));
    buf_char(text, ']');
    bulk_id(&values[0], t->metric_id);
    bulk_integer(&values[1], s->intern.names[t->name].n_series);
    bulk_id(&values[2], t->samples);
    for (int k = 0; k < 5; k++)
        bulk_number(&values[3 + k], numbers[k]);
    bulk_integer(&values[8], t->first_at);
    bulk_integer(&values[9], t->last_at);
    bulk_id(&values[10], t->last_id);
    bulk_text(&values[11], buf_view(text));
    t->dirty = t->gone = false;
    return !text->failed && !t->text.failed;
}

int totals_write(struct store *s, struct err *err) {
    struct name_totals *t = &s->totals;
    if (totals_begin(s, err) != 0 || ready_rows(s, err) != 0 ||
        bulk_run(s->db, s->sql[SQL_TOTAL], &s->feed, t->n_dirty, total_row, s, err) != 0)
        return -1;
    t->n_dirty = 0;
    return 0;
}

/* --- going ----------------------------------------------------------------------------------------------- */

int totals_lost(struct store *s, uint32_t series, struct err *err) {
    const struct intern_series *y = &s->intern.series[series];
    uint32_t ix = y->totalled ? y->of : s->intern.names[y->of].total; /* not summed up since it was loaded */
    struct total *t = ix != INTERN_NONE ? &s->totals.list[ix] : NULL;
    if (!t || t->gone)
        return 0;
    t->stale = t->gone = true;
    t->has_keys = false;
    make_dirty(&s->totals, ix);
    sqlite3_stmt *stmt = db_prepare(s->db, "DELETE FROM name_total WHERE metric_id = ?", err);
    if (!stmt)
        return -1;
    db_bind_id(stmt, 1, t->metric_id);
    int result = db_done(s->db, stmt, err);
    sqlite3_finalize(stmt);
    return result;
}

void totals_forget(struct name_totals *t, uint64_t session_id) {
    size_t n = 0;
    for (size_t i = 0; i < t->n_dirty; i++)
        if (t->list[t->dirty[i]].session_id != session_id)
            t->dirty[n++] = t->dirty[i];
    t->n_dirty = n;
}

void totals_clear(struct name_totals *t) {
    for (size_t i = 0; i < t->n; i++)
        buf_free(&t->list[i].text);
    free(t->list);
    free(t->dirty);
    free(t->due);
    buf_free(&t->key);
    *t = (struct name_totals){0};
}
