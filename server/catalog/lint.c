/* DESIGN. One pass over the series, in which every different name and tag is worked on once; one over the
 * samples of gauges, only where their summaries allow that they merely grew and do not say whether they fell. What is found is a note for each
 * (rule, name, subject) with the number of series that show it. */
#include "catalog/lint.h"

#include "catalog/lint_private.h"
#include "catalog/text.h"
#include "core/array.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

static int take_series(void *arg, const struct series_row *row) {
    struct lint *l = arg;
    if (!scope_holds(&l->options->scope, row))
        return 0;
    int first = scope_first(&l->options->scope, &l->seen, row);
    l->first = first > 0;
    l->findings.series += l->first && scope_tells(&l->options->scope, row->name);
    size_t name = lint_name_number(l, row->name);
    if (name == NUMBERING_NONE || first < 0)
        l->failed = true;
    else
        lint_series(l, name, row);
    return l->failed || effort_is_spent(l->effort);
}

/* --- gauges that only grow ------------------------------------------------------------------------------- */

struct gauge_walk {
    struct lint *lint;
    uint64_t series;
    double last;
    bool fell;
};

static int take_gauge(void *arg, const struct sample_row *row) {
    struct gauge_walk *w = arg;
    uint32_t *name = table_get(&w->lint->gauges, row->series_id);
    if (!name)
        return 0;
    if (row->series_id != w->series)
        *w = (struct gauge_walk){w->lint, row->series_id, row->value.number, false};
    if (row->value.number < w->last && !w->fell) {
        w->fell = true;
        w->lint->of_names[*name].growing--;
    }
    w->last = row->value.number;
    return 0;
}

/* The same, told by a reader that would have to send each sample. */
static int take_tally(void *arg, const struct series_row *row, bool fell) {
    struct lint *l = arg;
    uint32_t *name = table_get(&l->gauges, row->id);
    if (name && fell)
        l->of_names[*name].growing--;
    return 0;
}

static int read_gauges(struct lint *l, struct reader *reader, struct err *err) {
    if (l->gauges.n == 0)
        return 0;
    struct filter filter = {.session = scope_session(&l->options->scope), .since = l->options->scope.since};
    filter.has_type = true;
    filter.type = METRIC_GAUGE;
    if (reader->ops->tallies)
        return reader->ops->tallies(reader, &filter, take_tally, l, err);
    struct gauge_walk walk = {.lint = l};
    return reader->ops->samples(reader, &filter, false, take_gauge, &walk, err);
}

/* --- datagrams as they came ------------------------------------------------------------------------------ */

/* They belong to no metric, so only a whole catalog or question silences them. */
static int take_large(void *arg, const struct large_row *row) {
    struct lint *l = arg;
    const struct lint_options *o = l->options;
    enum lint_rule rule = row->over == DATAGRAM_AGENT_MAX ? LINT_DATAGRAM_8192 : LINT_DATAGRAM_1432;
    const struct lint_rule_info *info = lint_rule_info(rule);
    if (row->last_id <= o->scope.since || (o->silenced | (o->catalog ? o->catalog->silenced : 0)) >> rule & 1)
        return 0;
    struct buf claim = {0}, observed = {0}, why = {0};
    buf_printf(&claim, "%s: datagrams as received", info->name);
    buf_printf(&observed, "%llu datagram%s in the session", (unsigned long long)row->n,
               row->n == 1 ? "" : "s");
    buf_printf(&why, "the largest has %llu bytes: %s", (unsigned long long)row->largest,
               rule == LINT_DATAGRAM_8192
                   ? "an Agent reads 8,192 of a datagram, and closes a Unix stream with a longer frame"
                   : "over UDP 1,432 fit one network packet");
    findings_add(&l->findings,
                 &(struct catalog_finding){
                     .verdict = info->severity == SEVERITY_ERROR || o->strict ? VERDICT_FAIL : VERDICT_PASS,
                     .severity = info->severity,
                     .rule = info->name,
                     .expectation = buf_view(&claim),
                     .observed = buf_view(&observed),
                     .why = buf_view(&why),
                 });
    l->failed |= claim.failed || observed.failed || why.failed;
    buf_free(&claim);
    buf_free(&observed);
    buf_free(&why);
    return l->failed;
}

/* --- the report ------------------------------------------------------------------------------------------ */

static void put_short(struct buf *out, struct span s) {
    size_t n = s.n < 120 ? s.n : 120;
    buf_add(out, s.p, n);
    if (n < s.n)
        buf_str(out, "…");
}

