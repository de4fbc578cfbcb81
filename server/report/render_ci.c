/* For machines that run tests: JUnit XML, TAP, GitHub annotations. */
#include "core/utf8.h"
#include "judge/language/text.h"
#include "report/render.h"
#include "report/report.h"

#define TEXT_MAX 4000

/* Visible, hence UTF-8 without anything that XML 1.0 can't hold but U+FFFE and U+FFFF; then escaped. */
static void put_xml(struct buf *b, struct span s) {
    struct buf visible = {.max = 1 << 20};
    text_put_visible(&visible, s, TEXT_MAX);
    struct span rest = buf_view(&visible);
    for (size_t i = 0; i < rest.n;) {
        size_t n = utf8_length(span_from(rest, i));
        uint32_t code = utf8_decode(span_from(rest, i), n);
        if (code == '<')
            buf_str(b, "&lt;");
        else if (code == '>')
            buf_str(b, "&gt;");
        else if (code == '&')
            buf_str(b, "&amp;");
        else if (code == '"')
            buf_str(b, "&quot;");
        else if (code == 0xfffe || code == 0xffff)
            buf_str(b, UTF8_REPLACEMENT);
        else
            buf_add(b, rest.p + i, n);
        i += n;
    }
    buf_free(&visible);
}

/* A refused line, and the blanks and the caret that stand under it. */
static bool split_caret(const json_t *closest, struct span *line, struct span *under) {
    struct span caret = render_text_of(closest, "caret");
    const char *newline = caret.n ? memchr(caret.p, '\n', caret.n) : NULL;
    if (!newline)
        return false;
    *line = span_of(caret.p, (size_t)(newline - caret.p));
    *under = span_from(caret, line->n + 1);
    return true;
}

static void put_attribute(struct buf *b, const char *name, struct span value) {
    buf_printf(b, " %s=\"", name);
    put_xml(b, value);
    buf_char(b, '"');
}

/* What a passed case says all the same: a note, or as a warning why. */
static struct span aside_of(const json_t *result) {
    return render_text_of(result, json_object_get(result, "severity") ? "why" : "note");
}

static void put_passed(const json_t *result, struct buf *b) {
    struct span aside = aside_of(result);
    if (aside.n == 0) {
        buf_str(b, "/>\n");
        return;
    }
    buf_printf(b, ">\n      <system-out>%s: ", json_object_get(result, "severity") ? "warning" : "note");
    put_xml(b, aside);
    buf_str(b, "</system-out>\n    </testcase>\n");
}

static void put_test_case(const json_t *result, struct buf *b) {
    struct span verdict = render_text_of(result, "verdict"), file = render_text_of(result, "file");
    buf_str(b, "    <testcase classname=\"statwit\"");
    put_attribute(b, "name", render_text_of(result, "expectation"));
    if (file.p) {
        put_attribute(b, "file", file);
        buf_printf(b, " line=\"%lld\"", (long long)json_integer_value(json_object_get(result, "line")));
    }
    if (span_eq(verdict, SPAN("pass"))) {
        put_passed(result, b);
        return;
    }
    const char *element = span_eq(verdict, SPAN("fail")) ? "failure" : "error";
    buf_printf(b, ">\n      <%s", element);
    put_attribute(b, "type", verdict);
    put_attribute(b, "message", render_text_of(result, "why"));
    buf_str(b, ">observed: ");
    put_xml(b, render_text_of(result, "observed"));
    const json_t *closest = json_object_get(result, "closest");
    for (size_t i = 0; i < json_array_size(closest); i++) {
        buf_str(b, "\nclosest: ");
        put_xml(b, render_text_of(json_array_get(closest, i), "text"));
        struct span line, under;
        if (split_caret(json_array_get(closest, i), &line, &under)) {
            buf_str(b, "\n    ");
            put_xml(b, line);
            buf_str(b, "\n    ");
            put_xml(b, under);
        }
    }
    buf_printf(b, "</%s>\n    </testcase>\n", element);
}

static void put_property(struct buf *b, const char *name, struct span value) {
    if (!value.p)
        return;
    buf_printf(b, "      <property name=\"%s\"", name);
    put_attribute(b, "value", value);
    buf_str(b, "/>\n");
}

/* What became of `run --push`. */
static void put_push(const json_t *push, struct buf *b) {
    if (!push)
        return;
    bool ok = json_is_true(json_object_get(push, "ok"));
    buf_str(b, "    <properties>\n");
    put_property(b, "push.ok", span_str(ok ? "true" : "false"));
    put_property(b, "push.to", render_text_of(push, "to"));
    put_property(b, "push.recording", render_text_of(push, "recording"));
    put_property(b, "push.why", render_text_of(push, "why"));
    buf_str(b, "    </properties>\n");
}

