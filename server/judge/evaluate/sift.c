#include "judge/evaluate/sift.h"

#include "judge/evaluate/bins.h"
#include <math.h>
#include <stdlib.h>

/* --- fields ---------------------------------------------------------------------------------------------- */

static struct field_value text_value(struct span text) {
    return (struct field_value){.is_text = true, .text = text};
}

static struct field_value number_value(double number) {
    return (struct field_value){.known = !isnan(number), .number = number};
}

/* 0: none was given. */
static struct field_value given_value(int64_t number) {
    return (struct field_value){.known = number != 0, .number = (double)number};
}

static struct field_value field_of_sample(enum metric_type type, const struct sample_row *row,
                                          enum field field) {
    const struct metric *m = row->spelling;
    bool text = metric_is(type, METRIC_TEXT);
    switch (field) {
    case FIELD_VALUE:
        return text ? text_value(row->text) : number_value(row->value.number);
    case FIELD_TEXT:
        return text_value(row->text);
    case FIELD_RATE:
        return number_value(m->sample_rate);
    case FIELD_TIMESTAMP:
        return given_value(row->value.timestamp);
    case FIELD_INTERVAL:
        return given_value(m->interval);
    case FIELD_UNIT:
        return text_value(m->unit);
    case FIELD_HOST:
        return text_value(m->origin.host);
    case FIELD_DEVICE:
        return text_value(m->device);
    default: /* FIELD_SOURCE */
        return text_value(span_str(source_word(row->source)));
    }
}

static struct field_value field_of_event(const struct event *event, enum field field) {
    switch (field) {
    case FIELD_TEXT:
        return text_value(event->text);
    case FIELD_PRIORITY:
        return text_value(event->priority);
    case FIELD_ALERT_TYPE:
        return text_value(event->alert_type);
    case FIELD_AGGREGATION_KEY:
        return text_value(event->aggregation_key);
    case FIELD_SOURCE_TYPE_NAME:
        return text_value(event->source_type_name);
    case FIELD_HOST:
        return text_value(event->origin.host);
    default: /* FIELD_TIMESTAMP */
        return given_value(event->timestamp);
    }
}

static struct field_value field_of_check(const struct service_check *check, enum field field) {
    switch (field) {
    case FIELD_STATUS:
        return number_value(check->status);
    case FIELD_MESSAGE:
        return text_value(check->message);
    case FIELD_HOST:
        return text_value(check->origin.host);
    default: /* FIELD_TIMESTAMP */
        return given_value(check->timestamp);
    }
}

static struct field_value field_of_reject(const struct reject_row *row, enum field field) {
    switch (field) {
    case FIELD_REASON:
        return text_value(span_str(reason_word(row->reject.reason)));
    case FIELD_TEXT:
        return text_value(row->reject.text);
    default: /* FIELD_SOURCE */
        return text_value(span_str(source_word(row->source)));
    }
}

/* --- records --------------------------------------------------------------------------------------------- */

/* Records come series by series, each of them in its order. */
static bool drop(struct sieve *sieve, uint64_t id, const struct condition *missed,
                 const struct field_value *value) {
    if (sieve->dropped++ && id < sieve->newest_id)
        return false;
    sieve->newest_id = id;
    sieve->missed = missed;
    sieve->value = *value;
    if (value->is_text && value->text.p) {
        size_t n = value->text.n < SIEVE_SHOWN ? value->text.n : SIEVE_SHOWN;
        if (n)
            memcpy(sieve->shown, value->text.p, n);
        sieve->value.text = span_of(sieve->shown, n);
    }
    return false;
}

bool sift_event(const struct expectation *e, const struct event_row *row, struct sieve *sieve,
                uint64_t *steps) {
    for (size_t i = 0; i < e->n_conditions; i++) {
        struct field_value value = field_of_event(&row->event, e->conditions[i].field);
        if (!condition_holds(&e->conditions[i], &value, steps))
            return drop(sieve, row->id, &e->conditions[i], &value);
    }
    return true;
}

bool sift_check(const struct expectation *e, const struct check_row *row, struct sieve *sieve,
                uint64_t *steps) {
    for (size_t i = 0; i < e->n_conditions; i++) {
        struct field_value value = field_of_check(&row->check, e->conditions[i].field);
        if (!condition_holds(&e->conditions[i], &value, steps))
            return drop(sieve, row->id, &e->conditions[i], &value);
    }
    return true;
}

bool sift_reject(const struct expectation *e, const struct reject_row *row, struct sieve *sieve,
                 uint64_t *steps) {
    for (size_t i = 0; i < e->n_conditions; i++) {
        struct field_value value = field_of_reject(row, e->conditions[i].field);
        if (!condition_holds(&e->conditions[i], &value, steps))
            return drop(sieve, row->id, &e->conditions[i], &value);
    }
    return true;
}

/* --- samples, and sketches ------------------------------------------------------------------------------- */

/* A bin against a number: by the bins that the number's ends lie in. */
static bool bin_holds(const struct clause *c, int32_t key) {
    double slack = clause_slack(c, c->value);
    int32_t low = bins_key(c->value - slack), high = bins_key(c->value + slack);
    switch (c->op) {
    case OP_LT:
        return key < high;
    case OP_LE:
        return key <= high;
    case OP_GT:
        return key > low;
    case OP_GE:
        return key >= low;
    case OP_NE:
        return key < low || key > high;
    default: /* ==, ~ */
        return key >= low && key <= high;
    }
}

