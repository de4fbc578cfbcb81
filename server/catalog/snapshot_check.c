/* Compares a recording with a snapshot. */
#include "catalog/numbering.h"
#include "catalog/similar.h"
#include "catalog/snapshot.h"

#include <stdlib.h>

#define EXPLAINED_MAX 1000

struct check {
    const struct snapshot *expected, *now;
    const char *file;
    struct findings findings;
    struct buf text; /* of one finding */
    struct buf diff;
    struct similar *similar; /* over the series of now that are not expected */
    struct span *extra;
    size_t n_extra, n_explained;
    uint64_t steps; /* of similar_find */
};

static struct span whole(struct buf *text, const struct snapshot_line *line) {
    buf_clear(text);
    buf_printf(text, "%.*s%s%.*s", SPAN_ARG(line->series), line->numbers.n ? " " : "",
               SPAN_ARG(line->numbers));
    return buf_view(text);
}

static const struct snapshot_line *line_of(const struct snapshot *s, struct span series) {
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = span_cmp(s->lines[middle].series, series);
        if (order == 0)
            return &s->lines[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void put_diff(struct check *c, char mark, const struct snapshot_line *line) {
    buf_char(&c->diff, mark);
    buf_char(&c->diff, ' ');
    buf_span(&c->diff, whole(&c->text, line));
    buf_char(&c->diff, '\n');
}

static void missing(struct check *c, const struct snapshot_line *line) {
    struct near near;
    bool found = c->similar && c->n_explained++ < EXPLAINED_MAX &&
                 similar_find(c->similar, line->series, 1, &near, &c->steps);
    put_diff(c, '-', line);
    findings_add(&c->findings,
                 &(struct catalog_finding){.verdict = findings_absence(&c->findings, VERDICT_FAIL),
                                           .expectation = whole(&c->text, line),
                                           .observed = SPAN("nothing"),
                                           .why = SPAN("in the snapshot, but not recorded"),
                                           .rule = "missing-series",
                                           .name = line->name,
                                           .closest = found ? c->extra[near.i] : (struct span){NULL, 0},
                                           .file = c->file,
                                           .line = line->line});
}

static void unexpected(struct check *c, const struct snapshot_line *line) {
    put_diff(c, '+', line);
    findings_add(&c->findings,
                 &(struct catalog_finding){.verdict = VERDICT_FAIL,
                                           .expectation = SPAN("nothing but what the snapshot holds"),
                                           .observed = whole(&c->text, line),
                                           .why = SPAN("recorded, but not in the snapshot"),
                                           .rule = "unexpected-series",
                                           .name = line->name,
                                           .file = c->file,
                                           .line = 1});
}

/* More than was expected was seen, whatever else was lost; anything else a loss could explain. */
static void compare(struct check *c, const struct snapshot_line *want, const struct snapshot_line *have) {
    bool same = span_eq(want->numbers, have->numbers);
    bool more = want->has_samples && have->has_samples && have->samples > want->samples;
    enum verdict verdict = same   ? findings_absence(&c->findings, VERDICT_PASS)
                           : more ? VERDICT_FAIL
                                  : findings_absence(&c->findings, VERDICT_FAIL);
    if (!same) {
        put_diff(c, '-', want);
        put_diff(c, '+', have);
    }
    struct span why = same ? c->findings.lost ? SPAN("what was lost could have changed it") : SPAN("")
                           : SPAN("recorded with other numbers");
    findings_add(&c->findings,
                 &(struct catalog_finding){.verdict = verdict,
                                           .expectation = whole(&c->text, want),
                                           .observed = have->numbers.n ? have->numbers : SPAN("recorded"),
                                           .why = why,
                                           .rule = same ? NULL : "other-numbers",
                                           .name = want->name,
                                           .file = c->file,
                                           .line = want->line});
}

static int find_extra(struct check *c) {
    c->extra = malloc((c->now->n + 1) * sizeof *c->extra);
    if (!c->extra)
        return -1;
    for (size_t i = 0; i < c->now->n; i++)
        if (!line_of(c->expected, c->now->lines[i].series))
            c->extra[c->n_extra++] = c->now->lines[i].series;
    c->similar = c->n_extra ? similar_new(c->n_extra, c->extra) : NULL;
    return c->n_extra && !c->similar ? -1 : 0;
}

/* Both are in order of their series: one walk. */
static void walk(struct check *c) {
    size_t i = 0, k = 0;
    while (i < c->expected->n || k < c->now->n) {
        const struct snapshot_line *want = i < c->expected->n ? &c->expected->lines[i] : NULL;
        const struct snapshot_line *have = k < c->now->n ? &c->now->lines[k] : NULL;
        int order = !want ? 1 : !have ? -1 : span_cmp(want->series, have->series);
        if (order < 0)
            missing(c, want);
        else if (order > 0)
            unexpected(c, have);
        else
            compare(c, want, have);
        i += order <= 0;
        k += order >= 0;
    }
}

static json_t *report(struct check *c, const struct buf *text, struct err *err) {
    c->findings.series = c->now->n;
    json_t *report = findings_report(&c->findings, err);
    if (!report)
        return NULL;
    struct span diff = buf_view(&c->diff);
    if (c->diff.failed || c->text.failed ||
        json_object_set_new(report, "snapshot", json_stringn(text->p, text->n)) ||
        json_object_set_new(report, "diff", json_stringn(diff.p, diff.n))) {
        json_decref(report);
        err_set(err, 0, "out of memory");
        return NULL;
    }
    return report;
}

json_t *snapshot_check(const struct snapshot *expected, const char *file, const struct scope *scope,
                       struct reader *reader, struct err *err) {
    struct check c = {.expected = expected, .file = file};
    struct snapshot_options options = expected->options;
    struct buf text = {0};
    struct catalog_error wrong = {0};
    struct snapshot *now = NULL;
    json_t *result = NULL;
    options.scope = *scope;
    int failed =
        findings_start(&c.findings, scope, reader, err) || snapshot_write(&options, reader, &text, err);
    if (!failed) {
        c.now = now = snapshot_parse("", buf_view(&text), &wrong);
        if (!now)
            failed = err_set(err, 0, "%s", wrong.message);
    }
    if (!failed && find_extra(&c))
        failed = err_set(err, 0, "out of memory");
    if (!failed) {
        walk(&c);
        result = report(&c, &text, err);
    }
    similar_free(c.similar);
    free(c.extra);
    snapshot_free(now);
    buf_free(&text);
    buf_free(&c.text);
    buf_free(&c.diff);
    findings_free(&c.findings);
    return result;
}
