/* POST /api/beta/sketches: SketchPayload { repeated Sketch sketches = 1; }, one sketch at a time.
 *
 *     message Sketch {                                    message Distribution and Dogsketch {
 *       string metric = 1;                                  int64 ts = 1;
 *       string host = 2;                                    int64 cnt = 2;
 *       repeated Distribution distributions = 3;            double min = 3;
 *       repeated string tags = 4;                           double max = 4;
 *       repeated Dogsketch dogsketches = 7;                 double avg = 5;
 *       Metadata metadata = 8;                              double sum = 6;
 *     }                                                     // Dogsketch:               Distribution:
 *                                                           repeated sint32 k = 7;    repeated double v = 7;
 *     message CommonMetadata {                              repeated uint32 n = 8;    repeated uint32 g = 8;
 *       string agent_version = 1, timezone = 2;                                       repeated uint32 delta = 9;
 *       double current_epoch = 3;                                                     repeated double buf = 10;
 *       string internal_ip = 4, public_ip = 5;            }
 *       string api_key = 6;
 *     }
 *
 * Distributions are the older form: the values themselves (v with g and delta, buf) are not kept, the summary is. What is
 * not kept must still be well formed, as must the payload's CommonMetadata metadata = 2.
 * Fields come in any order, so a sketch is read thrice: once to see that all of it is well formed and for all but
 * its points, then its distributions, then its dogsketches.
 */
#include "core/utf8.h"
#include "decode/intake/wire.h"

static void reject(struct intake *in, const char *detail) {
    in->series->n_points++;
    intake_reject(in, REASON_INVALID_SKETCH, in->series->record.metric.name, (struct span){NULL, 0},
                  span_str(detail));
}

static void take_sketch(struct intake *in, int64_t timestamp, const struct sketch *sketch) {
    if (sketch->count <= 0)
        reject(in, "its count is not above 0");
    else
        series_point(in, (double)timestamp, sketch->avg, (struct span){NULL, 0}, (struct span){NULL, 0},
                     sketch);
}

struct sketch_point {
    int64_t timestamp;
    struct sketch sketch;
    size_t n_keys, n_counts;
    int32_t *keys; /* NULL: they are only counted */
    uint32_t *counts;
};

enum { DISTRIBUTIONS = 3, DOGSKETCHES = 7 };

static void take_number(struct sketch_point *p, struct wire *w, const struct wire_field *f, uint32_t form) {
    size_t unused = 0;
    switch (f->number) {
    case 1:
        p->timestamp = (int64_t)wire_integer(w, f);
        break;
    case 2:
        p->sketch.count = (int64_t)wire_integer(w, f);
        break;
    case 3:
        p->sketch.min = wire_double(w, f);
        break;
    case 4:
        p->sketch.max = wire_double(w, f);
        break;
    case 5:
        p->sketch.avg = wire_double(w, f);
        break;
    case 6:
        p->sketch.sum = wire_double(w, f);
        break;
    case 7:
        if (form == DOGSKETCHES)
            wire_numbers(w, f, WIRE_SINT32, p->keys, &p->n_keys);
        else
            wire_numbers(w, f, WIRE_DOUBLE, NULL, &unused);
        break;
    case 8:
        if (form == DOGSKETCHES)
            wire_numbers(w, f, WIRE_UINT32, p->counts, &p->n_counts);
        else
            wire_numbers(w, f, WIRE_UINT32, NULL, &unused);
        break;
    case 9:
        if (form == DISTRIBUTIONS)
            wire_numbers(w, f, WIRE_UINT32, NULL, &unused);
        break;
    case 10:
        if (form == DISTRIBUTIONS)
            wire_numbers(w, f, WIRE_DOUBLE, NULL, &unused);
        break;
    default: /* not known: skipped */
        break;
    }
}

