/* Private to decode/intake: a series being read, the rules every format shares, and where records go.
 *
 *     series_begin -> (set metric.*, series_tag, series_host, …) -> series_accepts
 *                  -> series_point… -> series_end
 *
 * Source: schema/protocol/datadog-http.md section 3.
 */
#ifndef DECODE_INTAKE_SERIES_H
#define DECODE_INTAKE_SERIES_H

#include "core/arena.h"
#include "core/buf.h"
#include "decode/intake/intake.h"

struct wire;
struct wire_field;

/* The state of one call of intake_decode. */
struct intake {
    enum intake_format format;
    struct intake_options options;
    record_fn *emit;
    void *arg;
    struct intake_error *error;
    bool refused; /* the body, by a value within it: decoding goes on for the sake of the JSON behind it */
    struct arena scratch; /* of the series (or event) at hand */
    struct series *series;
};

struct series {
    struct record record; /* to be emitted: a metric */
    bool again;           /* by series_again */
    struct span raw;      /* its text in the body, for rejects; {NULL, 0} in binary formats */
    struct span tags[INTAKE_TAGS_MAX];
    size_t n_tags, tag_bytes;               /* of all given tags, also those that had no room */
    struct span long_tags[INTAKE_TAGS_MAX]; /* the tags that were cut, as they were given */
    size_t n_long_tags;
    size_t n_resources;
    struct buf resources; /* a JSON object, unfinished */
    bool has_origin;
    int64_t origin[3]; /* product, category, service */
    struct value values[INTAKE_VALUES];
    size_t n_values;
    size_t n_points; /* seen, dropped ones too */
};

/* The body is refused whole. Always INTAKE_BAD. */
enum intake_status intake_refuse(struct intake *in, enum reason reason, size_t offset, const char *format,
                                 ...) __attribute__((format(printf, 4, 5)));
void intake_reject(struct intake *in, enum reason reason, struct span name, struct span text,
                   struct span detail);

void series_begin(struct intake *in, enum metric_type type);
/* A series that the caller remembers, and these bytes begin as it does; NULL: there is none. */
static inline const struct metric *series_guess(const struct intake *in, char kind, struct span bytes) {
    return in->options.next ? in->options.next(in->arg, kind, bytes) : NULL;
}
/* Begins a series that the caller remembers: only its points are to be read. */
void series_again(struct intake *in, const struct metric *known);
/* The same with the one that has these bytes before and behind its points; false when the caller remembers none. */
bool series_known(struct intake *in, char kind, struct span before, struct span behind);
/* The series was accepted: these bytes will mean it again. */
void series_learn(struct intake *in, char kind, struct span before, struct span behind);
void series_tag(struct series *s, struct span tag);
/* Resources "host" and "device" fill their fields, all others are kept as JSON. */
void series_resource(struct series *s, struct span type, struct span name);
void series_origin(struct series *s, int64_t product, int64_t category, int64_t service);
/* A protobuf Metadata, the same in all formats: its origin becomes the series'. */
void series_metadata(struct series *s, struct wire *w, const struct wire_field *f);
/* Whether the series as a whole is kept; else its one reject has been emitted. */
bool series_accepts(struct intake *in);
/* Adds a point, or emits its reject. raw: the point's text or {NULL, 0}. sketch: copied, may be NULL. */
void series_point(struct intake *in, double timestamp, double number, struct span text, struct span raw,
                  const struct sketch *sketch);
/* Emits the values that are still waiting. Rejects a series that had no points. */
void series_end(struct intake *in);

/* The formats. */
enum intake_status series_v1_decode(struct intake *in, struct span body); /* distribution points too */
enum intake_status series_v2_json_decode(struct intake *in, struct span body);
enum intake_status series_v2_decode(struct intake *in, struct span body);
enum intake_status sketches_decode(struct intake *in, struct span body);
enum intake_status series_v3_decode(struct intake *in, struct span body);
enum intake_status checks_decode(struct intake *in, struct span body);
enum intake_status event_v1_decode(struct intake *in, struct span body);
enum intake_status event_v2_decode(struct intake *in, struct span body);
enum intake_status agent_events_decode(struct intake *in, struct span body);

#endif
