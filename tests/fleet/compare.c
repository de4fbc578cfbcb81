/* Reads two recordings in every way that core/reader.h offers and says where they differ: `compare A B [quick]`. A and B are files or URLs. Numbers
 * are compared bit for bit. Exit code 0: no answer differs. */
#include "core/log.h"
#include "core/series.h"
#include "store/fixture.h"
#include "store/open.h"

#include <inttypes.h>

#define ANSWER_NS INT64_C(300000000000)

struct side {
    struct reader *r;
    struct lines lines;
    struct buf b;
};

static uint64_t differ, compared, questions;

/* --- rows as lines ------------------------------------------------------------------------------------------ */

static int end_line(struct side *s) {
    lines_add(&s->lines, &s->b);
    return 0;
}

static void show_remarks(struct buf *b, const struct remarks *r) {
    if (!r)
        return;
    show_span(b, "line", r->line);
    for (size_t i = 0; i < r->n; i++) {
        buf_printf(b, " %s@%zu", remark_word(r->list[i].kind), r->list[i].offset);
        show_span(b, "", r->list[i].text);
    }
}

static int on_series(void *arg, const struct series_row *row) {
    struct side *s = arg;
    struct buf *b = &s->b;
    buf_clear(b);
    buf_printf(b,
               "series %" PRIu64 " %s samples=%" PRIu64 " %a %a %a %a %a at=%" PRId64 "..%" PRId64
               " ids=%" PRIu64 "..%" PRIu64 " sampled=%d",
               row->id, metric_word(row->type), row->samples, row->count, row->sum, row->min, row->max,
               row->last, row->first_at, row->last_at, row->first_id, row->last_id, row->sampled);
    show_span(b, "session", row->session);
    show_span(b, "name", row->name);
    show_tags(b, row->n_tags, row->tags);
    show_span(b, "host", row->host);
    show_span(b, "device", row->device);
    return end_line(s);
}

static int on_sample(void *arg, const struct sample_row *row) {
    struct side *s = arg;
    buf_clear(&s->b);
    buf_printf(&s->b, "of %" PRIu64 " ", row->series_id);
    struct buf line = {0};
    show_sample(&line, row->id, row->session, row->source, row->received_at, row->spelling, &row->value);
    buf_span(&s->b, buf_view(&line));
    buf_free(&line);
    show_remarks(&s->b, row->spelling->remarks);
    return end_line(s);
}

static int on_spelling(void *arg, const struct spelling_row *row) {
    struct side *s = arg;
    struct value none = {.text = SPAN("")};
    struct buf line = {0};
    buf_clear(&s->b);
    show_sample(&line, row->series_id, row->session, SOURCE_UDP, 0, row->spelling, &none);
    buf_printf(&s->b, "spelling %" PRIu64 " %s", row->id, line.p);
    buf_free(&line);
    show_remarks(&s->b, row->spelling->remarks);
    return end_line(s);
}

static int on_points(void *arg, const struct points_row *row) {
    struct side *s = arg;
    for (size_t i = 0; i < row->n; i++) {
        buf_clear(&s->b);
        buf_printf(&s->b, "point %s %s %" PRId64 " %a %d", source_word(row->source),
                   metric_word(row->spelling->type), row->at_s[i], row->values[i], row->sketch != NULL);
        end_line(s);
    }
    return 0;
}

#define LINES_OF(name, remarks)                                                                              \
    static int on_##name(void *arg, const struct name##_row *row) {                                          \
        struct side *s = arg;                                                                                \
        struct lines one = {0};                                                                              \
        keep_##name(&one, row);                                                                              \
        buf_clear(&s->b);                                                                                    \
        buf_str(&s->b, one.text[0]);                                                                         \
        lines_free(&one);                                                                                    \
        show_remarks(&s->b, remarks);                                                                        \
        return end_line(s);                                                                                  \
    }
