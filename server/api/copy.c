#include "api/copy.h"

/* Where copies go, and the text of which none is needed. */
struct copying {
    struct arena *arena;
    struct span body;
};

static void copy(struct copying *c, struct span *s) {
    bool in_body = c->body.n > 0 && s->p >= c->body.p && s->p + s->n <= c->body.p + c->body.n;
    if (s->p && !in_body)
        *s = arena_copy(c->arena, *s);
}

static const struct span *copy_spans(struct copying *c, size_t *n, const struct span *spans) {
    struct span *to = *n ? arena_alloc(c->arena, *n * sizeof *to) : NULL;
    if (!to)
        *n = 0;
    for (size_t i = 0; i < *n; i++) {
        to[i] = spans[i];
        copy(c, &to[i]);
    }
    return to;
}

static void copy_origin(struct copying *c, struct origin *o) {
    copy(c, &o->host);
    copy(c, &o->container_id);
    copy(c, &o->external_data);
    copy(c, &o->cardinality);
    copy(c, &o->entity_id);
    copy(c, &o->jmx_check_name);
}

static const struct sketch *copy_sketch(struct copying *c, const struct sketch *from) {
    struct sketch *s = arena_alloc(c->arena, sizeof *s);
    int32_t *keys = arena_alloc(c->arena, from->n_bins * sizeof *keys);
    uint32_t *counts = arena_alloc(c->arena, from->n_bins * sizeof *counts);
    if (!s || !keys || !counts)
        return NULL;
    *s = *from;
    if (from->n_bins) {
        memcpy(keys, from->keys, from->n_bins * sizeof *keys);
        memcpy(counts, from->counts, from->n_bins * sizeof *counts);
    }
    s->keys = keys;
    s->counts = counts;
    return s;
}

static const struct remarks *copy_remarks(struct copying *c, const struct remarks *from) {
    struct remarks *r = from ? arena_alloc(c->arena, sizeof *r) : NULL;
    if (!r)
        return NULL;
    *r = *from;
    copy(c, &r->line);
    for (size_t i = 0; i < r->n; i++)
        copy(c, &r->list[i].text);
    return r;
}

static void copy_all(struct copying *c, size_t n, const struct value *from, struct value *to) {
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        copy(c, &to[i].text);
        if (to[i].sketch)
            to[i].sketch = copy_sketch(c, to[i].sketch);
    }
}

void copy_values(size_t n, const struct value *from, struct value *to, struct arena *arena,
                 struct span body) {
    copy_all(&(struct copying){arena, body}, n, from, to);
}

static void copy_metric(struct copying *c, struct metric *m) {
    copy(c, &m->name);
    copy_origin(c, &m->origin);
    copy(c, &m->device);
    copy(c, &m->unit);
    copy(c, &m->source_type);
    copy(c, &m->resources);
    m->tags = copy_spans(c, &m->n_tags, m->tags);
    m->remarks = copy_remarks(c, m->remarks);
    if (m->key_kind) {
        copy(c, &m->key_name);
        copy(c, &m->key_rest);
    } else
        m->key_name = m->key_rest =
            (struct span){NULL, 0}; /* spans into the input: the fields tell as much */
    struct value *values = arena_alloc(c->arena, m->n_values * sizeof *values);
    if (values)
        copy_all(c, m->n_values, m->values, values);
    else
        m->n_values = 0;
    m->values = values;
}

static void copy_event(struct copying *c, struct event *e) {
    copy(c, &e->title);
    copy(c, &e->text);
    copy(c, &e->aggregation_key);
    copy(c, &e->priority);
    copy(c, &e->alert_type);
    copy(c, &e->source_type_name);
    copy_origin(c, &e->origin);
    e->tags = copy_spans(c, &e->n_tags, e->tags);
    e->remarks = copy_remarks(c, e->remarks);
}

static void copy_check(struct copying *to, struct service_check *c) {
    copy(to, &c->name);
    copy(to, &c->message);
    copy_origin(to, &c->origin);
    c->tags = copy_spans(to, &c->n_tags, c->tags);
    c->remarks = copy_remarks(to, c->remarks);
}

static void copy_reject(struct copying *c, struct reject *r) {
    copy(c, &r->family);
    copy(c, &r->text);
    copy(c, &r->name);
    copy(c, &r->detail);
}

void copy_record(struct record *record, struct arena *arena, struct span body) {
    struct copying to = {arena, body};
    switch (record->kind) {
    case RECORD_METRIC:
        copy_metric(&to, &record->metric);
        break;
    case RECORD_EVENT:
        copy_event(&to, &record->event);
        break;
    case RECORD_SERVICE_CHECK:
        copy_check(&to, &record->check);
        break;
    case RECORD_REJECT:
        copy_reject(&to, &record->reject);
        break;
    }
}
