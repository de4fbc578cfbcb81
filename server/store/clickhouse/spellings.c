#include "core/array.h"
#include "store/clickhouse/fleet.h"

#include <stdio.h>
#include <stdlib.h>

static const char question[] =
    "SELECT r.merged, r.ord, s.id, s.tags, s.rate, s.given, s.container_id, s.external_data, s.cardinality, s.entity_id,"
    " s.jmx_check_name, s.inode, s.unit, s.source_type, s.resources, s.line, s.every_s, s.remark_kinds, s.remark_texts,"
    " s.remark_offsets FROM (SELECT push, series, id, tags, rate, given, container_id, external_data, cardinality, entity_id,"
    " jmx_check_name, inode, unit, source_type, resources, line, every_s, remark_kinds, remark_texts, remark_offsets"
    " FROM spellings WHERE push IN (SELECT push FROM mem) AND (push, series) IN (SELECT push, series FROM mem)) AS s"
    " ALL INNER JOIN (SELECT push, series, ord, merged FROM mem) AS r USING (push, series)"
    " ORDER BY r.merged, r.ord, s.id FORMAT RowBinary";

void fleet_spelled_free(struct fleet_spelled *spelled) {
    free(spelled->list);
    table_free(&spelled->by_id);
    buf_free(&spelled->answer);
    arena_free(&spelled->spans);
    *spelled = (struct fleet_spelled){0};
}

static struct span take_given(struct taker *t, unsigned given, unsigned bit) {
    struct span text = take_text(t);
    return given >> bit & 1 ? text : (struct span){NULL, 0};
}

static void take_remarks(struct taker *t, struct remarks *remarks) {
    size_t n[3];
    for (int list = 0; list < 3; list++) {
        n[list] = take_count(t, list < 2 ? 1 : 8);
        for (size_t i = 0; i < n[list]; i++) {
            struct remark ignored, *remark = i < REMARKS_MAX ? &remarks->list[i] : &ignored;
            if (list == 0) {
                int kind = remark_of(take_text(t));
                t->failed = t->failed || kind < 0;
                remark->kind = (enum remark_kind)kind;
            } else if (list == 1)
                remark->text = take_text(t);
            else
                remark->offset = (size_t)take_u64(t);
        }
    }
    t->failed = t->failed || n[0] > REMARKS_MAX || n[1] != n[0] || n[2] != n[0];
    remarks->n = n[0];
}

/* All but what the series says. */
static void take_spelling(struct fleet_spelled *spelled, struct taker *t, struct fleet_spelling *s) {
    struct metric *m = &s->metric;
    s->ord = take_u32(t);
    s->id = take_u32(t);
    m->n_tags = take_count(t, 1);
    struct span *tags = arena_alloc(&spelled->spans, (m->n_tags + 1) * sizeof *tags);
    for (size_t i = 0; i < m->n_tags && tags; i++)
        tags[i] = take_text(t);
    m->tags = tags;
    m->sample_rate = take_f64(t);
    unsigned given = take_u16(t);
    m->origin.container_id = take_given(t, given, 0);
    m->origin.external_data = take_given(t, given, 1);
    m->origin.cardinality = take_given(t, given, 2);
    m->origin.entity_id = take_given(t, given, 3);
    m->origin.jmx_check_name = take_given(t, given, 4);
    m->origin.has_inode = given >> 5 & 1;
    m->origin.inode = take_u64(t);
    m->unit = take_given(t, given, 6);
    m->source_type = take_given(t, given, 7);
    m->resources = take_given(t, given, 8);
    s->remarks.line = take_given(t, given, 9);
    m->interval = take_i64(t);
    take_remarks(t, &s->remarks);
}

/* Rows come in the order of the series. */
static int take_spelled(struct fleet_reader *r, const struct fleet_found *found, size_t at, size_t to,
                        struct fleet_spelled *spelled, struct err *err) {
    struct taker t = {spelled->answer.p, spelled->answer.p + spelled->answer.n, false};
    while (take_more(&t)) {
        if (!array_room(&spelled->list, spelled->n, &spelled->cap, sizeof *spelled->list))
            return err_set(err, 0, "out of memory");
        struct fleet_spelling *s = &spelled->list[spelled->n++];
        *s = (struct fleet_spelling){0};
        uint64_t merged = take_u64(&t);
        while (at < to && found->list[at].row.id != merged)
            at++;
        if (at == to)
            return fleet_damaged(r, err);
        s->series = &found->list[at];
        take_spelling(spelled, &t, s);
        const struct series_row *row = &s->series->row;
        s->metric.type = row->type;
        s->metric.name = row->name;
        s->metric.origin.host = row->host;
        s->metric.device = row->device;
    }
    if (t.failed || spelled->spans.failed)
        return fleet_damaged(r, err);
    for (size_t i = 0; i < spelled->n; i++) { /* now that they do not move */
        struct fleet_spelling *s = &spelled->list[i];
        s->metric.remarks = s->remarks.n ? &s->remarks : NULL;
        table_set(&spelled->by_id, s->ord << 32 | s->id, (uint32_t)i);
    }
    return spelled->by_id.failed ? err_set(err, 0, "out of memory") : 0;
}