/* The rule's sentence about this finding (rules.h). */
static void explain(const struct lint_note *n, struct buf *why) {
    for (const char *at = lint_rule_info(n->rule)->found; *at; at++) {
        if (*at != '%') {
            buf_char(why, *at);
            continue;
        }
        switch (*++at) {
        case 's':
            buf_span(why, n->subject);
            break;
        case 'S':
            put_short(why, n->subject.n ? n->subject : SPAN("an empty tag"));
            break;
        case 'd':
            buf_span(why, n->detail);
            break;
        case 'D':
            put_short(why, n->detail);
            break;
        case 'n':
            buf_u64(why, n->subject.n);
            break;
        default:
            assert(false); /* a sentence of rules.h names what a note does not have */
        }
    }
}

static int by_rule(const void *a, const void *b) {
    const struct lint_note *x = a, *y = b;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return span_cmp(x->subject, y->subject);
}

static json_t *report(struct lint *l, struct err *err) {
    struct buf claim = {0}, observed = {0}, why = {0};
    if (l->n_notes)
        qsort(l->notes, l->n_notes, sizeof *l->notes, by_rule);
    for (size_t i = 0; i < l->n_notes; i++) {
        const struct lint_note *n = &l->notes[i];
        const struct lint_rule_info *rule = lint_rule_info(n->rule);
        const struct lint_name *name = &l->of_names[n->name];
        bool fails = rule->severity == SEVERITY_ERROR || l->options->strict;
        buf_clear(&claim);
        buf_clear(&observed);
        buf_clear(&why);
        buf_printf(&claim, "%s: ", rule->name);
        put_short(&claim, l->names.list[n->name]);
        if (n->what)
            buf_printf(&observed, "%llu %s%s", (unsigned long long)n->series, n->what,
                       n->series == 1 ? "" : "s");
        else
            buf_printf(&observed, "%llu series",
                       (unsigned long long)(n->series > 1 ? n->series : name->series));
        explain(n, &why);
        findings_add(&l->findings, &(struct catalog_finding){
                                       .verdict = fails ? VERDICT_FAIL : VERDICT_PASS,
                                       .severity = rule->severity,
                                       .rule = rule->name,
                                       .expectation = buf_view(&claim),
                                       .observed = buf_view(&observed),
                                       .why = buf_view(&why),
                                       .name = l->names.list[n->name],
                                       .file = name->entry ? name->entry->file : NULL,
                                       .line = name->entry ? name->entry->line : 0,
                                   });
    }
    l->failed |= claim.failed || observed.failed || why.failed;
    buf_free(&claim);
    buf_free(&observed);
    buf_free(&why);
    uint64_t silenced = l->options->silenced | (l->options->catalog ? l->options->catalog->silenced : 0);
    l->findings.n_held = (size_t)(LINT_N - __builtin_popcountll(silenced));
    l->findings.one_held = "rule";
    l->findings.held = "rules";
    return findings_report(&l->findings, err);
}

json_t *catalog_lint(const struct lint_options *options, struct reader *reader, struct err *err) {
    struct lint l = {.options = options, .reader = reader};
    struct filter filter = {.session = scope_session(&options->scope)};
    json_t *result = NULL;
    l.effort = options->effort ? options->effort : &l.own_effort;
    int failed = findings_start(&l.findings, &options->scope, reader, err) ||
                 reader->ops->series(reader, &filter, take_series, &l, err) || read_gauges(&l, reader, err) ||
                 lint_records(&l, reader, err) ||
                 reader->ops->large(reader, scope_session(&options->scope), take_large, &l, err);
    l.first = true; /* what follows counts names */
    if (!failed) {
        lint_keys(&l);
        lint_names(&l);
        result = report(&l, err);
    }
    if (result && (l.failed || !effort_was_enough(l.effort, err))) {
        json_decref(result);
        result = NULL;
        err_set(err, 0, "out of memory");
    }
    findings_free(&l.findings);
    arena_free(&l.arena);
    numbering_free(&l.names);
    numbering_free(&l.tags);
    numbering_free(&l.keys);
    table_free(&l.noted);
    table_free(&l.pairs);
    table_free(&l.seen_values);
    table_free(&l.gauges);
    table_free(&l.seen);
    free(l.of_names);
    free(l.of_tags);
    free(l.notes);
    free(l.by_key);
    return result;
}
