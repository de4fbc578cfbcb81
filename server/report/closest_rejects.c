#include "report/closest_rejects.h"

#include "core/glob.h"

/* What the author may have taken for the name: all before the last ':' of what stands before the first '|'.
 *
 *     faktory.jobs.A::Worker.perform:23.7|ms
 *     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
 */
static struct span whole_name(struct span text) {
    const char *pipe = text.n ? memchr(text.p, '|', text.n) : NULL;
    struct span head = span_of(text.p, pipe ? (size_t)(pipe - text.p) : text.n);
    const char *colon = head.n ? memrchr(head.p, ':', head.n) : NULL;
    return colon ? span_of(head.p, (size_t)(colon - head.p)) : SPAN("");
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Whether the text holds the word; a short one only where it stands by itself. */
static bool holds(struct span text, struct span word, uint64_t *steps) {
    *steps += text.n / 16;
    if (!word.n || word.n > text.n)
        return false;
    for (struct span rest = text; rest.n >= word.n;) {
        const char *at = memmem(rest.p, rest.n, word.p, word.n);
        if (!at)
            return false;
        const char *end = at + word.n;
        if (word.n > 2 || ((at == text.p || !is_word(at[-1])) && (end == text.p + text.n || !is_word(*end))))
            return true;
        rest = span_of(at + 1, (size_t)(text.p + text.n - at - 1));
    }
    return false;
}

/* A newline in a name, a tag or a text makes two lines: the second begins anywhere. */
static bool is_torn(const struct reject *r) {
    return r->reason == REASON_NO_PIPE || r->reason == REASON_NO_COLON;
}

static bool holds_term(const struct expectation *e, const struct reject *r, uint64_t *steps) {
    for (size_t i = 0; i < e->n_terms && is_torn(r); i++) {
        const struct tag_term *t = &e->terms[i];
        if (!t->negated && t->has_value && !glob_is_pattern(t->text) && t->text.n > 2 &&
            holds(r->text, t->text, steps))
            return true;
    }
    return false;
}

/* Whether the line was read as another kind of record than the one that is asked for. Over HTTP the family is the route's name:
 * metrics come over several. */
static bool is_other_family(const struct expectation *e, const struct reject *r) {
    bool event = span_eq(r->family, SPAN("event")), check = span_eq(r->family, SPAN("service_check"));
    return event != (e->subject == SUBJECT_EVENT) || check != (e->subject == SUBJECT_CHECK);
}

/* The names of a refused line, worked out once. */
struct refused {
    const struct reject *r;
    struct named read, whole; /* whole.name.n == 0: the same, or none */
};

static struct refused refused_of(const struct reject *r) {
    struct refused f = {.r = r, .read = named_of(r->name)};
    struct span whole = span_eq(r->family, SPAN("metric")) ? whole_name(r->text) : SPAN("");
    if (!span_eq(whole, r->name))
        f.whole = named_of(whole);
    return f;
}

/* Of another family only the text tells. */
static bool hit_of_other(const struct expectation *e, const struct reject *r, struct candidate *x,
                         uint64_t *steps) {
    bool found = e->literal && e->name.n > 2 && holds(r->text, e->name, steps);
    x->family = r->family;
    x->hit = HIT_TEXT;
    return found;
}

static bool hit_of(const struct closest *c, const struct refused *f, size_t limit, struct candidate *x,
                   uint64_t *steps) {
    const struct expectation *e = c->claim->e;
    const struct reject *r = f->r;
    struct kin whole = {.how = KIN_NONE};
    x->kin = (struct kin){.how = KIN_NONE};
    x->hit = r->reason == REASON_UNKNOWN_SESSION ? HIT_ANY : HIT_NAME;
    if (x->hit == HIT_ANY) {
        x->kin.how = KIN_SAME;
        return true;
    }
    if (is_other_family(e, r))
        return hit_of_other(e, r, x, steps);
    if (r->name.n)
        x->kin = kin_of(&c->sought, &f->read, limit, steps);
    if (f->whole.name.n && x->kin.how != KIN_SAME)
        whole = kin_of(&c->sought, &f->whole, limit, steps);
    if (kin_score(&whole) < kin_score(&x->kin)) {
        x->kin = whole;
        x->hit = HIT_WHOLE;
        x->row.name = f->whole.name;
        x->read_as = r->name;
    }
    if (x->kin.how != KIN_NONE && x->kin.how != KIN_FORM)
        return true;
    x->hit = HIT_TEXT;
    if (e->literal && holds(r->text, e->name, steps))
        return true;
    x->hit = HIT_TAG;
    return holds_term(e, r, steps);
}

static unsigned score_of(const struct candidate *x) {
    static const unsigned scores[] = {
        [HIT_NAME] = 1, [HIT_WHOLE] = 1, [HIT_TEXT] = 2, [HIT_TAG] = 3, [HIT_ANY] = 9};
    unsigned kin = x->hit == HIT_NAME || x->hit == HIT_WHOLE ? kin_score(&x->kin) : 0;
    return scores[x->hit] + kin + x->before_mark + 2u * x->other_session + (x->family.p ? 1 : 0);
}

static void consider_reject(struct closest_search *s, struct closest *c, const struct refused *f,
                            const struct reject_row *row) {
    const struct reject *r = &row->reject;
    struct candidate x = {.kind = CANDIDATE_REJECT,
                          .row = {.session = row->session, .name = r->name, .samples = 1},
                          .reason = r->reason,
                          .text = r->text,
                          .detail = r->detail,
                          .offset = r->offset};
    if (!hit_of(c, f, candidates_limit(c), &x, &s->steps))
        return;
    candidates_place(s, c, &x, row->id, row->id);
    bool same = x.hit == HIT_NAME && x.kin.how == KIN_SAME;
    /* Sessions are apart on purpose, and what came before a mark is another test's. */
    if ((x.other_session || x.before_mark) && !same)
        return;
    x.score = score_of(&x);
    candidates_keep(s, c, x);
}

static int visit_reject(void *arg, const struct reject_row *row) {
    struct closest_search *s = arg;
    struct refused f = refused_of(&row->reject);
    for (size_t i = 0; i < s->n && !s->no_memory && s->steps <= 2 * CLOSEST_STEPS_MAX; i++)
        if (!s->list[i].claim->e->no)
            consider_reject(s, &s->list[i], &f, row);
    return s->no_memory || s->steps > 2 * CLOSEST_STEPS_MAX;
}

/* Those that visit_reject saw in its first pass are left out. */
static int visit_elsewhere(void *arg, const struct reject_row *row) {
    struct closest_search *s = arg;
    return judge_sees(s->judge, row->session) && row->id > s->judge->since ? 0 : visit_reject(arg, row);
}

/* For a `no` that passed: the line would have broken it. */
static int visit_note(void *arg, const struct reject_row *row) {
    struct closest_search *s = arg;
    struct refused f = refused_of(&row->reject);
    for (size_t i = 0; i < s->n && !s->no_memory && s->pairs <= CLOSEST_NOTES_PAIRS; i++) {
        struct closest *c = &s->list[i];
        struct candidate x = {.kind = CANDIDATE_REJECT,
                              .row = {.session = row->session, .name = row->reject.name, .samples = 1},
                              .reason = row->reject.reason,
                              .text = row->reject.text,
                              .detail = row->reject.detail,
                              .offset = row->reject.offset};
        s->pairs++;
        candidates_place(s, c, &x, row->id, row->id);
        if (x.other_session || !hit_of(c, &f, 0, &x, &s->steps) || x.family.p || x.hit > HIT_WHOLE ||
            x.kin.how != KIN_SAME)
            continue;
        candidates_keep(s, c, x);
    }
    return s->no_memory || s->pairs > CLOSEST_NOTES_PAIRS;
}

int closest_read_rejects(struct closest_search *s, struct reader *reader, bool notes, struct err *err) {
    const struct judge *j = s->judge;
    struct filter own = {
        .session = judge_reads(j), .since = j->since, .limit = CLOSEST_RECORDS, .newest = true};
    struct filter all = {.limit = CLOSEST_RECORDS, .newest = true};
    if (reader->ops->rejects(reader, &own, notes ? visit_note : visit_reject, s, err) != 0)
        return -1;
    if (notes || (!own.session.p && !own.since))
        return 0;
    return reader->ops->rejects(reader, &all, visit_elsewhere, s, err);
}
