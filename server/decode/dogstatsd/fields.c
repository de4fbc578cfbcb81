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

__attribute__((cold, noinline)) static void ignore(struct dogstatsd *d, struct span field) {
    if (field.n > 0 && *field.p != '#')
        line_remark(d, is_blank_field(field) ? REMARK_BLANK_FIELD : REMARK_IGNORED_FIELD, field);
}

/* A field that is empty, or that came before; `rest` is it without its prefix. */
__attribute__((cold, noinline)) static void take_odd(struct dogstatsd *d, struct line_fields *fields,
                                                     int which, struct span rest, size_t prefix) {
    struct span *place = &fields->of[which];
    if (fields->given >> which & 1) /* with its prefix */
        line_remark(d, REMARK_REPEATED_FIELD, line_span(place->p - prefix, place->p + place->n));
    fields->given &= ~(1u << which);
    fields->given |= (unsigned)(rest.n > 0) << which;
    *place = rest;
}

static inline void take(struct dogstatsd *d, struct line_fields *fields, int which, struct span rest,
                        size_t prefix) {
    if (d->options.ignore_origin)
        return;
    if (__builtin_expect((fields->given >> which & 1) || rest.n == 0, false)) {
        take_odd(d, fields, which, rest, prefix);
        return;
    }
    fields->given |= 1u << which;
    fields->of[which] = rest;
}

/*   |c:ci-1a2b|e:it-false,cn-web|card:low
 *    ^^^^^^^^^ ^^^^^^^^^^^^^^^^^ ^^^^^^^^
 */
void fields_take(struct dogstatsd *d, struct line_fields *fields, struct span field) {
    if (field.n >= 2 && field.p[1] == ':' && *field.p == 'c')
        take(d, fields, FIELD_LOCAL, span_of(field.p + 2, field.n - 2), 2);
    else if (field.n >= 2 && field.p[1] == ':' && *field.p == 'e')
        take(d, fields, FIELD_EXTERNAL, span_of(field.p + 2, field.n - 2), 2);
    else if (field.n >= 5 && memcmp(field.p, "card:", 5) == 0)
        take(d, fields, FIELD_CARDINALITY, span_of(field.p + 5, field.n - 5), 5);
    else
        ignore(d, field);
}
