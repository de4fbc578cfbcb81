/* Texts: what statwit prints as an expectation can be read back and means what it was printed of; whatever is not an expectation is
 * refused with its place, what was expected there, and no harm. */
#include "catalog/snapshot.h"
#include "core/utf8.h"
#include "judge/language/parse.h"
#include "judge/language/text.h"
#include "judging.h"
#include "unit.h"

#include <stdlib.h>

static uint64_t state = 1;

static unsigned pick(unsigned n) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % n;
}

/* --- series -------------------------------------------------------------------------------------------------------------- */

static const char *const pieces[] = {"'",        "not ",
                                     "a",        "b.c",
                                     "env",      ":",
                                     "::",       " ",
                                     "\t",       "\"",
                                     "\\",       "\\\"",
                                     "{",        "}",
                                     "[",        "]",
                                     ",",        "(",
                                     ")",        "|",
                                     "=",        "=~",
                                     "!",        "!~",
                                     "*",        "?",
                                     "#",        "<",
                                     ">",        "~",
                                     "+-",       "where",
                                     " and ",    "\xc3\xa9",
                                     "\xff",     "\x01",
                                     "\n",       "\x1b[2J",
                                     "\r",       "",
                                     "no",       "host",
                                     "\xc2\x9b", "\xe2\x82",
                                     "sum == 1", "\xf0\x9f\x98\x80"};

static struct span random_text(char *out, bool may_be_empty, bool readable) {
    size_t n = 0;
    for (unsigned k = pick(5) + !may_be_empty; k; k--) {
        const char *piece = pieces[pick(sizeof pieces / sizeof pieces[0])];
        bool control = (unsigned char)piece[0] < ' ' || !utf8_valid(span_str(piece));
        if (!readable || !control)
            n += (size_t)sprintf(out + n, "%s", piece);
    }
    if (n == 0 && !may_be_empty)
        out[n++] = 'x';
    return span_of(out, n);
}

static const enum metric_type types[] = {METRIC_COUNT, METRIC_GAUGE, METRIC_TIMING, METRIC_RATE};

static struct fake *random_series(bool readable, struct metric *m, char texts[5][128], struct span tags[4],
                                  struct value *value) {
    struct fake *f = fake_new();
    *value = (struct value){.number = 1};
    *m = (struct metric){.type = types[pick(4)],
                         .name = random_text(texts[4], false, readable),
                         .sample_rate = 1,
                         .n_tags = pick(5),
                         .tags = tags,
                         .n_values = 1,
                         .values = value};
    for (size_t i = 0; i < m->n_tags; i++)
        tags[i] = random_text(texts[i], true, readable);
    struct record record = {.kind = RECORD_METRIC, .metric = *m};
    fake_put(f, &record);
    return f;
}

static bool holds(struct fake *f, const char *text) {
    struct judge_source source = {.text = span_str(text)};
    struct judge_error error = {0};
    struct judge *j = judge_parse(&source, 1, NULL, &error);
    if (!j) {
        fprintf(stderr, "%s\n%s\n%s\n", text, error.message, error.excerpt);
        return false;
    }
    struct err err = {0};
    bool pass = judge_start(j, fake_reader(f), &err) == 0 && judge_verdict(j) == VERDICT_PASS;
    judge_free(j);
    if (!pass)
        fprintf(stderr, "%s: does not hold of what it was printed of\n", text);
    return pass;
}

static void test_series(void) {
    char texts[5][128];
    struct span tags[4];
    struct metric m;
    struct value value;
    fake_obeys_names = false;
    for (int i = 0; i < 20000; i++) {
        struct fake *f = random_series(false, &m, texts, tags, &value);
        struct buf text = {0};
        text_put_series(&text, m.type, m.name, m.n_tags, m.tags);
        CU_ASSERT(holds(f, text.p));
        /* and by exactly these tags */
        for (size_t k = 0; k < text.n && m.n_tags; k++)
            if (text.p[k] == '{' && memchr(text.p, '"', k) == NULL) {
                text.p[k] = '[';
                text.p[text.n - 1] = ']';
                CU_ASSERT(holds(f, text.p));
                break;
            }
        buf_free(&text);
        fake_free(f);
    }
}

