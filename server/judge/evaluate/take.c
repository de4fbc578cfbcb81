/* Records into the judge: which of its claims each one matters to. */
#include "judge/evaluate/private.h"

#include "core/array.h"
#include <stdlib.h>
#include <xxhash.h>

static void mark_dirty(struct judge *j, uint32_t place) {
    struct claim *claim = &j->claims[place];
    if (claim->dirty || j->all_dirty)
        return;
    claim->dirty = true;
    j->dirty[j->n_dirty++] = place;
}

/* --- series ---------------------------------------------------------------------------------------------- */

bool judge_is_evidence(const struct witness *w) {
    return w->telemetry && w->tally.sum > 0;
}

/* The links of a series that is looked at. */
struct visit {
    struct judge *judge;
    const struct series_row *row;
    enum form form;
    struct span base; /* of a form */
    double percentile;
    bool apart, direct, named; /* see witness.h */
    struct links found;
};

static int visit_claim(void *arg, uint32_t place) {
    struct visit *v = arg;
    const struct expectation *e = v->judge->claims[place].e;
    struct tagged tagged = tagged_series(v->row, &v->judge->steps);
    bool fits = v->form == FORM_NONE ? match_type(e, v->row->type) : match_has_forms(e);
    if (!fits || !match_tags(e, &tagged))
        return 0;
    v->named = true;
    v->direct |= v->form == FORM_NONE;
    if (v->apart && !e->no)
        return 0;
    if (++v->judge->n_links > v->judge->limits.links)
        return -1;
    return links_add(&v->found, (struct link){place, (uint8_t)v->form, (uint8_t)v->percentile});
}

static int find_claims(struct visit *v) {
    struct judge *j = v->judge;
    if (name_index_visit(&j->names, j->parsed.list, v->row->name, &j->steps, j->limits.steps, visit_claim,
                         v) != 0)
        return -1;
    enum metric_type type = v->row->type;
    if (type != METRIC_GAUGE && type != METRIC_RATE && type != METRIC_COUNT)
        return 0;
    v->form = form_of(v->row->name, &v->base, &v->percentile);
    return v->form == FORM_NONE ? 0
                                : name_index_visit(&j->names, j->parsed.list, v->base, &j->steps,
                                                   j->limits.steps, visit_claim, v);
}

static uint64_t identity_of(const struct series_row *row, struct span name, uint64_t seed) {
    uint64_t hash = XXH3_64bits_withSeed(name.p, name.n, seed);
    for (size_t i = 0; i < row->n_tags; i++)
        hash = XXH3_64bits_withSeed(row->tags[i].p, row->tags[i].n, hash);
    hash = XXH3_64bits_withSeed(row->host.p, row->host.n, hash);
    return XXH3_64bits_withSeed(row->device.p, row->device.n, hash) | 1; /* 0 is a free slot of the map */
}

static uint64_t seed_of(const struct series_row *row, bool apart) {
    return (uint64_t)row->type << 1 | apart;
}

static bool is_same(const struct witness *w, const struct series_row *row, bool apart) {
    bool same = w->apart == apart && w->type == row->type && w->n_tags == row->n_tags &&
                span_eq(w->name, row->name) && span_eq(w->host, row->host) && span_eq(w->device, row->device);
    for (size_t i = 0; same && i < row->n_tags; i++)
        same = span_eq(w->tags[i], row->tags[i]);
    return same;
}

/* Where the same series of the judged session, or of the others, has its place. */
static bool find_same(const struct judge *j, const struct series_row *row, bool apart, uint32_t *place) {
    return idmap_get(&j->by_identity, identity_of(row, row->name, seed_of(row, apart)), place) &&
           is_same(&j->witnesses[*place], row, apart);
}

