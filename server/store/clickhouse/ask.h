/* One question to the engine, or one INSERT.
 *
 * Ownership: the struct is the caller's; fleet_close gives back what it holds. An answer is good until the next question into the same buffer.
 * Threads: one at a time.
 * Errors: -1 with err. Bytes never stand in SQL: texts go along as tables, in RowBinary, or as hexadecimal digits.
 */
#ifndef STORE_CLICKHOUSE_ASK_H
#define STORE_CLICKHOUSE_ASK_H

#include "store/clickhouse/http.h"
#include "store/clickhouse/rowbinary.h"

#define FLEET_SCHEMA 1 /* the version of the tables that this statwit knows */
/* The oldest engine that it is tested with. */
#define FLEET_ENGINE_MAJOR 18
#define FLEET_ENGINE_MINOR 16

struct fleet {
    struct fleet_http *http;
    char database[65];
    char settings[1200]; /* those that this engine has, "&NAME=VALUE" each */
    int64_t timeout_ns;  /* of one question */
    bool near;           /* the engine is on this host: packing would cost more than it saves */
};

/* A table that goes along with a question. */
struct fleet_table {
    const char *name, *structure;
    struct span rows;
};

int fleet_open(struct fleet *f, const struct fleet_url *url, const char *ca_file, int64_t timeout_ns,
               struct err *err);
void fleet_close(struct fleet *f);
/* Asks which settings there are, and whether engine and tables are of a version that is known. As fleet_http_post. */
enum fleet_outcome fleet_greet(struct fleet *f, int *code, struct err *err);
/* What to tell the user when the engine refused. */
void fleet_explain(const struct fleet *f, int code, struct err *err);

/* No LIMIT without ORDER BY: what one shard has would be enough, and the engine cancels its question to the others, of which one may then say
 * that it lacks a table that goes along (18.16). */
int fleet_ask(struct fleet *f, const char *sql, size_t n, const struct fleet_table *tables,
              struct buf *answer, struct err *err);
enum fleet_outcome fleet_try(struct fleet *f, const char *sql, size_t n, const struct fleet_table *tables,
                             struct buf *answer, int *code, struct err *err);
/* A statement without an answer; of no database when `outside`. */
enum fleet_outcome fleet_do(struct fleet *f, const char *sql, bool outside, int *code, struct err *err);
/* rows: RowBinary. id: 36 letters and more that name this INSERT and no other. */
enum fleet_outcome fleet_insert(struct fleet *f, const char *table, const char *id, struct span rows,
                                int *code, struct err *err);
/* Appends unhex('…'). */
void sql_text(struct buf *sql, struct span text);

/* The tables, from schema/clickhouse. cluster NULL: one node. schema.c */
enum fleet_outcome fleet_create(struct fleet *f, const char *cluster, int *code, struct err *err);

#endif
