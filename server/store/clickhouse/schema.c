/* Makes the tables of schema/clickhouse. */
#include "core/embed.h"
#include "store/clickhouse/ask.h"

#include <ctype.h>
#include <stdio.h>

EMBED(clickhouse_0001, "schema/clickhouse/0001_fleet.sql");

/* The next statement, without comments and with its placeholders filled in; what follows it. p == NULL: there is none. */
static struct span next_statement(struct span sql, const struct fleet *f, bool cluster,
                                  struct buf *statement) {
    buf_clear(statement);
    for (size_t i = 0; i < sql.n; i++) {
        struct span at = span_from(sql, i);
        if (span_starts(at, SPAN("--"))) {
            while (i + 1 < sql.n && sql.p[i] != '\n')
                i++;
            if (statement->n > 0)
                buf_char(statement, '\n');
        } else if (span_starts(at, SPAN("{db}"))) {
            buf_str(statement, f->database);
            i += 3;
        } else if (span_starts(at, SPAN("{local}"))) {
            buf_str(statement, cluster ? "_local" : "");
            i += 6;
        } else if (sql.p[i] == ';')
            return span_from(sql, i + 1);
        else if (statement->n > 0 || !isspace((unsigned char)sql.p[i]))
            buf_char(statement, sql.p[i]);
    }
    return (struct span){NULL, 0};
}

static enum fleet_outcome distribute(struct fleet *f, const char *cluster, int *code, struct err *err) {
    static const char *const tables[] = {"recordings", "series", "spellings", "samples", "records"};
    enum fleet_outcome outcome = FLEET_OK;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && outcome == FLEET_OK; i++) {
        char sql[500];
        snprintf(
            sql, sizeof sql,
            "CREATE TABLE IF NOT EXISTS %s.%s AS %s.%s_local ENGINE = Distributed(%s, %s, %s_local, shard_key)",
            f->database, tables[i], f->database, tables[i], cluster, f->database, tables[i]);
        outcome = fleet_do(f, sql, true, code, err);
    }
    return outcome;
}

/* Twice is no harm: the greatest version counts. */
static enum fleet_outcome note_version(struct fleet *f, int *code, struct err *err) {
    char sql[200];
    snprintf(sql, sizeof sql, "INSERT INTO %s.schema_version (version, day) VALUES (%d, '2026-01-01')",
             f->database, FLEET_SCHEMA);
    return fleet_do(f, sql, true, code, err);
}

enum fleet_outcome fleet_create(struct fleet *f, const char *cluster, int *code, struct err *err) {
    struct span rest = span_of(clickhouse_0001, EMBED_SIZE(clickhouse_0001));
    struct buf statement = {.max = 65536};
    enum fleet_outcome outcome = FLEET_OK;
    bool distributed = false;
    while (outcome == FLEET_OK && (rest = next_statement(rest, f, cluster != NULL, &statement)).p) {
        bool view = span_starts(buf_view(&statement), SPAN("CREATE VIEW"));
        if (view && cluster && !distributed) { /* views stand on these */
            outcome = distribute(f, cluster, code, err);
            distributed = true;
        }
        if (outcome == FLEET_OK)
            outcome = fleet_do(f, statement.p, true, code, err);
    }
    if (outcome == FLEET_OK)
        outcome = note_version(f, code, err);
    buf_free(&statement);
    return outcome;
}
