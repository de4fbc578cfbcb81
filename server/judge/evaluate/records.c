/* Events, checks and rejects into the judge: each by itself, since they have no series. */
#include "judge/evaluate/private.h"

#include "core/glob.h"
#include "judge/language/text.h"

static void add_record(struct judge *j, uint32_t place, uint64_t id) {
    struct claim *claim = &j->claims[place];
    if (claim->records++ == 0)
        claim->first_id = id;
    claim->newest_id = id;
    judge_mark_dirty(j, place);
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
    bool apart = !judge_is_of(j, row->session);
    for (size_t i = 0; j->asks_events && i < j->n_records && j->steps <= j->limits.steps; i++)
        if (record_matches(j->claims[j->records[i]].e, SUBJECT_EVENT, apart, row->event.title, &tagged) &&
            sift_event(j->claims[j->records[i]].e, row, j->claims[j->records[i]].sieve, &j->steps))
            add_record(j, j->records[i], row->id);
    return j->steps > j->limits.steps ? -1 : 0;
}

int judge_add_check(struct judge *j, const struct check_row *row) {
    const struct service_check *check = &row->check;
    struct tagged tagged = {
        .n = check->n_tags, .tags = check->tags, .host = check->origin.host, .steps = &j->steps};
    bool apart = !judge_is_of(j, row->session);
    for (size_t i = 0; j->asks_checks && i < j->n_records && j->steps <= j->limits.steps; i++) {
        struct claim *claim = &j->claims[j->records[i]];
        if (!record_matches(claim->e, SUBJECT_CHECK, apart, check->name, &tagged) ||
            !sift_check(claim->e, row, claim->sieve, &j->steps))
            continue;
        claim->newest_status = check->status;
        if (check->status >= 0 && check->status < 4)
            claim->statuses[check->status]++;
        add_record(j, j->records[i], row->id);
    }
    return j->steps > j->limits.steps ? -1 : 0;
}

/* A refused line by the name that could be read, and where none could, by its text. */
static bool reject_matches(const struct expectation *e, const struct reject *r, bool apart, uint64_t *steps) {
    ++*steps;
    return e->subject == SUBJECT_REJECT && (e->no || !apart) &&
           glob_match_counted(e->name, r->name.n ? r->name : r->text, steps);
}

/* The first ones are told. */
static int show_reject(struct judge *j, struct claim *claim, const struct reject *r) {
    if (claim->records >= CLAIM_SHOWN)
        return 0;
    struct buf b = {.max = 4096};
    buf_printf(&b, "%s '", reason_word(r->reason));
    text_put_visible(&b, r->text, SIEVE_SHOWN);
    buf_char(&b, '\'');
    struct span *shown = &claim->shown[claim->records];
    *shown = b.failed ? (struct span){NULL, 0} : arena_copy(&j->arena, buf_view(&b));
    buf_free(&b);
    return shown->p ? 0 : -1;
}

int judge_add_reject(struct judge *j, const struct reject_row *row) {
    bool apart = !judge_is_of(j, row->session);
    for (size_t i = 0; j->asks_rejects && i < j->n_records && j->steps <= j->limits.steps; i++) {
        struct claim *claim = &j->claims[j->records[i]];
        if (!reject_matches(claim->e, &row->reject, apart, &j->steps) ||
            !sift_reject(claim->e, row, claim->sieve, &j->steps))
            continue;
        if (show_reject(j, claim, &row->reject) != 0)
            return -1;
        add_record(j, j->records[i], row->id);
    }
    return j->steps > j->limits.steps ? -1 : 0;
}
