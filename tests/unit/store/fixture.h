/* What the store's tests share: making records short to write, and reading a recording back as lists of text
 * lines, one for each row with every field in it, so that two recordings are equal exactly when their lists
 * are. Also running a test on each medium, and looking into a recording's file with SQL. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "core/buf.h"
#include "store/store.h"
#include "unit.h"
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_VERSION                                                                                       \
    "13" /* the user_version of a new recording, as view_test.c and file_test.c expect it */
/* As before version 13: each spelling has a row. What comes behind it makes the views anew. */
#define WITHOUT_OWN_SPELLINGS                                                                                \
    "DROP VIEW samples; DROP VIEW series; DROP VIEW kept_samples;"                                           \
    "INSERT INTO context (id, metric_id, hash, tags, sample_rate, interval) SELECT id, id, randomblob(12),"  \
    " coalesce(spelled, tags), 1, 0 FROM metric WHERE spelling IS NOT NULL;"                                 \
    "ALTER TABLE metric DROP COLUMN spelled; ALTER TABLE metric DROP COLUMN spelling;"
/* Makes of a file of today's version one of an earlier version. */
#define TO_VERSION_11                                                                                        \
    WITHOUT_OWN_SPELLINGS                                                                                    \
    "UPDATE chunk SET vals = (SELECT json_group_object(CAST(r.key + v.key * step AS TEXT),"                  \
    " CASE WHEN v.type IN ('array', 'object') THEN json(v.value) ELSE v.value END)"                          \
    " FROM json_each(vals) r CROSS JOIN json_each(r.value) v) WHERE step > 0;"                               \
    "ALTER TABLE chunk DROP COLUMN step; PRAGMA user_version = 11;"
#define TO_VERSION_7                                                                                         \
    TO_VERSION_11                                                                                            \
    "DROP VIEW sessions; ALTER TABLE session DROP COLUMN label;"                                             \
    "DROP TABLE stray; ALTER TABLE summary DROP COLUMN fell_id;"                                             \
    "DROP VIEW requests; DROP TABLE kept; DROP TABLE kept_request; PRAGMA user_version = 7;"
#define TO_VERSION_6 TO_VERSION_7 FROM_7_TO_6
#define FROM_7_TO_6                                                                                          \
    "DROP TABLE name_total; DROP TABLE session_count; DROP INDEX metric_name;"                               \
    "CREATE INDEX metric_name ON metric (name); PRAGMA user_version = 6;"
#define FROM_6_TO_5 "DROP VIEW verdicts; DROP TABLE verdict; PRAGMA user_version = 5;"
#define FROM_5_TO_4                                                                                          \
    "DROP VIEW payloads; DROP VIEW datagrams; DROP TABLE payload;"                                           \
    "DROP INDEX datagram_after; PRAGMA user_version = 4;"
#define FROM_4_TO_3                                                                                          \
    "DROP VIEW remarks; DROP VIEW events; DROP VIEW service_checks;"                                         \
    "DROP INDEX context_remarks; DROP INDEX event_remarks; DROP INDEX service_check_remarks;"                \
    "ALTER TABLE context DROP COLUMN remarks; ALTER TABLE context DROP COLUMN line;"                         \
    "ALTER TABLE event DROP COLUMN remarks; ALTER TABLE event DROP COLUMN line;"                             \
    "ALTER TABLE service_check DROP COLUMN remarks; ALTER TABLE service_check DROP COLUMN line;"             \
    "PRAGMA user_version = 3;"
#define FROM_3_TO_2                                                                                          \
    "DROP VIEW runs; DROP TABLE run; DROP TABLE used_port; PRAGMA user_version = 2;"                         \
    "DELETE FROM counters WHERE name IN ('recording_high', 'recording_low');"
#define AT INT64_C(1700000000000000000)

struct lines {
    char **text;
    size_t n, cap;
    size_t stop_after; /* 0: never */
};

static inline int lines_add(struct lines *l, const struct buf *b) {
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->text = realloc(l->text, l->cap * sizeof *l->text);
    }
    l->text[l->n++] = strndup(b->p, b->n);
    return l->stop_after && l->n >= l->stop_after;
}

static inline void lines_free(struct lines *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->text[i]);
    free(l->text);
    *l = (struct lines){0};
}

/* Every byte shows, and "" differs from not given. */
static inline void show_span(struct buf *b, const char *label, struct span s) {
    buf_printf(b, " %s=", label);
    if (!s.p) {
        buf_char(b, '-');
        return;
    }
    buf_char(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c > 0x20 && c < 0x7f && c != '\'' && c != '\\')
            buf_char(b, (char)c);
        else
            buf_printf(b, "\\%02x", c);
    }
    buf_char(b, '\'');
}

