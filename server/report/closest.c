#include "report/closest.h"

#include "core/glob.h"

#include <stdio.h>
#include <stdlib.h>

/* --- names ----------------------------------------------------------------------------------------------- */

/* Whether `longer` is `shorter` with something before it: at least "x." */
static bool has_prefix_before(struct span longer, struct span shorter) {
    if (longer.n < shorter.n + 2)
        return false;
    struct span head = span_of(longer.p, longer.n - shorter.n);
    char last = head.p[head.n - 1];
    return (last == '.' || last == '_' || last == '-') && span_eq(span_from(longer, head.n), shorter);
}

static size_t edits_allowed(struct span name) {
    return name.n < 4 ? 1 : name.n < 9 ? 2 : name.n / 4 > 6 ? 6 : name.n / 4;
}

static enum kinship kinship_of(const struct closest *c, struct span name, const struct outline *outline,
                               size_t *edits, uint64_t *steps) {
    const struct expectation *e = c->claim->e;
    struct span base;
    double percentile;
    if (match_name(e, name, steps))
        return KIN_SAME;
    if (span_starts(name, TELEMETRY) && !span_starts(e->name, TELEMETRY))
        return KIN_NONE;
    if (match_has_forms(e) && form_of(name, &base, &percentile) != FORM_NONE && match_name(e, base, steps))
        return KIN_FORM;
    if (!e->literal) {
        const char *dot = memchr(e->name.p, '.', e->name.n);
        bool without =
            dot && glob_match_counted(span_from(e->name, (size_t)(dot - e->name.p) + 1), name, steps);
        return without && e->name.p[0] != '*' && dot + 1 < e->name.p + e->name.n - 1 ? KIN_PREFIX_MISSING
                                                                                     : KIN_NONE;
    }
    if (has_prefix_before(e->name, name))
        return KIN_PREFIX_MISSING;
    if (has_prefix_before(name, e->name))
        return KIN_PREFIX_EXTRA;
    size_t limit = edits_allowed(e->name);
    if (c->n ==
        CLOSEST_SHOWN) { /* more edits would not get it among the best: each counts one, and the name one more */
        unsigned worst = c->best[CLOSEST_SHOWN - 1].score;
        if (worst < 3)
            return KIN_NONE;
        limit = limit < worst - 2 ? limit : worst - 2;
    }
    if (outline_distance(&c->outline, outline) > limit)
        return KIN_NONE;
    *steps += (2 * limit + 1) * (e->name.n < name.n ? e->name.n : name.n);
    *edits = distance(e->name, name, limit);
    return *edits <= limit ? KIN_NEAR : KIN_NONE;
}

/* --- series ---------------------------------------------------------------------------------------------- */

static unsigned tag_score(const struct expectation *e, const struct series_row *row, uint64_t *steps) {
    struct tagged tagged = tagged_series(row, steps);
    unsigned score = 0;
    for (size_t i = 0; i < e->n_terms; i++)
        score += !match_term(&e->terms[i], &tagged);
    for (size_t i = 0; e->exact && i < row->n_tags; i++)
        score += !match_allows(e, row->tags[i], steps);
    return score;
}

static unsigned score_of(struct candidate *c, const struct expectation *e, uint64_t *steps) {
    unsigned score = tag_score(e, &c->row, steps);
    score += c->told || c->kinship == KIN_SAME ? 0 : c->kinship == KIN_NEAR ? 1 + (unsigned)c->edits : 2;
    score += !c->told && c->kinship != KIN_FORM && !match_type(e, c->row.type) ? 2 : 0;
    return score + c->other_session + c->before_mark + c->after_deadline;
}

static bool copy_row(struct arena *arena, struct series_row *row) {
    row->session = arena_copy(arena, row->session);
    row->name = arena_copy(arena, row->name);
    row->tags = arena_copy_list(arena, row->n_tags, row->tags);
    row->host = arena_copy(arena, row->host);
    row->device = arena_copy(arena, row->device);
    return row->session.p && row->name.p && row->tags;
}

