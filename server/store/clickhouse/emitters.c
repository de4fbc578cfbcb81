/* DESIGN. The labels of all recordings are here already. So recordings whose labels are the same, as far as they were asked for, get one
 * number, which goes along with the list of pushes. The engine groups by that number and by what it knows itself of the series, and
 * answers one row for each group, however many series there are.
 *
 * A tag that is a glob is matched here, against all tags that the names have; those that match become a list. */
#include "core/array.h"
#include "core/glob.h"
#include "store/clickhouse/fleet.h"

#include <stdlib.h>

struct emitting {
    struct fleet_reader *r;
    const struct filter *f;
    size_t n_by;
    const struct emitter_by *by;
    struct fleet_names names;
    struct buf sel;   /* (push, place, group) of each recording */
    uint32_t *sorted; /* places of the recordings in order of their labels */
    uint32_t *first;  /* group -> a recording that is in it */
    size_t n_groups;
    struct buf sql, answer;
    struct err *err;
};

/* --- groups of recordings ------------------------------------------------------------------------------------ */

static int by_labels(const void *pa, const void *pb, void *arg) {
    const struct emitting *e = arg;
    const struct fleet_recording *a = &e->r->list[*(const uint32_t *)pa],
                                 *b = &e->r->list[*(const uint32_t *)pb];
    int order = 0;
    for (size_t i = 0; i < e->n_by && order == 0; i++)
        if (e->by[i].word == EMITTER_LABEL)
            order = span_cmp(fleet_label(a, e->by[i].label), fleet_label(b, e->by[i].label));
    return order;
}

static int group_recordings(struct emitting *e) {
    size_t n = e->r->n;
    e->sorted = malloc(n * sizeof *e->sorted);
    e->first = malloc(n * sizeof *e->first);
    if (!e->sorted || !e->first)
        return err_set(e->err, 0, "out of memory");
    for (size_t i = 0; i < n; i++)
        e->sorted[i] = (uint32_t)i;
    qsort_r(e->sorted, n, sizeof *e->sorted, by_labels, e);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || by_labels(&e->sorted[i - 1], &e->sorted[i], e) != 0)
            e->first[e->n_groups++] = e->sorted[i];
        put_uuid(&e->sel, e->r->list[e->sorted[i]].push);
        put_u32(&e->sel, e->sorted[i]);
        put_u32(&e->sel, (uint32_t)(e->n_groups - 1));
    }
    return e->sel.failed ? err_set(e->err, 0, "out of memory") : 0;
}

/* --- tags ---------------------------------------------------------------------------------------------------- */

static int ask(struct emitting *e, const char *what) {
    const struct fleet_table tables[] = {{"sel", FLEET_SEL ", grp UInt32", buf_view(&e->sel)},
                                         {"nam", "name String", buf_view(&e->names.rows)}};
    if (e->sql.failed)
        return err_set(e->err, 0, "%s", what);
    return fleet_ask(&e->r->f, e->sql.p, e->names.all ? 1 : 2, tables, &e->answer, e->err);
}

/* All tags of the names that are asked for, once. */
static int load_tags(struct emitting *e, struct buf *answer) {
    buf_clear(&e->sql);
    buf_str(
        &e->sql,
        "SELECT DISTINCT arrayJoin(tags) FROM series WHERE push IN (SELECT push FROM sel) AND notEmpty(tags)");
    fleet_series_conditions(e->f, &e->names, &e->sql);
    buf_str(&e->sql, " FORMAT RowBinary");
    int failed = ask(e, "out of memory");
    *answer = e->answer;
    e->answer = (struct buf){0};
    return failed;
}

/* Appends a condition: one of the tags is one that the glob matches. */
static int add_tag(struct emitting *e, struct span tag, const struct buf *all, struct buf *where) {
    struct taker t = {all->p, all->p + all->n, false};
    size_t n = 0;
    buf_str(where, " AND hasAny(tags, [");
    if (!glob_is_pattern(tag)) {
        sql_text(where, tag);
        n++;
    } else
        while (take_more(&t)) {
            struct span known = take_text(&t);
            if (!glob_match(tag, known))
                continue;
            buf_str(where, n++ ? "," : "");
            sql_text(where, known);
        }
    buf_str(where, n ? "])" : "'']) AND 0");
    return t.failed ? fleet_damaged(e->r, e->err) : 0;
}

static int add_tags(struct emitting *e, struct buf *where) {
    struct buf all = {0};
    bool glob = false;
    for (size_t i = 0; i < e->f->n_tags; i++)
        glob = glob || glob_is_pattern(e->f->tags[i]);
    int failed = glob ? load_tags(e, &all) : 0;
    for (size_t i = 0; i < e->f->n_tags && !failed; i++)
        failed = add_tag(e, e->f->tags[i], &all, where);
    buf_free(&all);
    return failed;
}

/* --- the question -------------------------------------------------------------------------------------------- */

