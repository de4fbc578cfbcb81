/* A fleet's recordings in ClickHouse behind core/reader.h: one recording as it is in its file, bit for bit, or many as if they were one.
 *
 * Of one recording all ids are the file's. Of many, the recordings are in order of when they began, and a record's id is its
 * recording's place in that order << 40 | the id it has there. Series of the same session, name, type, tags, host and device are one series:
 * its count and sum are added up recording by recording.
 *
 * Consistency: `begin` asks once which pushes are meant. A push never changes, so that list, which goes along with every
 * question, is one moment.
 * Errors: a shard that is missing is an error, never a smaller answer; what the engine holds is held against what was pushed.
 * Limits: FLEET_RECORDINGS_MAX recordings; FLEET_ANSWER_MAX bytes of one answer; the series of a question are held in memory.
 */
#ifndef STORE_CLICKHOUSE_CLICKHOUSE_H
#define STORE_CLICKHOUSE_CLICKHOUSE_H

#include "core/reader.h"

#define FLEET_RECORDINGS_MAX 200000

struct reader *clickhouse_reader_open(const char *url, const char *ca_file, int64_t timeout_ns, bool *usage,
                                      struct err *err);

#endif
