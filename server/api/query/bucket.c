/* DESIGN. Three steps, as Datadog evaluates:
 *
 *     over time     the points of a series in a bucket become one value: the average, or as rollup and as_count say
 *     fill          a series' empty buckets, if fill() asks for it
 *     over series   the values of a group's series become one
 *
 * Distributions, histograms and timings have no first step: all their values are put together at once. */
#include "api/query/leaf.h"

#include "core/array.h"
#include <math.h>
#include <stdlib.h>

#define SKETCH_GAMMA 1.015625
#define SKETCH_BIAS  1338

double bucket_value(const struct query_bucket *b, enum query_aggregate how) {
    switch (how) {
    case QUERY_SUM:
        return b->sum;
    case QUERY_MIN:
        return b->min;
    case QUERY_MAX:
        return b->max;
    case QUERY_COUNT:
        return b->n;
    case QUERY_PERCENTILE:
        return NAN;
    case QUERY_AVG:
    default:
        return b->sum / b->n;
    }
}

static void add(struct query_bucket *b, double sum, double n, double min, double max) {
    b->min = b->n == 0 || min < b->min ? min : b->min;
    b->max = b->n == 0 || max > b->max ? max : b->max;
    b->sum += sum;
    b->n += n;
}

/* --- samples into buckets -------------------------------------------------------------------------------------- */

static bool weigh(struct leaf *leaf, size_t cell, double value, double weight) {
    if (leaf->metric->over_series != QUERY_PERCENTILE || !(weight > 0))
        return true;
    if (leaf->n_weighed >= QUERY_MEMORY_MAX / sizeof *leaf->weighed ||
        !array_room(&leaf->weighed, leaf->n_weighed, &leaf->cap_weighed, sizeof *leaf->weighed)) {
        leaf->scratch.failed = true;
        return false;
    }
    leaf->weighed[leaf->n_weighed++] = (struct weighed){cell, value, weight};
    return true;
}

static double sketch_value(const struct sketch *s, int32_t key) {
    double value = key == 0 ? 0 : pow(SKETCH_GAMMA, abs(key) - SKETCH_BIAS) * (key < 0 ? -1 : 1);
    return value < s->min ? s->min : value > s->max ? s->max : value;
}

static bool take_sketch(struct leaf *leaf, size_t bucket, const struct sketch *s) {
    size_t cell = leaf->series->group * leaf->n_buckets + bucket;
    if (s->count <= 0)
        return true;
    if (!leaf_is_pooled(leaf->series->type)) {
        add(&leaf->buckets[bucket], s->sum, (double)s->count, s->min, s->max);
        return true;
    }
    add(&leaf->cells[cell], s->sum, (double)s->count, s->min, s->max);
    for (size_t i = 0; i < s->n_bins; i++)
        if (!weigh(leaf, cell, sketch_value(s, s->keys[i]), s->counts[i]))
            return false;
    return true;
}

/* Whether the points of a bucket are added up. */
static bool sums_up(const struct query_metric *m, enum metric_type type) {
    bool varies = type == METRIC_COUNT || type == METRIC_RATE;
    return m->has_rollup ? m->over_time == QUERY_SUM : varies && (m->as_count || m->as_rate);
}

/* Whether each point of a count is divided by its interval: as_rate without a sum. */
static bool is_divided(const struct query_metric *m, enum metric_type type) {
    return m->as_rate && type == METRIC_COUNT && !sums_up(m, type) && m->over_time != QUERY_COUNT;
}

/* The weight and factor of each sample of a spelling. Rates and weighted gauges count as often as their own interval has seconds. */
struct scale {
    double factor, count;
    bool pooled;
};

