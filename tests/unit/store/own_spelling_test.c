/* The first spelling of a series has no row of its own when there is nothing in it that the series has not. Readers see no difference: not
 * beside other spellings of the series, nor after a restart, an eviction, a reset, or in a file of before that was so. */
#include "store/fixture.h"

#include <signal.h>
#include <sys/wait.h>

#define NOW INT64_C(1700000000)

struct put {
    const char *name, *tags[3];
    double rate;
    const char *container;
    int64_t timestamp;
};

static void put(struct store *s, uint64_t session, struct put p) {
    struct span tags[3];
    size_t n = 0;
    while (n < 3 && p.tags[n]) {
        tags[n] = span_str(p.tags[n]);
        n++;
    }
    struct value value = {.number = 1, .timestamp = p.timestamp};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_COUNT,
                                       .name = span_str(p.name),
                                       .sample_rate = p.rate > 0 ? p.rate : 1,
                                       .n_tags = n,
                                       .tags = tags,
                                       .n_values = 1,
                                       .values = &value}};
    if (p.container)
        record.metric.origin.container_id = span_str(p.container);
    OK(store_arrival(s, session, SOURCE_UDP, AT, &err));
    OK(store_put(s, &record, &err));
}

#define PUT(s, ...) put(s, 1, (struct put){.name = __VA_ARGS__})

static void add_spelling(struct buf *b, const struct metric *m) {
    buf_span(b, m->name);
    for (size_t i = 0; i < m->n_tags; i++)
        buf_printf(b, "%c%.*s", i ? ',' : '#', SPAN_ARG(m->tags[i]));
    if (m->sample_rate != 1)
        buf_printf(b, "@%g", m->sample_rate);
    if (m->origin.container_id.p)
        buf_printf(b, "c:%.*s", SPAN_ARG(m->origin.container_id));
    buf_char(b, ' ');
}

static int on_sample(void *arg, const struct sample_row *row) {
    add_spelling(arg, row->spelling);
    return 0;
}

static int on_spelling(void *arg, const struct spelling_row *row) {
    add_spelling(arg, row->spelling);
    return 0;
}

/* What the views say of each sample, and the reader. */
#define SAMPLES_IN_VIEW                                                                                                            \
    "SELECT group_concat(name || replace(replace(replace(iif(tags = '[]', '', '#' || tags), '[\"', ''), '\"]', ''), '\",\"', ',')" \
    " || iif(sample_rate = 1, '', '@' || sample_rate) || coalesce('c:' || container_id, '') || ' ', '')"                           \
    " FROM (SELECT * FROM samples ORDER BY id)"