static const char *const column_of[] = {
    [EMITTER_NAME] = "s.name", [EMITTER_TYPE] = "s.type", [EMITTER_SESSION] = "s.session",
    [EMITTER_TAGS] = "s.tags", [EMITTER_HOST] = "s.host", [EMITTER_LABEL] = NULL};

static int ask_groups(struct emitting *e) {
    struct buf where = {.max = 900000}, group = {.max = 1000};
    fleet_series_conditions(e->f, &e->names, &where);
    int failed = add_tags(e, &where);
    buf_str(&group, "r.grp");
    for (size_t i = 0; i < e->n_by; i++)
        if (column_of[e->by[i].word])
            buf_printf(&group, ", %s%s", column_of[e->by[i].word],
                       e->by[i].word == EMITTER_HOST ? ", bitAnd(s.given, 1)" : "");
    buf_clear(&e->sql);
    buf_str(&e->sql, "SELECT ");
    buf_span(&e->sql, buf_view(&group));
    buf_str(
        &e->sql,
        ", uniqExact(r.ord), uniqExact(s.session, s.name, s.type, s.tags, s.host, s.device, s.given), sum(s.samples),"
        " min(s.first_at), max(s.last_at) FROM (SELECT push, session, name, type, tags, host, device, given, samples, first_at, last_at"
        " FROM series WHERE push IN (SELECT push FROM sel)");
    buf_span(&e->sql, buf_view(&where));
    buf_str(&e->sql, ") AS s ALL INNER JOIN (SELECT push, ord, grp FROM sel) AS r USING (push) GROUP BY ");
    buf_span(&e->sql, buf_view(&group));
    buf_str(&e->sql, " FORMAT RowBinary");
    e->sql.failed = e->sql.failed || where.failed;
    if (!failed)
        failed = ask(e, "too many tags match: ask with a longer --tag, or with fewer names");
    buf_free(&where);
    buf_free(&group);
    return failed;
}

/* --- the answer ---------------------------------------------------------------------------------------------- */

struct group_tags {
    struct span *list;
    size_t n, cap;
};

static bool take_tags(struct taker *t, struct group_tags *tags) {
    size_t n = take_count(t, 1);
    for (tags->n = 0; tags->n < n;) {
        if (!array_room(&tags->list, tags->n, &tags->cap, sizeof *tags->list))
            return false;
        tags->list[tags->n++] = take_text(t);
    }
    return true;
}

/* 0, 1: stop, or -1. */
static int take_group(struct emitting *e, struct taker *t, struct group_tags *tags,
                      int (*row)(void *, const struct emitter_row *), void *arg) {
    struct span values[EMITTER_BY_MAX];
    uint32_t group = take_u32(t);
    if (group >= e->n_groups)
        return fleet_damaged(e->r, e->err);
    for (size_t i = 0; i < e->n_by; i++) {
        enum emitter_word word = e->by[i].word;
        values[i] = (struct span){NULL, 0};
        if (word == EMITTER_LABEL)
            values[i] = fleet_label(&e->r->list[e->first[group]], e->by[i].label);
        else if (word == EMITTER_TYPE) {
            uint8_t type = take_u8(t);
            t->failed = t->failed || type >= METRIC_N_TYPES;
            values[i] = t->failed ? values[i] : span_str(metric_word((enum metric_type)type));
        } else if (word == EMITTER_TAGS) {
            if (!take_tags(t, tags))
                return err_set(e->err, 0, "out of memory");
        } else
            values[i] = take_text(t);
        if (word == EMITTER_HOST && take_u8(t) == 0)
            values[i] = (struct span){NULL, 0};
    }
    struct emitter_row out = {.values = values, .n_tags = tags->n, .tags = tags->list};
    out.recordings = take_u64(t);
    out.series = take_u64(t);
    out.samples = take_u64(t);
    out.first_at = take_i64(t);
    out.last_at = take_i64(t);
    return t->failed ? fleet_damaged(e->r, e->err) : row(arg, &out) != 0;
}

int fleet_emitters(struct reader *reader, const struct filter *f, size_t n, const struct emitter_by *by,
                   int (*row)(void *, const struct emitter_row *), void *arg, struct err *err) {
    struct emitting e = {.r = (struct fleet_reader *)reader, .f = f, .n_by = n, .by = by, .err = err};
    struct group_tags tags = {0};
    e.sql.max = 1000000;
    int failed = fleet_names(e.r, f, &e.names, err);
    bool none = !failed && !e.names.all && e.names.n == 0;
    if (!failed && !none)
        failed = group_recordings(&e) != 0 || ask_groups(&e) != 0 ? -1 : 0;
    struct taker t = {e.answer.p, e.answer.p + e.answer.n, false};
    while (!failed && !none && take_more(&t))
        failed = take_group(&e, &t, &tags, row, arg);
    free(tags.list);
    free(e.sorted);
    free(e.first);
    buf_free(&e.names.rows);
    buf_free(&e.sel);
    buf_free(&e.sql);
    buf_free(&e.answer);
    return failed < 0 ? -1 : 0;
}
