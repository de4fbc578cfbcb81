#include "decode/dogstatsd/line.h"

/*   |#env:ci,a|c:ci-1a2b|e:it-false,cn-web|card:low
 *    ^^^^^^^^^ ^^^^^^^^^ ^^^^^^^^^^^^^^^^^ ^^^^^^^^
 */
void fields_take(const struct dogstatsd_options *options, struct fields *fields, struct span field) {
    if (field.n == 0)
        return;
    if (field.p[0] == '#')
        fields->tags = span_from(field, 1);
    else if (options->ignore_origin)
        return;
    else if (span_starts(field, SPAN("c:")))
        fields->local = span_from(field, 2);
    else if (span_starts(field, SPAN("e:")))
        fields->external = span_from(field, 2);
    else if (span_starts(field, SPAN("card:")))
        fields->cardinality = span_from(field, 5);
}
