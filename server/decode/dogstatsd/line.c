#include "decode/dogstatsd/line.h"

void line_reject(struct dogstatsd *d, enum reason reason, struct span family, struct span line,
                 const char *at, struct span name) {
    struct record record;
    d->remarks.n = 0; /* what is refused is shown as a whole */
    record.kind = RECORD_REJECT;
    record.reject = (struct reject){.reason = reason,
                                    .family = family,
                                    .text = line,
                                    .offset = (size_t)(at - line.p),
                                    .name = name.n ? name : (struct span){NULL, 0}};
    d->emit(d->arg, &record);
}

void line_remark(struct dogstatsd *d, enum remark_kind kind, struct span text) {
    struct remarks *r = &d->remarks;
    if (r->n < REMARKS_MAX)
        r->list[r->n++] = (struct remark){.kind = kind, .text = text};
}

void line_remark_tags(struct dogstatsd *d, const struct line_fields *fields) {
    const struct span *last = &d->tags[fields->n_tags - 1];
    line_remark(d, REMARK_REPEATED_FIELD, line_span(d->tags[0].p - 1, last->p + last->n));
}

const struct remarks *line_remarks(struct dogstatsd *d, struct span line) {
    struct remarks *r = &d->remarks;
    if (r->n == 0)
        return NULL;
    r->line = line;
    for (size_t i = 0; i < r->n; i++) { /* noted when they were replaced, told in the order of the line */
        struct remark remark = r->list[i];
        size_t at = i;
        remark.offset = (size_t)(remark.text.p - line.p);
        for (; at > 0 && r->list[at - 1].offset > remark.offset; at--)
            r->list[at] = r->list[at - 1];
        r->list[at] = remark;
    }
    if (r->n == REMARKS_MAX)
        r->list[r->n - 1].text = line_span(r->list[r->n - 1].text.p, line.p + line.n);
    return r;
}
