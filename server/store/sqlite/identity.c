/* DESIGN. A metric that its caller keeps has a note of the context that was found the last time. For others two hashes lead to what their
 * samples have in common: that of the key the decoder gave (the way of nearly every line), and that of all fields. What neither finds is new: its context, and its series if that is new
 * too, are made in the open transaction.
 * The first context of a series has its id. Mostly there is nothing in it that the series has not: then the row of the series is all that is
 * written, and its hash leads to both. When only the order of the tags differs, that row holds them twice, and the context's hash. */
#include "core/json.h"
#include "store/sqlite/private.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* A client may write one metric in any number of ways. */
#define KEYS_PER_CONTEXT 8
/* New series and contexts wait until they are so many, for the next flush at the longest. */
#define NEW_MAX       256
#define NEW_BYTES_MAX ((size_t)1 << 20)

/* --- keys: bytes that are equal exactly when what they stand for is ---------------------------- */

struct key_head {
    uint64_t session_id, era;
    uint32_t kind; /* 'C' context, 'S' series */
    uint32_t n;
};

static void key_start(struct store *s, char kind, uint32_t n) {
    const struct store_session *session = s->arrival.session;
    struct key_head head = {session->id, session->era, (uint32_t)kind, n};
    s->key.max = STORE_SCRATCH_MAX;
    buf_clear(&s->key);
    buf_add(&s->key, &head, sizeof head);
}

static void key_span(struct store *s, struct span span) {
    uint64_t n = span.p ? span.n : UINT64_MAX;
    buf_add(&s->key, &n, sizeof n);
    buf_span(&s->key, span);
}

static void key_tags(struct store *s, size_t n_tags, const struct span *tags) {
    uint64_t n = n_tags;
    buf_add(&s->key, &n, sizeof n);
    for (size_t i = 0; i < n_tags; i++)
        key_span(s, tags[i]);
}

/* The key of the decoder: the way of nearly every metric, so without a copy. */
static struct intern_hash hash_given(struct store *s, const struct metric *m) {
    const struct store_session *session = s->arrival.session;
    const struct intern_scope scope = {session->id, session->era, (unsigned char)m->key_kind};
    return intern_hash_key(&s->intern, &scope, m->key_name, m->key_rest);
}

static struct intern_hash hash_context(struct store *s, const struct metric *m) {
    const struct origin *o = &m->origin;
    double rate = isnan(m->sample_rate) ? (double)NAN : m->sample_rate;
    const struct span spans[] = {m->name,        o->host,        o->container_id,   o->external_data,
                                 o->cardinality, o->entity_id,   o->jmx_check_name, m->device,
                                 m->unit,        m->source_type, m->resources};
    key_start(s, 'C', (uint32_t)m->type);
    buf_add(&s->key, &rate, sizeof rate);
    buf_add(&s->key, &m->interval, sizeof m->interval);
    uint64_t inode[] = {o->has_inode, o->has_inode ? o->inode : 0};
    buf_add(&s->key, inode, sizeof inode);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        key_span(s, spans[i]);
    key_tags(s, m->n_tags, m->tags);
    for (size_t i = 0; m->remarks && i < m->remarks->n; i++) {
        uint64_t kind = m->remarks->list[i].kind;
        buf_add(&s->key, &kind, sizeof kind);
        key_span(s, m->remarks->list[i].text);
    }
    return intern_hash(&s->intern, buf_view(&s->key));
}

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static bool are_sorted(const struct metric *m) {
    for (size_t i = 1; i < m->n_tags; i++)
        if (span_cmp(m->tags[i - 1], m->tags[i]) >= 0)
            return false;
    return true;
}

/* Whether its spelling has nothing that its series has not, but for the order of its tags. */
static bool is_plain(const struct metric *m) {
    const struct origin *o = &m->origin;
    const struct span beyond[] = {o->container_id,   o->external_data, o->cardinality, o->entity_id,
                                  o->jmx_check_name, m->unit,          m->source_type, m->resources};
    bool plain = m->sample_rate == 1 && m->interval == 0 && !m->remarks && !o->has_inode;
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0] && plain; i++)
        plain = !beyond[i].p;
    return plain;
}

/* A metric whose context is looked for by all its fields. */
struct lookup {
    const struct metric *m;
    bool plain, sorted;
    size_t n_tags; /* of the series */
    const struct span *tags;
    struct intern_hash hash, series_hash, name;
    uint32_t series; /* ix, or INTERN_NONE */
};

