#include "store/clickhouse/fleet.h"

#include <stdio.h>

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
    if (fleet_find_for(r, &of_series, &found, err) != 0)
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
        "SELECT DISTINCT source FROM samples WHERE push IN (SELECT push FROM sel) AND id = %llu FORMAT RowBinary",
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