int judge_renew_series(struct judge *j, const struct series_row *row, bool *known) {
    uint32_t place;
    bool apart = !judge_is_of(j, row->session);
    *known =
        (!apart || j->wide) && !idmap_get(&j->by_series, row->id, &place) && find_same(j, row, apart, &place);
    return *known ? idmap_put(&j->by_series, row->id, place) : 0;
}

/* In the judged session and in others it is one series for those claims that see both. */
static void pair(struct judge *j, struct witness *w, const struct series_row *row) {
    uint32_t place;
    if (!j->wide || !find_same(j, row, !w->apart, &place))
        return;
    if (w->apart)
        w->near = place + 1;
    else
        j->witnesses[place].near = (uint32_t)(w - j->witnesses) + 1;
}

static struct witness *new_witness(struct judge *j, const struct series_row *row, bool apart) {
    if (!array_room(&j->witnesses, j->n_witnesses, &j->cap_witnesses, sizeof *j->witnesses))
        return NULL;
    struct witness *w = &j->witnesses[j->n_witnesses];
    *w = (struct witness){.id = row->id,
                          .name = arena_copy(&j->arena, row->name),
                          .type = row->type,
                          .n_tags = row->n_tags,
                          .tags = arena_copy_list(&j->arena, row->n_tags, row->tags),
                          .host = arena_copy(&j->arena, row->host),
                          .device = arena_copy(&j->arena, row->device),
                          .telemetry = match_tells_drops(row->name, row->type),
                          .apart = apart};
    if (!w->name.p || !w->tags || idmap_put(&j->by_series, row->id, (uint32_t)j->n_witnesses) != 0 ||
        idmap_put(&j->by_identity, identity_of(row, row->name, seed_of(row, apart)),
                  (uint32_t)j->n_witnesses) != 0)
        return NULL;
    pair(j, w, row);
    j->n_witnesses++;
    return w;
}

int judge_add_series(struct judge *j, const struct series_row *row, struct witness **w) {
    uint32_t known;
    *w = NULL;
    bool apart = !judge_is_of(j, row->session);
    if ((apart && !j->wide) || idmap_get(&j->by_series, row->id, &known))
        return 0;
    if (find_same(j, row, apart, &known)) {
        *w = &j->witnesses[known];
        return idmap_put(&j->by_series, row->id, known);
    }
    struct visit v = {.judge = j, .row = row, .apart = apart};
    int result = find_claims(&v);
    if (result == 0 && (v.found.n || match_tells_drops(row->name, row->type) || j->all_covered)) {
        struct witness *new = new_witness(j, row, apart);
        result = new ? 0 : -1;
        for (size_t i = 0; i < v.found.n && result == 0; i++) {
            struct link link = v.found.items[i];
            struct claim *claim = &j->claims[link.index];
            if (link.form != FORM_NONE)
                new->whole = identity_of(row, v.base, 0);
            new->needs |= link.form == FORM_NONE ? claim->needs : NEED_FORM;
            result = links_add(&claim->witnesses,
                               (struct link){(uint32_t)(new - j->witnesses), link.form, link.percentile});
        }
        if (new) {
            new->direct = v.direct;
            new->named = v.named;
            new->claims = v.found;
            v.found = (struct links){0};
        }
        *w = new;
    }
    free(v.found.items);
    return result;
}

/* --- samples --------------------------------------------------------------------------------------------- */

/* `source`: where a sample came from, for what is a form only when it came over HTTP. */
static void note_uncovered(struct judge *j, struct witness *w, enum source source) {
    bool covered = w->direct || (w->named && source == SOURCE_HTTP) || span_starts(w->name, TELEMETRY);
    j->n_uncovered += !covered && !w->uncovered;
    w->uncovered |= !covered;
}

void judge_note_present(struct judge *j, struct witness *w) {
    if (w->claims.n == 0)
        note_uncovered(j, w, SOURCE_HTTP);
    for (size_t i = 0; i < w->claims.n; i++)
        mark_dirty(j, w->claims.items[i].index);
    if (judge_is_evidence(w)) {
        *(w->apart ? &j->lost_apart : &j->lost) |= LOST_ANY;
        j->all_dirty = true;
    }
}

