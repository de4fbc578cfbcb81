#include "report/closest.h"

#include "judge/evaluate/sift.h"
#include "report/closest_names.h"
#include "report/closest_rejects.h"
#include "report/ignored.h"

#include <stdlib.h>

#define IGNORED_MAX 8192 /* bytes of a sentence about what was ignored */

/* --- differences ----------------------------------------------------------------------------------------- */

static unsigned tag_score(const struct closest *c, const struct candidate *x, uint64_t *steps) {
    const struct expectation *e = c->claim->e;
    struct tagged tagged = tagged_series(&x->row, steps);
    unsigned score = 0;
    for (size_t i = 0; i < e->n_terms; i++)
        score += !match_term(&e->terms[i], &tagged);
    for (size_t i = 0; e->exact && i < x->row.n_tags; i++)
        score += !match_allows(e, x->row.tags[i], steps);
    return score;
}

static bool fits_type(const struct expectation *e, const struct candidate *x) {
    switch (x->kind) {
    case CANDIDATE_EVENT:
        return e->subject == SUBJECT_EVENT;
    case CANDIDATE_CHECK:
        return e->subject == SUBJECT_CHECK;
    case CANDIDATE_SERIES:
    case CANDIDATE_REJECT:
        break;
    }
    return e->subject == SUBJECT_METRIC && (x->told || x->kin.how == KIN_FORM || match_type(e, x->row.type));
}

static void consider(struct closest_search *s, struct closest *c, struct candidate *x, uint64_t first_id,
                     uint64_t last_id) {
    const struct expectation *e = c->claim->e;
    candidates_place(s, c, x, first_id, last_id);
    unsigned tags = tag_score(c, x, &s->steps);
    /* A rate is no count only where nothing else is against it: it lacks the interval then. */
    x->counts = x->kind == CANDIDATE_SERIES && metric_is(x->row.type, METRIC_PER_SECOND) &&
                match_has_rates(e) && (tags || x->kin.how != KIN_SAME || x->other_session || x->before_mark);
    bool fits = x->counts || fits_type(e, x);
    unsigned apart = tags + (x->told ? 0 : kin_score(&x->kin)) + (fits ? 0 : 2) + (x->missed.p != NULL);
    /* For a `no` only what matched is of interest. */
    if (e->no && apart + x->other_session + x->before_mark + x->after_deadline > 0)
        return;
    /* In another session only the very same is worth telling: sessions are apart on purpose. */
    if (x->other_session && apart > 0)
        return;
    x->score = apart + 2u * x->other_session + x->before_mark + x->after_deadline;
    candidates_keep(s, c, *x);
}

/* --- series ---------------------------------------------------------------------------------------------- */

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
                            const struct named *named) {
    const struct expectation *e = c->claim->e;
    struct candidate x = {.kind = CANDIDATE_SERIES, .row = *row};
    if (e->subject == SUBJECT_METRIC)
        x.kin = kin_of(&c->sought, named, candidates_limit(c), &s->steps);
    else if (!closest_is_namesake(e, row->name))
        return;
    if (x.kin.how == KIN_NONE)
        return;
    x.told = is_told_by(s->judge, c->claim, row->id);
    consider(s, c, &x, row->first_id, row->last_id);
}

static bool is_spent(const struct closest_search *s) {
    return s->no_memory || s->pairs > CLOSEST_PAIRS_MAX || s->steps > CLOSEST_STEPS_MAX;
}

static int visit_series(void *arg, const struct series_row *row) {
    struct closest_search *s = arg;
    struct named named = named_of(row->name);
    for (size_t i = 0; i < s->n && !s->no_memory && s->steps <= CLOSEST_STEPS_MAX; i++)
        consider_series(s, &s->list[i], row, &named);
    s->pairs += s->n;
    return is_spent(s);
}

/* --- events and checks ----------------------------------------------------------------------------------- */

static struct span ignored_in(const struct remarks *remarks, struct buf *text) {
    ignored_say(remarks, text);
    return text->n ? buf_view(text) : (struct span){NULL, 0};
}

static int visit_event(void *arg, const struct event_row *row) {
    struct closest_search *s = arg;
    struct buf text = {.max = IGNORED_MAX}, missed = {.max = IGNORED_MAX};
    struct span ignored = ignored_in(row->event.remarks, &text);
    const struct event *event = &row->event;
    struct named named = named_title(event->title);
    for (size_t i = 0; i < s->n && !s->no_memory && s->steps <= 2 * CLOSEST_STEPS_MAX; i++) {
        struct closest *c = &s->list[i];
        const struct expectation *e = c->claim->e;
        struct candidate x = {.kind = CANDIDATE_EVENT,
                              .ignored = ignored,
                              .row = {.session = row->session,
                                      .name = event->title,
                                      .n_tags = event->n_tags,
                                      .tags = event->tags,
                                      .host = event->origin.host,
                                      .samples = 1}};
        if (e->subject == SUBJECT_EVENT)
            x.kin = kin_of_title(&c->sought, &named, event->text, candidates_limit(c), &s->steps);
        else if (!closest_is_namesake(e, event->title))
            continue;
        struct sieve sieve = {0};
        if (x.kin.how == KIN_NONE)
            continue;
        if (e->subject == SUBJECT_EVENT && !sift_event(e, row, &sieve, &s->steps))
            x.missed = candidates_missed(&sieve, &missed);
        consider(s, c, &x, row->id, row->id);
    }
    buf_free(&text);
    buf_free(&missed);
    return s->no_memory || s->steps > 2 * CLOSEST_STEPS_MAX;
}

