/* Records into the judge: which of its claims each one matters to. */
#include "judge/evaluate/private.h"

#include "core/array.h"
#include <stdlib.h>
#include <xxhash.h>

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

/* What a series is to an expectation with its name: FORM_RIVAL when it is not asked for. */
static enum form role_of(const struct expectation *e, const struct series_row *row, uint64_t *steps) {
    struct tagged tagged = tagged_series(row, steps);
    bool itself = match_type(e, row->type),
         rate = match_has_rates(e) && metric_is(row->type, METRIC_PER_SECOND);
    if (!(itself || rate) || !match_tags(e, &tagged))
        return FORM_RIVAL;
    return itself ? FORM_NONE : FORM_RATE;
}

static int visit_claim(void *arg, uint32_t place) {
    struct visit *v = arg;
    const struct expectation *e = v->judge->claims[place].e;
    struct tagged tagged = tagged_series(v->row, &v->judge->steps);
    enum form form = v->form;
    if (form == FORM_NONE)
        form = role_of(e, v->row, &v->judge->steps);
    else if (!match_tags(e, &tagged))
        return 0;
    if ((form == FORM_RIVAL || v->form != FORM_NONE) && !match_has_forms(e))
        return 0;
    v->named |= form != FORM_RIVAL;
    v->direct |= form == FORM_NONE;
    if (v->apart && !e->no)
        return 0;
    if (++v->judge->n_links > v->judge->limits.links)
        return -1;
    return links_add(
        &v->found,
        (struct link){.index = place, .form = (uint8_t)form, .percentile = (uint8_t)v->percentile});
}

static int find_claims(struct visit *v) {
    struct judge *j = v->judge;
    if (name_index_visit(&j->names, j->parsed.list, v->row->name, &j->steps, j->limits.steps, visit_claim,
                         v) != 0)
        return -1;
    v->form = form_of(v->row->name, &v->base, &v->percentile);
    if (v->form == FORM_NONE || !match_form_type(v->form, v->row->type))
        return 0;
    struct name_index literals = j->names;
    literals.n_globs = 0;
    return name_index_visit(&literals, j->parsed.list, v->base, &j->steps, j->limits.steps, visit_claim, v);
}

static uint64_t identity_of(const struct series_row *row, struct span name, uint64_t seed) {
    uint64_t hash = XXH3_64bits_withSeed(name.p, name.n, seed);
    for (size_t i = 0; i < row->n_tags; i++)
        hash = XXH3_64bits_withSeed(row->tags[i].p, row->tags[i].n, hash);
    hash = XXH3_64bits_withSeed(row->host.p, row->host.n, hash);
    return XXH3_64bits_withSeed(row->device.p, row->device.n, hash) | 1; /* 0 is a free slot of the map */
}

/* Series of two sessions are two witnesses, so that a form is held against the samples of its own session. */
static uint64_t seed_of(const struct series_row *row) {
    return XXH3_64bits_withSeed(row->session.p, row->session.n, row->type);
}

/* Forms of one metric may be of several types. */
static uint64_t whole_seed(const struct series_row *row) {
    return XXH3_64bits(row->session.p, row->session.n);
}

static bool is_same(const struct witness *w, const struct series_row *row) {
    bool same = w->type == row->type && w->n_tags == row->n_tags && span_eq(w->name, row->name) &&
                span_eq(w->session, row->session) && span_eq(w->host, row->host) &&
                span_eq(w->device, row->device);
    for (size_t i = 0; same && i < row->n_tags; i++)
        same = span_eq(w->tags[i], row->tags[i]);
    return same;
}

int judge_renew_series(struct judge *j, const struct series_row *row, bool *known) {
    uint32_t place;
    *known = judge_sees(j, row->session) && !index_find(&j->by_series, row->id, &place) &&
             index_find(&j->by_identity, identity_of(row, row->name, seed_of(row)), &place) &&
             is_same(&j->witnesses[place], row);
    return *known ? table_set(&j->by_series, row->id, place) : 0;
}