static bool copy_candidate(struct arena *arena, struct candidate *c) {
    if (!c->rejected)
        return copy_row(arena, &c->row);
    c->text = arena_copy(arena, c->text);
    c->detail = arena_copy(arena, c->detail);
    return c->text.p;
}

/* Puts the candidate in its place among the best. */
static void keep(struct closest_search *s, struct closest *c, struct candidate candidate) {
    size_t place = c->n;
    while (place > 0 && candidate.score < c->best[place - 1].score)
        place--;
    if (place == CLOSEST_SHOWN)
        return;
    s->steps += candidate.rejected ? candidate.text.n / 16 : candidate.row.n_tags;
    if (!copy_candidate(&s->arena, &candidate)) {
        s->no_memory = true;
        return;
    }
    if (c->n < CLOSEST_SHOWN)
        c->n++;
    memmove(&c->best[place + 1], &c->best[place], (c->n - 1 - place) * sizeof candidate);
    c->best[place] = candidate;
}

static bool is_told_by(const struct judge *j, const struct claim *claim, uint64_t series_id) {
    uint32_t place;
    if (!(match_has_forms(claim->e) || match_has_rates(claim->e)) ||
        !index_find(&j->by_series, series_id, &place))
        return false;
    const struct links *links = &j->witnesses[place].claims;
    for (size_t i = 0; i < links->n; i++) {
        const struct links *back = &claim->witnesses;
        if (&j->claims[links->items[i].index] != claim)
            continue;
        for (size_t k = 0; k < back->n; k++)
            if (back->items[k].index == place)
                return back->items[k].used;
    }
    return false;
}

static void consider_series(struct closest_search *s, struct closest *c, const struct series_row *row,
                            const struct outline *outline) {
    const struct judge *j = s->judge;
    struct candidate candidate = {.row = *row};
    candidate.kinship = kinship_of(c, row->name, outline, &candidate.edits, &s->steps);
    if (candidate.kinship == KIN_NONE)
        return;
    bool wide = j->wide && c->claim->e->no;
    candidate.other_session = !wide && !judge_is_of(j, row->session);
    candidate.tell_session = wide || !j->session.p;
    candidate.before_mark = !candidate.other_session && row->last_id <= j->since;
    candidate.told = is_told_by(j, c->claim, row->id);
    candidate.of_earlier_run = candidate.before_mark && j->earlier;
    candidate.after_deadline = !candidate.other_session && row->first_id > j->newest;
    candidate.score = score_of(&candidate, c->claim->e, &s->steps);
    /* For a `no` only what matched is of interest. */
    if (c->claim->e->no && candidate.score > 0)
        return;
    /* In another session only the very same is worth telling: sessions are apart on purpose. */
    if (candidate.other_session && candidate.score > 1)
        return;
    keep(s, c, candidate);
}

static int visit_series(void *arg, const struct series_row *row) {
    struct closest_search *s = arg;
    struct outline outline = outline_of(row->name);
    for (size_t i = 0; i < s->n && !s->no_memory && s->steps <= CLOSEST_STEPS_MAX; i++)
        if (s->list[i].claim->e->subject == SUBJECT_METRIC)
            consider_series(s, &s->list[i], row, &outline);
    s->pairs += s->n;
    return s->no_memory || s->pairs > CLOSEST_PAIRS_MAX || s->steps > CLOSEST_STEPS_MAX;
}

/* --- rejects --------------------------------------------------------------------------------------------- */

/* A whole request that was refused before anything of it was read: it may have held anything. */
static bool is_whole_request(const struct reject *r) {
    return r->reason == REASON_UNKNOWN_SESSION || r->reason == REASON_NO_API_KEY ||
           r->reason == REASON_API_KEY_REFUSED;
}

