#include "store/clickhouse/ask.h"

#include "core/random.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define SQL_MAX  ((size_t)1 << 20)
#define BODY_MAX ((size_t)1 << 30)

/* A profile of the server's could cut answers short or leave out a shard: these say that an error is wanted instead. An INSERT
 * is answered once all shards have it. */
static const char *const wanted[][2] = {
    {"skip_unavailable_shards", "0"},
    {"join_use_nulls", "0"},
    {"distributed_product_mode", "local"},
    {"result_overflow_mode", "throw"},
    {"read_overflow_mode", "throw"},
    {"timeout_overflow_mode", "throw"},
    {"group_by_overflow_mode", "throw"},
    {"sort_overflow_mode", "throw"},
    {"distinct_overflow_mode", "throw"},
    {"join_overflow_mode", "throw"},
    {"set_overflow_mode", "throw"},
    {"transfer_overflow_mode", "throw"},
    {"insert_distributed_sync", "1"},
    {"distributed_foreground_insert", "1"},
    {"async_insert", "0"},
    {"input_format_parallel_parsing", "0"},
    {"min_insert_block_size_rows", "1048576"},
    {"min_insert_block_size_bytes", "1073741824"},
    {"max_query_size", "1048576"},
    {"select_sequential_consistency", "1"},
};
#define N_WANTED (sizeof wanted / sizeof wanted[0])

void sql_text(struct buf *sql, struct span text) {
    static const char hex[] = "0123456789ABCDEF";
    buf_str(sql, "unhex('");
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        buf_add(sql, (char[]){hex[c >> 4], hex[c & 15]}, 2);
    }
    buf_str(sql, "')");
}

static void add_encoded(struct buf *b, const char *text) {
    static const char hex[] = "0123456789ABCDEF";
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
                     strchr("-._~(),*", *at);
        if (plain)
            buf_char(b, (char)*at);
        else
            buf_add(b, (char[]){'%', hex[*at >> 4], hex[*at & 15]}, 3);
    }
}

int fleet_open(struct fleet *f, const struct fleet_url *url, const char *ca_file, int64_t timeout_ns,
               struct err *err) {
    *f = (struct fleet){.timeout_ns = timeout_ns};
    memcpy(f->database, url->database, sizeof f->database);
    f->near = strcmp(url->host, "localhost") == 0 || strcmp(url->host, "::1") == 0 ||
              strncmp(url->host, "127.", 4) == 0;
    f->http = fleet_http_new(url, ca_file, err);
    return f->http ? 0 : -1;
}

void fleet_close(struct fleet *f) {
    fleet_http_free(f->http);
    f->http = NULL;
}

/* In place of the engine's words. */
static void say(const struct fleet *f, struct err *err, const char *words) {
    if (err)
        err->set = false;
    err_set(err, 0, "%s: %s", fleet_http_where(f->http), words);
}

void fleet_explain(const struct fleet *f, int code, struct err *err) {
    if (code == 164)
        say(f, err,
            "this user may only read and not change settings: to ask, its profile needs readonly=2; to push, INSERT");
}

/* --- requests ----------------------------------------------------------------------------------------------- */

/* A line that no content has: it is random. */
static bool make_boundary(char boundary[40]) {
    memcpy(boundary, "statwit", 7);
    return random_hex(boundary + 7, 32) == 0;
}

static void add_tables(struct buf *body, struct buf *arguments, const char *boundary, size_t n,
                       const struct fleet_table *tables) {
    for (size_t i = 0; i < n; i++) {
        buf_printf(body,
                   "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n"
                   "Content-Type: application/octet-stream\r\n\r\n",
                   boundary, tables[i].name, tables[i].name);
        buf_span(body, tables[i].rows);
        buf_str(body, "\r\n");
        buf_printf(arguments, "&%s_format=RowBinary&%s_structure=", tables[i].name, tables[i].name);
        add_encoded(arguments, tables[i].structure);
    }
    buf_printf(body, "--%s--\r\n", boundary);
}

enum fleet_outcome fleet_try(struct fleet *f, const char *sql, size_t n, const struct fleet_table *tables,
                             struct buf *answer, int *code, struct err *err) {
    struct buf arguments = {.max = SQL_MAX}, body = {.max = BODY_MAX};
    char boundary[40], type[96] = "text/plain";
    *code = 0;
    buf_printf(&arguments, "database=%s&wait_end_of_query=1%s", f->database, f->settings);
    if (n > 0 && make_boundary(boundary)) {
        snprintf(type, sizeof type, "multipart/form-data; boundary=%s", boundary);
        add_tables(&body, &arguments, boundary, n, tables);
        buf_str(&arguments, "&query=");
        add_encoded(&arguments, sql);
    } else
        buf_str(&body, sql);
    enum fleet_outcome outcome = FLEET_REFUSED;
    if (arguments.failed || body.failed)
        err_set(err, 0, "%s: the question is too large", fleet_http_where(f->http));
    else
        outcome = fleet_http_post(f->http,
                                  &(struct fleet_request){.arguments = arguments.p,
                                                          .content_type = type,
                                                          .body = buf_view(&body),
                                                          .timeout_ns = f->timeout_ns},
                                  answer, code, err);
    buf_free(&arguments);
    buf_free(&body);
    return outcome;
}

int fleet_ask(struct fleet *f, const char *sql, size_t n, const struct fleet_table *tables,
              struct buf *answer, struct err *err) {
    int code;
    answer->max = FLEET_ANSWER_MAX;
    if (fleet_try(f, sql, n, tables, answer, &code, err) == FLEET_OK)
        return buf_reserve(answer, 1) ? 0
                                      : err_set(err, 0, "out of memory"); /* an empty one has a place, too */
    fleet_explain(f, code, err);
    return -1;
}