/* s->sorted: the metric's tags in order, once each. */
static int sort_tags(struct store *s, const struct metric *m, size_t *n, struct err *err) {
    if (m->n_tags > s->cap_sorted) {
        struct span *more = realloc(s->sorted, m->n_tags * sizeof *more);
        if (!more)
            return err_set(err, ENOMEM, "cannot record");
        s->sorted = more;
        s->cap_sorted = m->n_tags;
    }
    *n = 0;
    if (m->n_tags == 0)
        return 0;
    memcpy(s->sorted, m->tags, m->n_tags * sizeof *s->sorted);
    qsort(s->sorted, m->n_tags, sizeof *s->sorted, by_bytes);
    for (size_t i = 0; i < m->n_tags; i++)
        if (*n == 0 || !span_eq(s->sorted[*n - 1], s->sorted[i]))
            s->sorted[(*n)++] = s->sorted[i];
    return 0;
}

/* Its series, if there is one. Where it is new it is missing in one place of a large table, and its name in another: both are fetched at once. */
static int find_series(struct store *s, struct lookup *of, struct err *err) {
    const struct metric *m = of->m;
    of->n_tags = m->n_tags;
    of->tags = m->tags;
    if (!of->sorted) {
        if (sort_tags(s, m, &of->n_tags, err) != 0)
            return -1;
        of->tags = s->sorted;
    }
    key_start(s, 'S', (uint32_t)m->type);
    key_span(s, m->name);
    key_span(s, m->origin.host);
    key_span(s, m->device);
    key_tags(s, of->n_tags, of->tags);
    if (s->key.failed)
        return err_set(err, ENOMEM, "cannot record");
    of->series_hash = intern_hash(&s->intern, buf_view(&s->key));
    intern_prefetch(&s->intern, of->series_hash);
    if (!totals_hash(s, s->arrival.session_id, s->arrival.session->era, m->type, m->name, &of->name))
        return err_set(err, ENOMEM, "cannot record");
    intern_prefetch(&s->intern, of->name);
    of->series = intern_find(&s->intern, of->series_hash);
    return 0;
}

/* --- what is new ------------------------------------------------------------------------------- */

int store_json_tags(struct buf *b, size_t n, const struct span *tags, struct span *text, struct err *err) {
    b->max = STORE_SCRATCH_MAX;
    buf_clear(b);
    buf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(b, ',');
        json_put_string_raw(b, tags[i]);
    }
    buf_char(b, ']');
    *text = buf_view(b);
    return b->failed ? err_set(err, ENOMEM, "cannot record") : 0;
}

static void put_hash(struct bulk_list *list, struct bulk_value *v, struct intern_hash hash) {
    char bytes[12];
    memcpy(bytes, &hash.low, 8);
    memcpy(bytes + 8, &hash.high, 4);
    bulk_list_blob(list, v, span_of(bytes, sizeof bytes));
}

void store_bind_origin(sqlite3_stmt *stmt, int at, const struct origin *o) {
    const struct span spans[] = {o->container_id, o->external_data, o->cardinality, o->entity_id,
                                 o->jmx_check_name};
    for (int i = 0; i < 5; i++)
        db_bind_span(stmt, at + i, spans[i]);
    if (o->has_inode)
        db_bind_id(stmt, at + 5, o->inode);
    else
        sqlite3_bind_null(stmt, at + 5);
}

struct intern_context store_context(uint64_t id, enum metric_type type, double sample_rate, uint32_t series) {
    struct metric_weight weight = metric_weigh(type, sample_rate);
    return (struct intern_context){.id = id,
                                   .count = weight.count,
                                   .factor = weight.factor,
                                   .series = series & INTERN_SERIES_MAX,
                                   .sampled = sample_rate != 1,
                                   .group = INTERN_NONE};
}

/* Puts the first spelling of a series into the series' row. */
static int own_spelling(struct store *s, const struct lookup *of, struct bulk_value *v, uint32_t *ix,
                        struct err *err) {
    struct span tags;
    struct bulk_list *list = &s->new_series;
    struct intern_series *series = &s->intern.series[of->series];
    struct intern_context context = store_context(series->id, of->m->type, of->m->sample_rate, of->series);
    *ix = intern_add_context(&s->intern, &context);
    if (*ix == INTERN_NONE || (!of->sorted && !intern_lead(&s->intern, of->hash, *ix)))
        return err_set(err, ENOMEM, "cannot record");
    s->arrival.session->n_interned++;
    if (of->sorted) {
        series->own = *ix;
        bulk_blob(&v[0], SPAN(""));
        return 0;
    }
    if (store_json_tags(&s->tags, of->m->n_tags, of->m->tags, &tags, err) != 0)
        return -1;
    put_hash(list, &v[0], of->hash);
    bulk_list_text(list, &v[1], tags);
    return list->texts.failed ? err_set(err, ENOMEM, "cannot record") : 0;
}

