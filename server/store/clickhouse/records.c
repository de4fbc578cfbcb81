/* DESIGN. All records but samples lie in one table. A question brings those of some kinds, in order of id; what SQL does not decide is
 * decided here, and a limit counts what is left. */
#include "store/clickhouse/records.h"
#include "core/array.h"
#include "core/glob.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char columns[] =
    "SELECT kind, ord, gid, given, session, at, source, name, tags, texts, numbers FROM (SELECT s.kind AS kind, r.ord AS ord,"
    " if(s.id = 9223372036854775807, s.id, " FLEET_GID(
        "r.ord",
        "s.id") ") AS gid, s.given AS given, s.session AS session, s.at AS at,"
                " s.source AS source, s.name AS name, s.tags AS tags, s.texts AS texts, s.numbers AS numbers FROM (SELECT push, kind, id, given,"
                " session, at, source, name, tags, texts, numbers FROM records WHERE push IN (SELECT push FROM sel) AND kind IN (";

int records_ask(struct records_question *q, const char *kinds, bool session, bool source) {
    const struct filter *f = q->f;
    struct buf sql = {.max = 65536};
    struct fleet_table sel = {"sel", FLEET_SEL, buf_view(&q->r->sel)};
    buf_printf(&sql, "%s%s)", columns, kinds);
    if (session && f->session.p) {
        buf_str(&sql, " AND bitAnd(given, 1) = 1 AND session = ");
        sql_text(&sql, f->session);
    }
    if (source && f->has_source)
        buf_printf(&sql, " AND source = %d", (int)f->source);
    buf_str(&sql, ") AS s ALL INNER JOIN (SELECT push, ord FROM sel) AS r USING (push)) AS t WHERE 1");
    if (f->since)
        buf_printf(&sql, " AND gid > %" PRIu64, f->since);
    if (f->until)
        buf_printf(&sql, " AND gid <= %" PRIu64, f->until);
    buf_str(&sql, " ORDER BY kind, gid FORMAT RowBinary");
    int failed = fleet_ask(&q->r->f, sql.p, 1, &sel, &q->answer, q->err);
    buf_free(&sql);
    return failed;
}

void records_free(struct records_question *q) {
    buf_free(&q->answer);
    free(q->tags);
}

/* n_own: texts and numbers before those of remarks; the last of the texts is then the line. */
static void take_remarks(struct record_row *row, size_t n_texts, size_t n_numbers) {
    struct remarks *remarks = &row->remarks;
    remarks->line = row->texts[n_texts - 1];
    for (size_t i = n_texts; i + 1 < row->n_texts && remarks->n < REMARKS_MAX; i += 2) {
        int kind = remark_of(row->texts[i]);
        size_t at = n_numbers + remarks->n;
        if (kind >= 0 && at < row->n_numbers)
            remarks->list[remarks->n++] =
                (struct remark){(enum remark_kind)kind, row->texts[i + 1], (size_t)row->numbers[at]};
    }
}

static int take_lists(struct records_question *q, struct taker *t, uint32_t given) {
    struct record_row *row = &q->row;
    row->n_tags = take_count(t, 1);
    for (size_t i = 0; i < row->n_tags; i++) {
        if (!array_room(&q->tags, i, &q->cap_tags, sizeof *q->tags))
            return err_set(q->err, 0, "out of memory");
        q->tags[i] = take_text(t);
    }
    row->tags = q->tags;
    row->n_texts = take_count(t, 1);
    for (size_t i = 0; i < row->n_texts; i++) {
        struct span text = take_text(t);
        if (i < RECORD_TEXTS_MAX)
            row->texts[i] = i + 2 > 31 || given >> (i + 2) & 1 ? text : (struct span){NULL, 0};
    }
    row->n_numbers = take_count(t, 8);
    for (size_t i = 0; i < row->n_numbers; i++) {
        int64_t number = take_i64(t);
        if (i < RECORD_NUMBERS_MAX)
            row->numbers[i] = number;
    }
    return row->n_texts > RECORD_TEXTS_MAX || row->n_numbers > RECORD_NUMBERS_MAX
               ? fleet_damaged(q->r, q->err)
               : 0;
}