LINES_OF(event, row->event.remarks)
LINES_OF(check, row->check.remarks)
LINES_OF(reject, NULL)
LINES_OF(request, NULL)
LINES_OF(loss, NULL)

static int on_session(void *arg, const struct session_row *row) {
    struct session_row without_key = *row;
    struct side *s = arg;
    without_key.api_key = (struct span){NULL, 0};
    return keep_session(&s->lines, &without_key);
}

static int on_large(void *arg, const struct large_row *row) {
    struct side *s = arg;
    buf_clear(&s->b);
    buf_printf(&s->b, "large %" PRIu64 " n=%" PRIu64 " %" PRIu64 " %" PRIu64, row->over, row->n, row->largest,
               row->last_id);
    return end_line(s);
}

static int on_run(void *arg, const struct run_row *row) {
    struct side *s = arg;
    buf_clear(&s->b);
    buf_printf(&s->b, "run %" PRIu64 " %" PRId64 "..%" PRId64 " mark=%" PRIu64, row->id, row->started_at,
               row->ended_at, row->mark);
    show_span(&s->b, "version", row->version);
    return end_line(s);
}

/* --- comparing ---------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* unordered: the order is the reader's own. */
static void compare(struct side sides[2], const char *what, const char *how, bool unordered) {
    const struct lines *a = &sides[0].lines, *b = &sides[1].lines;
    size_t n = a->n < b->n ? a->n : b->n, i = 0;
    if (unordered)
        for (int k = 0; k < 2; k++)
            if (sides[k].lines.n)
                qsort(sides[k].lines.text, sides[k].lines.n, sizeof(char *), by_text);
    while (i < n && strcmp(a->text[i], b->text[i]) == 0)
        i++;
    questions++;
    compared += i;
    if (i < n || a->n != b->n) {
        differ++;
        printf("%s, %s: %zu and %zu rows, the first that differs is %zu\n  %s\n  %s\n", what, how, a->n, b->n,
               i, i < a->n ? a->text[i] : "(none)", i < b->n ? b->text[i] : "(none)");
    }
    lines_free(&sides[0].lines);
    lines_free(&sides[1].lines);
}

static void check(int failed, const struct err *err) {
    if (!failed)
        return;
    printf("%s\n", err->text);
    exit(2);
}

/* One question to both. `f` may be what is asked. */
#define BOTH(what, how, unordered, call)                                                                     \
    do {                                                                                                     \
        for (int k_ = 0; k_ < 2; k_++) {                                                                     \
            struct err err = {0};                                                                            \
            struct side *s = &sides[k_];                                                                     \
            check(s->r->ops->call, &err);                                                                    \
        }                                                                                                    \
        compare(sides, what, how, unordered);                                                                \
    } while (0)

/* Summaries made of the samples that the filter lets by. */
static void ask_tallies(struct side sides[2], const char *how, const struct filter *f) {
    for (int k = 0; k < 2; k++) {
        struct err err = {0};
        check(series_since(sides[k].r, f, on_series, &sides[k], &err), &err);
    }
    compare(sides, "tallies", how, true);
}

static void ask_all(struct side sides[2], const char *how, const struct filter *f) {
    BOTH("requests", how, false, requests(s->r, f, on_request, s, &err));
    if (f->method.p || f->status_to)
        return;
    BOTH("series", how, false, series(s->r, f, on_series, s, &err));
    if (!f->sampled) /* which is for series and spellings */
        BOTH("samples", how, false, samples(s->r, f, true, on_sample, s, &err));
    if (!f->sampled)
        ask_tallies(sides, how, f);
    if (!f->sampled && !f->limit)
        BOTH("samples by series", how, false, samples(s->r, f, false, on_sample, s, &err));
    if (!f->since) /* SQLite may tell of some more: those that share a commit with later ones */
        BOTH("spellings", how, true, spellings(s->r, f, on_spelling, s, &err));
    BOTH("events", how, false, events(s->r, f, on_event, s, &err));
    BOTH("checks", how, false, checks(s->r, f, on_check, s, &err));
    BOTH("rejects", how, false, rejects(s->r, f, on_reject, s, &err));
    BOTH("requests", how, false, requests(s->r, f, on_request, s, &err));
    BOTH("losses", how, false, losses(s->r, f, on_loss, s, &err));
}