static struct scale scale_of(struct leaf *leaf, const struct metric *spelling) {
    enum metric_type type = leaf->series->type;
    struct metric_weight weight = metric_weigh(type, spelling->sample_rate);
    const struct query_metric *m = leaf->metric;
    double interval = (double)leaf->series->cadence.interval_s;
    struct scale scale = {1, 1, leaf_is_pooled(type)};
    if (scale.pooled)
        scale.count = weight.count;
    if (scale.pooled || type == METRIC_COUNT)
        scale.factor = weight.factor;
    bool amounts = type == METRIC_RATE    ? m->as_count || (m->as_rate && sums_up(m, type))
                   : type == METRIC_GAUGE ? m->weighted
                                          : false;
    if (amounts && interval > 0)
        scale.factor = interval;
    leaf->has_amounts |= amounts && interval > 0;
    if (leaf->is_mixed && is_divided(m, type))
        scale.factor /= interval > 0 ? interval : (double)leaf->interval_s;
    return scale;
}

/* The bucket of a time; false: outside of the window. Most samples fall into the bucket of the one before. */
static bool find_bucket(const struct leaf *leaf, int64_t at, size_t *bucket) {
    if (at < leaf->start_s || at >= leaf->end_s)
        return false;
    int64_t from = leaf->start_s + (int64_t)*bucket * leaf->interval_s;
    if (at < from || at >= from + leaf->interval_s)
        *bucket = (size_t)((at - leaf->start_s) / leaf->interval_s);
    return true;
}

/* While the times of a set ascend, none can come twice. part_of: struct stamped. */
static bool take_stamped(struct leaf *leaf, int64_t at, size_t bucket, double v, const uint64_t *id,
                         uint64_t part_of) {
    if (!leaf->sorts) {
        leaf->is_unordered |= at <= leaf->last_s;
        leaf->last_s = at;
        add(&leaf->buckets[bucket], v, 1, v, v);
        return !leaf->is_unordered; /* read once more, sorting */
    }
    if (leaf->n_stamped >= QUERY_MEMORY_MAX / sizeof *leaf->stamped ||
        !array_room(&leaf->stamped, leaf->n_stamped, &leaf->cap_stamped, sizeof *leaf->stamped)) {
        leaf->scratch.failed = true;
        return false;
    }
    leaf->stamped[leaf->n_stamped] = (struct stamped){at, v, id ? *id : leaf->n_stamped, part_of};
    leaf->n_stamped++;
    return true;
}

static int compare_stamped(const void *x, const void *y) {
    const struct stamped *a = x, *b = y;
    if (a->at_s != b->at_s)
        return a->at_s < b->at_s ? -1 : 1;
    return (a->nth > b->nth) - (a->nth < b->nth);
}

static void add_stamped(struct leaf *leaf) {
    size_t n = leaf->n_stamped, bucket = 0;
    if (n)
        qsort(leaf->stamped, n, sizeof *leaf->stamped, compare_stamped);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && leaf->stamped[end].at_s == leaf->stamped[i].at_s;)
            end++;
        const struct stamped *last = &leaf->stamped[end - 1];
        double v = last->value;
        for (; last->part_of && i < end - 1; i++)
            v += leaf->stamped[i].part_of == last->part_of ? leaf->stamped[i].value : 0;
        if (find_bucket(leaf, last->at_s, &bucket))
            add(&leaf->buckets[bucket], v, 1, v, v);
    }
    leaf->n_stamped = 0;
}

static bool end_flush(struct leaf *leaf) {
    struct flush *f = &leaf->flush;
    size_t bucket = 0;
    bool has = f->has_point && find_bucket(leaf, f->at_s, &bucket);
    f->has_point = false;
    return !has || take_stamped(leaf, f->at_s, bucket, f->value, f->has_id ? &f->id : NULL,
                                leaf->series->type == METRIC_COUNT ? leaf->series->id : 0);
}

static bool take_line(struct leaf *leaf, int64_t at, double v, const uint64_t *id) {
    struct flush *f = &leaf->flush;
    int64_t past = at % LEAF_FLUSH_S;
    at -= past < 0 ? past + LEAF_FLUSH_S : past;
    if ((!f->has_point || f->at_s != at) && !end_flush(leaf))
        return false;
    bool sums = f->has_point && leaf->series->type == METRIC_COUNT;
    bool older = f->has_point && f->has_id && id && *id < f->id; /* of another spelling: its chunk overlaps */
    double value = sums ? f->value + v : older ? f->value : v;
    *f = (struct flush){true, id != NULL, at, value, older ? f->id : id ? *id : 0};
    return true;
}

