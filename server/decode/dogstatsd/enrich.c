#include "decode/dogstatsd/line.h"

/* Empty means "not given" for all but the host. */
static struct span given(struct span s) {
    return s.n ? s : (struct span){NULL, 0};
}

/* Go's ParseUint with its errors taken as the Agent takes them: not a number is 0 (none), too large is the
 * largest. */
static uint64_t inode_of(struct span digits) {
    uint64_t inode = 0;
    bool over = false;
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];
        if (c < '0' || c > '9')
            return 0;
        over |= __builtin_mul_overflow(inode, 10, &inode);
        over |= __builtin_add_overflow(inode, (uint64_t)(c - '0'), &inode);
    }
    return over ? UINT64_MAX : inode;
}

static void set_inode(struct origin *origin, struct span digits) {
    origin->inode = inode_of(digits);
    origin->has_inode = origin->inode != 0;
}

/*   |c:ci-1a2b      |c:in-4026531836      |c:cid-1a2b      |c:1a2b      |c:ci-1a2b,in-4026531836
 *      ^^^ ^^^^        ^^^ ^^^^^^^^^^        ^^^^ ^^^^        ^^^^         in a list only ci- and in- count
 */
static void local_data(struct dogstatsd *d, struct origin *origin, struct span local) {
    bool list = memchr(local.p, ',', local.n) != NULL;
    const char *end = local.p + local.n;
    for (const char *p = local.p, *stop; p < end; p = stop + 1) {
        stop = line_find(p, end, ',');
        struct span item = line_span(p, stop);
        if (span_starts(item, SPAN("ci-")))
            origin->container_id = given(span_from(item, 3));
        else if (span_starts(item, SPAN("in-")))
            set_inode(origin, span_from(item, 3));
        else if (!list)
            origin->container_id = given(span_starts(item, SPAN("cid-")) ? span_from(item, 4) : item);
        else if (item.n > 0)
            line_remark(d, REMARK_IGNORED_VALUE, item);
    }
}

/* A tag of which `value` is what the Agent took, after `prefix` bytes, is about to be replaced by another one. */
static void replace(struct dogstatsd *d, struct span value, size_t prefix) {
    if (value.n > 0)
        line_remark(d, REMARK_REPEATED_TAG, span_of(value.p - prefix, value.n + prefix));
}

/* Whether the Agent consumes the tag. */
static bool consume(struct dogstatsd *d, struct origin *origin, struct span tag) {
    static const struct span entity_id = {"dd.internal.entity_id:", 22};
    static const struct span card = {"dd.internal.card:", 17};
    static const struct span jmx_check_name = {"dd.internal.jmx_check_name:", 27};
    if (span_starts(tag, SPAN("host:"))) {
        replace(d, origin->host, 5);
        origin->host = span_from(tag, 5);
    } else if (span_starts(tag, entity_id)) {
        replace(d, origin->entity_id, entity_id.n);
        origin->entity_id = given(span_from(tag, entity_id.n));
    } else if (span_starts(tag, card) && origin->cardinality.n == 0) {
        origin->cardinality = given(span_from(tag, card.n));
    } else if (span_starts(tag, jmx_check_name)) {
        replace(d, origin->jmx_check_name, jmx_check_name.n);
        origin->jmx_check_name = given(span_from(tag, jmx_check_name.n));
    } else {
        return false;
    }
    return true;
}

size_t enrich(struct dogstatsd *d, const struct line_fields *fields, struct origin *origin) {
    if (fields->given >> FIELD_EXTERNAL & 1)
        origin->external_data = fields->of[FIELD_EXTERNAL];
    if (fields->given >> FIELD_CARDINALITY & 1)
        origin->cardinality = fields->of[FIELD_CARDINALITY];
    if (fields->given >> FIELD_LOCAL & 1)
        local_data(d, origin, fields->of[FIELD_LOCAL]);
    size_t n = fields->n_tags;
    if (fields->consumable) {
        n = 0;
        for (size_t i = 0; i < fields->n_tags; i++)
            if (!consume(d, origin, d->tags[i]))
                d->tags[n++] = d->tags[i];
    }
    for (size_t i = 0; i < d->options.n_constant_tags; i++)
        d->tags[n++] = d->options.constant_tags[i];
    return n;
}

void enrich_host(struct dogstatsd *d, struct span field, struct origin *origin) {
    if (field.n <= 2)
        return;
    replace(d, origin->host, 5);
    origin->host = span_from(field, 2);
}