static bool is_about(const struct closest *c, const struct reject *r, uint64_t *steps) {
    const struct expectation *e = c->claim->e;
    if (is_whole_request(r))
        return true;
    bool event = span_eq(r->family, SPAN("event")), check = span_eq(r->family, SPAN("service_check"));
    if (event != (e->subject == SUBJECT_EVENT) || check != (e->subject == SUBJECT_CHECK))
        return false;
    if (r->name.n)
        return match_name(e, r->name, steps);
    /* Without a readable name: the expected one stands in the text. Events have no name of their own. */
    *steps += r->text.n / 16;
    return e->literal && r->text.n && e->name.n > 2 && memmem(r->text.p, r->text.n, e->name.p, e->name.n);
}

static int visit_reject(void *arg, const struct reject_row *row) {
    struct closest_search *s = arg;
    const struct reject *r = &row->reject;
    struct candidate candidate = {.score = r->reason == REASON_UNKNOWN_SESSION ? 9 : 1,
                                  .rejected = true,
                                  .reason = r->reason,
                                  .text = r->text,
                                  .detail = r->detail,
                                  .offset = r->offset};
    if (r->reason == REASON_NO_API_KEY && s->n_keyless++ > 0)
        return 0;
    for (size_t i = 0; i < s->n && !s->no_memory && s->steps <= 2 * CLOSEST_STEPS_MAX; i++)
        if (!s->list[i].claim->e->no && is_about(&s->list[i], r, &s->steps))
            keep(s, &s->list[i], candidate);
    return s->no_memory || s->steps > 2 * CLOSEST_STEPS_MAX;
}

/* Whoever forgot the key, or named a session that there isn't, is in the default session: a test in another one learns it too. */
static int visit_default_reject(void *arg, const struct reject_row *row) {
    return is_whole_request(&row->reject) ? visit_reject(arg, row) : 0;
}

static int read_rejects(struct closest_search *s, struct judge *j, struct reader *reader, struct err *err) {
    struct filter rejects = {
        .session = judge_reads(j), .since = j->since, .limit = CLOSEST_REJECTS, .newest = true};
    if (reader->ops->rejects(reader, &rejects, visit_reject, s, err) != 0)
        return -1;
    if (!rejects.session.p || span_eq(rejects.session, SPAN("default")))
        return 0;
    rejects.session = SPAN("default");
    return reader->ops->rejects(reader, &rejects, visit_default_reject, s, err);
}

/* One request without a key is shown for all of them. */
static void tell_keyless(struct closest_search *s) {
    char text[64];
    snprintf(text, sizeof text, "%zu request%s had no API key", s->n_keyless, s->n_keyless == 1 ? "" : "s");
    struct span detail = arena_copy(&s->arena, span_str(text));
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->list[i].n; k++)
            if (s->list[i].best[k].rejected && s->list[i].best[k].reason == REASON_NO_API_KEY)
                s->list[i].best[k].detail = detail;
}

int closest_find(struct closest_search *s, struct judge *j, struct claim *const *claims, size_t n,
                 struct reader *reader, struct err *err) {
    *s = (struct closest_search){.judge = j, .n = n < CLOSEST_CLAIMS_MAX ? n : CLOSEST_CLAIMS_MAX};
    struct filter all = {0};
    if (s->n == 0)
        return 0;
    s->list = calloc(s->n, sizeof *s->list);
    if (!s->list)
        return err_set(err, 0, "out of memory while explaining");
    for (size_t i = 0; i < s->n; i++) {
        s->list[i].claim = claims[i];
        s->list[i].outline = outline_of(claims[i]->e->name);
    }
    if (reader->ops->series(reader, &all, visit_series, s, err) != 0 || read_rejects(s, j, reader, err) != 0)
        return -1;
    if (s->n_keyless)
        tell_keyless(s);
    return s->no_memory ? err_set(err, 0, "out of memory while explaining") : 0;
}

void closest_free(struct closest_search *s) {
    arena_free(&s->arena);
    free(s->list);
    *s = (struct closest_search){0};
}
