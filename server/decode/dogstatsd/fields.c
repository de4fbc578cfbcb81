#include "decode/dogstatsd/line.h"

/*   |c:ci-1a2b|e:it-false,cn-web|card:low
 *    ^^^^^^^^^ ^^^^^^^^^^^^^^^^^ ^^^^^^^^
 */
void fields_take(const struct dogstatsd_options *options, struct line_fields *fields, struct span field) {
    if (options->ignore_origin)
        return;
    if (span_starts(field, SPAN("c:")))
        fields->local = span_from(field, 2);
    else if (span_starts(field, SPAN("e:")))
        fields->external = span_from(field, 2);
    else if (span_starts(field, SPAN("card:")))
        fields->cardinality = span_from(field, 5);
}
