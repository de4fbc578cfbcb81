#include "agent/private.h"

#include "core/number.h"
#include <math.h>
#include <stdio.h>

static const struct {
    const char *word;
    bool is_default;
} aggregates[] = {
#define X(id, word, is_default) {word, is_default},
    AGENT_AGGREGATES(X)
#undef X
};

/* --- options ------------------------------------------------------------------------------------------------------ */

void agent_defaults(struct agent_options *options) {
    *options = (struct agent_options){.hostname = SPAN(AGENT_HOSTNAME),
                                      .n_percentiles = 1,
                                      .percentiles = {95},
                                      .context_expiry_s = AGENT_CONTEXT_EXPIRY_S,
                                      .counter_expiry_s = AGENT_COUNTER_EXPIRY_S,
                                      .max_bytes = AGENT_BYTES_MAX};
    for (int i = 0; i < AGENT_N_AGGREGATES; i++)
        options->aggregates |= aggregates[i].is_default ? 1U << i : 0;
}

/* The next word of the list at *rest, which moves behind it; p == NULL: no more. */
static struct span next_word(struct span *rest) {
    size_t n = 0;
    while (rest->n && strchr(", ", rest->p[0]))
        *rest = span_from(*rest, 1);
    while (n < rest->n && !memchr(", ", rest->p[n], 2))
        n++;
    struct span word = n ? span_of(rest->p, n) : span_of(NULL, 0);
    *rest = span_from(*rest, n);
    return word;
}

int agent_read_aggregates(struct agent_options *options, struct span text, struct err *err) {
    options->aggregates = 0;
    for (struct span word = next_word(&text); word.p; word = next_word(&text)) {
        int i = 0;
        while (i < AGENT_N_AGGREGATES && !span_eq(word, span_str(aggregates[i].word)))
            i++;
        if (i == AGENT_N_AGGREGATES)
            return err_set(err, 0, "a histogram has max, median, avg, count, min and sum, but no '%.*s'",
                           SPAN_ARG(word));
        options->aggregates |= 1U << i;
    }
    return 0;
}

int agent_read_percentiles(struct agent_options *options, struct span text, struct err *err) {
    bool wanted[101] = {false};
    for (struct span word = next_word(&text); word.p; word = next_word(&text)) {
        double share;
        if (number_parse(word, &share) != NUMBER_OK || !(share * 100 + 0.5 >= 1 && share <= 1))
            return err_set(err, 0, "a percentile is a share from 0.01 to 1, as 0.95, not '%.*s'",
                           SPAN_ARG(word));
        wanted[(int)(share * 100 + 0.5)] = true;
    }
    options->n_percentiles = 0;
    for (int i = 1; i <= 100; i++)
        if (wanted[i])
            options->percentiles[options->n_percentiles++] = i;
    return 0;
}

int agent_histogram_read(struct agent_histogram_options *h, const char *aggregates_text,
                         const char *percentiles, struct err *err) {
    struct agent_options options;
    agent_defaults(&options);
    if ((aggregates_text && agent_read_aggregates(&options, span_str(aggregates_text), err) != 0) ||
        (percentiles && agent_read_percentiles(&options, span_str(percentiles), err) != 0))
        return -1;
    *h = (struct agent_histogram_options){
        .given = true, .aggregates = options.aggregates, .n_percentiles = options.n_percentiles};
    memcpy(h->percentiles, options.percentiles, sizeof h->percentiles);
    return 0;
}

void agent_histogram_use(struct agent_options *options, const struct agent_histogram_options *h) {
    if (!h || !h->given)
        return;
    options->aggregates = h->aggregates;
    options->n_percentiles = h->n_percentiles;
    memcpy(options->percentiles, h->percentiles, sizeof options->percentiles);
}

/* --- life ----------------------------------------------------------------------------------------------------------- */

static struct span keep_text(struct span text, char *room, size_t size) {
    size_t n = text.n < size ? text.n : size;
    if (n)
        memcpy(room, text.p, n);
    return span_of(text.p ? room : NULL, n);
}

static void name_suffixes(struct agent *a) {
    static const char *const words[] = {
#define X(id, word, is_default) "." word,
        AGENT_AGGREGATES(X)
#undef X
    };
    a->suffixes[a->n_suffixes++] = SPAN("");
    for (int i = 0; i < AGENT_N_AGGREGATES; i++)
        a->suffixes[a->n_suffixes++] = span_str(words[i]);
    for (size_t i = 0; i < a->options.n_percentiles; i++) {
        snprintf(a->suffix_texts[i], sizeof a->suffix_texts[i], ".%dpercentile", a->options.percentiles[i]);
        a->suffixes[a->n_suffixes++] = span_str(a->suffix_texts[i]);
    }
}

