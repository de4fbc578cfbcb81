#include "decode/dogstatsd/line.h"

/* Whether blanks are all that keeps this from being a field: " #a:b", " @0.5", " T1657100430", " d:1", " card:low". */
static bool is_blank_field(struct span field) {
    struct span s = field;
    while (s.n > 0 && *s.p == ' ')
        s = span_from(s, 1);
    if (s.n == field.n || s.n < 2)
        return false;
    return *s.p == '#' || *s.p == '@' || s.p[1] == ':' || (*s.p == 'T' && s.p[1] >= '0' && s.p[1] <= '9') ||
           span_starts(s, SPAN("card:"));
}

/*   |c:ci-1a2b|e:it-false,cn-web|card:low
 *    ^^^^^^^^^ ^^^^^^^^^^^^^^^^^ ^^^^^^^^
 */
void fields_take(struct dogstatsd *d, struct line_fields *fields, struct span field) {
    struct span *given, rest;
    if (span_starts(field, SPAN("c:"))) {
        given = &fields->local;
        rest = span_from(field, 2);
    } else if (span_starts(field, SPAN("e:"))) {
        given = &fields->external;
        rest = span_from(field, 2);
    } else if (span_starts(field, SPAN("card:"))) {
        given = &fields->cardinality;
        rest = span_from(field, 5);
    } else {
        if (field.n > 0 && *field.p != '#')
            line_remark(d, is_blank_field(field) ? REMARK_BLANK_FIELD : REMARK_IGNORED_FIELD, field);
        return;
    }
    if (d->options.ignore_origin)
        return;
    if (given->n > 0) /* with its prefix */
        line_remark(d, REMARK_REPEATED_FIELD, line_span(given->p - (rest.p - field.p), given->p + given->n));
    *given = rest;
}
