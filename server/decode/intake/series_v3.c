/* POST /api/intake/metrics/v3/series and /sketches: Payload, series in columns.
 *
 * DESIGN. Row i of the per-metric columns (types, *_refs, intervals, num_points) is one series; the columns
 * of points are read on from where the series before stopped:
 *
 *     types        17             563  2     20        low digit: count, rate, gauge, sketch; next digit: value column
 *     num_points   2              1    1     1
 *     timestamps   1700000000 10  0    0     0         differences, over all series
 *     vals_sint64  3 4                       1 0 1 2   two counts; a sketch's sum, min, max and count
 *     vals_float64                0.1
 *
 * A reference out of its dictionary, or a per-metric column that is too short, refuses the whole body. A
 * column of points that runs dry ends that series' points.
 *
 * Tag sets are written out before use, each cut after INTAKE_TAGS_MAX + 1 tags (a series with more is not
 * kept anyway): a set may contain earlier ones twice, so their true sizes can double with every set.
 */
#include "core/utf8.h"
#include "decode/intake/columns.h"

#include <stdio.h>

struct dictionary {
    struct span *texts; /* [0] is the empty one */
    size_t n;           /* with it */
};

struct tagset {
    const uint32_t *tags;
    size_t n;
};

struct group {
    size_t at, n; /* in dict_resource_type and dict_resource_name */
};

struct payload {
    struct intake *in;
    const struct columns *data;
    struct arena arena; /* the columns, dictionaries */
    struct dictionary names, tags, resources, sources, units;
    struct tagset *tagsets;
    size_t n_tagsets;
    struct group *groups;
    size_t n_groups;
    struct span *resource_types, *resource_names;

    /* Running sums. */
    int64_t name, tagset, resource, source, origin, unit, timestamp;
    /* How far each column has been read. */
    size_t at_unit, at_timestamp, at_sint64, at_float32, at_float64, at_bins, at_keys;
};

static enum intake_status refuse(struct payload *p, const char *what) {
    if (p->arena.failed) {
        p->in->scratch.failed = true; /* tells intake_decode that it is a matter of size */
        return INTAKE_TOO_LARGE;
    }
    return intake_refuse(p->in, REASON_INVALID_BODY, 0, "v3 payload: %s", what);
}

static int64_t add(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* --- dictionaries ---------------------------------------------------------------------------------------- */

static void *table(struct payload *p, size_t n, size_t size) {
    void *items = arena_alloc(&p->arena, n * size + 1);
    if (items)
        memset(items, 0, n * size + 1);
    return items;
}

static enum intake_status read_dictionary(struct payload *p, struct span bytes, bool mend,
                                          struct dictionary *dictionary) {
    size_t n = 1;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1 && !(dictionary->texts = table(p, n, sizeof *dictionary->texts)))
            return refuse(p, "");
        struct wire wire = wire_of(bytes);
        for (n = 1; wire.at < wire.end; n++) {
            struct span text;
            if (!wire_text(&wire, &text))
                return refuse(p, "a dictionary is cut short");
            if (pass == 0 && !mend && !utf8_valid(text))
                return refuse(p, "a dictionary holds text that is not UTF-8");
            if (pass == 1)
                dictionary->texts[n] = mend ? wire_mend(&p->arena, text) : text;
        }
    }
    dictionary->n = n;
    dictionary->texts[0] = SPAN("");
    return INTAKE_OK;
}

static bool in_range(int64_t index, size_t n) {
    return index >= 0 && (uint64_t)index < n;
}

/*   2  1  1      a set of two: tags 1 and 2
 *   2 -1  4      a set of two: all of set 1, and (-1 + 4) tag 3
 */
