#include "agent/private.h"

#include <math.h>

/* --- buckets ------------------------------------------------------------------------------------------------------ */

/* The place of the first bucket that does not start before this second. */
static size_t bucket_place(const struct agent *a, int64_t start_s) {
    size_t low = 0, high = a->n_buckets;
    if (high && a->buckets[high - 1].start_s < start_s)
        return high;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (a->buckets[middle].start_s < start_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int agent_bucket_touch(struct agent *a, int64_t start_s, struct agent_bucket **bucket, struct err *err) {
    size_t place = bucket_place(a, start_s);
    if (place == a->n_buckets || a->buckets[place].start_s != start_s) {
        if (a->n_buckets == AGENT_BUCKETS_MAX)
            return err_set(err, 0,
                           "more than %d buckets of %d s wait for one flush: let the Agent flush more often",
                           AGENT_BUCKETS_MAX, AGENT_BUCKET_S);
        if (agent_room(a, &a->buckets, a->n_buckets, &a->cap_buckets, sizeof *a->buckets, err) != 0)
            return -1;
        memmove(a->buckets + place + 1, a->buckets + place, (a->n_buckets - place) * sizeof *a->buckets);
        a->buckets[place] = (struct agent_bucket){.start_s = start_s};
        a->n_buckets++;
    }
    *bucket = &a->buckets[place];
    return 0;
}

/* --- objects ------------------------------------------------------------------------------------------------------ */

static struct agent_object *new_object(struct agent *a, struct err *err) {
    struct agent_object *o = a->free_objects;
    if (o) {
        a->free_objects = o->next_in_list;
        return o;
    }
    if (agent_charge(a, sizeof *o, err) != 0)
        return NULL;
    o = malloc(sizeof *o);
    if (!o)
        agent_no_memory(err);
    return o;
}

/* A place for the samples behind it. */
static struct agent_kept *new_kept(struct agent *a, struct err *err) {
    struct agent_kept *kept = agent_charge(a, sizeof *kept, err) == 0 ? calloc(1, sizeof *kept) : NULL;
    if (!kept)
        agent_no_memory(err);
    else
        kept->texts.max = 1 << 20;
    return kept;
}

struct agent_object *agent_object_of(struct agent *a, uint32_t context, int64_t bucket_s,
                                     enum metric_type type, struct err *err) {
    struct agent_context *c = &a->contexts[context];
    struct agent_object **list = type == METRIC_DISTRIBUTION ? &c->sketches : &c->objects;
    for (struct agent_object *o = *list; o; o = o->next)
        if (o->bucket_s == bucket_s)
            return o;
    struct agent_object *o = new_object(a, err);
    if (!o)
        return NULL;
    *o = (struct agent_object){.next = *list, .bucket_s = bucket_s, .context = context, .type = type};
    if (c->explained && !(o->kept = new_kept(a, err))) {
        o->next_in_list = a->free_objects;
        a->free_objects = o;
        return NULL;
    }
    *list = o;
    if (type == METRIC_DISTRIBUTION)
        a->n_sketches++;
    else
        a->n_objects++;
    if (bucket_s > a->newest_bucket_s)
        a->newest_bucket_s = bucket_s;
    return o;
}

static int keep_sample(struct agent *a, struct agent_kept *kept, const struct agent_sample *s,
                       struct err *err) {
    kept->causes.n++;
    if (kept->causes.n_shown == AGENT_SAMPLES_SHOWN)
        return 0;
    if (agent_room(a, &kept->list, kept->causes.n_shown, &kept->cap, sizeof *kept->list, err) != 0)
        return -1;
    size_t before = kept->texts.used;
    struct span text = arena_copy(&kept->texts, s->text);
    if (agent_charge(a, kept->texts.used - before, err) != 0) {
        a->bytes += kept->texts.used - before; /* free_kept takes it off */
        return -1;
    }
    kept->list[kept->causes.n_shown++] =
        (struct agent_cause){s->id, s->at_ns, s->type, s->value, s->rate, text};
    kept->causes.shown = kept->list;
    return 0;
}

static int add_value(struct agent *a, struct agent_object *o, const struct agent_sample *s, struct err *err) {
    switch (o->type) {
    case METRIC_COUNT:
        o->number += s->value * (1 / s->rate);
        return 0;
    case METRIC_SET:
        return agent_texts_add(a, &o->texts, s->text, err);
    case METRIC_TIMING:
    case METRIC_HISTOGRAM:
        return agent_histogram_add(a, &o->histogram, s->value, s->rate, err);
    case METRIC_DISTRIBUTION:
        return agent_sketch_add(a, &o->sketch, s->value, s->rate, err);
    case METRIC_GAUGE:
    case METRIC_RATE:
    case METRIC_N_TYPES:
        break;
    }
    o->number = s->value;
    return 0;
}

int agent_object_add(struct agent *a, struct agent_object *o, const struct agent_sample *s, struct err *err) {
    if (o->kept && s->id && keep_sample(a, o->kept, s, err) != 0)
        return -1;
    if (s->id) {
        o->id = s->id;
        o->newest_ns = s->at_ns;
    }
    return add_value(a, o, s, err);
}

static void free_kept(struct agent *a, struct agent_kept *kept) {
    if (!kept)
        return;
    a->bytes -= sizeof *kept + kept->cap * sizeof *kept->list + kept->texts.used;
    free(kept->list);
    arena_free(&kept->texts);
    free(kept);
}

void agent_object_free(struct agent *a, struct agent_object *o) {
    free_kept(a, o->kept);
    if (o->type == METRIC_SET) {
        a->bytes -= o->texts.cap * sizeof *o->texts.slots;
        free(o->texts.slots);
    } else if (o->type == METRIC_DISTRIBUTION) {
        struct agent_sketch *s = &o->sketch;
        a->bytes -= s->cap_bins * sizeof *s->bins + s->cap_waiting * sizeof *s->waiting;
        free(s->bins);
        free(s->waiting);
    } else if (o->type == METRIC_TIMING || o->type == METRIC_HISTOGRAM) {
        a->bytes -= o->histogram.cap * sizeof *o->histogram.samples;
        free(o->histogram.samples);
    }
    if (o->type == METRIC_DISTRIBUTION)
        a->n_sketches--;
    else
        a->n_objects--;
    o->next_in_list = a->free_objects;
    a->free_objects = o;
}
