/* For a terminal:
 *
 *     FAIL  incr login.attempt{instance:failure} sum == 1   (checks.expect:3)
 *           observed  sum 2
 *           why       sum is 2, expected sum == 1
 *           closest   login.attempt (count) {instance:failure} 2 samples: matched
 *                     rejected, invalid_value: the value is not a number
 *                       login.attempt:x|c
 *                                     ^
 *     1 of 3 expectations failed
 */
#include "core/loss.h"
#include "judge/language/text.h"
#include "report/render.h"
#include "report/report.h"

#define LINE_MAX_BYTES  400
#define LINES_CLOSEST   7 /* of the ten lines of one failure */
#define UNCOVERED_SHOWN 20

struct style {
    const char *pass, *fail, *inconclusive, *warn, *dim, *end;
};

static void put_line(struct buf *b, const char *label, struct span text) {
    buf_printf(b, "      %-9s ", label);
    text_put_visible(b, text, LINE_MAX_BYTES);
    buf_char(b, '\n');
}

/* The caret's two lines, kept apart so that the newline between them is the only one. */
static size_t put_caret(struct buf *b, struct span caret) {
    size_t lines = 0;
    while (caret.n) {
        const char *newline = memchr(caret.p, '\n', caret.n);
        size_t n = newline ? (size_t)(newline - caret.p) : caret.n;
        buf_str(b, "                  ");
        text_put_visible(b, span_of(caret.p, n), LINE_MAX_BYTES);
        buf_char(b, '\n');
        caret = span_from(caret, newline ? n + 1 : n);
        lines++;
    }
    return lines;
}

static void put_closest(const json_t *result, struct buf *b) {
    const json_t *list = json_object_get(result, "closest");
    size_t lines = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct span caret = render_text_of(one, "caret");
        if (lines + (caret.n ? 3 : 1) > LINES_CLOSEST)
            break;
        put_line(b, i ? "" : "closest", render_text_of(one, "text"));
        lines += 1 + (caret.n ? put_caret(b, caret) : 0);
    }
}

static void put_result(const json_t *result, const struct style *style, struct buf *b) {
    struct span verdict = render_text_of(result, "verdict");
    bool pass = span_eq(verdict, SPAN("pass")), fail = span_eq(verdict, SPAN("fail"));
    bool warns = pass && json_object_get(result, "severity");
    buf_str(b, warns ? style->warn : pass ? style->pass : fail ? style->fail : style->inconclusive);
    buf_str(b, warns ? "warn" : pass ? "pass" : fail ? "FAIL" : "????");
    buf_str(b, style->end);
    buf_str(b, "  ");
    text_put_visible(b, render_text_of(result, "expectation"), LINE_MAX_BYTES);
    struct span pattern = render_text_of(result, "pattern"), file = render_text_of(result, "file");
    if (pattern.n) {
        buf_printf(b, "  %sas ", style->dim);
        text_put_visible(b, pattern, LINE_MAX_BYTES);
        buf_str(b, style->end);
    }
    if (file.n) {
        buf_printf(b, "  %s(", style->dim);
        text_put_visible(b, file, LINE_MAX_BYTES);
        buf_printf(b, ":%lld)%s", (long long)json_integer_value(json_object_get(result, "line")), style->end);
    }
    buf_char(b, '\n');
    struct span note = render_text_of(result, "note");
    if (pass && note.n)
        put_line(b, "note", note);
    if (pass && !warns)
        return;
    put_line(b, "observed", render_text_of(result, "observed"));
    put_line(b, fail || warns ? "why" : "unsure", render_text_of(result, "why"));
    put_closest(result, b);
}

static void put_uncovered(const json_t *report, const struct style *style, struct buf *b) {
    const json_t *list = json_object_get(report, "uncovered");
    size_t n = json_array_size(list);
    struct span covered = render_covered(report);
    if (covered.n == 0 || span_eq(covered, SPAN("pass")))
        return;
    json_int_t all = json_integer_value(json_object_get(report, "n_uncovered")); /* the list has an end */
    bool fail = span_eq(covered, SPAN("fail"));
    buf_printf(b, "%s%s%s  %s\n", fail ? style->fail : style->inconclusive, fail ? "FAIL" : "????",
               style->end, n ? "series that no expectation covers:" : RENDER_COVERED);
    if (!fail)
        put_line(b, "unsure", SPAN(RENDER_COVERED_UNSURE));
    for (size_t i = 0; i < n && i < UNCOVERED_SHOWN; i++) {
        const json_t *one = json_array_get(list, i);
        put_line(b, "", render_text_of(one, "expectation"));
    }
    if (all > UNCOVERED_SHOWN)
        buf_printf(b, "                and %lld more\n", (long long)all - UNCOVERED_SHOWN);
}

static void put_losses(const json_t *report, struct buf *b) {
    const json_t *list = json_object_get(report, "losses");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct buf line = {.max = 65536};
        text_put_number(&line, json_number_value(json_object_get(one, "n")));
        buf_char(&line, ' ');
        buf_span(&line, render_text_of(one, "text"));
        struct span detail = render_text_of(one, "detail");
        if (detail.n) {
            buf_str(&line, " (");
            buf_span(&line, detail);
            buf_char(&line, ')');
        }
        int loss = loss_of(render_text_of(one, "loss")); /* -1: "client" */
        buf_str(b, loss >= 0 && loss_kinds((enum loss)loss) == LOST_IN_DOUBT ? "note: " : "lost: ");
        text_put_visible(b, buf_view(&line), LINE_MAX_BYTES);
        buf_char(b, '\n');
        buf_free(&line);
    }
}

/* The records of earlier runs that the judgement left out. */
static void put_earlier(const json_t *report, struct buf *b) {
    json_int_t n = json_integer_value(json_object_get(report, "earlier"));
    if (n > 0)
        buf_printf(b, "left out: %lld record%s of earlier runs (--since 0 takes them in)\n", (long long)n,
                   n == 1 ? "" : "s");
}

void report_text(const json_t *report, bool colour, struct buf *b) {
    static const struct style plain = {"", "", "", "", "", ""};
    static const struct style coloured = {"\033[32m", "\033[1;31m", "\033[1;33m",
                                          "\033[33m", "\033[2m",    "\033[0m"};
    const struct style *style = colour ? &coloured : &plain;
    const json_t *results = json_object_get(report, "results");
    size_t n = json_array_size(results);
    for (size_t i = 0; i < n; i++)
        put_result(json_array_get(results, i), style, b);
    put_uncovered(report, style, b);
    put_losses(report, b);
    put_earlier(report, b);
    struct render_counts counts = render_count(report);
    struct span summary =
        render_text_of(report, "summary"); /* of what claims nothing: lint, verify, a snapshot */
    if (summary.n) {
        text_put_visible(b, summary, LINE_MAX_BYTES);
        buf_char(b, '\n');
        return;
    }
    text_put_plural(b, n, "expectation");
    buf_str(b, ": ");
    buf_u64(b, counts.passed);
    buf_str(b, " passed, ");
    buf_u64(b, counts.failed);
    buf_str(b, " failed, ");
    buf_u64(b, counts.inconclusive);
    buf_str(b, " inconclusive\n");
}