static int visit_check(void *arg, const struct check_row *row) {
    struct closest_search *s = arg;
    struct buf text = {.max = IGNORED_MAX}, missed = {.max = IGNORED_MAX};
    struct span ignored = ignored_in(row->check.remarks, &text);
    const struct service_check *check = &row->check;
    struct named named = named_title(check->name);
    for (size_t i = 0; i < s->n && !s->no_memory && s->steps <= 2 * CLOSEST_STEPS_MAX; i++) {
        struct closest *c = &s->list[i];
        const struct expectation *e = c->claim->e;
        struct candidate x = {.kind = CANDIDATE_CHECK,
                              .status = check->status,
                              .ignored = ignored,
                              .row = {.session = row->session,
                                      .name = check->name,
                                      .n_tags = check->n_tags,
                                      .tags = check->tags,
                                      .host = check->origin.host,
                                      .samples = 1}};
        if (e->subject == SUBJECT_CHECK)
            x.kin = kin_of(&c->sought, &named, candidates_limit(c), &s->steps);
        else if (!closest_is_namesake(e, check->name))
            continue;
        struct sieve sieve = {0};
        if (x.kin.how == KIN_NONE)
            continue;
        if (e->subject == SUBJECT_CHECK && !sift_check(e, row, &sieve, &s->steps))
            x.missed = candidates_missed(&sieve, &missed);
        consider(s, c, &x, row->id, row->id);
    }
    buf_free(&text);
    buf_free(&missed);
    return s->no_memory || s->steps > 2 * CLOSEST_STEPS_MAX;
}

/* --- the search ------------------------------------------------------------------------------------------ */

static int search_begin(struct closest_search *s, struct judge *j, struct claim *const *claims, size_t n,
                        struct err *err) {
    *s = (struct closest_search){.judge = j, .n = n < CLOSEST_CLAIMS_MAX ? n : CLOSEST_CLAIMS_MAX};
    if (s->n == 0)
        return 0;
    s->list = calloc(s->n, sizeof *s->list);
    if (!s->list)
        return err_set(err, 0, "out of memory while explaining");
    for (size_t i = 0; i < s->n; i++)
        s->list[i] = (struct closest){.claim = claims[i], .sought = sought_of(claims[i]->e)};
    return 0;
}

/* What an Agent ignored in the lines of the series that are shown. */
static int read_ignored(struct closest_search *s, struct reader *reader, struct err *err) {
    struct buf text = {.max = IGNORED_MAX};
    size_t n = 0;
    int result = 0;
    for (size_t i = 0; i < s->n && result == 0; i++)
        for (size_t k = 0; k < s->list[i].n && n < CLOSEST_REMARKED && result == 0; k++) {
            struct candidate *c = &s->list[i].best[k];
            if (c->kind != CANDIDATE_SERIES)
                continue;
            n++;
            buf_clear(&text);
            uint64_t since = c->other_session || c->before_mark ? 0 : s->judge->since;
            result = ignored_of_series(reader, c->row.id, since, &text, err);
            if (text.n)
                c->ignored = arena_copy(&s->arena, buf_view(&text));
            s->no_memory |= text.n && !c->ignored.p;
        }
    buf_free(&text);
    return result;
}

/* Only those whose names can be near. */
static int read_series(struct closest_search *s, struct reader *reader, struct err *err) {
    struct closest_names names;
    int result = closest_names_find(s, reader, &names, err);
    struct filter near = {.n_names = names.all ? 0 : names.n, .names = names.list};
    if (result == 0 && !s->no_memory && (names.all || names.n))
        result = reader->ops->series(reader, &near, visit_series, s, err);
    closest_names_free(&names);
    return result;
}

int closest_find(struct closest_search *s, struct judge *j, struct claim *const *claims, size_t n,
                 struct reader *reader, struct err *err) {
    struct filter newest = {.limit = CLOSEST_RECORDS, .newest = true};
    if (search_begin(s, j, claims, n, err) != 0)
        return -1;
    if (s->n == 0)
        return 0;
    if (read_series(s, reader, err) != 0 || reader->ops->events(reader, &newest, visit_event, s, err) != 0 ||
        reader->ops->checks(reader, &newest, visit_check, s, err) != 0 ||
        closest_read_rejects(s, reader, false, err) != 0 || read_ignored(s, reader, err) != 0)
        return -1;
    return s->no_memory ? err_set(err, 0, "out of memory while explaining") : 0;
}

int closest_find_refused(struct closest_search *s, struct judge *j, struct claim *const *claims, size_t n,
                         struct reader *reader, struct err *err) {
    if (search_begin(s, j, claims, n, err) != 0)
        return -1;
    if (s->n && closest_read_rejects(s, reader, true, err) != 0)
        return -1;
    return s->no_memory ? err_set(err, 0, "out of memory while explaining") : 0;
}

void closest_free(struct closest_search *s) {
    arena_free(&s->arena);
    free(s->list);
    *s = (struct closest_search){0};
}