/* The lines of a snapshot are expectations, too. */
static void test_snapshots(void) {
    char texts[5][128];
    struct span tags[4];
    struct metric m;
    struct value value;
    for (int i = 0; i < 2000; i++) {
        struct fake *f = random_series(true, &m, texts, tags, &value);
        struct snapshot_options options = {0};
        struct buf text = {0};
        struct err err = {0};
        CU_ASSERT_EQUAL(snapshot_write(&options, fake_reader(f), &text, &err), 0);
        const char *line = strchr(text.p, '\n'); /* behind the header */
        CU_ASSERT_PTR_NOT_NULL_FATAL(line);
        char *copy = strdup(line + 1);
        copy[strcspn(copy, "\n")] = '\0';
        CU_ASSERT(holds(f, copy));
        free(copy);
        buf_free(&text);
        fake_free(f);
    }
}

/* --- expectations -------------------------------------------------------------------------------------------------------- */

static const char *const good[] = {
    "incr login.attempt{instance:failure} sum == 1",
    "no any errors.*",
    "timing events.*{!canary,env:ci-*} each >= 0 and rate == 1",
    "incr a[code:200,\"a b\",url:\"x,y\"] samples == 2",
    "gauge g{env:ci} where value == 5 and rate == 1 samples == 2",
    "gauge g where value == 5 +- 0.5 and host == \"web-*\" last < 5 +- 1 and p99.9 ~ 3",
    "set users where value == alice distinct == 1",
    "set users where value =~ \"[a-z]+\" and source != udp",
    "any * where value != 1 per_series <= 1",
    "event \"Deploy finished\"{env:ci} where text == \"*failed*\" and alert_type == error samples == 1",
    "check db where status == critical and message !~ \".*timeout.*\" status == ok",
    "no reject * where reason == no_pipe and text == \"*x*\"",
    "incr a{b:(c|\"d e\"|f*),k=~\"x{2,3}\",l!~\"y\",\"\",k*:v}",
};
static const char *const tokens[] = {"no",
                                     "incr",
                                     "gauge",
                                     "set",
                                     "any",
                                     "event",
                                     "check",
                                     "reject",
                                     "a",
                                     "*",
                                     "\"a b\"",
                                     "{",
                                     "}",
                                     "[",
                                     "]",
                                     ",",
                                     "!",
                                     "b:c",
                                     "b",
                                     ":",
                                     "(",
                                     "|",
                                     ")",
                                     "=~",
                                     "!~",
                                     "\"",
                                     "\\",
                                     "where",
                                     "and",
                                     "or",
                                     "value",
                                     "status",
                                     "ok",
                                     "text",
                                     "rate",
                                     "reason",
                                     "sum",
                                     "p95",
                                     "each",
                                     "==",
                                     "!=",
                                     "<=",
                                     "<",
                                     "~",
                                     "=",
                                     "+-",
                                     "1",
                                     "-0.5",
                                     "1e999",
                                     "nan",
                                     "500ms",
                                     "samples",
                                     "#",
                                     " ",
                                     "\t",
                                     "\xff",
                                     "within 5s",
                                     "prefix x.",
                                     "session *",
                                     "ignore-tags a",
                                     "\n",
                                     "\xc3\xa9",
                                     "per_series",
                                     "timestamp",
                                     "source",
                                     "udp",
                                     "'",
                                     "===",
                                     "where value == ",
                                     " and rate == 1"};

