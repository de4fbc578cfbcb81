#include "core/array.h"
#include "store/clickhouse/fleet.h"

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

void fleet_members(const struct fleet_reader *r, const struct fleet_found *found,
                   const struct fleet_series *s, struct buf *mem) {
    for (size_t i = 0; i < s->n_members; i++) {
        uint64_t gid = found->members[s->first_member + i].gid, ord = gid >> FLEET_ID_BITS;
        put_uuid(mem, r->list[ord].push);
        put_u64(mem, gid & ((UINT64_C(1) << FLEET_ID_BITS) - 1));
        put_u32(mem, (uint32_t)ord);
        put_u64(mem, s->row.id);
    }
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