static enum intake_status read_tagset(struct payload *p, size_t *at, size_t n_entries, struct tagset *set) {
    uint32_t tags[INTAKE_TAGS_MAX + 1];
    size_t n = 0;
    int64_t index = 0;
    for (size_t end = *at + n_entries; *at < end; ++*at) {
        index = add(index, p->data->dict_tagsets[*at]);
        if (index < 0) {
            if (index <= -(int64_t)p->n_tagsets)
                return refuse(p, "a tag set contains one that does not come before it");
            const struct tagset *earlier = &p->tagsets[-index];
            for (size_t i = 0; i < earlier->n && n <= INTAKE_TAGS_MAX; i++)
                tags[n++] = earlier->tags[i];
        } else if (!in_range(index, p->tags.n)) {
            return refuse(p, "a tag set refers to no tag");
        } else if (index > 0 && n <= INTAKE_TAGS_MAX) {
            tags[n++] = (uint32_t)index;
        }
    }
    uint32_t *kept = table(p, n, sizeof *kept);
    if (!kept)
        return refuse(p, "");
    memcpy(kept, tags, n * sizeof *kept);
    *set = (struct tagset){kept, n};
    return INTAKE_OK;
}

static enum intake_status read_tagsets(struct payload *p) {
    const struct columns *d = p->data;
    p->tagsets = table(p, d->n_dict_tagsets + 1, sizeof *p->tagsets);
    if (!p->tagsets)
        return refuse(p, "");
    p->n_tagsets = 1;
    for (size_t at = 0; at < d->n_dict_tagsets;) {
        int64_t n = d->dict_tagsets[at++];
        if (n < 0 || (uint64_t)n > d->n_dict_tagsets - at)
            return refuse(p, "a tag set is cut short");
        enum intake_status status = read_tagset(p, &at, (size_t)n, &p->tagsets[p->n_tagsets]);
        if (status != INTAKE_OK)
            return status;
        p->n_tagsets++;
    }
    return INTAKE_OK;
}

static enum intake_status read_groups(struct payload *p) {
    const struct columns *d = p->data;
    size_t n_all = d->n_dict_resource_type;
    if (d->n_dict_resource_name != n_all)
        return refuse(p, "resource types and names differ in number");
    p->groups = table(p, d->n_dict_resource_len + 1, sizeof *p->groups);
    p->resource_types = table(p, n_all, sizeof *p->resource_types);
    p->resource_names = table(p, n_all, sizeof *p->resource_names);
    if (p->arena.failed)
        return refuse(p, "");
    p->n_groups = 1;
    size_t at = 0;
    for (size_t i = 0; i < d->n_dict_resource_len; i++) {
        int64_t n = d->dict_resource_len[i], type = 0, name = 0;
        if (n < 0 || (uint64_t)n > n_all - at)
            return refuse(p, "a group of resources is cut short");
        p->groups[p->n_groups++] = (struct group){at, (size_t)n};
        for (size_t end = at + (size_t)n; at < end; at++) {
            type = add(type, d->dict_resource_type[at]);
            name = add(name, d->dict_resource_name[at]);
            if (!in_range(type, p->resources.n) || !in_range(name, p->resources.n))
                return refuse(p, "a resource refers to no text");
            p->resource_types[at] = p->resources.texts[type];
            p->resource_names[at] = p->resources.texts[name];
        }
    }
    return INTAKE_OK;
}

static enum intake_status read_dictionaries(struct payload *p) {
    const struct columns *d = p->data;
    enum intake_status status = read_dictionary(p, d->dict_name_str, false, &p->names);
    if (status == INTAKE_OK)
        status = read_dictionary(p, d->dict_tag_str, true, &p->tags);
    if (status == INTAKE_OK)
        status = read_dictionary(p, d->dict_resource_str, false, &p->resources);
    if (status == INTAKE_OK)
        status = read_dictionary(p, d->dict_source_type_name, false, &p->sources);
    if (status == INTAKE_OK)
        status = read_dictionary(p, d->dict_unit_str, false, &p->units);
    if (status == INTAKE_OK && d->n_dict_origin_info % 3 != 0)
        status = refuse(p, "origins come in threes");
    if (status == INTAKE_OK)
        status = read_tagsets(p);
    return status == INTAKE_OK ? read_groups(p) : status;
}

/* --- series ---------------------------------------------------------------------------------------------- */

#define TYPE_HAS_UNIT 0x200
#define TYPE_SKETCH   4

enum column { COLUMN_ZERO = 0x00, COLUMN_SINT64 = 0x10, COLUMN_FLOAT32 = 0x20, COLUMN_FLOAT64 = 0x30 };

