#include "judge/evaluate/private.h"

#include <stdlib.h>

const char *verdict_word(enum verdict verdict) {
    static const char *const words[] = {"pass", "fail", "inconclusive"};
    return words[verdict];
}

static struct judge *fail(struct judge *j, struct judge_error *error, const char *message) {
    if (message)
        *error = (struct judge_error){.line = 1, .column = 1};
    if (message)
        memcpy(error->message, message, strlen(message) + 1);
    judge_free(j);
    return NULL;
}

/* The names that claims are about, what an aggregating client makes of them, and what clients tell of themselves. */
static int list_names(struct judge *j) {
    j->matter = calloc(2 * j->n_claims + 1, sizeof *j->matter);
    j->named = calloc(j->n_claims + 1, sizeof *j->named);
    if (!j->matter || !j->named)
        return -1;
    for (size_t i = 0; i < j->n_claims; i++)
        if (j->claims[i].e->subject == SUBJECT_EVENT || j->claims[i].e->subject == SUBJECT_CHECK)
            j->named[j->n_named++] = j->claims[i].e->name;
    if (j->all_covered)
        return 0;
    j->matter[j->n_matter++] = SPAN(TELEMETRY_NAMES "*");
    for (size_t i = 0; i < j->n_claims; i++) {
        const struct expectation *e = j->claims[i].e;
        if (e->subject != SUBJECT_METRIC)
            continue;
        j->matter[j->n_matter++] = e->name;
        if (!match_has_forms(e) || !e->literal)
            continue;
        char *forms = arena_alloc(&j->arena, e->name.n + 2);
        if (!forms)
            return -1;
        memcpy(forms, e->name.p, e->name.n);
        memcpy(forms + e->name.n, ".*", 2);
        j->matter[j->n_matter++] = span_of(forms, e->name.n + 2);
    }
    return 0;
}

static int prepare(struct judge *j, const struct judge_options *options) {
    if (options->session.p)
        j->parsed.session = (struct span){NULL, 0};
    struct span line = j->parsed.session, session = options->session.p ? options->session
                                                    : line.p           ? line
                                                                       : SPAN("default");
    bool all = span_eq(session, SPAN(EVERY_SESSION));
    if (!all)
        j->session = arena_copy(&j->parsed.arena, session);
    j->wide = options->no_everywhere && !all && !judge_session_line(j).p;
    j->since = options->since;
    j->until = options->until;
    j->earlier = options->earlier;
    j->listening = arena_copy(&j->parsed.arena, options->listening);
    j->all_covered = options->all_covered;
    j->n_claims = j->parsed.n;
    j->claims = calloc(j->n_claims + 1, sizeof *j->claims);
    j->dirty = calloc(j->n_claims + 1, sizeof *j->dirty);
    j->records = calloc(j->n_claims + 1, sizeof *j->records);
    if ((!all && !j->session.p) || !j->claims || !j->dirty || !j->records ||
        name_index_build(&j->names, j->parsed.n, j->parsed.list) != 0)
        return -1;
    for (size_t i = 0; i < j->n_claims; i++) {
        j->parsed.list[i].as_datadog = j->as_datadog;
        j->claims[i].e = &j->parsed.list[i];
        j->claims[i].needs = needs_of(j->claims[i].e);
        if (j->claims[i].e->subject != SUBJECT_METRIC)
            j->records[j->n_records++] = (uint32_t)i;
        j->asks_events |= j->claims[i].e->subject == SUBJECT_EVENT;
        j->asks_checks |= j->claims[i].e->subject == SUBJECT_CHECK;
        j->asks_rejects |= j->claims[i].e->subject == SUBJECT_REJECT;
        if (j->claims[i].e->n_conditions && !(j->claims[i].sieve = calloc(1, sizeof *j->claims[i].sieve)))
            return -1;
    }
    j->all_dirty = true;
    return list_names(j);
}

/* What one file claims of Datadog and another one of what was sent are two questions. False: refused. */
static bool agree_on_view(struct judge *j, const struct judge_source *source, bool first,
                          struct judge_error *error) {
    bool marked = j->parsed.as_datadog_line != 0;
    if (!first && marked != j->as_datadog) {
        static const char said[] =
            "some sources say `as datadog` and others do not: ask two questions, or add the "
            "line to each (--as datadog says it for all)";
        *error = (struct judge_error){.file = source->file, .line = 1, .column = 1};
        memcpy(error->message, said, sizeof said);
        return false;
    }
    j->as_datadog = marked;
    j->parsed.as_datadog_line = 0;
    return true;
}

struct judge *judge_parse(const struct judge_source *sources, size_t n, const struct judge_options *options,
                          struct judge_error *error) {
    static const struct judge_options none;
    options = options ? options : &none;
    struct judge *j = calloc(1, sizeof *j);
    if (!j)
        return fail(NULL, error, "out of memory");
    j->parsed.within_ms = -1;
    j->parsed.values = options->values;
    j->limits = (struct judge_limits)JUDGE_LIMITS;
    for (size_t i = 0; i < n; i++)
        if (parse_source(&j->parsed, &sources[i], options, error) != 0) {
            error->file = sources[i].file;
            return fail(j, error, NULL);
        } else if (!options->as_datadog && !agree_on_view(j, &sources[i], i == 0, error)) {
            return fail(j, error, NULL);
        }
    j->as_datadog |= options->as_datadog;
    static const struct judge_source no_rejects = {.text = {"no reject *", 11}};
    if (options->no_rejects && parse_source(&j->parsed, &no_rejects, options, error) != 0)
        return fail(j, error, NULL);
    if (j->parsed.n == 0 && !options->all_covered)
        return fail(j, error, "expected at least one expectation: nothing is claimed");
    return prepare(j, options) == 0 ? j : fail(j, error, "out of memory");
}