static struct witness *new_witness(struct judge *j, const struct series_row *row, bool apart) {
    if (!array_room(&j->witnesses, j->n_witnesses, &j->cap_witnesses, sizeof *j->witnesses))
        return NULL;
    struct witness *w = &j->witnesses[j->n_witnesses];
    *w = (struct witness){.id = row->id,
                          .session = arena_copy(&j->arena, row->session),
                          .name = arena_copy(&j->arena, row->name),
                          .type = row->type,
                          .n_tags = row->n_tags,
                          .tags = arena_copy_list(&j->arena, row->n_tags, row->tags),
                          .host = arena_copy(&j->arena, row->host),
                          .device = arena_copy(&j->arena, row->device),
                          .telemetry = match_tells_drops(row->name, row->type),
                          .apart = apart};
    if (!j->session.p || j->wide)
        w->everywhere = identity_of(row, row->name, row->type);
    if (!w->session.p || !w->name.p || !w->tags ||
        table_set(&j->by_series, row->id, (uint32_t)j->n_witnesses) != 0 ||
        table_set(&j->by_identity, identity_of(row, row->name, seed_of(row)), (uint32_t)j->n_witnesses) != 0)
        return NULL;
    j->n_witnesses++;
    if (w->telemetry && !j->telemetry)
        j->telemetry = (uint32_t)j->n_witnesses;
    else if (w->telemetry)
        j->witnesses[j->last_telemetry - 1].next_telemetry = (uint32_t)j->n_witnesses;
    if (w->telemetry)
        j->last_telemetry = (uint32_t)j->n_witnesses;
    return w;
}

/* An expectation with conditions looks at its own share of the samples. That the series holds any at all still keeps forms from
 * telling. */
static int link_sifted(struct judge *j, size_t place, uint32_t of_claim) {
    struct claim *claim = &j->claims[of_claim];
    struct link rival = {.index = (uint32_t)place, .form = FORM_RIVAL}, link = {.form = FORM_NONE};
    if (judge_add_sifted(j, place, of_claim, &link.index) != 0)
        return -1;
    if (match_has_forms(claim->e) && links_add(&claim->witnesses, rival) != 0)
        return -1;
    return links_add(&claim->witnesses, link);
}

/* The witness of the series, which is at `place`, and the claims that were found learn of each other. */
static int link_claims(struct judge *j, size_t place, const struct visit *v) {
    for (size_t i = 0; i < v->found.n; i++) {
        struct link link = v->found.items[i];
        struct claim *claim = &j->claims[link.index];
        if (link.form == FORM_NONE && claim->e->n_conditions) {
            if (link_sifted(j, place, link.index) != 0)
                return -1;
            continue;
        }
        struct witness *w = &j->witnesses[place];
        if (link.form != FORM_NONE && link.form < FORM_RATE)
            w->whole = identity_of(v->row, v->base, whole_seed(v->row));
        w->needs |= link.form == FORM_NONE ? claim->needs : link.form != FORM_RIVAL ? (unsigned)NEED_FORM : 0;
        if (links_add(&w->claims, link) != 0)
            return -1;
        link.index = (uint32_t)place;
        if (links_add(&claim->witnesses, link) != 0)
            return -1;
    }
    return 0;
}

int judge_add_series(struct judge *j, const struct series_row *row, struct witness **w) {
    uint32_t known;
    *w = NULL;
    bool apart = !judge_is_of(j, row->session);
    if (!judge_sees(j, row->session) || index_find(&j->by_series, row->id, &known))
        return 0;
    struct visit v = {.judge = j, .row = row, .apart = apart};
    int result = find_claims(&v);
    if (result == 0 && (v.found.n || match_tells_drops(row->name, row->type) || j->all_covered)) {
        size_t place = j->n_witnesses;
        result = new_witness(j, row, apart) ? link_claims(j, place, &v) : -1;
        if (result == 0) {
            *w = &j->witnesses[place];
            (*w)->direct = v.direct;
            (*w)->named = v.named;
            j->n_formed += !v.direct && ((*w)->needs & NEED_FORM);
        }
    }
    free(v.found.items);
    return result;
}

/* --- samples --------------------------------------------------------------------------------------------- */

/* Of a series that may be a form, the claims tell when they are judged: judge_cover_forms. */
static void note_uncovered(struct judge *j, struct witness *w) {
    bool covered =
        w->direct || (w->needs & NEED_FORM) || (w->apart && w->named) || span_starts(w->name, TELEMETRY);
    j->n_uncovered += !covered && !w->uncovered;
    w->uncovered |= !covered;
}