enum fleet_outcome fleet_do(struct fleet *f, const char *sql, bool outside, int *code, struct err *err) {
    char arguments[200];
    *code = 0;
    snprintf(arguments, sizeof arguments, "wait_end_of_query=1%s%s",
             outside ? "" : "&database=", outside ? "" : f->database);
    return fleet_http_post(f->http,
                           &(struct fleet_request){.arguments = arguments,
                                                   .content_type = "text/plain",
                                                   .body = span_str(sql),
                                                   .timeout_ns = f->timeout_ns},
                           NULL, code, err);
}

/* The bytes as one gzip member, at the fastest level. */
static bool pack(struct span bytes, struct buf *packed) {
    z_stream z = {0};
    if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    packed->max = BODY_MAX;
    bool room = buf_reserve(packed, deflateBound(&z, bytes.n));
    if (room) {
        z.next_in = (Bytef *)(uintptr_t)bytes.p;
        z.avail_in = (uInt)bytes.n;
        z.next_out = (Bytef *)packed->p;
        z.avail_out = (uInt)packed->cap;
        room = deflate(&z, Z_FINISH) == Z_STREAM_END;
        packed->n = z.total_out;
    }
    deflateEnd(&z);
    return room;
}

enum fleet_outcome fleet_insert(struct fleet *f, const char *table, const char *id, struct span rows,
                                int *code, struct err *err) {
    struct buf packed = {0};
    char arguments[1600];
    *code = 0;
    if (!f->near && !pack(rows, &packed)) {
        buf_free(&packed);
        err_set(err, 0, "out of memory");
        return FLEET_REFUSED;
    }
    snprintf(
        arguments, sizeof arguments,
        "database=%s&wait_end_of_query=1&query_id=%s%s&query=INSERT%%20INTO%%20%s%%20FORMAT%%20RowBinary",
        f->database, id, f->settings, table);
    enum fleet_outcome outcome =
        fleet_http_post(f->http,
                        &(struct fleet_request){.arguments = arguments,
                                                .content_type = "application/octet-stream",
                                                .body = f->near ? rows : buf_view(&packed),
                                                .gzip = !f->near,
                                                .once = true,
                                                .timeout_ns = f->timeout_ns},
                        NULL, code, err);
    buf_free(&packed);
    return outcome;
}

/* --- beginning ---------------------------------------------------------------------------------------------- */

static void keep_settings(struct fleet *f, struct span answer) {
    size_t used = 0;
    for (size_t i = 0; i < N_WANTED; i++) {
        char name[80];
        int n = snprintf(name, sizeof name, "'%s'", wanted[i][0]);
        if (memmem(answer.p, answer.n, name, (size_t)n))
            used += (size_t)snprintf(f->settings + used, sizeof f->settings - used, "&%s=%s", wanted[i][0],
                                     wanted[i][1]);
    }
}

/* "18.16.1\t['max_query_size',…]\n": the engine's version and the settings that it has. */
static enum fleet_outcome read_engine(struct fleet *f, struct span answer, struct err *err) {
    char *end = NULL;
    long major = answer.n ? strtol(answer.p, &end, 10) : 0;
    long minor = end && *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    if (!end || end == answer.p || answer.n < 2 || memcmp(answer.p + answer.n - 2, "]\n", 2) != 0) {
        err_set(err, 0, "%s: its first answer is none of a ClickHouse, or was cut short",
                fleet_http_where(f->http));
        return FLEET_UNCLEAR;
    }
    keep_settings(f, answer);
    if (major > FLEET_ENGINE_MAJOR || (major == FLEET_ENGINE_MAJOR && minor >= FLEET_ENGINE_MINOR))
        return FLEET_OK;
    err_set(err, 0, "%s: it is ClickHouse %ld.%ld; %d.%d or later is needed", fleet_http_where(f->http),
            major, minor, FLEET_ENGINE_MAJOR, FLEET_ENGINE_MINOR);
    return FLEET_REFUSED;
}

enum fleet_outcome fleet_greet(struct fleet *f, int *code, struct err *err) {
    struct buf sql = {.max = SQL_MAX}, answer = {.max = 1 << 20};
    buf_str(&sql, "SELECT version(), groupArray(name) FROM system.settings WHERE name IN (");
    for (size_t i = 0; i < N_WANTED; i++)
        buf_printf(&sql, "%s'%s'", i ? "," : "", wanted[i][0]);
    buf_str(&sql, ") FORMAT TSV");
    enum fleet_outcome outcome = fleet_try(f, sql.p, 0, NULL, &answer, code, err);
    if (outcome == FLEET_OK)
        outcome = read_engine(f, buf_view(&answer), err);
    if (outcome == FLEET_OK)
        outcome =
            fleet_try(f, "SELECT max(version) FROM schema_version FORMAT TSV", 0, NULL, &answer, code, err);
    long version = outcome == FLEET_OK ? atol(answer.p ? answer.p : "") : 0;
    if (outcome == FLEET_OK && version != FLEET_SCHEMA) {
        *code = version > FLEET_SCHEMA ? 0 : 60;
        outcome = FLEET_REFUSED;
        if (version > FLEET_SCHEMA)
            err_set(err, 0,
                    "%s: its tables are of version %ld, made by a newer statwit; this one knows version %d",
                    fleet_http_where(f->http), version, FLEET_SCHEMA);
    }
    if (outcome != FLEET_OK && (*code == 60 || *code == 81)) /* where() names the database */
        say(f, err, "there are no statwit tables in this database: statwit push --init makes them");
    else if (outcome != FLEET_OK)
        fleet_explain(f, *code, err);
    buf_free(&sql);
    buf_free(&answer);
    return outcome;
}