/* The next value of a column; false when it has run dry. */
static bool take_value(struct payload *p, enum column column, double *value) {
    const struct columns *d = p->data;
    switch (column) {
    case COLUMN_ZERO:
        *value = 0;
        return true;
    case COLUMN_SINT64:
        if (p->at_sint64 == d->n_vals_sint64)
            return false;
        *value = (double)d->vals_sint64[p->at_sint64++];
        return true;
    case COLUMN_FLOAT32:
        if (p->at_float32 == d->n_vals_float32)
            return false;
        *value = (double)d->vals_float32[p->at_float32++];
        return true;
    case COLUMN_FLOAT64:
        if (p->at_float64 == d->n_vals_float64)
            return false;
        *value = d->vals_float64[p->at_float64++];
        return true;
    }
    return false;
}

static bool take_bins(struct payload *p, struct sketch *sketch) {
    const struct columns *d = p->data;
    if (p->at_bins == d->n_sketch_num_bins)
        return false;
    uint64_t n = d->sketch_num_bins[p->at_bins++];
    if (p->at_keys > d->n_sketch_bin_cnts || n > d->n_sketch_bin_cnts - p->at_keys ||
        n > d->n_sketch_bin_keys - p->at_keys)
        return false;
    int32_t *keys = arena_alloc(&p->in->scratch, (size_t)n * sizeof *keys);
    if (!keys)
        return false;
    uint32_t key = 0;
    for (size_t i = 0; i < n; i++) {
        key += (uint32_t)d->sketch_bin_keys[p->at_keys + i];
        keys[i] = (int32_t)key;
    }
    sketch->n_bins = (size_t)n;
    sketch->keys = keys;
    sketch->counts = n ? d->sketch_bin_cnts + p->at_keys : NULL; /* a column that is not there is NULL */
    p->at_keys += (size_t)n;
    return true;
}

static bool take_sketch(struct payload *p, enum column column, struct sketch *sketch) {
    const struct columns *d = p->data;
    if (!take_value(p, column, &sketch->sum) || !take_value(p, column, &sketch->min) ||
        !take_value(p, column, &sketch->max) || p->at_sint64 == d->n_vals_sint64)
        return false;
    sketch->count = d->vals_sint64[p->at_sint64++];
    sketch->avg = sketch->count ? sketch->sum / (double)sketch->count : 0;
    return take_bins(p, sketch);
}

/* One point; false when some column has run dry. kept: whether its series is. */
static bool take_point(struct payload *p, bool is_sketch, enum column column, bool kept) {
    const struct span none = {NULL, 0};
    struct sketch sketch = {0};
    double value = 0;
    if (p->at_timestamp == p->data->n_timestamps)
        return false;
    p->timestamp = add(p->timestamp, p->data->timestamps[p->at_timestamp++]);
    if (is_sketch ? !take_sketch(p, column, &sketch) : !take_value(p, column, &value))
        return false;
    if (!kept)
        return true;
    if (is_sketch && sketch.count <= 0) {
        p->in->series->n_points++;
        intake_reject(p->in, REASON_INVALID_SKETCH, p->in->series->record.metric.name, none,
                      SPAN("its count is not above 0"));
    } else {
        series_point(p->in, (double)p->timestamp, is_sketch ? sketch.avg : value, none, none,
                     is_sketch ? &sketch : NULL);
    }
    return true;
}

static void take_points(struct payload *p, uint64_t n, bool is_sketch, enum column column, bool kept) {
    for (uint64_t i = 0; i < n; i++) {
        if (take_point(p, is_sketch, column, kept))
            continue;
        char detail[80];
        int length =
            snprintf(detail, sizeof detail, "%llu of %llu", (unsigned long long)i, (unsigned long long)n);
        p->in->series->n_points++;
        intake_reject(p->in, REASON_POINTS_MISSING, p->in->series->record.metric.name, (struct span){NULL, 0},
                      span_of(detail, (size_t)length));
        return;
    }
}