int judge_add_sample(struct judge *j, struct witness *w, const struct sample_row *row) {
    bool first = w->tally.samples == 0, evidence = judge_is_evidence(w);
    if (j->n_values >= j->limits.values || witness_add_sample(w, row, &j->n_values) != 0)
        return -1;
    note_uncovered(j, w, row->source);
    if (first || judge_is_evidence(w) != evidence) {
        judge_note_present(j, w);
        return 0;
    }
    for (size_t i = 0; i < w->claims.n; i++)
        mark_dirty(j, w->claims.items[i].index);
    return 0;
}

/* --- events and checks ----------------------------------------------------------------------------------- */

static void add_record(struct judge *j, uint32_t place, uint64_t id) {
    struct claim *claim = &j->claims[place];
    if (claim->records++ == 0)
        claim->first_id = id;
    claim->newest_id = id;
    mark_dirty(j, place);
}

/* apart: it is of another session than the judged one. */
static bool record_matches(const struct expectation *e, enum subject subject, bool apart, struct span name,
                           const struct tagged *tagged) {
    return e->subject == subject && (e->no || !apart) && match_name(e, name, tagged->steps) &&
           match_tags(e, tagged);
}

int judge_add_event(struct judge *j, const struct event_row *row) {
    struct tagged tagged = {
        .n = row->event.n_tags, .tags = row->event.tags, .host = row->event.origin.host, .steps = &j->steps};
    for (size_t i = 0; j->asks_events && i < j->n_claims && j->steps <= j->limits.steps; i++)
        if (record_matches(j->claims[i].e, SUBJECT_EVENT, !judge_is_of(j, row->session), row->event.title,
                           &tagged))
            add_record(j, (uint32_t)i, row->id);
    return j->steps > j->limits.steps ? -1 : 0;
}

int judge_add_check(struct judge *j, const struct check_row *row) {
    const struct service_check *check = &row->check;
    struct tagged tagged = {
        .n = check->n_tags, .tags = check->tags, .host = check->origin.host, .steps = &j->steps};
    for (size_t i = 0; j->asks_checks && i < j->n_claims && j->steps <= j->limits.steps; i++) {
        if (!record_matches(j->claims[i].e, SUBJECT_CHECK, !judge_is_of(j, row->session), check->name,
                            &tagged))
            continue;
        j->claims[i].newest_status = check->status;
        if (check->status >= 0 && check->status < 4)
            j->claims[i].statuses[check->status]++;
        add_record(j, (uint32_t)i, row->id);
    }
    return j->steps > j->limits.steps ? -1 : 0;
}

/* --- losses ---------------------------------------------------------------------------------------------- */

int judge_add_loss(struct judge *j, const struct loss_row *row) {
    bool apart = row->session.p && !judge_is_of(j, row->session);
    if (apart && !j->wide)
        return 0;
    struct loss_seen *seen = NULL;
    for (size_t i = 0; i < j->n_losses && !seen; i++)
        if (j->losses[i].loss == row->loss && span_eq(j->losses[i].session, row->session) &&
            span_eq(j->losses[i].detail, row->detail))
            seen = &j->losses[i];
    if (!seen) {
        struct loss_seen *list = realloc(j->losses, (j->n_losses + 1) * sizeof *list);
        if (!list)
            return -1;
        j->losses = list;
        seen = &list[j->n_losses++];
        *seen = (struct loss_seen){.loss = row->loss,
                                   .detail = arena_copy(&j->arena, row->detail),
                                   .session = arena_copy(&j->arena, row->session)};
    }
    seen->n += row->n;
    *(apart ? &j->lost_apart : &j->lost) |= loss_kinds(row->loss);
    j->all_dirty = true;
    return 0;
}