/* --- what there is to ask for --------------------------------------------------------------------------------- */

#define KNOWN 400

struct known {
    size_t n, n_sessions;
    uint64_t ids[KNOWN];
    char names[KNOWN][64], tags[KNOWN][64], sessions[KNOWN][64];
    size_t name_n[KNOWN], tag_n[KNOWN], session_n[KNOWN];
};

static int know_series(void *arg, const struct series_row *row) {
    struct known *k = arg;
    if (k->n == KNOWN || row->name.n > 60)
        return k->n == KNOWN;
    k->ids[k->n] = row->id;
    memcpy(k->names[k->n], row->name.p, row->name.n);
    k->name_n[k->n] = row->name.n;
    if (row->n_tags && row->tags[0].n < 60) {
        memcpy(k->tags[k->n], row->tags[0].p, row->tags[0].n);
        k->tag_n[k->n] = row->tags[0].n;
    }
    k->n++;
    return 0;
}

static int know_session(void *arg, const struct session_row *row) {
    struct known *k = arg;
    if (k->n_sessions < KNOWN && row->name.n < 60) {
        memcpy(k->sessions[k->n_sessions], row->name.p, row->name.n);
        k->session_n[k->n_sessions++] = row->name.n;
    }
    return 0;
}

static void ask_about(struct side sides[2], const struct known *k, uint64_t last) {
    char how[160];
    for (size_t i = 0; i < k->n_sessions; i++) {
        snprintf(how, sizeof how, "session %.*s", (int)k->session_n[i], k->sessions[i]);
        ask_all(sides, how, &(struct filter){.session = span_of(k->sessions[i], k->session_n[i])});
        BOTH("large", how, false, large(s->r, span_of(k->sessions[i], k->session_n[i]), on_large, s, &err));
    }
    for (size_t i = 0; i < k->n; i += 1 + k->n / 5) {
        struct span name = span_of(k->names[i], k->name_n[i]), tag = span_of(k->tags[i], k->tag_n[i]);
        struct span names[2] = {name, SPAN("*.request")};
        snprintf(how, sizeof how, "series %" PRIu64, k->ids[i]);
        ask_all(sides, how, &(struct filter){.series_id = k->ids[i]});
        snprintf(how, sizeof how, "name %.*s", (int)name.n, name.p);
        ask_all(sides, how, &(struct filter){.name = name});
        ask_all(sides, "two names that matter", &(struct filter){.n_names = 2, .names = names});
        if (tag.n) {
            snprintf(how, sizeof how, "tag %.*s", (int)tag.n, tag.p);
            ask_all(sides, how, &(struct filter){.n_tags = 1, .tags = &tag});
        }
    }
    for (size_t i = 0; i < k->n; i += 1 + k->n / 15) {
        struct cadence c[2];
        snprintf(how, sizeof how, "series %" PRIu64, k->ids[i]);
        BOTH("points", how, true, points(s->r, k->ids[i], on_points, s, &err));
        for (int j = 0; j < 2; j++) {
            struct err err = {0};
            check(sides[j].r->ops->cadence(sides[j].r, k->ids[i], last / 2 ? last / 2 : 1, &c[j], &err),
                  &err);
        }
        if (c[0].interval_s != c[1].interval_s) {
            differ++;
            printf("cadence of %s: %" PRId64 " and %" PRId64 "\n", how, c[0].interval_s, c[1].interval_s);
        }
    }
}

