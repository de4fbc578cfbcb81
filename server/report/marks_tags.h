/* How the tags of a candidate differ from those that an expectation asks for: what is missing, has another value, is one too
 * many.
 *
 * Source: statwit-expect(7), Tags.
 */
#ifndef REPORT_MARKS_TAGS_H
#define REPORT_MARKS_TAGS_H

#include "report/candidates.h"
#include "report/marks.h"

void marks_add_tags(struct marks *m, const struct expectation *e, const struct candidate *c);

#endif