int records_take(struct records_question *q, struct taker *t) {
    struct record_row *row = &q->row;
    memset(row, 0, offsetof(struct record_row, remarks));
    row->remarks.n = 0;
    row->kind = (enum fleet_kind)take_u8(t);
    row->ord = take_u32(t);
    row->id = take_u64(t);
    uint32_t given = take_u32(t);
    row->session = take_text(t);
    row->at = take_i64(t);
    uint8_t source = take_u8(t);
    row->source = source < SOURCE_N ? (enum source)source : SOURCE_UDP;
    row->name = take_text(t);
    row->session = given & 1 ? row->session : (struct span){NULL, 0};
    row->name = given & 2 ? row->name : (struct span){NULL, 0};
    if (take_lists(q, t, given) != 0)
        return -1;
    return t->failed || row->ord >= q->r->n ? fleet_damaged(q->r, q->err) : 0;
}

/* --- events, checks, rejects, requests ------------------------------------------------------------------------ */

struct record_call {
    enum fleet_kind kind;
    size_t n_texts, n_numbers; /* without those of remarks; 0: it has none */
    bool has_tags, has_name, has_source;
    int (*emit)(const struct record_row *row, const void *fn, void *arg);
};

static bool matches(const struct filter *f, const struct record_call *kind, struct record_row *row) {
    bool literal = f->name.p && !glob_is_pattern(f->name);
    if (kind->has_name &&
        ((literal && !row->name.p) || !fleet_name_matches(f, row->name.p ? row->name : SPAN(""))))
        return false;
    if (f->remarked && row->remarks.n == 0)
        return false;
    if (kind->kind == FLEET_REQUEST &&
        ((f->method.p && !span_eq(f->method, row->texts[0])) ||
         (f->status_to && (row->numbers[0] < f->status_from || row->numbers[0] > f->status_to))))
        return false;
    return !kind->has_tags || fleet_tags_match(f, row->n_tags, row->tags);
}

/* What rows of this kind can never have. */
static bool nothing_can(const struct filter *f, const struct record_call *kind) {
    return f->has_type || f->series_id || f->sampled || (f->n_tags > 0 && !kind->has_tags) ||
           (f->has_source && !kind->has_source) || (f->remarked && !kind->n_texts) ||
           (f->name.p && !kind->has_name) || ((f->method.p || f->status_to) && kind->kind != FLEET_REQUEST);
}

/* 1: *row is the next that matches, 0: there is none, -1. */
static int next_record(struct records_question *q, const struct record_call *kind, struct taker *t) {
    while (take_more(t)) {
        if (records_take(q, t) != 0)
            return -1;
        if (kind->n_texts && q->row.n_texts >= kind->n_texts)
            take_remarks(&q->row, kind->n_texts, kind->n_numbers);
        if (matches(q->f, kind, &q->row))
            return 1;
    }
    return t->failed ? fleet_damaged(q->r, q->err) : 0;
}

static int read_kind(struct reader *reader, const struct filter *f, const struct record_call *kind,
                     const void *fn, void *arg, struct err *err) {
    struct records_question *q = calloc(1, sizeof *q);
    char kinds[12];
    if (!q)
        return err_set(err, 0, "out of memory");
    q->r = (struct fleet_reader *)reader;
    q->f = f;
    q->err = err;
    snprintf(kinds, sizeof kinds, "%d", (int)kind->kind);
    int got = nothing_can(f, kind) ? 0 : records_ask(q, kinds, true, kind->has_source);
    struct taker t = {q->answer.p, q->answer.p + q->answer.n, false};
    uint64_t skip = 0, n = 0;
    if (got == 0 && f->limit && f->newest) { /* a first look: how many there are */
        while ((got = next_record(q, kind, &t)) == 1)
            n++;
        skip = n > f->limit ? n - f->limit : 0;
        t = (struct taker){q->answer.p, q->answer.p + q->answer.n, false};
    }
    for (n = 0; got >= 0 && (!f->limit || n < skip + f->limit) && (got = next_record(q, kind, &t)) == 1; n++)
        if (n >= skip && kind->emit(&q->row, fn, arg) != 0)
            break;
    records_free(q);
    free(q);
    return got < 0 ? -1 : 0;
}

static void take_origin(const struct record_row *row, size_t at, struct origin *o) {
    o->host = row->texts[at];
    o->container_id = row->texts[at + 1];
    o->external_data = row->texts[at + 2];
    o->cardinality = row->texts[at + 3];
    o->entity_id = row->texts[at + 4];
    o->jmx_check_name = row->texts[at + 5];
    o->has_inode = row->numbers[1] != 0;
    o->inode = (uint64_t)row->numbers[2];
}