static bool is_of_value(const struct condition *c) {
    return c->field == FIELD_VALUE && c->of_number;
}

static bool satisfies(const struct expectation *e, double value, uint64_t *steps) {
    struct field_value exact = number_value(value);
    for (size_t i = 0; i < e->n_conditions; i++)
        if (e->conditions[i].field == FIELD_VALUE && !condition_holds(&e->conditions[i], &exact, steps))
            return false;
    return true;
}

static bool bin_satisfies(const struct expectation *e, int32_t key, uint64_t *steps) {
    for (size_t i = 0; i < e->n_conditions; i++, ++*steps)
        if (is_of_value(&e->conditions[i]) && !bin_holds(&e->conditions[i].number, key))
            return false;
    return true;
}

/* The least or the greatest bin. */
static size_t end_bin(const struct sketch *s, bool greatest) {
    size_t at = 0;
    for (size_t i = 1; i < s->n_bins; i++)
        if (greatest ? s->keys[i] > s->keys[at] : s->keys[i] < s->keys[at])
            at = i;
    return at;
}

/* What the bins that satisfy the conditions hold; of the ends, one value each is known exactly. */
static void keep_bins(const struct expectation *e, const struct sketch *s, struct part *part,
                      uint64_t *steps) {
    size_t first = end_bin(s, false), last = end_bin(s, true);
    struct sketch *out = &part->sketch;
    for (size_t i = 0; i < s->n_bins; i++) {
        uint32_t exact = (uint32_t)(i == first) + (uint32_t)(i == last), kept = 0;
        double value = bins_value(s, s->keys[i]), sum = 0, low = INFINITY, high = -INFINITY;
        if (i == first && satisfies(e, s->min, steps)) {
            kept++;
            sum += s->min;
            low = high = s->min;
        }
        if (i == last && satisfies(e, s->max, steps)) {
            kept++;
            sum += s->max;
            low = fmin(low, s->max);
            high = s->max;
        }
        if (s->counts[i] > exact && bin_satisfies(e, s->keys[i], steps)) {
            kept += s->counts[i] - exact;
            sum += value * (s->counts[i] - exact);
            low = fmin(low, value);
            high = fmax(high, value);
        }
        if (kept == 0)
            continue;
        out->min = out->n_bins ? fmin(out->min, low) : low;
        out->max = out->n_bins ? fmax(out->max, high) : high;
        out->count += kept;
        out->sum += sum;
        part->keys[out->n_bins] = s->keys[i];
        part->counts[out->n_bins++] = kept;
    }
}

static enum sifted sift_sketch(const struct expectation *e, const struct sketch *s, struct part *part,
                               uint64_t *steps) {
    *part = (struct part){0};
    if (s->min >= s->max || s->n_bins == 0)
        return satisfies(e, s->min, steps) ? SIFT_KEEPS : SIFT_DROPS;
    part->keys = malloc(s->n_bins * sizeof *part->keys);
    part->counts = malloc(s->n_bins * sizeof *part->counts);
    if (!part->keys || !part->counts) {
        part_free(part);
        return SIFT_NO_MEMORY;
    }
    part->sketch.keys = part->keys;
    part->sketch.counts = part->counts;
    keep_bins(e, s, part, steps);
    int64_t all = 0;
    for (size_t i = 0; i < s->n_bins; i++)
        all += s->counts[i];
    if (part->sketch.n_bins == 0 || part->sketch.count == all) {
        enum sifted whole = part->sketch.n_bins ? SIFT_KEEPS : SIFT_DROPS;
        part_free(part);
        return whole;
    }
    part->sketch.avg = part->sketch.sum / (double)part->sketch.count;
    return SIFT_KEEPS_PART;
}

void part_free(struct part *part) {
    free(part->keys);
    free(part->counts);
    *part = (struct part){0};
}

enum sifted sift_sample(const struct expectation *e, enum metric_type type, const struct sample_row *row,
                        struct sieve *sieve, struct part *part, uint64_t *steps) {
    const struct sketch *sketch = row->value.sketch;
    bool of_bins = false;
    const struct condition *by_value = NULL;
    for (size_t i = 0; i < e->n_conditions; i++) {
        const struct condition *c = &e->conditions[i];
        struct field_value value = field_of_sample(type, row, c->field);
        if (sketch && c->field == FIELD_VALUE) {
            of_bins = true;
            by_value = c;
            continue;
        }
        if (!condition_holds(c, &value, steps)) {
            drop(sieve, row->id, c, &value);
            return SIFT_DROPS;
        }
    }
    if (!of_bins)
        return SIFT_KEEPS;
    enum sifted sifted = sift_sketch(e, sketch, part, steps);
    sieve->by_bins |= sifted == SIFT_KEEPS_PART || (sifted == SIFT_DROPS && sketch->min < sketch->max);
    if (sifted == SIFT_DROPS) {
        struct field_value value = number_value(sketch->avg);
        drop(sieve, row->id, by_value, &value);
    }
    return sifted;
}