static int take_points(void *arg, const struct points_row *row) {
    struct leaf *leaf = arg;
    if (!leaf->unit.p && row->spelling->unit.n)
        leaf->unit = arena_copy(leaf->run->arena, row->spelling->unit);
    struct scale scale = scale_of(leaf, row->spelling);
    size_t bucket = 0, cells = leaf->series->group * leaf->n_buckets;
    struct query_bucket *into = scale.pooled ? leaf->cells + cells : leaf->buckets;
    for (size_t i = 0; i < row->n; i++) {
        const uint64_t *id = row->ids ? &row->ids[i] : NULL;
        if (row->source != SOURCE_HTTP && !scale.pooled) {
            if (!take_line(leaf, row->at_s[i] - leaf->shift_s, row->values[i] * scale.factor, id))
                return 1;
            continue;
        }
        if (!find_bucket(leaf, row->at_s[i] - leaf->shift_s, &bucket))
            continue;
        double v = row->values[i];
        bool ok = true;
        if (row->sketch) {
            ok = take_sketch(leaf, bucket, row->sketch);
        } else if (scale.pooled) {
            add(&into[bucket], v * scale.factor, scale.count, v, v);
            ok = weigh(leaf, cells + bucket, v, scale.count);
        } else {
            ok = take_stamped(leaf, row->at_s[i] - leaf->shift_s, bucket, v * scale.factor, id, 0);
        }
        if (!ok)
            return 1;
    }
    return 0;
}

/* --- one series -------------------------------------------------------------------------------------------------- */

static double over_time(const struct leaf *leaf, const struct query_bucket *b) {
    const struct query_metric *m = leaf->metric;
    enum metric_type type = leaf->series->type;
    bool varies = type == METRIC_COUNT || type == METRIC_RATE;
    double interval = (double)leaf->interval_s, cadence = (double)leaf->series->cadence.interval_s;
    if (m->weighted && leaf->has_amounts)
        return b->sum / interval;
    if (!sums_up(m, type))
        return bucket_value(b, m->has_rollup ? m->over_time : QUERY_AVG) /
               (!is_divided(m, type) || leaf->is_mixed ? 1
                : cadence > 0                          ? cadence
                                                       : interval);
    if (!m->as_rate || !varies)
        return b->sum;
    return type == METRIC_RATE && !leaf->has_amounts ? b->sum / b->n : b->sum / interval;
}

/* Empty buckets up to fill_s seconds after a point. */
static void fill_gaps(const struct leaf *leaf, double *v) {
    const struct query_metric *m = leaf->metric;
    size_t last = SIZE_MAX, next = 0;
    for (size_t i = 0; i < leaf->n_buckets; i++) {
        if (!isnan(v[i])) {
            last = i;
            continue;
        }
        if (last == SIZE_MAX || (int64_t)(i - last) * leaf->interval_s > m->fill_s)
            continue;
        if (m->fill == QUERY_FILL_LINEAR) {
            for (next = next > i ? next : i; next < leaf->n_buckets && isnan(v[next]);)
                next++;
            if (next == leaf->n_buckets)
                break;
        }
        if (m->fill != QUERY_FILL_LINEAR)
            leaf->values[i] = m->fill == QUERY_FILL_LAST ? v[last] : 0;
        else
            leaf->values[i] = v[last] + (v[next] - v[last]) * (double)(i - last) / (double)(next - last);
    }
}

static int finish_series(struct leaf *leaf, double *raw) {
    for (size_t i = 0; i < leaf->n_buckets; i++)
        raw[i] = leaf->values[i] = leaf->buckets[i].n != 0 ? over_time(leaf, &leaf->buckets[i]) : NAN;
    if (leaf->metric->fill != QUERY_FILL_NONE)
        fill_gaps(leaf, raw);
    struct query_bucket *cells = leaf->cells + leaf->series->group * leaf->n_buckets;
    for (size_t i = 0; i < leaf->n_buckets; i++)
        if (!isnan(leaf->values[i]))
            add(&cells[i], leaf->values[i], 1, leaf->values[i], leaf->values[i]);
    return 0;
}