/* Moves the running sums to row i; false when one leaves its dictionary. */
static bool follow_refs(struct payload *p, size_t i) {
    const struct columns *d = p->data;
    p->name = add(p->name, d->name_refs[i]);
    p->tagset = add(p->tagset, d->tagset_refs[i]);
    p->resource = add(p->resource, d->resources_refs[i]);
    p->source = add(p->source, d->source_type_name_refs[i]);
    p->origin = add(p->origin, d->origin_info_refs[i]);
    if (d->types[i] & TYPE_HAS_UNIT) {
        if (p->at_unit == d->n_unit_refs)
            return false;
        p->unit = add(p->unit, d->unit_refs[p->at_unit++]);
    }
    return in_range(p->name, p->names.n) && in_range(p->tagset, p->n_tagsets) &&
           in_range(p->resource, p->n_groups) && in_range(p->source, p->sources.n) &&
           in_range(p->origin, d->n_dict_origin_info / 3 + 1) && in_range(p->unit, p->units.n);
}

static void take_fields(struct payload *p, size_t row) {
    struct series *s = p->in->series;
    const struct columns *d = p->data;
    s->record.metric.name = p->names.texts[p->name];
    s->record.metric.interval = d->intervals[row] > INT64_MAX ? INT64_MAX : (int64_t)d->intervals[row];
    if (p->source)
        s->record.metric.source_type = p->sources.texts[p->source];
    if (d->types[row] & TYPE_HAS_UNIT && p->unit)
        s->record.metric.unit = p->units.texts[p->unit];
    const struct tagset *set = &p->tagsets[p->tagset];
    for (size_t i = 0; i < set->n; i++)
        series_tag(s, p->tags.texts[set->tags[i]]);
    const struct group *group = &p->groups[p->resource];
    for (size_t i = group->at; i < group->at + group->n; i++)
        series_resource(s, p->resource_types[i], p->resource_names[i]);
    if (p->origin) {
        const int32_t *origin = d->dict_origin_info + 3 * (p->origin - 1);
        series_origin(s, origin[0], origin[1], origin[2]);
    }
    for (size_t i = 0; i < d->n_tags; i++)
        series_tag(s, wire_mend(&p->in->scratch, d->tags[i]));
    for (size_t i = 0; i + 1 < d->n_resources; i += 2)
        series_resource(s, d->resources[i], d->resources[i + 1]);
}

static enum intake_status read_series(struct payload *p, size_t row) {
    static const enum metric_type types[] = {0, METRIC_COUNT, METRIC_RATE, METRIC_GAUGE, METRIC_DISTRIBUTION};
    uint64_t type = p->data->types[row];
    if ((type & 0xF) == 0 || (type & 0xF) > TYPE_SKETCH || (type & 0xF0) > COLUMN_FLOAT64)
        return refuse(p, "a type is unknown");
    if (!follow_refs(p, row))
        return refuse(p, "a reference leaves its dictionary");
    series_begin(p->in, types[type & 0xF]);
    take_fields(p, row);
    bool kept = series_accepts(p->in);
    take_points(p, p->data->num_points[row], (type & 0xF) == TYPE_SKETCH, (enum column)(type & 0xF0), kept);
    if (kept)
        series_end(p->in);
    return INTAKE_OK;
}

static enum intake_status read_payload(struct payload *p) {
    const struct columns *d = p->data;
    enum intake_status status = read_dictionaries(p);
    size_t n = d->n_types;
    if (status == INTAKE_OK &&
        (d->n_name_refs < n || d->n_tagset_refs < n || d->n_resources_refs < n || d->n_intervals < n ||
         d->n_num_points < n || d->n_source_type_name_refs < n || d->n_origin_info_refs < n))
        status = refuse(p, "a column is shorter than the types");
    for (size_t row = 0; status == INTAKE_OK && row < n; row++)
        status = read_series(p, row);
    return status;
}

enum intake_status series_v3_decode(struct intake *in, struct span body) {
    struct columns columns;
    struct payload p = {.in = in, .data = &columns, .arena = {.max = INTAKE_SCRATCH_MAX}};
    enum intake_status status = INTAKE_OK;
    if (!columns_read(&columns, body, &p.arena))
        status = refuse(&p, "proto: cannot parse invalid wire-format data");
    else if (columns.has_data)
        status = read_payload(&p);
    arena_free(&p.arena);
    return status;
}
