#include "report/candidates.h"

#include "judge/evaluate/sift.h"
#include "judge/language/text.h"

#define MISSED_MAX 160 /* bytes of a value, and of a condition */

static bool copy_candidate(struct arena *arena, struct candidate *c) {
    struct series_row *row = &c->row;
    row->session = arena_copy(arena, row->session);
    row->name = arena_copy(arena, row->name);
    row->tags = arena_copy_list(arena, row->n_tags, row->tags);
    row->host = arena_copy(arena, row->host);
    row->device = arena_copy(arena, row->device);
    c->ignored = arena_copy(arena, c->ignored);
    c->missed = arena_copy(arena, c->missed);
    if (c->kind == CANDIDATE_REJECT) {
        c->text = arena_copy(arena, c->text);
        c->detail = arena_copy(arena, c->detail);
        c->read_as = arena_copy(arena, c->read_as);
        c->family = arena_copy(arena, c->family);
        return c->text.p;
    }
    return row->session.p && row->name.p && row->tags;
}

static bool is_twin(const struct candidate *a, const struct candidate *b) {
    const struct series_row *x = &a->row, *y = &b->row;
    if (a->kind != b->kind || a->score != b->score || a->status != b->status ||
        a->before_mark != b->before_mark || a->after_deadline != b->after_deadline ||
        x->n_tags != y->n_tags || !span_eq(x->session, y->session) || !span_eq(x->name, y->name) ||
        !span_eq(x->host, y->host) || !span_eq(a->missed, b->missed) || !span_eq(a->text, b->text))
        return false;
    for (size_t i = 0; i < x->n_tags; i++)
        if (!span_eq(x->tags[i], y->tags[i]))
            return false;
    return true;
}

struct span candidates_missed(const struct sieve *sieve, struct buf *text) {
    const struct field_value *v = &sieve->value;
    buf_clear(text);
    buf_str(text, !v->is_text && !v->known ? "has no " : "its ");
    buf_str(text, field_word(sieve->missed->field));
    if (v->is_text) {
        buf_str(text, " is '");
        text_put_visible(text, v->text, MISSED_MAX);
        buf_char(text, '\'');
    } else if (v->known) {
        buf_str(text, " is ");
        if (sieve->missed->field == FIELD_STATUS)
            buf_str(text, text_status(v->number));
        else
            text_put_number(text, v->number);
    }
    buf_str(text, ", not ");
    text_put_visible(text, sieve->missed->text, MISSED_MAX);
    return buf_view(text);
}

/* Of those that are equally close the first one that came, but for a claim of per_series the one with the most samples. */
static bool goes_before(const struct closest *c, const struct candidate *a, const struct candidate *b) {
    const struct expectation *e = c->claim->e;
    if (a->score != b->score)
        return a->score < b->score;
    for (size_t i = 0; i < e->n_clauses && a->kind == CANDIDATE_SERIES && b->kind == a->kind; i++)
        if (e->clauses[i].stat == STAT_PER_SERIES)
            return a->row.samples > b->row.samples;
    return false;
}

void candidates_keep(struct closest_search *s, struct closest *c, struct candidate candidate) {
    size_t place = c->n;
    while (place > 0 && goes_before(c, &candidate, &c->best[place - 1]))
        place--;
    s->steps += candidate.text.n / 16 + candidate.row.n_tags;
    for (size_t i = place; i > 0 && candidate.kind != CANDIDATE_SERIES; i--)
        if (is_twin(&c->best[i - 1], &candidate)) {
            c->best[i - 1].row.samples++;
            return;
        }
    if (place == CLOSEST_SHOWN)
        return;
    if (!copy_candidate(&s->arena, &candidate)) {
        s->no_memory = true;
        return;
    }
    if (c->n < CLOSEST_SHOWN)
        c->n++;
    memmove(&c->best[place + 1], &c->best[place], (c->n - 1 - place) * sizeof candidate);
    c->best[place] = candidate;
}

/* Each edit counts one, and the name one more. */
size_t candidates_limit(const struct closest *c) {
    if (c->n < CLOSEST_SHOWN)
        return DISTANCE_MAX;
    unsigned worst = c->best[CLOSEST_SHOWN - 1].score;
    return worst < 3 ? 0 : worst - 2;
}

void candidates_place(const struct closest_search *s, const struct closest *c, struct candidate *x,
                      uint64_t first_id, uint64_t last_id) {
    const struct judge *j = s->judge;
    bool wide = j->wide && c->claim->e->no;
    x->other_session = !wide && !judge_is_of(j, x->row.session);
    x->tell_session = wide || !j->session.p;
    x->before_mark = !x->other_session && last_id <= j->since;
    x->of_earlier_run = x->before_mark && j->earlier;
    x->after_deadline = !x->other_session && first_id > j->newest;
    x->after_until = x->after_deadline && j->until;
}
