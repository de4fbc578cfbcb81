/* Remarks stay with the records on whose lines they are, and cost a row for each spelling and not for each line. */
#include "store/fixture.h"

#include "decode/dogstatsd.h"
#include "report/ignored.h"
#include "store/sqlite/private.h"

static void put_record(void *arg, const struct record *record) {
    OK(store_put(arg, record, &err));
}

static void send_lines(struct store *s, uint64_t session, const char *lines) {
    struct dogstatsd *d = dogstatsd_new(&(struct dogstatsd_options){0});
    OK(store_arrival(s, session, SOURCE_UDP, AT, &err));
    dogstatsd_decode(d, span_str(lines), put_record, s);
    dogstatsd_free(d);
}

/* --- rows as text: "name value=1: ignored_field 8 'x' in 'a:1|c|#b|x'" --------------------------------------- */

static int show(struct lines *l, struct span name, const struct remarks *r) {
    struct buf b = {0};
    buf_span(&b, name);
    for (size_t i = 0; r && i < r->n; i++)
        buf_printf(&b, " %s %zu '%.*s'", remark_word(r->list[i].kind), r->list[i].offset,
                   SPAN_ARG(r->list[i].text));
    if (r)
        buf_printf(&b, " in '%.*s'", SPAN_ARG(r->line));
    int stop = lines_add(l, &b);
    buf_free(&b);
    return stop;
}

static int on_sample(void *arg, const struct sample_row *row) {
    return show(arg, row->spelling->name, row->spelling->remarks);
}
static int on_spelling(void *arg, const struct spelling_row *row) {
    return show(arg, row->spelling->name, row->spelling->remarks);
}
static int on_event(void *arg, const struct event_row *row) {
    return show(arg, row->event.title, row->event.remarks);
}
static int on_check(void *arg, const struct check_row *row) {
    return show(arg, row->check.name, row->check.remarks);
}
static int on_series(void *arg, const struct series_row *row) {
    return show(arg, row->name, NULL);
}

