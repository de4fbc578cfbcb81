/* Copies a recording into ClickHouse: all of it becomes visible at once, or nothing does.
 *
 * DESIGN. Each attempt has a random id of its own, its push. All rows carry it, and one row in `recordings`, written last, makes
 * the push visible. It is written only after the engine has counted what it holds of the push, and the counts are right. So an attempt that ends
 * in the middle shows nothing and doubles nothing, whoever dies. An INSERT is one part: all of its rows share a month and a shard, and
 * there are no more than the engine takes as one block. When its answer is lost, the rows of the push are counted again: none
 * of the block is there, then it is sent again; all are, then the push goes on; some are, then the push is given up and a new one
 * begins. Rows of a push that was given up are never shown and go with their month.
 *
 * Half of the random id is a hash of what is pushed and how it is labelled. So the recording's newest push says whether it is the same; then, if all
 * of its rows are there, nothing is sent.
 *
 * Ownership: the caller's structs. Threads: one; blocks until done.
 * Errors: -1 with err.
 * Limits: a block has at most PUSH_ROWS rows and some PUSH_BYTES; series, spellings and samples come in blocks.
 */
#ifndef STORE_CLICKHOUSE_PUSH_H
#define STORE_CLICKHOUSE_PUSH_H

#include "core/reader.h"
#include "store/clickhouse/url.h"
#include <stdatomic.h>

#define PUSH_ROWS       500000
#define PUSH_BYTES      ((size_t)64 << 20)
#define PUSH_OTHERS_MAX 64

struct push_label {
    struct span key, value;
};

struct push_options {
    struct fleet_url url;
    const char *ca_file;     /* NULL: what the system trusts */
    bool init;               /* make the tables first */
    const char *cluster;     /* of init; NULL: one node */
    bool with_requests;      /* with the bodies of requests */
    int64_t patience_ns;     /* how long without progress before it gives up */
    int64_t until_ns;        /* on the monotonic clock: it gives up then, whatever is done; 0: never */
    int64_t pause_ns;        /* before the first repetition; each takes twice as long; 0: 50 ms */
    const atomic_bool *stop; /* it gives up soon after this becomes true; may be NULL */
    struct span labels[FLEET_LABELS]; /* as fleet_labels */
    size_t n_others;
    struct push_label others[PUSH_OTHERS_MAX];
    /* Called now and then; may be NULL. */
    void (*progress)(void *arg, uint64_t samples, uint64_t of);
    void *arg;
};

struct push_result {
    char recording[RECORDING_NAME_SIZE];
    uint64_t samples, series, records, bytes; /* bytes: on the wire, before packing */
    bool known;                               /* it was there already: nothing was sent */
    unsigned tries;                           /* requests that had to be repeated */
    int64_t took_ns;
};

/* `from` reads one recording; not between its begin and end. */
int push_run(struct reader *from, const struct push_options *options, struct push_result *result,
             struct err *err);

/* Makes the tables, and nothing else. */
int push_init(const struct push_options *options, struct err *err);

#endif