static bool lacks_push(const json_t *push) {
    return json_is_true(json_object_get(push, "required")) && !json_is_true(json_object_get(push, "ok"));
}

/* --push-required, and it was not. */
static void put_lacking_push(const json_t *push, struct buf *b) {
    buf_str(
        b,
        "    <testcase classname=\"statwit\" name=\"the recording is pushed\">\n      <error type=\"push\"");
    put_attribute(b, "message", render_text_of(push, "why"));
    buf_str(b, "/>\n    </testcase>\n");
}

static void put_covered(const json_t *report, struct buf *b) {
    const json_t *uncovered = json_object_get(report, "uncovered");
    struct span covered = render_covered(report);
    buf_str(b, "    <testcase classname=\"statwit\" name=\"" RENDER_COVERED "\"");
    if (span_eq(covered, SPAN("pass"))) {
        buf_str(b, "/>\n");
        return;
    }
    bool fail = span_eq(covered, SPAN("fail"));
    const json_t *all = json_object_get(report, "n_uncovered"); /* the list has an end */
    json_int_t n = all ? json_integer_value(all) : (json_int_t)json_array_size(uncovered);
    buf_printf(b, ">\n      <%s type=\"%s\" message=\"", fail ? "failure" : "error",
               fail ? "fail" : "inconclusive");
    if (fail)
        buf_printf(b, "%lld series not covered", (long long)n);
    else
        buf_str(b, RENDER_COVERED_UNSURE);
    buf_str(b, "\">");
    for (size_t i = 0; i < json_array_size(uncovered); i++) {
        put_xml(b, render_text_of(json_array_get(uncovered, i), "name"));
        buf_char(b, '\n');
    }
    buf_printf(b, "</%s>\n    </testcase>\n", fail ? "failure" : "error");
}

void report_junit(const json_t *report, struct buf *b) {
    const json_t *results = json_object_get(report, "results");
    size_t n = json_array_size(results);
    const json_t *push = json_object_get(report, "push");
    size_t lacking = lacks_push(push), untold = render_untold(report);
    struct span covered = render_covered(report);
    struct render_counts counts = render_count(report);
    counts.failed += span_eq(covered, SPAN("fail"));
    counts.inconclusive += covered.n && !span_eq(covered, SPAN("fail")) && !span_eq(covered, SPAN("pass"));
    buf_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    buf_printf(
        b,
        "  <testsuite name=\"statwit\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\" time=\"%.3f\">\n",
        n + (covered.n > 0) + lacking + untold, counts.failed, counts.inconclusive + lacking + untold,
        json_number_value(json_object_get(report, "waited_ms")) / 1000);
    put_push(push, b);
    for (size_t i = 0; i < n; i++)
        put_test_case(json_array_get(results, i), b);
    if (covered.n)
        put_covered(report, b);
    if (untold)
        buf_str(b, "    <testcase classname=\"statwit\" name=\"" RENDER_UNTOLD
                   "\">\n      <error type=\"inconclusive\" message=\"" RENDER_UNTOLD_UNSURE
                   "\"/>\n    </testcase>\n");
    if (lacking)
        put_lacking_push(push, b);
    buf_str(b, "  </testsuite>\n</testsuites>\n");
}

/* --- TAP ------------------------------------------------------------------------------------------------- */

/* A description: '#' would start a directive. */
static void put_description(struct buf *b, struct span s) {
    struct buf visible = {.max = 1 << 20};
    text_put_visible(&visible, s, TEXT_MAX);
    for (size_t i = 0; i < visible.n; i++) {
        if (visible.p[i] == '#' || visible.p[i] == '\\')
            buf_char(b, '\\');
        buf_char(b, visible.p[i]);
    }
    buf_free(&visible);
}

/* A double-quoted YAML string; visible text needs only these two escaped. */
static void put_yaml(struct buf *b, const char *key, struct span s) {
    struct buf visible = {.max = 1 << 20};
    text_put_visible(&visible, s, TEXT_MAX);
    buf_printf(b, "  %s: \"", key);
    for (size_t i = 0; i < visible.n; i++) {
        if (visible.p[i] == '"' || visible.p[i] == '\\')
            buf_char(b, '\\');
        buf_char(b, visible.p[i]);
    }
    buf_str(b, "\"\n");
    buf_free(&visible);
}

static void put_tap_covered(struct buf *b, struct span covered, size_t number) {
    bool pass = span_eq(covered, SPAN("pass"));
    buf_printf(b, "%sok %zu - " RENDER_COVERED "\n", pass ? "" : "not ", number);
    if (pass || span_eq(covered, SPAN("fail")))
        return;
    buf_str(b, "  ---\n");
    put_yaml(b, "verdict", covered);
    put_yaml(b, "why", SPAN(RENDER_COVERED_UNSURE));
    buf_str(b, "  ...\n");
}