static bool new_rows_are_many(const struct store *s) {
    return s->new_series.n + s->new_contexts.n >= NEW_MAX ||
           s->new_contexts.texts.used + s->new_series.texts.used > NEW_BYTES_MAX;
}

/* *own: where own_spelling puts what it has. */
static int new_series(struct store *s, struct lookup *of, struct bulk_value **own, struct err *err) {
    struct span tags;
    const struct metric *m = of->m;
    struct bulk_list *list = &s->new_series;
    if (store_json_tags(&s->tags, of->n_tags, of->tags, &tags, err) != 0)
        return -1;
    struct intern_series series = {
        .id = s->next_id, .min = (double)NAN, .max = (double)NAN, .last = (double)NAN, .own = INTERN_NONE};
    struct bulk_value *v = bulk_list_add(list);
    of->series = v ? intern_add_series(&s->intern, &series) : INTERN_NONE;
    if (of->series == INTERN_NONE || !intern_lead(&s->intern, of->series_hash, of->series))
        return err_set(err, ENOMEM, "cannot record");
    bulk_id(&v[0], series.id);
    bulk_id(&v[1], s->arrival.session_id);
    put_hash(list, &v[2], of->series_hash);
    bulk_list_text(list, &v[3], m->name);
    bulk_integer(&v[4], (int)m->type);
    bulk_list_text(list, &v[5], tags);
    bulk_list_text(list, &v[6], m->origin.host);
    bulk_list_text(list, &v[7], m->device);
    bulk_null(&v[8]);
    bulk_null(&v[9]);
    *own = &v[8];
    if (list->texts.failed)
        return err_set(err, ENOMEM, "cannot record");
    if (totals_join(s, s->arrival.session_id, of->name, of->series, of->n_tags, of->tags, err) != 0)
        return -1;
    await_new(s, s->arrival.session_id);
    s->next_id++;
    s->now.series++;
    s->arrival.session->held.series++;
    s->arrival.session->n_interned++;
    return 0;
}

/* What a context has only when there are remarks on its lines. */
static int put_remarks(struct store *s, const struct remarks *r, struct bulk_value *v, struct err *err) {
    struct span json;
    struct bulk_list *list = &s->new_contexts;
    if (store_remarks_json(&s->tags, r, &json, err) != 0)
        return -1;
    s->arrival.session->n_remarked += r != NULL;
    bulk_list_text(list, &v[0], json);
    bulk_list_text(list, &v[1], store_remarks_line(r));
    return 0;
}

/* The row of a spelling; id: 0: a new one. */
static int new_context(struct store *s, const struct lookup *of, uint64_t id, uint32_t *ix, struct err *err) {
    struct span tags;
    const struct metric *m = of->m;
    const struct origin *o = &m->origin;
    struct bulk_list *list = &s->new_contexts;
    if (store_json_tags(&s->tags, m->n_tags, m->tags, &tags, err) != 0)
        return -1;
    struct intern_context context = store_context(id ? id : s->next_id, m->type, m->sample_rate, of->series);
    struct bulk_value *v = bulk_list_add(list);
    *ix = v ? intern_add_context(&s->intern, &context) : INTERN_NONE;
    if (*ix == INTERN_NONE || !intern_lead(&s->intern, of->hash, *ix))
        return err_set(err, ENOMEM, "cannot record");
    const struct span origin[] = {o->container_id, o->external_data, o->cardinality, o->entity_id,
                                  o->jmx_check_name};
    bulk_id(&v[0], context.id);
    bulk_id(&v[1], s->intern.series[of->series].id);
    put_hash(list, &v[2], of->hash);
    bulk_list_text(list, &v[3], tags);
    bulk_number(&v[4], m->sample_rate);
    for (size_t i = 0; i < sizeof origin / sizeof origin[0]; i++)
        bulk_list_text(list, &v[5 + i], origin[i]);
    bulk_id_if(&v[10], o->has_inode, o->inode);
    bulk_list_text(list, &v[11], m->unit);
    bulk_integer(&v[12], m->interval);
    bulk_list_text(list, &v[13], m->source_type);
    bulk_list_text(list, &v[14], m->resources);
    if (put_remarks(s, m->remarks, &v[15], err) != 0)
        return -1;
    if (list->texts.failed)
        return err_set(err, ENOMEM, "cannot record");
    s->next_id += id == 0;
    s->arrival.session->n_interned++;
    return 0;
}