/* All rows of all kinds that the filter lets by, one behind the other. */
static void expect_rows(struct store *s, struct filter filter, const char *want) {
    struct lines l = {0};
    struct buf all = {0};
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    OK(r->ops->begin(r, &err));
    OK(r->ops->samples(r, &filter, true, on_sample, &l, &err));
    OK(r->ops->events(r, &filter, on_event, &l, &err));
    OK(r->ops->checks(r, &filter, on_check, &l, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    for (size_t i = 0; i < l.n; i++)
        buf_printf(&all, "%s%s", i ? "\n" : "", l.text[i]);
    buf_char(&all, '\0');
    EQ_STR(all.p, want);
    buf_free(&all);
    lines_free(&l);
}

static size_t count_spellings(struct store *s, struct filter filter) {
    struct lines l = {0};
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    OK(r->ops->begin(r, &err));
    OK(r->ops->spellings(r, &filter, on_spelling, &l, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    size_t n = l.n;
    lines_free(&l);
    return n;
}

static const char lines[] = "a:1|c|#b|x,y\n"
                            "a:22|c|#b\n"
                            "a:333|c|#b|x,y\n"
                            "plain:1|g\n"
                            "_e{1,1}:t|u|t:fatal\n"
                            "_e{1,1}:v|w\n"
                            "_sc|n|0|m:a | b\\c\"|d:x";

static const char remarked[] = "a ignored_field 9 'x,y' in 'a:1|c|#b|x,y'\n"
                               "a ignored_field 9 'x,y' in 'a:1|c|#b|x,y'\n"
                               "t ignored_value 12 't:fatal' in '_e{1,1}:t|u|t:fatal'\n"
                               "n ignored_field 13 ' b\\c\"' ignored_value 19 'd:x' in '_sc|n|0|m:a | b\\c\"|d:x'";

static void kept(const char *path) {
    struct store *s = open_with((struct store_options){.path = path});
    send_lines(s, 1, lines);
    COMMIT(s);
    expect_rows(s, (struct filter){.remarked = true}, remarked);
    expect_rows(s, (struct filter){.remarked = true, .limit = 1, .newest = true, .name = SPAN("a")},
                "a ignored_field 9 'x,y' in 'a:1|c|#b|x,y'");
    expect_rows(s, (struct filter){.name = SPAN("plain")}, "plain");
    CU_ASSERT_EQUAL(count_spellings(s, (struct filter){.remarked = true}), 1);
    CU_ASSERT_EQUAL(count_spellings(s, (struct filter){0}), 3);
    struct lines series = {0};
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    OK(r->ops->series(r, &(struct filter){.remarked = true}, on_series, &series, &err));
    store_reader_give(s, r);
    CU_ASSERT_EQUAL(series.n, 1);
    lines_free(&series);
    store_close(s);
}
ON_EACH_MEDIUM(kept)

/* The writer knows the spellings of a file that it opens again. */
static void kept_when_opened_again(void) {
    struct place p;
    struct store *s = open_with((struct store_options){.path = place_make(&p)});
    send_lines(s, 1, lines);
    store_close(s);
    s = open_with((struct store_options){.path = p.path});
    expect_rows(s, (struct filter){.remarked = true}, remarked);
    send_lines(s, 1, "a:1|c|#b|x,y\na:1|c|#b|z");
    COMMIT(s);
    CU_ASSERT_EQUAL(count_spellings(s, (struct filter){.remarked = true}), 2);
    store_close(s);
    EXPECT_SQL(p.path, "SELECT count(*)||' '||group_concat(DISTINCT remark) FROM remarks WHERE family = 'metric'",
               "2 ignored_field");
    EXPECT_SQL(p.path, "SELECT remarks FROM samples WHERE id = 3",
               "[{\"remark\":\"ignored_field\",\"text\":\"x,y\",\"offset\":9}]");
    EXPECT_SQL(p.path, "SELECT text||offset||line FROM remarks WHERE family = 'event'",
               "t:fatal12_e{1,1}:t|u|t:fatal");
    place_remove(&p);
}

/* What came before a mark is not told about what came after it. */
static void since_a_mark(void) {
    struct store *s = open_with((struct store_options){.path = ":memory:"});
    send_lines(s, 1, "a:1|c|x\nb:1|c|@0.5");
    COMMIT(s);
    uint64_t mark = store_last_id(s);
    send_lines(s, 1, "a:1|c\nb:1|c");
    COMMIT(s);
    CU_ASSERT_EQUAL(count_spellings(s, (struct filter){.since = mark}), 2);
    CU_ASSERT_EQUAL(count_spellings(s, (struct filter){.since = mark, .remarked = true}), 0);
    CU_ASSERT_EQUAL(count_spellings(s, (struct filter){.since = mark, .sampled = true}), 0);
    CU_ASSERT_EQUAL(count_spellings(s, (struct filter){.sampled = true}), 1);
    send_lines(s, 1, "a:1|c|x");
    COMMIT(s);
    CU_ASSERT_EQUAL(count_spellings(s, (struct filter){.since = mark, .remarked = true}), 1);
    store_close(s);
}

/* A text that differs with each line makes no row for each line, for ever. */
static void different_with_each_line(void) {
    struct store *s = open_with((struct store_options){.path = ":memory:"});
    char line[64];
    for (int i = 0; i < STORE_REMARKED_MAX + 100; i++) {
        snprintf(line, sizeof line, "a:1|c|#t:1|request-%d", i);
        send_lines(s, 1, line);
    }
    COMMIT(s);
    CU_ASSERT_EQUAL(count_spellings(s, (struct filter){.remarked = true}), STORE_REMARKED_MAX + 1);
    expect_rows(s, (struct filter){.remarked = true, .limit = 1, .newest = true}, "a ignored_field 0 '' in ''");
    OK(store_reset(s, 1, NULL, &err));
    send_lines(s, 1, "a:1|c|#t:1|again");
    COMMIT(s);
    expect_rows(s, (struct filter){.remarked = true}, "a ignored_field 11 'again' in 'a:1|c|#t:1|again'");
    store_close(s);
}

/* A sentence for a report. */
static void said(void) {
    struct store *s = open_with((struct store_options){.path = ":memory:"});
    send_lines(s, 1, "a:1|c|#p|in:tag,red|443|@0.5|@1\nb:1|c");
    COMMIT(s);
    struct err failed = {0};
    struct buf sentence = {.max = 4096};
    struct reader *r = store_reader_take(s, &failed);
    OK(ignored_of_series(r, 1, 0, &sentence, &err));
    buf_char(&sentence, '\0');
    CU_ASSERT(strstr(sentence.p, "'in:tag,red', '443' were ignored: no field begins like this") == sentence.p);
    CU_ASSERT(strstr(sentence.p, "; '@0.5' was ignored: the same field follows once more") != NULL);
    buf_clear(&sentence);
    OK(ignored_of_series(r, 2, 0, &sentence, &err));
    CU_ASSERT_EQUAL(sentence.n, 0);
    store_reader_give(s, r);
    buf_free(&sentence);
    store_close(s);
}

UNIT_MAIN("store/remark", CASES("kept with their records", kept),
          {"kept when opened again", kept_when_opened_again}, {"since a mark", since_a_mark},
          {"different with each line", different_with_each_line}, {"said in a report", said})
