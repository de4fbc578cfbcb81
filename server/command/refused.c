#include "command/refused.h"

#include "core/cause.h"
#include "core/log.h"
#include "store/store.h"
#include <inttypes.h>

#define TEXT_MAX 200 /* bytes of a line */

static int tell_reject(void *arg, const struct reject_row *row) {
    const struct reject *r = &row->reject;
    const char *cause = cause_of(r);
    (void)arg;
    log_warning("refused, %s: %s%s%s: %.*s%s", reason_word(r->reason), reason_sentence(r->reason),
                cause ? "; " : "", cause ? cause : "", (int)(r->text.n < TEXT_MAX ? r->text.n : TEXT_MAX),
                r->text.n ? r->text.p : "", r->text.n > TEXT_MAX ? "..." : "");
    return 0;
}

void refused_tell(const struct recorder *r, uint64_t n, const char *db) {
    bool kept = strcmp(db, ":memory:") != 0;
    struct err err = {0};
    struct filter first = {.limit = REFUSED_SHOWN};
    if (n == 0)
        return;
    log_warning("%" PRIu64 " refused, which an Agent would drop: `statwit rejects --db %s` shows why", n,
                kept ? db : "FILE` after `statwit run --db FILE");
    struct reader *reader = store_reader_take(r->store, &err);
    if (reader && reader->ops->begin(reader, &err) == 0) {
        reader->ops->rejects(reader, &first, tell_reject, NULL, &err);
        reader->ops->end(reader);
    }
    if (reader)
        store_reader_give(r->store, reader);
    if (n > REFUSED_SHOWN)
        log_warning("and %" PRIu64 " more", n - REFUSED_SHOWN);
}
