/* For expectations that did not pass: what was recorded that comes closest, and in what it differs.
 *
 * It looks at series, events, service checks and refused lines, of all sessions. One pass over each, however many
 * expectations ask. For a `no` that passed it looks only for refused lines that would have broken it.
 * Ownership: what is found lives until closest_free.
 * Limits: CLOSEST_* of candidates.h; past them less is looked for, never more time taken.
 */
#ifndef REPORT_CLOSEST_H
#define REPORT_CLOSEST_H

#include "report/candidates.h"

/* Looks for all of the claims; list[i] answers claims[i] for the first CLOSEST_CLAIMS_MAX. */
int closest_find(struct closest_search *search, struct judge *j, struct claim *const *claims, size_t n,
                 struct reader *reader, struct err *err);
/* The same for `no` claims that passed: only refused lines that they are about. */
int closest_find_refused(struct closest_search *search, struct judge *j, struct claim *const *claims,
                         size_t n, struct reader *reader, struct err *err);
void closest_free(struct closest_search *search);

/* {"name","type","tags",…,"marks":[{"mark","text"}],"text"} */
json_t *closest_json(const struct candidate *c, const struct expectation *e);

#endif