/* A pointer to a function, kept where a pointer to an object may be. */
#define CALL(fn, type) (*(type const *)(fn))
typedef int event_fn(void *, const struct event_row *);
typedef int check_fn(void *, const struct check_row *);
typedef int reject_fn(void *, const struct reject_row *);
typedef int request_fn(void *, const struct request_row *);

static int emit_event(const struct record_row *row, const void *fn, void *arg) {
    struct event_row out = {.id = row->id,
                            .received_at = row->at,
                            .source = row->source,
                            .session = row->session,
                            .event = {.title = row->name,
                                      .text = row->texts[0],
                                      .timestamp = row->numbers[0],
                                      .aggregation_key = row->texts[1],
                                      .priority = row->texts[2],
                                      .alert_type = row->texts[3],
                                      .source_type_name = row->texts[4],
                                      .n_tags = row->n_tags,
                                      .tags = row->tags,
                                      .remarks = row->remarks.n ? &row->remarks : NULL}};
    take_origin(row, 5, &out.event.origin);
    return CALL(fn, event_fn *)(arg, &out);
}

static int emit_check(const struct record_row *row, const void *fn, void *arg) {
    struct check_row out = {.id = row->id,
                            .received_at = row->at,
                            .source = row->source,
                            .session = row->session,
                            .check = {.name = row->name,
                                      .status = (int)row->numbers[3],
                                      .timestamp = row->numbers[0],
                                      .message = row->texts[0],
                                      .n_tags = row->n_tags,
                                      .tags = row->tags,
                                      .remarks = row->remarks.n ? &row->remarks : NULL}};
    take_origin(row, 1, &out.check.origin);
    return CALL(fn, check_fn *)(arg, &out);
}

static int emit_reject(const struct record_row *row, const void *fn, void *arg) {
    int reason = reason_of(row->texts[0]);
    struct reject_row out = {.id = row->id,
                             .received_at = row->at,
                             .source = row->source,
                             .session = row->session,
                             .reject = {.reason = (enum reason)(reason < 0 ? 0 : reason),
                                        .family = row->texts[1],
                                        .text = row->texts[2],
                                        .offset = (size_t)row->numbers[0],
                                        .name = row->name,
                                        .detail = row->texts[3]}};
    return CALL(fn, reject_fn *)(arg, &out);
}

static int emit_request(const struct record_row *row, const void *fn, void *arg) {
    struct request_row out = {.id = row->id,
                              .received_at = row->at,
                              .session = row->session,
                              .request = {.path = row->name,
                                          .method = row->texts[0],
                                          .query = row->texts[1],
                                          .encoding = row->texts[2],
                                          .content_type = row->texts[3],
                                          .user_agent = row->texts[4],
                                          .api_key = row->texts[5],
                                          .body = row->texts[6],
                                          .note = row->texts[7],
                                          .status = (int)row->numbers[0],
                                          .wire_bytes = (uint64_t)row->numbers[1],
                                          .body_bytes = (uint64_t)row->numbers[2]}};
    return CALL(fn, request_fn *)(arg, &out);
}

int fleet_events(struct reader *reader, const struct filter *f, int (*row)(void *, const struct event_row *),
                 void *arg, struct err *err) {
    static const struct record_call kind = {FLEET_EVENT, 12, 3, true, true, true, emit_event};
    event_fn *fn = row;
    return read_kind(reader, f, &kind, &fn, arg, err);
}

int fleet_checks(struct reader *reader, const struct filter *f, int (*row)(void *, const struct check_row *),
                 void *arg, struct err *err) {
    static const struct record_call kind = {FLEET_CHECK, 8, 4, true, true, true, emit_check};
    check_fn *fn = row;
    return read_kind(reader, f, &kind, &fn, arg, err);
}

int fleet_rejects(struct reader *reader, const struct filter *f,
                  int (*row)(void *, const struct reject_row *), void *arg, struct err *err) {
    static const struct record_call kind = {FLEET_REJECT, 0, 0, false, true, true, emit_reject};
    reject_fn *fn = row;
    return read_kind(reader, f, &kind, &fn, arg, err);
}

int fleet_requests(struct reader *reader, const struct filter *f,
                   int (*row)(void *, const struct request_row *), void *arg, struct err *err) {
    static const struct record_call kind = {FLEET_REQUEST, 0, 0, false, true, true, emit_request};
    request_fn *fn = row;
    return read_kind(reader, f, &kind, &fn, arg, err);
}