int store_write_new(struct store *s, struct err *err) {
    s->rows = s->rows || s->new_series.n || s->new_contexts.n;
    return bulk_list_run(s->db, s->sql[SQL_METRIC], &s->feed, &s->new_series, err) != 0
               ? -1
               : bulk_list_run(s->db, s->sql[SQL_CONTEXT], &s->feed, &s->new_contexts, err);
}

static int find_context(struct store *s, const struct metric *m, uint32_t *ix, struct err *err);

/* There are too many different remarks: the context that has only their kinds. */
static int find_bare(struct store *s, const struct metric *m, uint32_t *ix, struct err *err) {
    struct remarks bare;
    struct metric plain = *m;
    store_remarks_bare(&bare, m->remarks);
    plain.remarks = &bare;
    return find_context(s, &plain, ix, err);
}

/* By all its fields, those that are of its series first where they say all. INTERN_NONE: it is new. */
static int find_spelling(struct store *s, struct lookup *of, uint32_t *ix, struct err *err) {
    bool by_series = of->plain && of->sorted;
    *ix = INTERN_NONE;
    if (by_series) {
        if (find_series(s, of, err) != 0)
            return -1;
        if (of->series == INTERN_NONE)
            return 0;
        *ix = s->intern.series[of->series].own;
        if (*ix != INTERN_NONE)
            return 0;
    }
    of->hash = hash_context(s, of->m);
    if (s->key.failed)
        return err_set(err, ENOMEM, "cannot record");
    *ix = intern_find(&s->intern, of->hash);
    return *ix == INTERN_NONE && !by_series ? find_series(s, of, err) : 0;
}

/* The context of a metric, by all its fields. INTERN_NONE: there are too many already. */
static int find_context(struct store *s, const struct metric *m, uint32_t *ix, struct err *err) {
    struct lookup of = {.m = m, .plain = is_plain(m), .sorted = are_sorted(m), .series = INTERN_NONE};
    if (find_spelling(s, &of, ix, err) != 0)
        return -1;
    if (*ix != INTERN_NONE || s->intern.n_contexts >= s->max_contexts)
        return 0;
    if (m->remarks && m->remarks->line.p && s->arrival.session->n_remarked >= STORE_REMARKED_MAX)
        return find_bare(s, m, ix, err);
    bool is_new = of.series == INTERN_NONE;
    /* What a reset forgot is in the table until it is loaded again, and no series any more. */
    if (is_new && (s->now.series >= s->max_series || s->intern.n_series >= INTERN_SERIES_MAX))
        return 0;
    struct bulk_value *own = NULL;
    uint64_t id = is_new ? s->next_id : 0;
    if ((is_new && new_series(s, &of, &own, err) != 0) ||
        (is_new && of.plain ? own_spelling(s, &of, own, ix, err) : new_context(s, &of, id, ix, err)) != 0)
        return -1;
    return new_rows_are_many(s) ? store_write_new(s, err) : 0;
}

static int identify_by_key(struct store *s, const struct metric *m, uint32_t *ix, struct err *err) {
    if (m->key_name.n == 0)
        return find_context(s, m, ix, err);
    struct intern_hash given = hash_given(s, m);
    *ix = intern_find_next(&s->intern, given);
    if (*ix != INTERN_NONE)
        return 0;
    if (find_context(s, m, ix, err) != 0)
        return -1;
    if (*ix == INTERN_NONE ||
        s->intern.n_used > KEYS_PER_CONTEXT * ((size_t)s->intern.n_contexts + KEYS_PER_CONTEXT))
        return 0;
    s->arrival.session->n_interned++;
    return intern_lead(&s->intern, given, *ix) ? 0 : err_set(err, ENOMEM, "cannot record");
}

int store_identify(struct store *s, const struct metric *m, uint32_t *ix, struct err *err) {
    struct metric_note *note = m->note;
    const struct store_session *session = s->arrival.session;
    if (note && note->session_id == session->id && note->era == session->era &&
        note->table == s->intern.table) {
        *ix = note->context;
        return 0;
    }
    if (identify_by_key(s, m, ix, err) != 0)
        return -1;
    if (note && *ix != INTERN_NONE)
        *note = (struct metric_note){session->id, session->era, s->intern.table, *ix};
    return 0;
}