static void expect_samples(struct store *s, const char *path, struct filter f, const char *want) {
    struct err why = {0};
    struct buf got = {0};
    struct reader *r = store_reader_take(s, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    OK(r->ops->begin(r, &err));
    OK(r->ops->samples(r, &f, true, on_sample, &got, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    buf_char(&got, '\0');
    EQ_STR(got.p, want);
    buf_free(&got);
    if (path)
        EXPECT_SQL(path, SAMPLES_IN_VIEW, want);
}

static void expect_spellings(struct store *s, struct filter f, const char *want) {
    struct err why = {0};
    struct buf got = {0};
    struct reader *r = store_reader_take(s, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    OK(r->ops->begin(r, &err));
    OK(r->ops->spellings(r, &f, on_spelling, &got, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    buf_char(&got, '\0');
    EQ_STR(got.p, want);
    buf_free(&got);
}

/* How many rows there are of spellings, and how many series have one of their own. */
static void expect_rows(const char *path, const char *want) {
    EXPECT_SQL(path, "SELECT (SELECT count(*) FROM context) || ' ' || count(spelling) FROM metric", want);
}

/* The order of tags, and tags given twice, are the sample's; the series has them sorted. */
static void one_spelling_each(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    for (int i = 0; i < 3; i++) {
        PUT(s, "none");
        PUT(s, "sorted", {"a:1", "b:2"});
        PUT(s, "mixed", {"b:2", "a:1"});
        PUT(s, "twice", {"a:1", "a:1"});
        PUT(s, "rate", {"a:1"}, .rate = 0.5);
        PUT(s, "from", {"a:1"}, .container = "c1");
        COMMIT(s);
        static const char once[] =
            "none sorted#a:1,b:2 mixed#b:2,a:1 twice#a:1,a:1 rate#a:1@0.5 from#a:1c:c1 ";
        char all[3 * sizeof once] = "";
        for (int k = 0; k <= i; k++)
            strcat(all, once);
        expect_samples(s, p.path, everything, all);
        expect_spellings(s, everything, once);
        expect_rows(p.path, "2 4");
        EXPECT_SQL(p.path, "SELECT group_concat(tags, ' ') FROM (SELECT tags FROM series ORDER BY id)",
                   "[] [\"a:1\",\"b:2\"] [\"a:1\",\"b:2\"] [\"a:1\"] [\"a:1\"] [\"a:1\"]");
        store_close(s);
        s = open_at(p.path);
    }
    expect_spellings(s, (struct filter){.sampled = true}, "rate#a:1@0.5 ");
    expect_spellings(s, (struct filter){.name = SPAN("mixed")}, "mixed#b:2,a:1 ");
    store_close(s);
    place_remove(&p);
}

/* Whichever comes first has the id of the series. */
static void many_spellings(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    for (int i = 0; i < 2; i++) {
        PUT(s, "plain", {"a:1", "b:2"});
        PUT(s, "plain", {"b:2", "a:1"});
        PUT(s, "plain", {"a:1", "b:2"}, .rate = 0.25);
        PUT(s, "rated", {"a:1", "b:2"}, .rate = 0.25);
        PUT(s, "rated", {"a:1", "b:2"});
        PUT(s, "rated", {"b:2", "a:1"});
        PUT(s, "mixed", {"b:2", "a:1"});
        PUT(s, "mixed", {"a:1", "b:2"});
        COMMIT(s);
        store_close(s);
        s = open_at(p.path);
    }
    expect_rows(p.path, "6 2");
    EXPECT_SQL(p.path, "SELECT group_concat(id || ' ' || metric_id, ',') FROM context WHERE id = metric_id",
               "4 4");
    EXPECT_SQL(p.path, "SELECT count(*) FROM context x JOIN metric m ON m.id = x.id AND m.id <> x.metric_id",
               "0");
    static const char once[] =
        "plain#a:1,b:2 plain#b:2,a:1 plain#a:1,b:2@0.25 rated#a:1,b:2@0.25 rated#a:1,b:2 "
        "rated#b:2,a:1 mixed#b:2,a:1 mixed#a:1,b:2 ";
    char all[2 * sizeof once];
    snprintf(all, sizeof all, "%s%s", once, once);
    expect_samples(s, p.path, everything, all);
    expect_spellings(s, everything, once);
    expect_spellings(s, (struct filter){.since = store_last_id(s)}, "");
    uint64_t mark = store_last_id(s);
    PUT(s, "plain", {"a:1", "b:2"});
    PUT(s, "rated", {"b:2", "a:1"});
    COMMIT(s);
    expect_spellings(s, (struct filter){.since = mark}, "plain#a:1,b:2 rated#b:2,a:1 ");
    store_close(s);
    place_remove(&p);
}

/* A recorder that is killed leaves samples whose spelling has no row, which the next one folds in. */
static void killed(void) {
    struct place p;
    place_make(&p);
    pid_t child = fork();
    if (child == 0) {
        struct store *s = open_at(p.path);
        PUT(s, "rated", .rate = 0.5);
        for (int i = 0; i < 3; i++) {
            PUT(s, "own");
            PUT(s, "mixed", {"b", "a"});
            if (i == 0)
                COMMIT(s);
            else
                OK(store_keep(s, &err));
        }
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    static const char want[] = "rated@0.5 own mixed#b,a own mixed#b,a own mixed#b,a ";
    EXPECT_SQL(p.path, "SELECT count(*) FROM kept", "2");
    EXPECT_SQL(p.path, SAMPLES_IN_VIEW, want);
    EXPECT_SQL(p.path, "SELECT group_concat(name || samples, ' ') FROM (SELECT * FROM series ORDER BY id)",
               "rated1 own3 mixed3");
    struct store *s = open_at(p.path);
    PUT(s, "new");
    COMMIT(s);
    EXPECT_SQL(p.path, "SELECT count(*) FROM kept", "0");
    expect_samples(s, p.path, everything, "rated@0.5 own mixed#b,a own mixed#b,a own mixed#b,a new ");
    expect_rows(p.path, "1 3");
    store_close(s);
    place_remove(&p);
}

/* Two series, of which the id of the one is that of a spelling of the other, as in files of before version 13:
 *     a   series 1, spellings 1 and 2      b   series 2, spelling 3      c   series 3, spelling 4 */
static void make_old(const char *path, uint64_t *other) {
    struct store *s = open_at(path);
    OK(store_session_add(s, SPAN("other"), (struct span){0}, 0, other, &err));
    PUT(s, "a", .timestamp = NOW * 1000);
    put(s, *other, (struct put){.name = "b", {"y", "x"}, .timestamp = NOW * 1000});
    PUT(s, "c");
    PUT(s, "a", .rate = 0.5, .timestamp = NOW * 1000);
    COMMIT(s);
    store_close(s);
    run_sql(
        path, WITHOUT_OWN_SPELLINGS
        "UPDATE context SET id = -CASE id WHEN 4 THEN 2 WHEN 1 THEN 1 ELSE id + 1 END;"
        "UPDATE chunk SET context_id = CASE context_id WHEN 4 THEN 2 WHEN 1 THEN 1 ELSE context_id + 1 END;"
        "UPDATE stray SET context_id = -CASE context_id WHEN 4 THEN 2 WHEN 1 THEN 1 ELSE context_id + 1 END;"
        "UPDATE context SET id = -id; UPDATE stray SET context_id = -context_id; PRAGMA user_version = 12");
}

static int on_stray(void *arg, const struct stray_row *row) {
    buf_printf(arg, "%.*s%llu ", SPAN_ARG(row->name), (unsigned long long)row->n);
    return 0;
}

static void expect_strays(struct store *s, const char *want) {
    struct err why = {0};
    struct buf got = {0};
    struct reader *r = store_reader_take(s, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    OK(r->ops->begin(r, &err));
    OK(r->ops->strays(r, &everything, on_stray, &got, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    buf_char(&got, '\0');
    EQ_STR(got.p, want);
    buf_free(&got);
}

static void an_older_file(void) {
    struct place p;
    place_make(&p);
    uint64_t other;
    make_old(p.path, &other);
    struct store *s = open_at(p.path);
    expect_samples(s, p.path, everything, "a b#y,x c a@0.5 ");
    expect_spellings(s, everything, "a a@0.5 b#y,x c ");
    expect_strays(s, "a1 a1 b1 ");
    PUT(s, "a", .rate = 0.5); /* as it was found there */
    PUT(s, "new", {"b", "a"}, .timestamp = NOW * 1000);
    PUT(s, "c", .rate = 0.5);
    COMMIT(s);
    expect_rows(p.path, "5 1");
    EXPECT_SQL(p.path, "SELECT group_concat(id) FROM (SELECT id FROM metric UNION SELECT id FROM context)",
               "1,2,3,4,5,6");
    expect_samples(s, p.path, everything, "a b#y,x c a@0.5 a@0.5 new#b,a c@0.5 ");
    expect_spellings(s, everything, "a a@0.5 b#y,x c c@0.5 new#b,a ");
    expect_strays(s, "a1 a1 b1 new1 ");
    store_close(s);
    s = open_at(p.path);
    /* What goes with one session is nothing of the other's, though the ids are the same. */
    struct store_removed removed;
    OK(store_reset(s, other, &removed, &err));
    expect_samples(s, p.path, everything, "a c a@0.5 a@0.5 new#b,a c@0.5 ");
    expect_strays(s, "a1 a1 new1 ");
    OK(store_reset(s, 1, &removed, &err));
    EXPECT_SQL(
        p.path,
        "SELECT (SELECT count(*) FROM stray) || (SELECT count(*) FROM context) || (SELECT count(*) FROM metric)",
        "000");
    PUT(s, "a");
    COMMIT(s);
    expect_samples(s, p.path, everything, "a ");
    store_close(s);
    place_remove(&p);
}

/* Only the series that have nothing left go, with what was counted of their spellings. */
static void evicted(bool old) {
    struct place p;
    place_make(&p);
    uint64_t other;
    if (old)
        make_old(p.path, &other);
    struct store *s = open_with((struct store_options){.path = p.path, .retention_samples = 64});
    if (!old) {
        PUT(s, "a", .timestamp = NOW * 1000);
        PUT(s, "a", .rate = 0.5);
        PUT(s, "c");
        COMMIT(s);
    }
    PUT(s, "left", {"b", "a"}, .timestamp = NOW * 1000);
    PUT(s, "left", {"b", "a"}, .rate = 0.5);
    for (int i = 0; i < 80; i++) {
        PUT(s, "left", {"b", "a"}, .timestamp = i == 79 ? NOW * 1000 : 0);
        if (i % 2)
            PUT(s, "rated", .rate = 0.5);
        if (i % 4 == 3)
            COMMIT(s);
    }
    EXPECT_SQL(p.path, "SELECT group_concat(name || sampled, ' ') FROM (SELECT * FROM series ORDER BY id)",
               "left0 rated1");
    expect_rows(p.path, "2 1"); /* a spelling without samples stays with its series */
    expect_spellings(s, everything, "left#b,a left#b,a@0.5 rated@0.5 ");
    expect_strays(s, "left1 ");
    EXPECT_SQL(p.path, "SELECT group_concat(DISTINCT name || tags || sample_rate) FROM samples",
               "left[\"b\",\"a\"]1.0,rated[]0.5");
    store_close(s);
    place_remove(&p);
}

static void evicted_of_new(void) {
    evicted(false);
}

static void evicted_of_old(void) {
    evicted(true);
}

UNIT_MAIN("store/own_spelling", {"one spelling each", one_spelling_each}, {"many spellings", many_spellings},
          {"killed", killed}, {"an older file", an_older_file}, {"evicted", evicted_of_new},
          {"evicted of an older file", evicted_of_old})