void report_tap(const json_t *report, struct buf *b) {
    const json_t *results = json_object_get(report, "results");
    size_t n = json_array_size(results);
    struct span covered = render_covered(report);
    bool untold = render_untold(report);
    buf_printf(b, "TAP version 13\n1..%zu\n", n + (covered.n > 0) + untold);
    for (size_t i = 0; i < n; i++) {
        const json_t *result = json_array_get(results, i);
        struct span verdict = render_text_of(result, "verdict");
        bool pass = span_eq(verdict, SPAN("pass"));
        buf_printf(b, "%sok %zu - ", pass ? "" : "not ", i + 1);
        put_description(b, render_text_of(result, "expectation"));
        buf_char(b, '\n');
        struct span aside = aside_of(result);
        if (pass && aside.n == 0)
            continue;
        buf_str(b, "  ---\n");
        if (pass) {
            put_yaml(b, json_object_get(result, "severity") ? "warning" : "note", aside);
            buf_str(b, "  ...\n");
            continue;
        }
        put_yaml(b, "verdict", verdict);
        put_yaml(b, "observed", render_text_of(result, "observed"));
        put_yaml(b, "why", render_text_of(result, "why"));
        const json_t *closest = json_object_get(result, "closest");
        for (size_t k = 0; k < json_array_size(closest); k++) {
            buf_str(b, k ? "" : "  closest:\n");
            put_yaml(b, "  - text", render_text_of(json_array_get(closest, k), "text"));
            struct span line, under;
            if (split_caret(json_array_get(closest, k), &line, &under))
                put_yaml(b, "    line", line);
        }
        buf_str(b, "  ...\n");
    }
    if (covered.n)
        put_tap_covered(b, covered, n + 1);
    if (untold) {
        buf_printf(b, "not ok %zu - " RENDER_UNTOLD "\n  ---\n", n + (covered.n > 0) + 1);
        put_yaml(b, "verdict", SPAN("inconclusive"));
        put_yaml(b, "why", SPAN(RENDER_UNTOLD_UNSURE));
        buf_str(b, "  ...\n");
    }
}

/* --- GitHub ---------------------------------------------------------------------------------------------- */

/* A workflow command's message, or with `property` one of its properties. */
static void put_command(struct buf *b, struct span s, bool property) {
    struct buf visible = {.max = 1 << 20};
    text_put_visible(&visible, s, TEXT_MAX);
    for (size_t i = 0; i < visible.n; i++) {
        char c = visible.p[i];
        if (c == '%' || (property && (c == ':' || c == ',')))
            buf_printf(b, "%%%02X", (unsigned)c);
        else
            buf_char(b, c);
    }
    buf_free(&visible);
}

void report_github(const json_t *report, struct buf *b) {
    const json_t *results = json_object_get(report, "results"),
                 *uncovered = json_object_get(report, "uncovered");
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        struct span verdict = render_text_of(result, "verdict"), file = render_text_of(result, "file");
        bool warns = span_eq(verdict, SPAN("pass"));
        if (warns && !json_object_get(result, "severity"))
            continue;
        buf_str(b, warns ? "::warning " : "::error ");
        if (file.p) {
            buf_str(b, "file=");
            put_command(b, file, true);
            buf_printf(b, ",line=%lld,", (long long)json_integer_value(json_object_get(result, "line")));
        }
        buf_str(b, "title=statwit ");
        put_command(b, warns ? render_text_of(result, "rule") : verdict, true);
        buf_str(b, "::");
        put_command(b, render_text_of(result, "expectation"), false);
        buf_str(b, ": ");
        put_command(b, render_text_of(result, "why"), false);
        const json_t *closest = json_object_get(result, "closest");
        for (size_t k = 0; k < json_array_size(closest); k++) {
            buf_str(b, "%0Aclosest: ");
            put_command(b, render_text_of(json_array_get(closest, k), "text"), false);
            struct span line, under;
            if (split_caret(json_array_get(closest, k), &line, &under)) {
                buf_str(b, "%0A    ");
                put_command(b, line, false);
            }
        }
        buf_char(b, '\n');
    }
    struct span covered = render_covered(report);
    if (covered.n && !span_eq(covered, SPAN("fail")) && !span_eq(covered, SPAN("pass")))
        buf_str(b, "::error title=statwit inconclusive::" RENDER_COVERED ": " RENDER_COVERED_UNSURE "\n");
    if (render_untold(report))
        buf_str(b, "::error title=statwit inconclusive::" RENDER_UNTOLD_UNSURE "\n");
    for (size_t i = 0; i < json_array_size(uncovered); i++) {
        buf_str(b, "::error title=statwit::no expectation covers ");
        put_command(b, render_text_of(json_array_get(uncovered, i), "name"), false);
        buf_char(b, '\n');
    }
}
