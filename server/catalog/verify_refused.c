/* Refused lines of declared metrics: why one was never seen, and what of it an Agent drops. */
#include "catalog/verify_private.h"

#define REFUSED_MAX  10000 /* the newest refused lines that are looked at */
#define REFUSED_TEXT 200   /* bytes of a line that are shown */

static int take_reject(void *arg, const struct reject_row *row) {
    struct verify *v = arg;
    const struct reject *r = &row->reject;
    struct span prefix = v->options->prefix;
    if (r->name.n == 0 || span_eq(r->family, SPAN("service_check")))
        return 0;
    struct span name = verify_clean(v, r->name);
    const struct catalog_entry *e =
        span_starts(name, prefix)
            ? catalog_find_counted(v->catalog, span_from(name, prefix.n), &v->effort->steps)
            : NULL;
    arena_reset(&v->scratch);
    if (!e)
        return effort_is_spent(v->effort);
    struct entry_state *state = &v->states[e - v->catalog->entries];
    if (state->refused++ == 0) {
        bool cut = r->text.n > REFUSED_TEXT;
        state->refused_text = arena_copy(&v->arena, span_of(r->text.p, cut ? REFUSED_TEXT : r->text.n));
        state->refused_why = r->reason;
        v->failed |= r->text.p && !state->refused_text.p;
    }
    return v->failed || effort_is_spent(v->effort);
}

int verify_read_refused(struct verify *v, struct reader *reader, struct err *err) {
    struct filter newest = {.session = scope_session(&v->options->scope),
                            .since = v->options->scope.since,
                            .limit = REFUSED_MAX,
                            .newest = true};
    return reader->ops->rejects(reader, &newest, take_reject, v, err);
}

void verify_put_refused(const struct entry_state *state, struct buf *why) {
    buf_u64(why, state->refused);
    buf_printf(why, " line%s refused, as an Agent would: ", state->refused == 1 ? " was" : "s were");
    buf_span(why, state->refused_text);
    buf_printf(why, " (%s: %s)", reason_word(state->refused_why), reason_sentence(state->refused_why));
}
