/* Whether a recording is there already, as it is now. */
#include "store/clickhouse/pushing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

/* --- a hash of it ------------------------------------------------------------------------------------------- */

static void hash_bytes(struct pushing *p, const void *bytes, size_t n) {
    p->content = XXH3_64bits_withSeed(bytes, n, p->content);
}

/* In the place of sending a block. */
static enum push_outcome hash_block(struct pushing *p) {
    hash_bytes(p, p->rows.p ? p->rows.p : "", p->rows.n);
    p->n_rows = 0;
    buf_clear(&p->rows);
    return PUSH_DONE;
}

static void hash_text(struct pushing *p, struct span text) {
    uint64_t n = text.n;
    hash_bytes(p, &n, sizeof n);
    hash_bytes(p, text.p ? text.p : "", text.n);
}

/* Series stand for their samples: a recording only grows, or forgets its oldest, and either changes a summary. */
int push_hash(struct pushing *p) {
    const struct push_options *o = p->o;
    enum push_outcome (*send)(struct pushing *) = p->send;
    uint16_t day = p->day;
    p->content = FLEET_SCHEMA;
    p->day = 0; /* of an empty recording it is today's */
    p->send = hash_block;
    enum push_outcome outcome = push_rows(p, PUSH_SERIES);
    if (outcome == PUSH_DONE)
        outcome = push_rows(p, PUSH_RECORDS);
    p->send = send;
    p->day = day;
    for (int i = 0; i < FLEET_LABELS; i++)
        hash_text(p, o->labels[i]);
    for (size_t i = 0; i < o->n_others; i++) {
        hash_text(p, o->others[i].key);
        hash_text(p, o->others[i].value);
    }
    if (p->rows.failed)
        return err_set(p->err, 0, "out of memory");
    return outcome == PUSH_DONE ? 0 : -1;
}

/* --- looking it up ------------------------------------------------------------------------------------------ */

/* "97b2c0de-0000-… 20058 1 2 3 4": the push, its day, and rows of each table. */
static bool take_newest(struct pushing *p, char *line) {
    char digits[33];
    size_t n = 0;
    char *at = line;
    for (; *at && *at != '\t'; at++)
        if (*at != '-' && n < 32)
            digits[n++] = *at;
    digits[n] = '\0';
    if (n != 32)
        return false;
    p->push.low = strtoull(digits + 16, NULL, 16);
    digits[16] = '\0';
    p->push.high = strtoull(digits, NULL, 16);
    p->day = (uint16_t)strtoul(at, &at, 10);
    for (int i = 0; i < PUSH_TABLES; i++)
        p->done[i] = strtoull(at, &at, 10);
    return *at == '\n' && p->push.high == p->content;
}

enum push_outcome push_look_up(struct pushing *p, bool *known) {
    struct buf answer = {.max = 65536};
    struct err *err = p->err, missing = {0};
    uint16_t day = p->day;
    char sql[400];
    snprintf(sql, sizeof sql,
             "SELECT push, toUInt16(day), n_series, n_spellings, n_samples, n_records FROM recordings"
             " WHERE recording = toUUID('%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64
             "') ORDER BY pushed_at DESC LIMIT 1 FORMAT TSV",
             p->recording.high >> 32, p->recording.high >> 16 & 0xffff, p->recording.high & 0xffff,
             p->recording.low >> 48, p->recording.low & UINT64_C(0xffffffffffff));
    enum push_outcome outcome = push_ask(p, sql, false, &answer);
    *known = false;
    if (outcome == PUSH_DONE && answer.n > 0 && take_newest(p, answer.p)) {
        p->err = &missing; /* a partition was dropped: it is pushed anew */
        outcome = push_check_counts(p);
        p->err = err;
        if (outcome == PUSH_FAILED)
            err_set(err, 0, "%s", missing.text);
        *known = outcome == PUSH_DONE;
        outcome = outcome == PUSH_AGAIN ? PUSH_DONE : outcome;
    }
    if (!*known)
        p->day = day;
    buf_free(&answer);
    return outcome;
}