static bool is_explained(struct span text, const struct judge_error *e) {
    size_t line = 1, at = 0, n = 0;
    for (size_t i = 0; i < text.n && line < e->line; i++)
        if (text.p[i] == '\n') {
            line++;
            at = i + 1;
        }
    const char *newline = text.n > at ? memchr(text.p + at, '\n', text.n - at) : NULL;
    n = newline ? (size_t)(newline - text.p) - at : text.n - at;
    const char *caret = strchr(e->excerpt, '\n');
    return line == e->line && e->column >= 1 && e->column <= n + 1 && strlen(e->message) > 10 &&
           utf8_valid(span_str(e->excerpt)) && caret && caret[strspn(caret, "\n ")] == '^';
}

/* Accepted, or refused with a place in the text and a sentence. What was accepted is accepted again as it is shown. */
static bool is_sound(struct span text) {
    struct judge_source source = {.text = text};
    struct judge_error error;
    struct parsed parsed = {.within_ms = -1}, again = {.within_ms = -1};
    static const struct judge_options none;
    memset(&error, 0xaa, sizeof error); /* nothing is left as it was */
    bool sound = true;
    if (parse_source(&parsed, &source, &none, &error) != 0)
        sound = is_explained(text, &error);
    for (size_t i = 0; i < parsed.n && sound; i++) {
        struct judge_source shown = {.text = parsed.list[i].text};
        sound = parse_source(&again, &shown, &none, &error) == 0 && again.n == i + 1 &&
                span_eq(again.list[i].text, parsed.list[i].text) &&
                again.list[i].n_terms == parsed.list[i].n_terms &&
                again.list[i].n_conditions == parsed.list[i].n_conditions &&
                again.list[i].n_clauses == parsed.list[i].n_clauses;
    }
    if (!sound)
        fprintf(stderr, "%.*s\n  %zu:%zu: %s\n%s\n", SPAN_ARG(text), error.line, error.column, error.message,
                error.excerpt);
    parsed_free(&parsed);
    parsed_free(&again);
    return sound;
}

/* Every token in place of, before, and without what stands at every place. */
static void test_every_token_everywhere(void) {
    char text[512];
    for (size_t g = 0; g < sizeof good / sizeof good[0]; g++) {
        CU_ASSERT(is_sound(span_str(good[g])));
        size_t n = strlen(good[g]);
        for (size_t at = 0; at <= n; at++)
            for (size_t t = 0; t < sizeof tokens / sizeof tokens[0]; t++)
                for (size_t gone = 0; gone < 3 && at + gone <= n; gone++) {
                    int length = sprintf(text, "%.*s%s%s", (int)at, good[g], tokens[t], good[g] + at + gone);
                    CU_ASSERT(is_sound(span_of(text, (size_t)length)));
                }
    }
}

static void test_mutations(void) {
    char text[1024];
    for (int i = 0; i < 100000; i++) {
        size_t n = (size_t)sprintf(text, "%s", good[pick(sizeof good / sizeof good[0])]);
        for (unsigned k = 1 + pick(4); k; k--) {
            size_t at = pick((unsigned)n + 1), cut = pick(8);
            const char *token = tokens[pick(sizeof tokens / sizeof tokens[0])];
            cut = at + cut > n ? n - at : cut;
            cut = pick(3) ? cut : 0;
            size_t length = pick(3) ? strlen(token) : 0;
            memmove(text + at + length, text + at + cut, n - at - cut + 1);
            memcpy(text + at, token, length);
            n += length - cut;
        }
        CU_ASSERT(is_sound(span_of(text, n)));
    }
    /* NUL and every other byte */
    for (int byte = 0; byte < 256; byte++)
        for (size_t g = 0; g < sizeof good / sizeof good[0]; g++) {
            size_t n = (size_t)sprintf(text, "%s", good[g]);
            text[pick((unsigned)n)] = (char)byte;
            CU_ASSERT(is_sound(span_of(text, n)));
        }
}

UNIT_MAIN("judge/round_trip", {"series are printed as expectations that they fulfil", test_series},
          {"so are the lines of a snapshot", test_snapshots},
          {"every token in every wrong place is explained", test_every_token_everywhere},
          {"mutated expectations are accepted or explained", test_mutations})
