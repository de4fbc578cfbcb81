/* What the Agent ignores inside the lines of a record, as a sentence beside the record that came closest.
 *
 *     'in:tag,red' was ignored (no field begins like this; …)
 *
 * Appends nothing where nothing was ignored. Bytes as they came: the caller makes them harmless, as all texts of a
 * report. Errors: -1 with err, as the reader's. Limits: IGNORED_SHOWN different pieces, each cut to IGNORED_TEXT_MAX bytes.
 */
#ifndef REPORT_IGNORED_H
#define REPORT_IGNORED_H

#include "core/buf.h"
#include "core/reader.h"

#define IGNORED_SHOWN    3
#define IGNORED_TEXT_MAX 120

/* Of an event or a check. */
void ignored_say(const struct remarks *remarks, struct buf *sentence);
/* Of the samples of a series that came after `since`. */
int ignored_of_series(struct reader *reader, uint64_t series_id, uint64_t since, struct buf *sentence,
                      struct err *err);

#endif