static inline void show_origin(struct buf *b, const struct origin *o) {
    show_span(b, "host", o->host);
    show_span(b, "container", o->container_id);
    show_span(b, "external", o->external_data);
    show_span(b, "card", o->cardinality);
    show_span(b, "entity", o->entity_id);
    show_span(b, "jmx", o->jmx_check_name);
    if (o->has_inode)
        buf_printf(b, " inode=%llu", (unsigned long long)o->inode);
}

static inline void show_tags(struct buf *b, size_t n, const struct span *tags) {
    buf_printf(b, " tags=%zu", n);
    for (size_t i = 0; i < n; i++)
        show_span(b, "", tags[i]);
}

static inline void show_sample(struct buf *b, uint64_t id, struct span session, enum source source,
                               int64_t at, const struct metric *m, const struct value *v) {
    buf_clear(b);
    buf_printf(b, "%llu %s %lld %s rate=%a", (unsigned long long)id, source_word(source), (long long)at,
               metric_word(m->type), m->sample_rate);
    show_span(b, "session", session);
    show_span(b, "name", m->name);
    show_tags(b, m->n_tags, m->tags);
    show_origin(b, &m->origin);
    show_span(b, "device", m->device);
    show_span(b, "unit", m->unit);
    show_span(b, "source_type", m->source_type);
    show_span(b, "resources", m->resources);
    buf_printf(b, " interval=%lld ts=%lld", (long long)m->interval, (long long)v->timestamp);
    if (m->type == METRIC_SET)
        show_span(b, "text", v->text.p ? v->text : SPAN(""));
    else
        buf_printf(b, " value=%a", v->number);
    if (v->sketch) {
        const struct sketch *k = v->sketch;
        buf_printf(b, " sketch %lld %a %a %a %a:", (long long)k->count, k->sum, k->min, k->max, k->avg);
        for (size_t i = 0; i < k->n_bins; i++)
            buf_printf(b, " %d=%u", k->keys[i], k->counts[i]);
    }
}

static inline int keep_sample(void *arg, const struct sample_row *row) {
    struct buf b = {0};
    show_sample(&b, row->id, row->session, row->source, row->received_at, row->spelling, &row->value);
    if (row->spelling->type == METRIC_SET)
        EQ_SPAN(row->text, row->value.text);
    int stop = lines_add(arg, &b);
    buf_free(&b);
    return stop;
}

static inline int keep_series(void *arg, const struct series_row *row) {
    struct buf b = {0};
    buf_printf(
        &b, "%s samples=%llu count=%g sum=%g min=%g max=%g last=%g at=%lld..%lld ids=%llu..%llu sampled=%d",
        metric_word(row->type), (unsigned long long)row->samples, row->count, row->sum, row->min, row->max,
        row->last, (long long)(row->first_at - AT), (long long)(row->last_at - AT),
        (unsigned long long)row->first_id, (unsigned long long)row->last_id, row->sampled);
    show_span(&b, "session", row->session);
    show_span(&b, "name", row->name);
    show_tags(&b, row->n_tags, row->tags);
    show_span(&b, "host", row->host);
    show_span(&b, "device", row->device);
    int stop = lines_add(arg, &b);
    buf_free(&b);
    return stop;
}

static inline int keep_event(void *arg, const struct event_row *row) {
    struct buf b = {0};
    const struct event *e = &row->event;
    buf_printf(&b, "%llu %s %lld ts=%lld", (unsigned long long)row->id, source_word(row->source),
               (long long)(row->received_at - AT), (long long)e->timestamp);
    show_span(&b, "session", row->session);
    show_span(&b, "title", e->title);
    show_span(&b, "text", e->text);
    show_span(&b, "key", e->aggregation_key);
    show_span(&b, "priority", e->priority);
    show_span(&b, "alert", e->alert_type);
    show_span(&b, "stn", e->source_type_name);
    show_tags(&b, e->n_tags, e->tags);
    show_origin(&b, &e->origin);
    int stop = lines_add(arg, &b);
    buf_free(&b);
    return stop;
}