void judge_free(struct judge *j) {
    if (!j)
        return;
    for (size_t i = 0; i < j->n_witnesses; i++)
        witness_free(&j->witnesses[i]);
    for (size_t i = 0; j->claims && i < j->n_claims; i++) {
        free(j->claims[i].witnesses.items);
        free(j->claims[i].sieve);
        judge_free_told(&j->claims[i]);
    }
    free(j->witnesses);
    free(j->claims);
    free(j->dirty);
    free(j->losses);
    free(j->records);
    free(j->matter);
    free(j->named);
    table_free(&j->by_loss);
    table_free(&j->by_series);
    table_free(&j->by_identity);
    name_index_free(&j->names);
    arena_free(&j->arena);
    parsed_free(&j->parsed);
    free(j);
}

int64_t judge_within_ms(const struct judge *j) {
    return j->parsed.within_ms;
}

bool judge_as_datadog(const struct judge *j) {
    return j->as_datadog;
}

struct span judge_session_line(const struct judge *j) {
    return j->parsed.session;
}

bool judge_reads_samples(const struct judge *j) {
    bool reads = j->since > 0 || j->until > 0;
    for (size_t i = 0; i < j->n_claims && !reads; i++)
        reads = j->claims[i].needs != 0;
    return reads;
}

uint64_t judge_since(const struct judge *j) {
    return j->since;
}

uint64_t judge_until(const struct judge *j) {
    return j->until;
}

bool judge_has_no(const struct judge *j) {
    for (size_t i = 0; i < j->parsed.n; i++)
        if (j->parsed.list[i].no)
            return true;
    return false;
}

uint64_t judge_seen(const struct judge *j) {
    return j->started;
}

enum loss_kind judge_kind(const struct expectation *e) {
    return e->subject == SUBJECT_EVENT    ? LOST_EVENTS
           : e->subject == SUBJECT_CHECK  ? LOST_CHECKS
           : e->subject == SUBJECT_REJECT ? LOST_REJECTS
                                          : LOST_SAMPLES;
}

enum lost judge_lost_for(const struct judge *j, const struct expectation *e) {
    unsigned kind = judge_kind(e), all = j->lost.all, newer = j->lost.newer;
    if (e->no) {
        all |= j->lost_apart.all;
        newer |= j->lost_apart.newer;
    }
    bool doubt = all & LOST_IN_DOUBT;
    if (all & kind)
        return newer & kind || doubt ? LOST_SOME : LOST_OLDEST;
    return doubt ? LOST_MAYBE : LOST_NONE;
}

/* --- verdicts -------------------------------------------------------------------------------------------- */

static void judge_claim(struct judge *j, struct claim *claim) {
    struct answer answer;
    claim_evaluate(claim, j->witnesses, judge_lost_for(j, claim->e), &answer);
    if (claim->judged) {
        j->n_verdicts[claim->verdict]--;
        j->n_final[claim->verdict] -= claim->final;
    }
    claim->judged = true;
    claim->dirty = false;
    claim->verdict = answer.verdict;
    claim->final = answer.final;
    j->n_verdicts[claim->verdict]++;
    j->n_final[claim->verdict] += claim->final;
}

static void judge_dirty(struct judge *j) {
    for (size_t i = 0; j->all_dirty && i < j->n_claims; i++)
        judge_claim(j, &j->claims[i]);
    for (size_t i = 0; !j->all_dirty && i < j->n_dirty; i++)
        judge_claim(j, &j->claims[j->dirty[i]]);
    if (j->all_covered && j->n_formed && (j->all_dirty || j->n_dirty))
        judge_cover_forms(j);
    j->all_dirty = false;
    j->n_dirty = 0;
}

static bool lost_any_samples(const struct judge *j) {
    return (j->lost.all | j->lost_apart.all) & LOST_SAMPLES;
}

/* A series that may be a form is covered once its .count comes; of what an Agent makes, one sample more changes what there is. */
static bool uncovered_for_good(const struct judge *j) {
    return j->n_uncovered > j->n_unformed && !j->as_datadog;
}

enum verdict judge_covered(struct judge *j) {
    judge_dirty(j);
    bool lost = lost_any_samples(j); /* perhaps of a series that nothing covers, or of a .count that covers */
    if (!j->all_covered || (j->n_uncovered == 0 && !lost))
        return VERDICT_PASS;
    return j->n_uncovered && (!lost || uncovered_for_good(j)) ? VERDICT_FAIL : VERDICT_INCONCLUSIVE;
}

enum verdict judge_verdict(struct judge *j) {
    enum verdict covered = judge_covered(j);
    if (j->n_verdicts[VERDICT_FAIL] || covered == VERDICT_FAIL)
        return VERDICT_FAIL;
    if (j->n_verdicts[VERDICT_INCONCLUSIVE] || covered == VERDICT_INCONCLUSIVE)
        return VERDICT_INCONCLUSIVE;
    return VERDICT_PASS;
}

/* What stays inconclusive ends the waiting, too, but not while something fails that may hold in time: it would be told as failed. */
bool judge_final(struct judge *j) {
    judge_dirty(j);
    if (j->until || j->n_final[VERDICT_FAIL] || (j->all_covered && uncovered_for_good(j)))
        return true;
    return (j->n_final[VERDICT_INCONCLUSIVE] || (j->all_covered && lost_any_samples(j))) &&
           judge_verdict(j) != VERDICT_FAIL;
}
