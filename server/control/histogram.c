/* GET /recorder/v1/histogram: how the values of the samples chosen are distributed. */
#include "control/control.h"
#include "control/glance.h"
#include "core/json.h"
#include "judge/evaluate/bag.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define BINS_MAX     64
#define BINS_DEFAULT 30
#define FEW_VALUES   12 /* so many different values get a bin each */
#define LONG_TAIL    3 /* when the largest value is over so many times p99, the last bin holds all above p99 */

static void put_bin(struct buf *b, bool first, double from, double to, double n) {
    buf_str(b, first ? "[" : ",[");
    json_put_number(b, from);
    buf_char(b, ',');
    json_put_number(b, to);
    buf_char(b, ',');
    json_put_number(b, n);
    buf_char(b, ']');
}

static void put_even_bins(struct buf *b, const struct bag *values, size_t n_bins) {
    double low = values->items[0].value, high = values->items[values->n - 1].value;
    double p99 = bag_percentile(values, 99);
    bool tail = p99 > low && high > LONG_TAIL * p99 && n_bins > 2;
    double top = tail ? p99 : high, weights[BINS_MAX] = {0};
    size_t even = tail ? n_bins - 1 : n_bins;
    for (size_t i = 0; i < values->n; i++) {
        double at = (values->items[i].value - low) / (top - low) * (double)even;
        size_t bin = values->items[i].value > top ? n_bins - 1 : at >= (double)even ? even - 1 : (size_t)at;
        weights[bin] += values->items[i].weight;
    }
    for (size_t i = 0; i < n_bins; i++) {
        double from = i < even ? low + (top - low) * (double)i / (double)even : top;
        double to = i + 1 < even ? low + (top - low) * (double)(i + 1) / (double)even : i < even ? top : high;
        put_bin(b, i == 0, from, to, weights[i]);
    }
}

static void put_bins(struct buf *b, const struct bag *values, size_t n_bins) {
    bool spans = values->n > 1 && isfinite(values->items[values->n - 1].value - values->items[0].value);
    if (spans && values->n > FEW_VALUES) {
        put_even_bins(b, values, n_bins);
        return;
    }
    for (size_t i = 0; i < values->n && i < FEW_VALUES; i++)
        put_bin(b, i == 0, values->items[i].value, values->items[i].value, values->items[i].weight);
}

static void put_histogram(struct glance *g, const struct glance_points *points, const struct bag *values,
                          size_t n_bins, struct buf *b) {
    static const double percentiles[] = {50, 75, 90, 95, 99};
    double weight = 0, sum = 0;
    for (size_t i = 0; i < values->n; i++) {
        weight += values->items[i].weight;
        sum += values->items[i].weight * values->items[i].value;
    }
    buf_printf(b, "{\"n\":%zu,\"last_id\":%" PRIu64 ",\"partial\":%s", points->n, g->last_id,
               points->partial ? "true" : "false");
    glance_number(b, "count", weight);
    glance_number(b, "avg", weight > 0 ? sum / weight : NAN);
    glance_number(b, "min", values->n ? values->items[0].value : NAN);
    glance_number(b, "max", values->n ? values->items[values->n - 1].value : NAN);
    buf_str(b, ",\"bins\":[");
    if (values->n)
        put_bins(b, values, n_bins);
    buf_str(b, "],\"percentiles\":{");
    for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; i++) {
        buf_printf(b, "%s\"p%g\":", i ? "," : "", percentiles[i]);
        json_put_number(b, bag_percentile(values, percentiles[i]));
    }
    buf_str(b, "}}\n");
}

static int fill_histogram(struct glance *g, struct buf *b, struct err *err) {
    struct glance_points points = {0};
    struct bag values = {0};
    uint64_t bins = BINS_DEFAULT;
    ask_number(g->rq, "bins", 1, BINS_MAX, &bins);
    int failed = glance_points(g, &points, err) != 0;
    for (size_t i = 0; i < points.n && !failed; i++)
        if (isfinite(points.list[i].value))
            failed = bag_add(&values, points.list[i].value, points.list[i].weight) != 0;
    failed = failed || bag_settle(&values) != 0;
    if (!failed)
        put_histogram(g, &points, &values, (size_t)bins, b);
    bag_free(&values);
    free(points.list);
    return failed ? -1 : 0;
}

void control_histogram(struct http_request *rq) {
    struct ask ask;
    uint64_t bins;
    if (ask_some(rq, ASK_NAMES(GLANCE_ARGS, "bins"), &ask) == 0 &&
        ask_number(rq, "bins", 1, BINS_MAX, &bins) == 0)
        glance_answer(rq, &ask, fill_histogram);
}