static inline int keep_check(void *arg, const struct check_row *row) {
    struct buf b = {0};
    const struct service_check *c = &row->check;
    buf_printf(&b, "%llu %s %lld status=%d ts=%lld", (unsigned long long)row->id, source_word(row->source),
               (long long)(row->received_at - AT), c->status, (long long)c->timestamp);
    show_span(&b, "session", row->session);
    show_span(&b, "name", c->name);
    show_span(&b, "message", c->message);
    show_tags(&b, c->n_tags, c->tags);
    show_origin(&b, &c->origin);
    int stop = lines_add(arg, &b);
    buf_free(&b);
    return stop;
}

static inline int keep_reject(void *arg, const struct reject_row *row) {
    struct buf b = {0};
    const struct reject *j = &row->reject;
    buf_printf(&b, "%llu %s %lld %s offset=%zu", (unsigned long long)row->id, source_word(row->source),
               (long long)(row->received_at - AT), reason_word(j->reason), j->offset);
    show_span(&b, "session", row->session);
    show_span(&b, "family", j->family);
    show_span(&b, "text", j->text);
    show_span(&b, "name", j->name);
    show_span(&b, "detail", j->detail);
    int stop = lines_add(arg, &b);
    buf_free(&b);
    return stop;
}

static inline int keep_request(void *arg, const struct request_row *row) {
    struct buf b = {0};
    const struct request *q = &row->request;
    buf_printf(&b, "%llu %lld status=%d wire=%llu body=%llu", (unsigned long long)row->id,
               (long long)(row->received_at - AT), q->status, (unsigned long long)q->wire_bytes,
               (unsigned long long)q->body_bytes);
    const struct span spans[] = {row->session,    q->method,     q->path,    q->query, q->encoding,
                                 q->content_type, q->user_agent, q->api_key, q->body,  q->note};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        show_span(&b, "", spans[i]);
    int stop = lines_add(arg, &b);
    buf_free(&b);
    return stop;
}

static inline int keep_loss(void *arg, const struct loss_row *row) {
    struct buf b = {0};
    buf_printf(&b, "%s n=%llu", loss_word(row->loss), (unsigned long long)row->n);
    show_span(&b, "session", row->session);
    show_span(&b, "detail", row->detail);
    int stop = lines_add(arg, &b);
    buf_free(&b);
    return stop;
}

static inline int keep_session(void *arg, const struct session_row *row) {
    struct buf b = {0};
    buf_printf(&b, "%llu open=%d samples=%llu series=%llu events=%llu checks=%llu rejects=%llu expires=%lld",
               (unsigned long long)row->id, row->open, (unsigned long long)row->samples,
               (unsigned long long)row->series, (unsigned long long)row->events,
               (unsigned long long)row->checks, (unsigned long long)row->rejects, (long long)row->expires_at);
    show_span(&b, "name", row->name);
    show_span(&b, "key", row->api_key);
    int stop = lines_add(arg, &b);
    buf_free(&b);
    return stop;
}

/* --- stores ------------------------------------------------------------------------------------ */

struct place {
    char directory[64], path[128];
    char log[144]; /* SQLite's, beside it */
};

static inline const char *place_make(struct place *p) {
    strcpy(p->directory, "/tmp/statwit-store-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(p->directory));
    snprintf(p->path, sizeof p->path, "%s/r.db", p->directory);
    snprintf(p->log, sizeof p->log, "%s-wal", p->path);
    return p->path;
}

static inline void place_remove(struct place *p) {
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[160];
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", p->path, suffixes[i]);
        unlink(name);
    }
    CU_ASSERT_EQUAL(rmdir(p->directory), 0);
}

#define OK(call)                                                                                             \
    do {                                                                                                     \
        struct err err = {0};                                                                                \
        int ok_ = (call);                                                                                    \
        if (ok_ != 0)                                                                                        \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, err.text);                         \
        CU_ASSERT_EQUAL(ok_, 0);                                                                             \
    } while (0)

static inline struct store *open_with(struct store_options options) {
    struct err err = {0};
    struct store *s = store_open(&options, &err);
    if (!s)
        fprintf(stderr, "store_open: %s\n", err.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    return s;
}

/* name:value|type with tags "a,b" */
static inline void put_in(struct store *s, uint64_t session, enum source source, int64_t at, const char *name,
                          double number, enum metric_type type, const char *tag) {
    struct span tags[1] = {span_str(tag)};
    char set_text[32];
    snprintf(set_text, sizeof set_text, "%g", number);
    struct value value = {.number = number,
                          .text = type == METRIC_SET ? span_str(set_text) : span_of(NULL, 0)};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = type,
                                       .name = span_str(name),
                                       .sample_rate = 1,
                                       .n_tags = tag ? 1 : 0,
                                       .tags = tags,
                                       .n_values = 1,
                                       .values = &value}};
    OK(store_arrival(s, session, source, at, &err));
    OK(store_put(s, &record, &err));
}

