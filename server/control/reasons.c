#include "control/reasons.h"

#include "control/glance.h"
#include "control/listing.h"
#include "core/reason.h"
#include "render/rows.h"
#include <inttypes.h>
#include <stdlib.h>

#define NEWEST_MAX ((size_t)16 << 20) /* bytes of one reject */

struct reasons {
    const struct ask *ask;
    uint64_t n[REASON_N], read;
    struct buf newest[REASON_N]; /* as JSON */
};

static int count_reject(void *arg, const struct reject_row *row) {
    struct reasons *r = arg;
    enum reason reason = row->reject.reason;
    r->read++;
    if (!listing_takes_reject(r->ask, row))
        return 0;
    r->n[reason]++;
    r->newest[reason].max = NEWEST_MAX;
    buf_clear(&r->newest[reason]);
    rows_reject_json(&r->newest[reason], row);
    return r->newest[reason].failed;
}

/* The most frequent first. */
static void put_reasons(struct reasons *r, struct buf *b) {
    bool first = true;
    for (;;) {
        size_t most = 0;
        for (size_t i = 1; i < REASON_N; i++)
            if (r->n[i] > r->n[most])
                most = i;
        if (r->n[most] == 0)
            return;
        buf_printf(b, "%s{\"reason\":\"%s\",\"n\":%" PRIu64 ",\"newest\":", first ? "\n" : ",\n",
                   reason_word((enum reason)most), r->n[most]);
        buf_span(b, buf_view(&r->newest[most]));
        buf_char(b, '}');
        r->n[most] = 0;
        first = false;
    }
}

static int fill_reasons(struct glance *g, struct buf *b, struct err *err) {
    struct reasons *r = calloc(1, sizeof *r);
    struct filter f = g->ask.filter;
    if (!r)
        return err_set(err, 0, "out of memory");
    r->ask = &g->ask;
    f.until = f.until ? f.until : g->last_id;
    f.newest = true;
    f.limit = REASONS_READ;
    int failed = g->last_id && g->reader->ops->rejects(g->reader, &f, count_reject, r, err) != 0;
    uint64_t total = 0;
    for (size_t i = 0; i < REASON_N; i++)
        total += r->n[i];
    if (!failed) {
        buf_printf(b, "{\"total\":%" PRIu64 ",\"last_id\":%" PRIu64 ",\"partial\":%s,\"reasons\":[", total,
                   g->last_id, r->read == REASONS_READ ? "true" : "false");
        put_reasons(r, b);
        buf_str(b, "]}\n");
    }
    for (size_t i = 0; i < REASON_N; i++)
        buf_free(&r->newest[i]);
    free(r);
    return failed ? -1 : 0;
}

void reasons_answer(struct http_request *rq, const struct ask *ask) {
    glance_answer(rq, ask, fill_reasons);
}
