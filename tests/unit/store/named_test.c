/* Series found by their names are those that a look at all of them finds; and a claim about one name costs the same on a large
 * recording as on a small one. Work is counted in steps of SQLite's machine, which are the same everywhere. */
#include "core/glob.h"
#include "judge/judge.h"
#include "store/fixture.h"
#include "store/sqlite/rows.h"

/* --- the same series, however they are found ---------------------------------------------------- */

#define N_NAMES 300

static uint32_t dice_state;
static uint32_t dice(uint32_t sides) {
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

/* Few letters, so that names are often beginnings of each other; with bytes that sort at the ends. */
static struct span random_text(char text[16], bool wild) {
    static const char letters[] = {'a', 'b', '.', 'a', '\0', (char)0xff, '*', '?'};
    size_t n = dice(7);
    for (size_t i = 0; i < n; i++)
        text[i] = letters[dice(wild && dice(2) ? 8 : dice(4) ? 4 : 6)];
    return span_of(text, n);
}

struct wanted {
    size_t n;
    const struct span *names;
    struct span session; /* p == NULL: any */
    bool exactly;        /* nothing else may be given */
    size_t n_right, n_wrong;
    uint64_t last_id;
};

static bool is_wanted(const struct wanted *w, struct span name, struct span session) {
    for (size_t i = 0; i < w->n && (!w->session.p || span_eq(session, w->session)); i++)
        if (glob_match(w->names[i], name))
            return true;
    return false;
}

static int count_wanted(void *arg, const struct series_row *row) {
    struct wanted *w = arg;
    *(is_wanted(w, row->name, row->session) ? &w->n_right : &w->n_wrong) += 1;
    return 0;
}

static int take_named(void *arg, const struct series_row *row) {
    struct wanted *w = arg;
    CU_ASSERT(row->id > w->last_id);
    CU_ASSERT(!w->session.p || span_eq(row->session, w->session));
    w->last_id = row->id;
    return count_wanted(arg, row);
}

static int count_samples(void *arg, const struct sample_row *row) {
    struct wanted *w = arg;
    *(is_wanted(w, row->spelling->name, row->session) ? &w->n_right : &w->n_wrong) += 1;
    return 0;
}

static void compare(struct reader *r, struct wanted want) {
    struct filter all = {0}, named = {.n_names = want.n, .names = want.names, .session = want.session};
    struct wanted every = want, found = want, sampled = want;
    OK(r->ops->series(r, &all, count_wanted, &every, &err));
    OK(r->ops->series(r, &named, take_named, &found, &err));
    EQ_INT(found.n_right, every.n_right);
    CU_ASSERT(!want.exactly || found.n_wrong == 0);
    OK(r->ops->samples(r, &named, false, count_samples, &sampled, &err));
    EQ_INT(sampled.n_right, every.n_right); /* each has one */
    struct filter one = {.name = want.names[0], .session = want.session};
    struct wanted single = want, alone = want;
    single.n = alone.n = 1;
    OK(r->ops->series(r, &all, count_wanted, &single, &err));
    OK(r->ops->series(r, &one, take_named, &alone, &err));
    EQ_INT(alone.n_right, single.n_right);
    EQ_INT(alone.n_wrong, 0);
}

/* n_names: that many names in turn; 0: random ones. */
static void fill_random(struct store *s, const uint64_t *sessions, size_t n, size_t n_names) {
    char text[16];
    for (size_t i = 0; i < n; i++) {
        struct span name = random_text(text, false);
        if (n_names)
            name =
                span_of(text, (size_t)snprintf(text, sizeof text, "%c.%zu", 'a' + (int)(i % 3), i % n_names));
        struct value value = {.number = 1};
        struct record record = {
            .kind = RECORD_METRIC,
            .metric = {
                .type = METRIC_COUNT, .name = name, .sample_rate = 1, .n_values = 1, .values = &value}};
        char tag[16];
        snprintf(tag, sizeof tag, "i:%zu", i);
        struct span tags[] = {span_str(tag)};
        record.metric.n_tags = 1;
        record.metric.tags = tags;
        OK(store_arrival(s, sessions[i % 2], SOURCE_UDP, AT, &err));
        OK(store_put(s, &record, &err));
    }
    COMMIT(s);
}

static void same_series(const char *path) {
    struct store *s = open_at(path);
    uint64_t other;
    dice_state = 1;
    OK(store_session_add(s, SPAN("other"), span_of(NULL, 0), 0, &other, &err));
    fill_random(s, (const uint64_t[]){1, other}, N_NAMES, 0);
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    OK(r->ops->begin(r, &err));
    for (int round = 0; round < 500; round++) {
        char texts[40][16];
        struct span names[40];
        struct wanted want = {.n = 1 + dice(dice(3) ? 4 : 40), .names = names};
        for (size_t i = 0; i < want.n; i++)
            names[i] = random_text(texts[i], true);
        want.session = dice(2) ? SPAN("other") : span_of(NULL, 0);
        want.exactly = want.n <= 16;
        compare(r, want);
    }
    r->ops->end(r);
    store_reader_give(s, r);
    store_close(s);
}
ON_EACH_MEDIUM(same_series)

static int count_series(void *arg, const struct series_row *row) {
    (void)row;
    ++*(size_t *)arg;
    return 0;
}

struct told_names {
    struct reader *r;
    size_t n, n_series;
    char last[16];
};

static int take_name(void *arg, struct span name) {
    struct told_names *t = arg;
    struct filter of_name = {.n_names = 1, .names = &name};
    CU_ASSERT(t->n == 0 || span_cmp(name, span_str(t->last)) > 0);
    memcpy(t->last, name.p, name.n);
    t->last[name.n] = '\0';
    t->n++;
    OK(t->r->ops->series(t->r, &of_name, count_series, &t->n_series, &err));
    return 0;
}

/* Where many series have one name, the index is read name by name from some place on. */
static void check_few_names(const char *path, size_t n_names) {
    struct store *s = open_at(path);
    uint64_t other;
    OK(store_session_add(s, SPAN("other"), span_of(NULL, 0), 0, &other, &err));
    fill_random(s, (const uint64_t[]){1, other}, 3000, n_names);
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    OK(r->ops->begin(r, &err));
    for (int round = 0; round < 40; round++) {
        char texts[3][16];
        struct span names[3];
        struct wanted want = {.n = 3, .names = names, .exactly = true};
        for (size_t i = 0; i < 3; i++)
            names[i] = span_of(texts[i], (size_t)snprintf(texts[i], 16, i ? "%c.%u" : "%c.*%u",
                                                          'a' + (int)dice(4), dice(200)));
        want.session = dice(2) ? SPAN("other") : span_of(NULL, 0);
        compare(r, want);
    }
    struct told_names told = {.r = r};
    OK(r->ops->names(r, take_name, &told, &err));
    EQ_INT(told.n_series, 3000);
    r->ops->end(r);
    store_reader_give(s, r);
    store_close(s);
}

static void few_names(void) {
    static const size_t n_names[] = {1, 7, 100, 170, 2000};
    for (size_t k = 0; k < sizeof n_names / sizeof n_names[0]; k++)
        check_few_names(":memory:", n_names[k]);
}

/* As a list is read in parts. */
static void test_parts(void) {
    struct store *s = open_at(":memory:");
    for (int i = 0; i < 500; i++) {
        char name[16];
        snprintf(name, sizeof name, "%s%d", i % 20 ? "a" : "b", i);
        put_number(s, name, 1);
    }
    COMMIT(s);
    struct filter f = {.name = SPAN("b*"), .limit = 10};
    EQ_INT(count_of(s, SERIES, f), 10);
    f.after_series = 201; /* b0, b20 … b200 are before */
    EQ_INT(count_of(s, SERIES, f), 10);
    f.limit = 0;
    EQ_INT(count_of(s, SERIES, f), 14);
    f = (struct filter){.name = SPAN("b*"), .limit = 3, .newest = true};
    struct lines newest = lines_of(s, SERIES, f);
    EQ_INT(newest.n, 3);
    EXPECT_LINE(newest, 0, "'b440'");
    EXPECT_LINE(newest, 2, "'b480'");
    lines_free(&newest);
    EQ_INT(count_of(s, SAMPLES, (struct filter){.name = SPAN("b*"), .limit = 7, .newest = true}), 7);
    store_close(s);
}

/* --- growth ------------------------------------------------------------------------------------- */

#define FEW  2000
#define MANY (8 * FEW)

/* Two samples of each series, four series of a name; the first and the last few are of the session `other`. */
static void fill(struct store *s, int n_series) {
    for (int i = 0; i < 2 * n_series; i++) {
        char name[48], tag[32];
        snprintf(name, sizeof name, "%s.request%d", i / 4 % 3 ? "service" : "web", i % n_series / 4);
        snprintf(tag, sizeof tag, "shard:%d", i % 4);
        put_in(s, 1, SOURCE_UDP, AT, name, i % 7, i % 2 ? METRIC_COUNT : METRIC_TIMING, tag);
    }
    COMMIT(s);
}

static int count_step(void *arg) {
    ++*(uint64_t *)arg;
    return 0;
}

static uint64_t work_of(struct store *s, const char *text, uint64_t since, enum verdict want) {
    struct judge_source source = {.text = span_str(text)};
    struct judge_options options = {.since = since};
    struct judge_error error;
    uint64_t steps = 0;
    struct judge *j = judge_parse(&source, 1, &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    sqlite3 *db = ((struct rows *)r)->db;
    OK(r->ops->begin(r, &err));
    sqlite3_progress_handler(db, 1, count_step, &steps);
    OK(judge_start(j, r, &err));
    sqlite3_progress_handler(db, 0, NULL, NULL);
    r->ops->end(r);
    store_reader_give(s, r);
    EQ_STR(verdict_word(judge_verdict(j)), verdict_word(want));
    judge_free(j);
    return steps;
}

/* Each question to a file begins with this one. */
static uint64_t work_of_session(struct store *s) {
    uint64_t steps = 0, id;
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    sqlite3 *db = ((struct rows *)r)->db;
    sqlite3_progress_handler(db, 1, count_step, &steps);
    OK(r->ops->session_id(r, SPAN("default"), &id, &err));
    EQ_INT(id, 1);
    OK(r->ops->session_id(r, SPAN("Default"), &id, &err));
    EQ_INT(id, 0);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    store_reader_give(s, r);
    return steps;
}

static void test_growth(void) {
    static const struct {
        const char *text;
        bool since;
        enum verdict want;
    } questions[] = {
        {"incr web.request0 samples >= 1", false, VERDICT_PASS},
        {"incr web.request0 samples >= 1", true, VERDICT_PASS},
        {"incr web.request0{shard:1} sum >= 0", false, VERDICT_PASS},
        {"incr web.request0[shard:3] each >= 0", false, VERDICT_PASS},
        {"incr web.request0{host:web-1}", false, VERDICT_FAIL},
        {"timing web.request0 p95 < 500 and distinct > 0", false, VERDICT_PASS},
        {"timing web.request0 p95 < 500", true, VERDICT_PASS},
        {"timing web.missing.latency", false, VERDICT_FAIL},
        {"no incr web.missing", false, VERDICT_PASS},
        {"no incr web.missing", true, VERDICT_PASS},
        {"no any errors.*", false, VERDICT_PASS},
        {"any web.request0 series <= 4", false, VERDICT_PASS},
        {"incr web.request0\nno any errors.*\ngauge nothing.here samples == 0\nevent * samples == 0", false,
         VERDICT_PASS},
    };
    struct store *few = open_at(":memory:"), *many = open_at(":memory:");
    fill(few, FEW);
    fill(many, MANY);
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        uint64_t a = work_of(few, questions[i].text, questions[i].since, questions[i].want),
                 b = work_of(many, questions[i].text, questions[i].since, questions[i].want);
        if (b > a + a / 10 || a > 5000)
            fprintf(stderr, "%s: %llu steps of %d series, %llu of %d\n", questions[i].text,
                    (unsigned long long)a, FEW, (unsigned long long)b, MANY);
        CU_ASSERT(b <= a + a / 10 && a <= 5000);
    }
    EQ_INT(work_of_session(many), work_of_session(few));
    store_close(few);
    store_close(many);
}

/* --- the first record of a time ------------------------------------------------------------------ */

static uint64_t first_at(struct store *s, int64_t at) {
    struct err failed = {0};
    struct reader *r = store_reader_take(s, &failed);
    uint64_t id = 0;
    OK(r->ops->begin(r, &err));
    OK(r->ops->first_at(r, at, &id, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    return id;
}

/* Samples and events in turn, several of a moment; each first one is found, and no later one. */
static void first_of_time(const char *path) {
    struct store *s = open_at(path);
    EQ_INT(first_at(s, 0), 0);
    struct record event = {.kind = RECORD_EVENT, .event = {.title = SPAN("t"), .text = SPAN("x")}};
    for (int i = 0; i < 100; i++) {
        int64_t at = AT + i / 3 * 10;
        if (i % 4 == 3) {
            OK(store_arrival(s, 1, SOURCE_UDP, at, &err));
            OK(store_put(s, &event, &err));
        } else
            put_in(s, 1, SOURCE_UDP, at, "a", i, METRIC_COUNT, NULL);
        if (i % 7 == 0)
            COMMIT(s);
    }
    COMMIT(s);
    for (int i = 0; i < 34; i++) {
        EQ_INT(first_at(s, AT + i * 10), i * 3 + 1);
        EQ_INT(first_at(s, AT + i * 10 - 1), i * 3 + 1);
        EQ_INT(first_at(s, AT + i * 10 + 1), i == 33 ? 0 : i * 3 + 4);
    }
    EQ_INT(first_at(s, 0), 1);
    EQ_INT(first_at(s, INT64_MAX), 0);
    store_close(s);
}
ON_EACH_MEDIUM(first_of_time)

UNIT_MAIN("store/named", {"series found by name where many have one", few_names},
          CASES("the first record of a time", first_of_time),
          CASES("series found by name are those that a look at all finds", same_series),
          {"a list by name is read in parts", test_parts},
          {"a claim about one name costs the same on a large recording", test_growth})