static void ask_everything(struct side sides[2], uint64_t last) {
    static const struct filter all;
    ask_all(sides, "everything", &all);
    ask_all(sides, "since the middle", &(struct filter){.since = last / 2});
    ask_all(sides, "until the middle", &(struct filter){.until = last / 2 + 1});
    ask_all(sides, "a part", &(struct filter){.since = last / 3, .until = last - last / 3});
    ask_all(sides, "by HTTP", &(struct filter){.has_source = true, .source = SOURCE_HTTP});
    ask_all(sides, "by UDP", &(struct filter){.has_source = true, .source = SOURCE_UDP});
    ask_all(sides, "with remarks", &(struct filter){.remarked = true});
    ask_all(sides, "sampled", &(struct filter){.sampled = true});
    ask_all(sides, "with a timestamp", &(struct filter){.timed = true});
    ask_all(sides, "the newest 7", &(struct filter){.limit = 7, .newest = true});
    ask_all(sides, "the first 7", &(struct filter){.limit = 7});
    ask_all(sides, "the newest 7 by HTTP",
            &(struct filter){.limit = 7, .newest = true, .has_source = true, .source = SOURCE_HTTP});
    ask_all(sides, "no such session", &(struct filter){.session = SPAN("no such")});
    ask_all(sides, "no such name", &(struct filter){.name = SPAN("no.such")});
    ask_all(sides, "name a*", &(struct filter){.name = SPAN("a*")});
    ask_all(sides, "name *.?*", &(struct filter){.name = SPAN("*.?*")});
    ask_all(sides, "name *", &(struct filter){.name = SPAN("*")});
    ask_all(sides, "GET", &(struct filter){.method = SPAN("GET")});
    ask_all(sides, "refused", &(struct filter){.status_from = 400, .status_to = 499});
    for (int type = 0; type < METRIC_N_TYPES; type++)
        ask_all(sides, metric_word((enum metric_type)type),
                &(struct filter){.has_type = true, .type = (enum metric_type)type});
    BOTH("sessions", "", false, sessions(s->r, on_session, s, &err));
    BOTH("large", "all sessions", false, large(s->r, span_of(NULL, 0), on_large, s, &err));
    BOTH("runs", "", false, runs(s->r, 100, on_run, s, &err));
    BOTH("runs", "the newest", false, runs(s->r, 1, on_run, s, &err));
}

static uint64_t number(struct side sides[2], const char *what,
                       int (*ask)(struct reader *, uint64_t *, struct err *)) {
    uint64_t n[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct err err = {0};
        check(ask(sides[i].r, &n[i], &err), &err);
    }
    if (n[0] != n[1]) {
        differ++;
        printf("%s: %" PRIu64 " and %" PRIu64 "\n", what, n[0], n[1]);
    }
    return n[0];
}

static int ask_last(struct reader *r, uint64_t *id, struct err *err) {
    return r->ops->last_id(r, id, err);
}

int main(int argc, char **argv) {
    struct side sides[2] = {{0}, {0}};
    struct known *k = calloc(1, sizeof *k);
    struct err err = {0};
    bool usage;
    for (int i = 0; i < 2 && argc >= 3; i++) {
        sides[i].r = reader_open(argv[i + 1], NULL, ANSWER_NS, &usage, &err);
        check(!sides[i].r, &err);
        check(sides[i].r->ops->begin(sides[i].r, &err), &err);
    }
    if (argc < 3 || !k)
        return 2;
    struct reader *r = sides[0].r;
    check(r->ops->series(r, &(struct filter){0}, know_series, k, &err), &err);
    check(r->ops->sessions(r, know_session, k, &err), &err);
    uint64_t last = number(sides, "last id", ask_last);
    if (argc > 3)
        ask_all(sides, "everything", &(struct filter){0});
    else {
        ask_everything(sides, last);
        ask_about(sides, k, last);
    }
    for (int i = 0; i < 2; i++) {
        sides[i].r->ops->end(sides[i].r);
        reader_close(sides[i].r);
        buf_free(&sides[i].b);
    }
    free(k);
    printf("%" PRIu64 " questions, %" PRIu64 " rows the same, %" PRIu64 " answers differ\n", questions,
           compared, differ);
    return differ ? 1 : 0;
}
