/* Rows of the table `records`, as records.c and lists.c read them. A loss that the reader of the file knew of itself has the id INT64_MAX,
 * which no recording's place is added to. */
#ifndef STORE_CLICKHOUSE_RECORDS_H
#define STORE_CLICKHOUSE_RECORDS_H

#include "store/clickhouse/fleet.h"

#define RECORD_TEXTS_MAX   (16 + 2 * REMARKS_MAX)
#define RECORD_NUMBERS_MAX (8 + REMARKS_MAX)

struct record_row {
    enum fleet_kind kind;
    uint64_t ord, id;
    struct span session, name;
    int64_t at;
    enum source source;
    size_t n_tags, n_texts, n_numbers;
    struct span *tags;
    struct span texts[RECORD_TEXTS_MAX];
    int64_t numbers[RECORD_NUMBERS_MAX];
    struct remarks remarks;
};

struct records_question {
    struct fleet_reader *r;
    const struct filter *f;
    struct buf answer;
    struct record_row row;
    struct span *tags;
    size_t cap_tags;
    struct err *err;
};

/* kinds: "0" or "4, 5". The rows come kind by kind, in order of id. session, source: whether the filter's are conditions. */
int records_ask(struct records_question *q, const char *kinds, bool session, bool source);
/* The next row, into q->row: without its remarks. */
int records_take(struct records_question *q, struct taker *t);
void records_free(struct records_question *q);

#endif
