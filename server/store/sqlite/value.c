/* A value goes into the slice: of a record that came, or of one that was kept. */
#include "core/stray.h"
#include "store/sqlite/private.h"

#include <math.h>

/* The group's numbers are its chunk's alone. The series' count and sum go on sample by sample, over all of its spellings: sums of
 * fractions depend on the order of their terms, so adding up chunks would make them depend on when a commit came. */
__attribute__((always_inline)) static inline void
summarise(struct store *s, uint64_t id, struct slice_group *g, const struct intern_context *context,
          enum metric_type type, const struct value *v, int64_t received_at) {
    struct intern_series *series = &s->intern.series[g->series];
    double number = metric_is(type, METRIC_TEXT) ? (double)NAN : v->number;
    double min = number, max = number, count = context->count, sum = number * context->factor;
    if (v->sketch) { /* has its own weights: every value it was made of counts */
        count = (double)v->sketch->count;
        sum = v->sketch->sum;
        min = v->sketch->min;
        max = v->sketch->max;
    }
    g->count += count;
    g->sum += sum;
    series->count += count;
    series->sum += sum;
    if (number < series->last)
        series->fell_id = id;
    series->last = number;
    if (!(g->min <= min))
        g->min = min;
    if (!(g->max >= max))
        g->max = max;
    g->last_value = number;
    if (g->n == 1)
        g->first_at = received_at;
    g->last_at = received_at;
}

/* Those whose timestamps lie too far away are counted, so that lint need not look at each sample. */
static bool note_stray(struct store *s, struct slice_group *g, uint64_t id, int64_t timestamp,
                       int64_t received_at) {
    enum stray kind = stray_of(timestamp, received_at, STRAY_POINT_OLD_S);
    return kind == STRAY_NONE || slice_add_stray(&s->slice, g, kind, id, timestamp);
}

/* The group that the sample goes into; NULL: out of memory. */
static inline struct slice_group *group_of(struct store *s, uint64_t id, uint32_t ix) {
    struct slice *slice = &s->slice;
    struct intern_context *context = &s->intern.contexts[ix];
    if (slice_is_empty(slice))
        slice->first_id = id;
    if (context->group == INTERN_NONE) {
        if (!slice_add_group(slice, ix, context->series))
            return NULL;
        context->group = (uint32_t)slice->n_groups - 1;
        await_series(s, s->intern.series[context->series].id);
        slice->groups[context->group].sampled = context->sampled;
        slice->sampled = slice->sampled || context->sampled;
    }
    return &slice->groups[context->group];
}

/* Its entry has been added. */
__attribute__((always_inline)) static inline bool note_value(struct store *s, uint64_t id,
                                                             struct slice_group *g, enum metric_type type,
                                                             const struct value *v,
                                                             const struct store_when *when) {
    if (!slice_add_run(&s->slice, id, when->received_at, when->source) ||
        (v->timestamp && !note_stray(s, g, id, v->timestamp, when->received_at)))
        return false;
    summarise(s, id, g, &s->intern.contexts[g->context], type, v, when->received_at);
    return true;
}

bool store_put_value(struct store *s, uint64_t id, uint32_t ix, const struct metric *m, const struct value *v,
                     const struct store_when *when) {
    struct slice_group *g = group_of(s, id, ix);
    if (!g)
        return false;
    bool as_it_stands = m->json && v->timestamp == 0;
    return (as_it_stands ? slice_add_text(&s->slice, g, id, v->text)
                         : slice_add_value(&s->slice, g, id, m->type, v)) &&
           note_value(s, id, g, m->type, v, when);
}

bool store_put_text(struct store *s, uint64_t id, uint32_t ix, enum metric_type type, const struct value *v,
                    struct span text, const struct store_when *when) {
    struct slice_group *g = group_of(s, id, ix);
    return g && slice_add_text(&s->slice, g, id, text) && note_value(s, id, g, type, v, when);
}
