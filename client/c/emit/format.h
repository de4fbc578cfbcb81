/* Writes what goes on the wire: metrics, events and service checks as DogStatsD lines, metrics as plain StatsD.
 *
 * Ownership: lines are written into the caller's buffer; an overflowing line is to be thrown away.
 * Threads: any.
 * Source: name:value|type[|@rate][|#tags][|c:id][|e:external][|card:word][|Tseconds], and the fixtures in
 * sentry/.
 */
#ifndef CLIENT_EMIT_FORMAT_H
#define CLIENT_EMIT_FORMAT_H

#include "emit/config.h"
#include "emit/tags.h"

enum value_kind { VALUE_INTEGER, VALUE_REAL, VALUE_TEXT };

/* One call of the emitting functions. */
struct sample {
    enum statwit_type type;
    enum value_kind kind;
    const char *key;
    int64_t integer;
    double real;
    const char *text;
    double rate; /* above 0, at most 1 */
    const struct statwit_call *call;
    bool no_scopes; /* global tags do not apply */
};

/* Of timings, histograms and distributions every value counts: they are packed into one line, not summed up. */
static inline bool sample_packs(const struct sample *sample) {
    return sample->type == STATWIT_TIMING || sample->type == STATWIT_HISTOGRAM ||
           sample->type == STATWIT_DISTRIBUTION;
}

/* When it was, for those of which DogStatsD takes that: counts and gauges. 0: now. */
static inline int64_t sample_timestamp_s(const struct sample *sample) {
    bool stamped = sample->type == STATWIT_COUNT || sample->type == STATWIT_GAUGE;
    return stamped && sample->call->timestamp_s > 0 ? sample->call->timestamp_s : 0;
}

/* All tags that come before those of the environment. Scopes must be locked (scope_lock). */
void format_collect(struct tags *tags, const struct config *config, const struct sample *sample);
void format_name(struct line *line, const struct config *config, const char *key);
void format_value(struct line *line, const struct sample *sample);
/* Everything behind the value, from its '|' on. */
void format_tail(struct line *line, const struct config *config, const struct sample *sample,
                 const struct tags *tags);
/* Without tags and instance; a negative gauge is two lines. */
void format_statsd(struct line *line, const struct config *config, const struct sample *sample);
/* 'key': +1 */
void format_log(struct line *line, const struct config *config, const struct sample *sample);

void format_event(struct line *line, const struct config *config, const char *title, const char *text,
                  const struct statwit_event *event, const struct tags *tags);
void format_check(struct line *line, const struct config *config, const char *name,
                  enum statwit_check_status status, const struct statwit_check *check,
                  const struct tags *tags);

#endif