void judge_cover_forms(struct judge *j) {
    for (size_t i = 0; i < j->n_claims; i++) {
        const struct links *links = &j->claims[i].witnesses;
        for (size_t k = 0; k < links->n; k++) {
            struct witness *w = &j->witnesses[links->items[k].index];
            uint64_t n = w->flushed.samples + (links->items[k].form == FORM_RATE ? 0 : w->spanless);
            if (links->items[k].used && n > w->n_formed)
                w->n_formed = n;
        }
    }
    for (size_t i = 0; i < j->n_witnesses; i++) {
        struct witness *w = &j->witnesses[i];
        bool formed = w->tally.samples == w->n_formed;
        w->n_formed = 0; /* until the next time */
        if (w->direct || !(w->needs & NEED_FORM) || w->tally.samples == 0)
            continue;
        j->n_uncovered += !formed;
        j->n_unformed += !formed;
        j->n_uncovered -= w->uncovered;
        j->n_unformed -= w->uncovered;
        w->uncovered = !formed;
    }
}

void judge_note_present(struct judge *j, struct witness *w) {
    note_uncovered(j, w);
    for (size_t i = 0; i < w->claims.n; i++)
        judge_mark_dirty(j, w->claims.items[i].index);
    if (judge_is_evidence(w)) {
        struct lost_kinds *lost = w->apart ? &j->lost_apart : &j->lost;
        lost->all |= LOST_ANY;
        lost->newer |= LOST_ANY;
        j->all_dirty = true;
    }
}

/* Each claim looks at each value that is kept for it. */
static bool looks_too_often(struct judge *j, const struct witness *w, uint64_t n) {
    j->n_looks += (w->needs & (NEED_VALUES | NEED_DISTINCT)) ? n * w->claims.n : 0;
    return j->n_looks > j->limits.looks;
}

int judge_add_sample(struct judge *j, struct witness *w, const struct sample_row *row) {
    bool first = w->tally.samples == 0, evidence = judge_is_evidence(w);
    if (j->n_values >= j->limits.values || witness_add_sample(w, row, &j->n_values) != 0)
        return -1;
    if (looks_too_often(j, w, 1) || judge_sift_sample(j, w, row) != 0)
        return -1;
    if (first || judge_is_evidence(w) != evidence) {
        judge_note_present(j, w);
        return 0;
    }
    for (size_t i = 0; i < w->claims.n; i++)
        judge_mark_dirty(j, w->claims.items[i].index);
    return 0;
}

int judge_read_sample(struct judge *j, struct witness *w, const struct sample_row *row) {
    if (!w->summed)
        return judge_add_sample(j, w, row);
    if (j->n_values >= j->limits.values || witness_read_sample(w, row, &j->n_values) != 0)
        return -1;
    return looks_too_often(j, w, 1) || judge_sift_sample(j, w, row) != 0 ? -1 : 0;
}

int judge_read_values(struct judge *j, struct witness *w, const struct numbers_row *row,
                      struct bag_hints *hints) {
    j->n_values += row->n;
    if (j->n_values >= j->limits.values || looks_too_often(j, w, row->n))
        return -1;
    return witness_read_values(w, row, hints);
}

/* --- losses ---------------------------------------------------------------------------------------------- */

int judge_add_loss(struct judge *j, const struct loss_row *row) {
    bool apart = row->session.p && !judge_is_of(j, row->session);
    if (apart && !j->wide)
        return 0;
    uint64_t seed = XXH3_64bits_withSeed(row->session.p ? row->session.p : "", row->session.n,
                                         (uint64_t)row->loss * 2 + !row->session.p);
    uint64_t key = XXH3_64bits_withSeed(row->detail.n ? row->detail.p : "", row->detail.n, seed) | 1;
    uint32_t place;
    if (!index_find(&j->by_loss, key, &place)) {
        place = (uint32_t)j->n_losses;
        if (!array_room(&j->losses, j->n_losses, &j->cap_losses, sizeof *j->losses) ||
            table_set(&j->by_loss, key, place) != 0)
            return -1;
        j->losses[j->n_losses++] = (struct loss_seen){.loss = row->loss,
                                                      .detail = arena_copy(&j->arena, row->detail),
                                                      .session = arena_copy(&j->arena, row->session)};
    }
    j->losses[place].n += row->n;
    struct lost_kinds *lost = apart ? &j->lost_apart : &j->lost;
    lost->all |= loss_kinds(row->loss);
    lost->newer |= loss_is_of_oldest(row->loss) ? 0 : loss_kinds(row->loss);
    j->all_dirty = true;
    return 0;
}