static inline void put_number(struct store *s, const char *name, double number) {
    put_in(s, 1, SOURCE_UDP, AT, name, number, METRIC_COUNT, NULL);
}

#define COMMIT(s) OK(store_commit(s, &err))

/* --- every medium ------------------------------------------------------------------------------ */

/* A test that has to pass whatever the store lies on. */
#define ON_EACH_MEDIUM(test)                                                                                 \
    static void test##_on_file(void) {                                                                       \
        struct place place;                                                                                  \
        test(place_make(&place));                                                                            \
        place_remove(&place);                                                                                \
    }                                                                                                        \
    static void test##_in_memory(void) {                                                                     \
        test(":memory:");                                                                                    \
    }
#define CASES(name, test)                                                                                    \
    {name " (file)", test##_on_file}, {                                                                      \
        name " (memory)", test##_in_memory                                                                   \
    }

static inline struct store *open_at(const char *path) {
    return open_with((struct store_options){.path = path});
}

static const struct filter everything;

/* --- reading ----------------------------------------------------------------------------------- */

enum what { SAMPLES, SAMPLES_BY_SERIES, SERIES, EVENTS, CHECKS, REJECTS, REQUESTS, LOSSES_READ, SESSIONS };

static inline int read_lines(struct reader *r, enum what what, const struct filter *f, struct lines *l,
                             struct err *err) {
    switch (what) {
    case SAMPLES:
        return r->ops->samples(r, f, true, keep_sample, l, err);
    case SAMPLES_BY_SERIES:
        return r->ops->samples(r, f, false, keep_sample, l, err);
    case SERIES:
        return r->ops->series(r, f, keep_series, l, err);
    case EVENTS:
        return r->ops->events(r, f, keep_event, l, err);
    case CHECKS:
        return r->ops->checks(r, f, keep_check, l, err);
    case REJECTS:
        return r->ops->rejects(r, f, keep_reject, l, err);
    case REQUESTS:
        return r->ops->requests(r, f, keep_request, l, err);
    case LOSSES_READ:
        return r->ops->losses(r, f, keep_loss, l, err);
    case SESSIONS:
    default:
        return r->ops->sessions(r, keep_session, l, err);
    }
}

static inline struct lines lines_of(struct store *s, enum what what, struct filter f) {
    struct lines l = {0};
    struct err why = {0};
    struct reader *r = store_reader_take(s, &why);
    if (!r)
        fprintf(stderr, "store_reader_take: %s\n", why.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    OK(r->ops->begin(r, &err));
    OK(read_lines(r, what, &f, &l, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    return l;
}

static inline size_t count_of(struct store *s, enum what what, struct filter f) {
    struct lines l = lines_of(s, what, f);
    size_t n = l.n;
    lines_free(&l);
    return n;
}

/* One line is expected, holding `part`. */
#define EXPECT_LINE(list, at, part)                                                                          \
    do {                                                                                                     \
        CU_ASSERT((list).n > (at));                                                                          \
        if ((list).n > (at)) {                                                                               \
            if (!strstr((list).text[at], part))                                                              \
                fprintf(stderr, "%s:%d: \"%s\" is not in \"%s\"\n", __FILE__, __LINE__, part,                \
                        (list).text[at]);                                                                    \
            CU_ASSERT_PTR_NOT_NULL(strstr((list).text[at], part));                                           \
        }                                                                                                    \
    } while (0)

/* --- the file itself --------------------------------------------------------------------------- */

static inline void write_file(const char *path, const void *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static inline struct buf read_file(const char *path) {
    struct buf b = {0};
    char part[4096];
    FILE *f = fopen(path, "rb");
    for (size_t n; f && (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_add(&b, part, n);
    if (f)
        fclose(f);
    return b;
}

/* The first column of the first row, as text. */
static inline void ask_sql(const char *path, const char *sql, char *answer, size_t size) {
    sqlite3 *db;
    sqlite3_stmt *stmt = NULL;
    answer[0] = '\0';
    CU_ASSERT_EQUAL_FATAL(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stmt);
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0))
        snprintf(answer, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static inline void run_sql(const char *path, const char *sql) {
    sqlite3 *db;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

#define EXPECT_SQL(path, sql, want)                                                                          \
    do {                                                                                                     \
        char answer_[1024];                                                                                  \
        ask_sql(path, sql, answer_, sizeof answer_);                                                         \
        EQ_STR(answer_, want);                                                                               \
    } while (0)

#endif