/* The point of the field at hand, whose number is its form. */
static void read_point(struct sketch_point *p, struct wire *outer, const struct wire_field *field) {
    struct span bytes;
    struct wire_field f;
    p->n_keys = p->n_counts = 0;
    if (!wire_bytes(outer, field, &bytes))
        return;
    struct wire w = wire_of(bytes);
    while (wire_next(&w, &f))
        take_number(p, &w, &f, field->number);
    outer->failed = w.failed;
}

/* False: no memory. */
static bool take_point(struct intake *in, struct wire *w, const struct wire_field *f) {
    struct sketch_point p = {0};
    read_point(&p, w, f);
    if (p.n_keys != p.n_counts) {
        reject(in, "k and n differ in length");
        return true;
    }
    if (p.n_keys > 0) {
        p.keys = arena_alloc(&in->scratch, p.n_keys * sizeof *p.keys);
        p.counts = arena_alloc(&in->scratch, p.n_counts * sizeof *p.counts);
        if (!p.keys || !p.counts)
            return false;
        read_point(&p, w, f);
    }
    p.sketch.n_bins = p.n_keys;
    p.sketch.keys = p.keys;
    p.sketch.counts = p.counts;
    take_sketch(in, p.timestamp, &p.sketch);
    return true;
}

static bool take_points(struct intake *in, struct span bytes, uint32_t form) {
    struct wire w = wire_of(bytes);
    struct wire_field f;
    while (wire_next(&w, &f))
        if (f.number == form && !take_point(in, &w, &f))
            return false;
    return true;
}

/* All but the points, which are only counted; false when it is malformed. */
static bool read_sketch(struct series *s, struct span bytes, bool *bad_text) {
    struct wire w = wire_of(bytes);
    struct wire_field f;
    struct sketch_point unused;
    struct span tag;
    s->record.metric.name = s->record.metric.origin.host = SPAN("");
    while (wire_next(&w, &f)) {
        switch (f.number) {
        case 1:
            wire_bytes(&w, &f, &s->record.metric.name);
            break;
        case 2:
            wire_bytes(&w, &f, &s->record.metric.origin.host);
            break;
        case DISTRIBUTIONS:
        case DOGSKETCHES:
            unused = (struct sketch_point){0};
            read_point(&unused, &w, &f);
            break;
        case 4:
            wire_bytes(&w, &f, &tag);
            series_tag(s, tag);
            *bad_text = *bad_text || !utf8_valid(tag);
            break;
        case 8:
            series_metadata(s, &w, &f);
            break;
        default: /* not known: skipped */
            break;
        }
    }
    *bad_text = *bad_text || !utf8_valid(s->record.metric.name) || !utf8_valid(s->record.metric.origin.host);
    return !w.failed;
}

static enum intake_status decode_sketch(struct intake *in, struct span bytes, size_t offset) {
    bool bad_text = false;
    series_begin(in, METRIC_DISTRIBUTION);
    if (!read_sketch(in->series, bytes, &bad_text))
        return wire_refuse(in, offset);
    if (bad_text)
        return intake_refuse(in, REASON_INVALID_BODY, offset, "proto: string field contains invalid UTF-8");
    if (!series_accepts(in))
        return INTAKE_OK;
    if (!take_points(in, bytes, DISTRIBUTIONS) || !take_points(in, bytes, DOGSKETCHES))
        return INTAKE_TOO_LARGE;
    series_end(in);
    return INTAKE_OK;
}

static void check_metadata(struct wire *outer, const struct wire_field *field) {
    struct span bytes, text;
    struct wire_field f;
    if (field->number != 2 || !wire_bytes(outer, field, &bytes))
        return;
    struct wire w = wire_of(bytes);
    while (wire_next(&w, &f)) {
        if (f.number == 3)
            wire_double(&w, &f);
        else if (f.number <= 6)
            wire_bytes(&w, &f, &text);
    }
    outer->failed = w.failed;
}

enum intake_status sketches_decode(struct intake *in, struct span body) {
    return wire_each(in, body, decode_sketch, check_metadata);
}
