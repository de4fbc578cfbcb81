/* One row of a recording as text: the JSON of the lists, the stream and the export, and the other export
 * formats.
 *
 * Each appends to the buffer and reads nothing else. JSON shapes are those of schema/openapi.yaml: what was
 * not given is null; a string that is not UTF-8 has U+FFFD in it and is followed by NAME_b64 with the exact
 * bytes. Threads: any.
 */
#ifndef RENDER_ROWS_H
#define RENDER_ROWS_H

#include "core/buf.h"
#include "core/reader.h"

void rows_series_json(struct buf *b, const struct series_row *row);
/* The same with the field p95. */
void rows_series_p95_json(struct buf *b, const struct series_row *row, double p95);
/* {"repo":"shop", …, "series": …}; a key for each of the n words first. */
void rows_emitter_json(struct buf *b, size_t n, const struct emitter_by *by, const struct emitter_row *row);
void rows_sample_json(struct buf *b, const struct sample_row *row);
/* Takes the fields that are null out of the object that begins at `from` of the text. */
void rows_leave_out_nulls(struct buf *b, size_t from);
void rows_event_json(struct buf *b, const struct event_row *row);
void rows_check_json(struct buf *b, const struct check_row *row);
void rows_reject_json(struct buf *b, const struct reject_row *row);
void rows_request_json(struct buf *b, const struct request_row *row);

/* "ok", "warning", "critical", "unknown" */
const char *rows_check_status(int status);

/* A line that reads back as the same record, and says nothing that the record does not: NAME:VALUE|TYPE|…, _e{…}:…, _sc|…, without the newline. */
void rows_datagram_json(struct buf *b, const struct datagram_row *row);
/* The bytes as they came, with a line feed behind them where they end with none. */
void rows_datagram_raw(struct buf *b, const struct datagram_row *row);
void rows_sample_dogstatsd(struct buf *b, const struct sample_row *row);
void rows_event_dogstatsd(struct buf *b, const struct event_row *row);
void rows_check_dogstatsd(struct buf *b, const struct check_row *row);

/* RFC 4180, without the line end. safe: a text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage
 * return) has a ' before it. Numbers stay as they are. */
#define ROWS_SAMPLE_CSV_HEAD                                                                                 \
    "id,session,received_at,source,name,type,value,text,sample_rate,tags,host,timestamp"
void rows_sample_csv(struct buf *b, const struct sample_row *row, bool safe);

#endif