struct agent *agent_new(const struct agent_options *options) {
    struct agent *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->options = *options;
    a->options.hostname = keep_text(options->hostname, a->hostname, sizeof a->hostname - 1);
    a->options.explain = keep_text(options->explain, a->explain, sizeof a->explain - 1);
    name_suffixes(a);
    a->free_context = NO_CONTEXT;
    a->timed_end = &a->timed;
    return a;
}

void agent_free(struct agent *a) {
    if (!a)
        return;
    for (size_t i = 0; i < a->n_contexts; i++) {
        struct agent_object *next;
        for (struct agent_object *o = a->contexts[i].objects; o; o = next) {
            next = o->next;
            agent_object_free(a, o);
        }
        for (struct agent_object *o = a->contexts[i].sketches; o; o = next) {
            next = o->next;
            agent_object_free(a, o);
        }
        free(a->contexts[i].tags);
    }
    for (struct agent_object *o = a->free_objects, *next; o; o = next) {
        next = o->next_in_list;
        free(o);
    }
    free(a->contexts);
    free(a->index);
    table_free(&a->series);
    free(a->aliases);
    free(a->buckets);
    arena_free(&a->timed_arena);
    buf_free(&a->key);
    free(a->tags);
    free(a->bins);
    free(a->rows);
    free(a);
}

/* --- samples -------------------------------------------------------------------------------------------------------- */

static void *timed_alloc(struct agent *a, size_t n, struct err *err) {
    if (agent_charge(a, n, err) != 0)
        return NULL;
    a->timed_bytes += n;
    void *p = arena_alloc(&a->timed_arena, n);
    if (!p)
        agent_no_memory(err);
    return p;
}

static struct span timed_copy(struct agent *a, struct span s, struct err *err) {
    char *p = timed_alloc(a, s.n + 1, err);
    if (p && s.n)
        memcpy(p, s.p, s.n);
    return span_of(p, s.n);
}

/* A sample with a timestamp goes on as it is with the next flush. */
static int take_timed(struct agent *a, const struct agent_sample *s, struct err *err) {
    struct agent_timed *t = timed_alloc(a, sizeof *t, err);
    struct span *tags = t ? timed_alloc(a, (s->n_tags + 1) * sizeof *tags, err) : NULL;
    bool is_rate = s->type == METRIC_COUNT;
    if (!tags)
        return -1;
    for (size_t i = 0; i < s->n_tags; i++) {
        tags[i] = timed_copy(a, s->tags[i], err);
        if (!tags[i].p)
            return -1;
    }
    *t = (struct agent_timed){
        .series = {.type = is_rate ? "rate" : "gauge",
                   .interval = AGENT_BUCKET_S,
                   .n_tags = s->n_tags,
                   .tags = tags},
        .point = {s->timestamp, is_rate ? s->value / AGENT_BUCKET_S : s->value, NULL, s->id, s->at_ns},
        .cause = {s->id, s->at_ns, s->type, s->value, s->rate, {NULL, 0}},
        .causes = {1, 1, NULL}};
    t->series.metric = timed_copy(a, s->name, err);
    t->series.host = timed_copy(a, s->host.p ? s->host : a->options.hostname, err);
    if (!t->series.metric.p || !t->series.host.p)
        return -1;
    *a->timed_end = t;
    a->timed_end = &t->next;
    return 0;
}

int agent_take(struct agent *a, const struct agent_sample *s, struct err *err) {
    uint32_t context;
    int64_t at_s = s->at_ns / 1000000000, bucket_s = at_s - at_s % AGENT_BUCKET_S;
    if (s->timestamp)
        return s->type == METRIC_COUNT || s->type == METRIC_GAUGE ? take_timed(a, s, err) : 0;
    if (agent_track(a, s, &context, err) != 0)
        return -1;
    bool is_sketch = s->type == METRIC_DISTRIBUTION;
    struct agent_bucket *bucket;
    if (!is_sketch && agent_bucket_touch(a, bucket_s, &bucket, err) != 0)
        return -1;
    if (!isfinite(s->value))
        return 0;
    struct agent_object *o = agent_object_of(a, context, bucket_s, s->type, err);
    return o ? agent_object_add(a, o, s, err) : -1;
}

bool agent_idle(const struct agent *a) {
    return a->n_used == 0 && a->n_buckets == 0 && !a->timed;
}

int64_t agent_due_s(const struct agent *a) {
    if (a->n_objects || a->n_sketches)
        return a->newest_bucket_s + AGENT_BUCKET_S;
    return a->timed ? 1 : 0;
}
