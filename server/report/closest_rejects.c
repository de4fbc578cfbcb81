#include "report/closest_rejects.h"

#include "core/glob.h"
#include "judge/evaluate/sift.h"

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
        if (!t->negated && t->has_value && !t->value.regex && !glob_is_pattern(t->text) && t->text.n > 2 &&
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

#define TAGS_MAX 100 /* of a refused line */

/* What can be read of a refused line, worked out once. */
struct refused {
    const struct reject *r;
    struct named read, whole; /* whole.name.n == 0: the same, or none */
    int type;                 /* enum metric_type; -1: it cannot be read */
    size_t n_tags;
    struct span tags[TAGS_MAX];
};

/* a:x|c|#env:ci,b
 *         ^^^^^^^^
 */
static void read_tags(struct refused *f, struct span text) {
    const char *at = text.n > 2 ? memmem(text.p, text.n, "|#", 2) : NULL;
    struct span rest = at ? span_from(text, (size_t)(at - text.p) + 2) : SPAN("");
    const char *pipe = rest.n ? memchr(rest.p, '|', rest.n) : NULL;
    rest.n = pipe ? (size_t)(pipe - rest.p) : rest.n;
    while (rest.n && f->n_tags < TAGS_MAX) {
        const char *comma = memchr(rest.p, ',', rest.n);
        size_t n = comma ? (size_t)(comma - rest.p) : rest.n;
        f->tags[f->n_tags++] = span_of(rest.p, n);
        rest = span_from(rest, comma ? n + 1 : n);
    }
}

/* a:x|c|#env:ci,b
 *     ^
 */
static int read_type(struct span text) {
    const char *pipe = text.n ? memchr(text.p, '|', text.n) : NULL;
    struct span rest = pipe ? span_from(text, (size_t)(pipe - text.p) + 1) : SPAN("");
    const char *next = rest.n ? memchr(rest.p, '|', rest.n) : NULL;
    return metric_type_of(next ? span_of(rest.p, (size_t)(next - rest.p)) : rest);
}

static struct refused refused_of(const struct reject *r) {
    struct refused f = {.r = r, .read = named_of(r->name), .type = -1};
    /* _scheduler.depth:5|g, which three bytes made a service check */
    bool mistaken = r->text.n > 3 && span_starts(r->text, SPAN("_sc")) && r->text.p[3] != '|' &&
                    memchr(r->text.p, ':', r->text.n);
    if (!span_eq(r->family, SPAN("metric")) && !mistaken)
        return f;
    struct span whole = whole_name(r->text);
    if (mistaken || !span_eq(whole, r->name))
        f.whole = named_of(whole);
    f.type = read_type(r->text);
    read_tags(&f, r->text);
    return f;
}

/* Of another family only the text tells. */
static bool hit_of_other(const struct closest *c, const struct refused *f, size_t limit, struct candidate *x,
                         uint64_t *steps) {
    const struct expectation *e = c->claim->e;
    x->family = f->r->family;
    if (f->whole.name.n && e->subject == SUBJECT_METRIC) {
        x->kin = kin_of(&c->sought, &f->whole, limit, steps);
        x->hit = HIT_WHOLE;
        x->row.name = f->whole.name;
        if (x->kin.how != KIN_NONE)
            return true;
    }
    x->hit = HIT_TEXT;
    return e->literal && e->name.n > 2 && holds(f->r->text, e->name, steps);
}

/* A whole request that was refused before anything of it was read: it may have held anything. */
static bool is_whole_request(enum reason reason) {
    return reason == REASON_UNKNOWN_SESSION || reason == REASON_NO_API_KEY ||
           reason == REASON_API_KEY_REFUSED;
}

static bool hit_of(const struct closest *c, const struct refused *f, size_t limit, struct candidate *x,
                   uint64_t *steps) {
    const struct expectation *e = c->claim->e;
    const struct reject *r = f->r;
    struct kin whole = {.how = KIN_NONE};
    x->kin = (struct kin){.how = KIN_NONE};
    x->hit = is_whole_request(r->reason) ? HIT_ANY : HIT_NAME;
    if (x->hit == HIT_ANY) {
        x->kin.how = KIN_SAME;
        return true;
    }
    if (is_other_family(e, r))
        return hit_of_other(c, f, limit, x, steps);
    if (r->name.n)
        x->kin = kin_of(&c->sought, &f->read, limit, steps);
    if (f->whole.name.n && kin_score(&x->kin) > 0)
        whole = kin_of(&c->sought, &f->whole, limit, steps);
    if (kin_score(&whole) < kin_score(&x->kin) + (whole.dialect != DIALECT_NONE)) {
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

static unsigned tag_score(const struct expectation *e, const struct candidate *x, uint64_t *steps) {
    struct tagged tagged = tagged_series(&x->row, steps);
    unsigned score = 0;
    for (size_t i = 0; i < e->n_terms; i++)
        score += !match_term(&e->terms[i], &tagged);
    return score;
}

static unsigned score_of(const struct expectation *e, const struct candidate *x, uint64_t *steps) {
    static const unsigned scores[] = {
        [HIT_NAME] = 1, [HIT_WHOLE] = 1, [HIT_TEXT] = 2, [HIT_TAG] = 3, [HIT_ANY] = 9};
    bool named = x->hit == HIT_NAME || x->hit == HIT_WHOLE;
    unsigned kin = named ? kin_score(&x->kin) + tag_score(e, x, steps) : 0;
    kin += named && x->typed && !match_type(e, x->row.type) ? 2 : 0;
    if (x->hit == HIT_ANY)
        return x->reason == REASON_UNKNOWN_SESSION ? 9 : 1;
    return scores[x->hit] + kin + x->before_mark + 2u * x->other_session + (x->family.p ? 1 : 0);
}

static struct candidate candidate_of(const struct refused *f, const struct reject_row *row) {
    const struct reject *r = &row->reject;
    return (struct candidate){.kind = CANDIDATE_REJECT,
                              .row = {.session = row->session,
                                      .name = r->name,
                                      .type = f->type >= 0 ? (enum metric_type)f->type : METRIC_COUNT,
                                      .n_tags = f->n_tags,
                                      .tags = f->tags,
                                      .samples = 1},
                              .typed = f->type >= 0,
                              .reason = r->reason,
                              .text = r->text,
                              .detail = r->detail,
                              .offset = r->offset};
}

static void consider_reject(struct closest_search *s, struct closest *c, const struct refused *f,
                            const struct reject_row *row) {
    struct candidate x = candidate_of(f, row);
    if (!hit_of(c, f, candidates_limit(c), &x, &s->steps))
        return;
    candidates_place(s, c, &x, row->id, row->id);
    x.score = score_of(c->claim->e, &x, &s->steps);
    /* Whoever forgot the key, or named a session that there isn't, is in the default session: a test in another one learns it
     * too. */
    if (x.hit == HIT_ANY) {
        bool told = !x.other_session || span_eq(row->session, SPAN("default"));
        x.other_session = false;
        if (told && row->id > s->judge->since)
            candidates_keep(s, c, x);
        return;
    }
    /* Sessions are apart on purpose, and what came before a mark is another test's. */
    if (x.score > 1 + x.before_mark + 2u * x.other_session && (x.other_session || x.before_mark))
        return;
    candidates_keep(s, c, x);
}

/* A name that is not the one that was read, but nearly; or what the line would be named if a name could hold a ':'; or a piece
 * of the line. */
static bool claimed_hit(const struct closest *c, const struct refused *f, struct candidate *x,
                        uint64_t *steps) {
    const struct expectation *e = c->claim->e;
    x->kin = kin_of(&c->sought, &f->read, candidates_limit(c), steps);
    if (x->kin.how != KIN_NONE)
        return true;
    if (f->whole.name.n)
        x->kin = kin_of(&c->sought, &f->whole, candidates_limit(c), steps);
    if (f->whole.name.n && x->kin.how != KIN_NONE) {
        x->hit = HIT_WHOLE;
        x->row.name = f->whole.name;
        x->read_as = f->r->name;
        return true;
    }
    x->hit = HIT_TEXT;
    x->kin.how = KIN_SAME;
    return e->literal && holds(f->r->text, e->name, steps);
}

/* A claim about refused lines themselves: by the name that was read, and where none was, by the text. */
static void consider_claimed(struct closest_search *s, struct closest *c, const struct refused *f,
                             const struct reject_row *row) {
    const struct expectation *e = c->claim->e;
    struct span name = row->reject.name.n ? row->reject.name : row->reject.text;
    struct candidate x = candidate_of(f, row);
    struct sieve sieve = {0};
    struct buf missed = {.max = 4096};
    x.typed = false;
    x.hit = HIT_NAME;
    if (!glob_match_counted(e->name, name, &s->steps) && !claimed_hit(c, f, &x, &s->steps))
        return;
    if (!sift_reject(e, row, &sieve, &s->steps))
        x.missed = candidates_missed(&sieve, &missed);
    candidates_place(s, c, &x, row->id, row->id);
    unsigned apart = kin_score(&x.kin) + (x.missed.p != NULL) + (x.hit == HIT_TEXT ? 2 : 0);
    x.score = apart + x.before_mark + 2u * x.other_session + x.after_deadline;
    if (!((e->no && x.score > 0) || (apart > 0 && (x.other_session || x.before_mark))))
        candidates_keep(s, c, x);
    buf_free(&missed);
}

static int visit_reject(void *arg, const struct reject_row *row) {
    struct closest_search *s = arg;
    if (row->reject.reason == REASON_NO_API_KEY && (row->id <= s->judge->since || s->n_keyless++ > 0))
        return 0;
    struct refused f = refused_of(&row->reject);
    for (size_t i = 0; i < s->n && !s->no_memory && s->steps <= 2 * CLOSEST_STEPS_MAX; i++)
        if (s->list[i].claim->e->subject == SUBJECT_REJECT)
            consider_claimed(s, &s->list[i], &f, row);
        else if (!s->list[i].claim->e->no)
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
        struct candidate x = candidate_of(&f, row);
        s->pairs++;
        candidates_place(s, c, &x, row->id, row->id);
        if (c->claim->e->subject == SUBJECT_REJECT || x.other_session || !hit_of(c, &f, 0, &x, &s->steps) ||
            (x.family.p && x.hit != HIT_WHOLE) || x.hit > HIT_WHOLE || x.kin.how != KIN_SAME)
            continue;
        candidates_keep(s, c, x);
    }
    return s->no_memory || s->pairs > CLOSEST_NOTES_PAIRS;
}

/* One request without a key is shown for all of them. */
static void tell_keyless(struct closest_search *s) {
    struct buf text = {.max = 64};
    buf_printf(&text, "%zu request%s had no API key", s->n_keyless, s->n_keyless == 1 ? "" : "s");
    struct span detail = arena_copy(&s->arena, buf_view(&text));
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->list[i].n; k++)
            if (s->list[i].best[k].kind == CANDIDATE_REJECT && s->list[i].best[k].reason == REASON_NO_API_KEY)
                s->list[i].best[k].detail = detail;
    buf_free(&text);
}

int closest_read_rejects(struct closest_search *s, struct reader *reader, bool notes, struct err *err) {
    const struct judge *j = s->judge;
    struct filter own = {.session = judge_reads(j),
                         .since = j->since,
                         .until = j->until,
                         .limit = CLOSEST_RECORDS,
                         .newest = true};
    struct filter all = {.limit = CLOSEST_RECORDS, .newest = true};
    if (reader->ops->rejects(reader, &own, notes ? visit_note : visit_reject, s, err) != 0)
        return -1;
    if (notes)
        return 0;
    if (!own.session.p && !own.since) {
        if (s->n_keyless)
            tell_keyless(s);
        return 0;
    }
    int result = reader->ops->rejects(reader, &all, visit_elsewhere, s, err);
    if (s->n_keyless)
        tell_keyless(s);
    return result;
}