static int check_series(struct leaf *leaf) {
    const struct query_metric *m = leaf->metric;
    bool pooled = leaf_is_pooled(leaf->series->type);
    if (m->over_series == QUERY_PERCENTILE && !pooled)
        return query_refuse(leaf->run->error,
                            "Error parsing query: %.*s has no percentiles: %.*s is a %s, not a distribution",
                            SPAN_ARG(m->aggregator), SPAN_ARG(m->name), metric_word(leaf->series->type));
    if (m->weighted && (leaf->series->type != METRIC_GAUGE || leaf->series->cadence.interval_s == 0))
        return query_refuse(
            leaf->run->error,
            "Error parsing query: weighted() needs a gauge that is sent with an interval, not %.*s",
            SPAN_ARG(m->name));
    return 0;
}

static int read_series(struct leaf *leaf) {
    struct reader *reader = leaf->run->read->reader;
    struct err err = {0};
    if (reader->ops->points(reader, leaf->series->id, take_points, leaf, &err) == 0)
        return 0;
    query_refuse(leaf->run->error, "%s", err.text);
    leaf->run->error->status = 500;
    return -1;
}

/* Those before `to`, which are one series to Datadog. */
static int read_set(struct leaf *leaf, size_t from, size_t to) {
    if (!leaf_is_pooled(leaf->chosen[from].type))
        memset(leaf->buckets, 0, leaf->n_buckets * sizeof *leaf->buckets);
    leaf->is_unordered = leaf->has_amounts = leaf->is_mixed = false;
    for (size_t i = from + 1; i < to; i++)
        leaf->is_mixed |= leaf->chosen[i].cadence.interval_s != leaf->chosen[from].cadence.interval_s;
    leaf->last_s = INT64_MIN;
    for (size_t i = from; i < to && !leaf->is_unordered; i++) {
        leaf->series = &leaf->chosen[i];
        leaf->flush.has_point = false;
        if (check_series(leaf) != 0 || read_series(leaf) != 0)
            return -1;
        end_flush(leaf);
    }
    return 0;
}

static size_t end_of_set(const struct leaf *leaf, size_t from) {
    size_t to = from + 1;
    while (to < leaf->n_chosen && leaf->chosen[to].set == leaf->chosen[from].set)
        to++;
    return to;
}

int bucket_series(struct leaf *leaf) {
    double *raw = arena_alloc(&leaf->scratch, (leaf->n_buckets + 1) * sizeof *raw);
    for (size_t i = 0, to; raw && leaf->n_buckets && i < leaf->n_chosen; i = to) {
        to = end_of_set(leaf, i);
        if (read_set(leaf, i, to) != 0)
            return -1;
        if (leaf->is_unordered) {
            leaf->sorts = true;
            if (read_set(leaf, i, to) != 0)
                return -1;
            leaf->sorts = false;
            add_stamped(leaf);
        }
        if (leaf->scratch.failed)
            break;
        if (!leaf_is_pooled(leaf->series->type))
            finish_series(leaf, raw);
    }
    return raw && !leaf->scratch.failed ? 0 : query_no_memory(leaf->run->error);
}

/* --- percentiles --------------------------------------------------------------------------------------------------- */

static int compare_weighed(const void *x, const void *y) {
    const struct weighed *a = x, *b = y;
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

/* The value at rank p * (n - 1), rounded to even, as the Agent's sketches count. */
void bucket_percentiles(struct leaf *leaf, double *values) {
    struct weighed *w = leaf->weighed;
    if (leaf->n_weighed)
        qsort(w, leaf->n_weighed, sizeof *w, compare_weighed);
    for (size_t from = 0, to; from < leaf->n_weighed; from = to) {
        double n = 0, passed = 0;
        for (to = from; to < leaf->n_weighed && w[to].cell == w[from].cell; to++)
            n += w[to].weight;
        double rank = rint(leaf->metric->percentile / 100 * (n - 1));
        size_t i = from;
        for (; i + 1 < to && (passed += w[i].weight) <= rank; i++)
            ;
        values[w[from].cell] = w[i].value;
    }
}