int fleet_spell(struct fleet_reader *r, const struct fleet_found *found, size_t from, size_t to,
                struct fleet_spelled *spelled, struct err *err) {
    struct buf mem = {0};
    *spelled = (struct fleet_spelled){0};
    for (size_t i = from; i < to; i++)
        fleet_members(r, found, &found->list[i], &mem);
    struct fleet_table table = {"mem", FLEET_MEM, buf_view(&mem)};
    int failed = mem.failed ? err_set(err, 0, "out of memory") : 0;
    if (!failed && from < to)
        failed = fleet_ask(&r->f, question, 1, &table, &spelled->answer, err);
    if (!failed)
        failed = take_spelled(r, found, from, to, spelled, err);
    buf_free(&mem);
    if (failed)
        fleet_spelled_free(spelled);
    return failed;
}

/* --- the operation ------------------------------------------------------------------------------------------ */

/* Marks the spellings (ord << 32 | id) of which a sample came after `since`. */
static int find_later(struct fleet_reader *r, uint64_t since, struct table *later, struct err *err) {
    char sql[400];
    struct buf answer = {0};
    struct fleet_table sel = {"sel", FLEET_SEL, buf_view(&r->sel)};
    snprintf(
        sql, sizeof sql,
        "SELECT DISTINCT r.ord, s.spelling FROM (SELECT push, spelling, id FROM samples WHERE push IN (SELECT push FROM sel)) AS s"
        " ALL INNER JOIN (SELECT push, ord FROM sel) AS r USING (push) WHERE " FLEET_GID(
            "r.ord", "s.id") " > %llu"
                             " FORMAT RowBinary",
        (unsigned long long)since);
    int failed = fleet_ask(&r->f, sql, 1, &sel, &answer, err);
    struct taker t = {answer.p, answer.p + answer.n, false};
    while (!failed && take_more(&t)) {
        uint64_t ord = take_u32(&t), id = take_u32(&t);
        table_set(later, ord << 32 | id, 1);
    }
    if (!failed && (t.failed || later->failed))
        failed = fleet_damaged(r, err);
    buf_free(&answer);
    return failed;
}

#define SERIES_AT_ONCE 50000

int fleet_spellings(struct reader *reader, const struct filter *f,
                    int (*row)(void *, const struct spelling_row *), void *arg, struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    struct fleet_found found;
    struct fleet_spelled spelled = {0};
    struct table later = {0};
    struct filter of_series = *f;
    of_series.remarked = false; /* told by the spellings themselves */
    if (fleet_find(r, &of_series, &found, err) != 0)
        return -1;
    int failed = f->since ? find_later(r, f->since, &later, err) : 0;
    bool stop = false;
    for (size_t from = 0; from < found.n && !failed && !stop; from += SERIES_AT_ONCE) {
        size_t to = found.n - from < SERIES_AT_ONCE ? found.n : from + SERIES_AT_ONCE;
        failed = fleet_spell(r, &found, from, to, &spelled, err);
        for (size_t i = 0; i < spelled.n && !failed && !stop; i++) {
            const struct fleet_spelling *s = &spelled.list[i];
            if ((f->remarked && !s->metric.remarks) || (f->sampled && s->metric.sample_rate == 1) ||
                (f->since && !table_get(&later, s->ord << 32 | s->id)))
                continue;
            stop = row(arg, &(struct spelling_row){s->ord << FLEET_ID_BITS | s->id, s->series->row.id,
                                                   s->series->row.session, &s->metric}) != 0;
        }
        fleet_spelled_free(&spelled);
    }
    table_free(&later);
    fleet_found_free(&found);
    return failed;
}

static int source_of_sample(struct fleet_reader *r, uint64_t id, enum source *source, struct err *err) {
    char sql[400];
    struct buf answer = {0};
    struct fleet_table sel = {"sel", FLEET_SEL, span_of(r->sel.p + (id >> FLEET_ID_BITS) * 20, 20)};
    if (id >> FLEET_ID_BITS >= r->n)
        return fleet_damaged(r, err);
    snprintf(
        sql, sizeof sql,
        "SELECT source FROM samples WHERE push IN (SELECT push FROM sel) AND id = %llu LIMIT 1 FORMAT RowBinary",
        (unsigned long long)(id & ((UINT64_C(1) << FLEET_ID_BITS) - 1)));
    int failed = fleet_ask(&r->f, sql, 1, &sel, &answer, err);
    struct taker t = {answer.p, answer.p + answer.n, false};
    uint8_t number = failed ? 0 : take_u8(&t);
    *source = number < SOURCE_N ? (enum source)number : SOURCE_UDP;
    buf_free(&answer);
    return failed;
}

int fleet_cadence(struct reader *reader, uint64_t series_id, uint64_t first_id, struct cadence *cadence,
                  struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    struct fleet_found found;
    struct fleet_spelled spelled = {0};
    *cadence = (struct cadence){0};
    if (fleet_find_one(r, series_id, &found, err) != 0)
        return -1;
    int failed = fleet_spell(r, &found, 0, found.n, &spelled, err);
    for (size_t i = 0; i < spelled.n && !failed; i++)
        if (spelled.list[i].metric.interval > cadence->interval_s)
            cadence->interval_s = spelled.list[i].metric.interval;
    if (!failed)
        failed = source_of_sample(r, first_id, &cadence->source, err);
    fleet_spelled_free(&spelled);
    fleet_found_free(&found);
    return failed;
}
