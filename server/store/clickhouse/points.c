/* DESIGN. Who lists series asks for the samples of one after the other. A question for each would take longer than its answer: so from the
 * second one on, those of the following series are read together, and kept until they are asked for. */
#include "core/array.h"
#include "core/clock.h"
#include "store/clickhouse/fleet.h"

#include <stdlib.h>

#define POINTS 4096
#define AHEAD  100000 /* samples */

/* Points of one series as they are handed out. */
struct points_of {
    uint64_t series_id;
    struct points_row row;
};

struct gathering {
    int (*row)(void *, const struct points_row *); /* NULL: kept in `ahead` */
    void *arg;
    struct fleet_ahead *ahead;
    uint64_t series_id;
    const struct metric *spelling;
    enum source source;
    size_t n;
    bool stop, failed;
    int64_t at_s[POINTS];
    double values[POINTS];
};

void fleet_ahead_free(struct fleet_ahead *ahead) {
    fleet_found_free(&ahead->found);
    fleet_spelled_free(&ahead->spelled);
    arena_free(&ahead->values);
    free(ahead->list);
    *ahead = (struct fleet_ahead){0};
}

static void *keep_bytes(struct arena *a, const void *bytes, size_t n) {
    void *copy = arena_alloc(a, n + 1);
    if (copy && n)
        memcpy(copy, bytes, n);
    return copy;
}

static const struct sketch *keep_sketch(struct arena *a, const struct sketch *sketch) {
    struct sketch *copy = sketch ? keep_bytes(a, sketch, sizeof *sketch) : NULL;
    if (copy) {
        copy->keys = keep_bytes(a, sketch->keys, sketch->n_bins * sizeof *sketch->keys);
        copy->counts = keep_bytes(a, sketch->counts, sketch->n_bins * sizeof *sketch->counts);
    }
    return copy;
}

static int keep_points(struct gathering *g, const struct points_row *row) {
    struct fleet_ahead *ahead = g->ahead;
    struct points_of points = {g->series_id, *row};
    points.row.at_s = keep_bytes(&ahead->values, row->at_s, row->n * sizeof *row->at_s);
    points.row.values = keep_bytes(&ahead->values, row->values, row->n * sizeof *row->values);
    points.row.sketch = keep_sketch(&ahead->values, row->sketch);
    if (ahead->values.failed || !array_room(&ahead->list, ahead->n, &ahead->cap, sizeof *ahead->list)) {
        g->failed = true;
        return 1;
    }
    ahead->list[ahead->n++] = points;
    return 0;
}

static int flush_points(struct gathering *g, const struct sketch *sketch) {
    struct points_row row = {.spelling = g->spelling,
                             .source = g->source,
                             .n = g->n,
                             .at_s = g->at_s,
                             .values = g->values,
                             .sketch = sketch};
    g->n = 0;
    if (row.n > 0 && !g->stop)
        g->stop = (g->row ? g->row(g->arg, &row) : keep_points(g, &row)) != 0;
    return g->stop;
}

static int gather_point(void *arg, const struct sample_row *row) {
    struct gathering *g = arg;
    bool other = row->series_id != g->series_id || row->spelling != g->spelling || row->source != g->source ||
                 row->value.sketch;
    if ((other || g->n == POINTS) && flush_points(g, NULL))
        return 1;
    g->series_id = row->series_id;
    g->spelling = row->spelling;
    g->source = row->source;
    g->at_s[g->n] = row->value.timestamp ? row->value.timestamp : row->received_at / NS_PER_S;
    g->values[g->n++] = row->value.number;
    return row->value.sketch ? flush_points(g, row->value.sketch) : 0;
}

/* Reads series, to be handed out or kept. */
static int gather(struct fleet_reader *r, const struct fleet_found *found, struct gathering *g,
                  struct fleet_spelled *kept, struct err *err) {
    static const struct filter all;
    int failed = fleet_read(r, &all, found, 0, found->n, false, gather_point, g, kept, err);
    if (!failed)
        flush_points(g, NULL);
    return !failed && g->failed ? err_set(err, 0, "out of memory") : failed;
}

static int read_one(struct fleet_reader *r, uint64_t series_id, struct gathering *g, struct err *err) {
    struct fleet_found found;
    struct fleet_spelled kept = {0};
    if (fleet_find_one(r, series_id, &found, err) != 0)
        return -1;
    int failed = gather(r, &found, g, &kept, err);
    fleet_spelled_free(&kept);
    fleet_found_free(&found);
    return failed;
}

static int read_ahead(struct fleet_reader *r, uint64_t series_id, struct gathering *g, struct err *err) {
    if (!r->ahead && !(r->ahead = calloc(1, sizeof *r->ahead)))
        return err_set(err, 0, "out of memory");
    struct fleet_ahead *ahead = r->ahead;
    fleet_ahead_free(ahead);
    if (fleet_find_on(r, series_id, AHEAD, &ahead->found, err) != 0) {
        ahead->found = (struct fleet_found){0};
        return -1;
    }
    if (ahead->found.n < 2) /* alone, or as large as that */
        return 0;
    int (*row)(void *, const struct points_row *) = g->row;
    g->row = NULL;
    g->ahead = ahead;
    int failed = gather(r, &ahead->found, g, &ahead->spelled, err);
    g->row = row;
    if (failed)
        fleet_ahead_free(ahead);
    ahead->full = !failed;
    return failed;
}

static bool is_ahead(const struct fleet_reader *r, uint64_t series_id) {
    const struct fleet_ahead *ahead = r->ahead;
    size_t low = 0, high = ahead && ahead->full ? ahead->found.n : 0, n = high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ahead->found.list[middle].row.id < series_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && ahead->found.list[low].row.id == series_id;
}

static void hand_out(const struct fleet_ahead *ahead, uint64_t series_id,
                     int (*row)(void *, const struct points_row *), void *arg) {
    size_t low = 0, high = ahead->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ahead->list[middle].series_id < series_id)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < ahead->n && ahead->list[low].series_id == series_id; low++)
        if (row(arg, &ahead->list[low].row) != 0)
            return;
}

int fleet_points(struct reader *reader, uint64_t series_id, int (*row)(void *, const struct points_row *),
                 void *arg, struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    struct gathering *g = calloc(1, sizeof *g);
    if (!g)
        return err_set(err, 0, "out of memory");
    g->row = row;
    g->arg = arg;
    int failed = 0;
    bool following = r->last_points && series_id > r->last_points;
    r->last_points = series_id;
    if (following && !is_ahead(r, series_id))
        failed = read_ahead(r, series_id, g, err);
    if (!failed && is_ahead(r, series_id))
        hand_out(r->ahead, series_id, row, arg);
    else if (!failed)
        failed = read_one(r, series_id, g, err);
    free(g);
    return failed;
}
