/* The reports that a recording keeps, and recordings that are only looked at. */
#include "fixture.h"

static void keep(struct store *s, const char *session, const char *verdict, uint64_t question,
                 const char *report) {
    struct verdict_row row = {.at = (int64_t)question,
                              .question = question,
                              .session = span_str(session),
                              .kind = SPAN("expect"),
                              .verdict = span_str(verdict),
                              .report = span_str(report)};
    OK(store_verdict(s, &row));
}

struct list {
    struct buf text;
    size_t n;
};

static int note(void *arg, const struct verdict_row *row) {
    struct list *l = arg;
    l->n++;
    buf_printf(&l->text, "%.*s %.*s x%d %.*s;", SPAN_ARG(row->session), SPAN_ARG(row->verdict),
               (int)row->asked, SPAN_ARG(row->report));
    return 0;
}

#define EXPECT_KEPT(store, wanted)                                                                           \
    do {                                                                                                     \
        struct list l = {.text = {.max = 1 << 20}};                                                          \
        store_verdicts_each(store, note, &l);                                                                \
        buf_char(&l.text, '\0');                                                                             \
        CU_ASSERT_STRING_EQUAL(l.text.p, wanted);                                                            \
        buf_free(&l.text);                                                                                   \
    } while (0)

static void newest_first_and_the_same_question_once(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    keep(s, "a", "fail", 1, "{\"n\":1}");
    keep(s, "b", "pass", 1, "{\"n\":2}"); /* the same question about another session is another one */
    keep(s, "a", "fail", 2, "{\"n\":3}");
    keep(s, "a", "pass", 1, "{\"n\":4}");
    EXPECT_KEPT(s, "a pass x2 {\"n\":4};a fail x1 {\"n\":3};b pass x1 {\"n\":2};");
    struct store_verdict_counts counts;
    store_verdicts_count(s, &counts);
    EQ_INT(counts.kept, 3);
    EQ_INT(counts.failed, 1);
    EQ_INT(counts.last_id, 4);
    store_close(s);
    place_remove(&p);
}

static void passes_make_room_before_failures(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    keep(s, "a", "fail", 1, "{}");
    for (uint64_t i = 2; i < 3 * STORE_VERDICTS_MAX; i++)
        keep(s, "a", "pass", i, "{}");
    struct store_verdict_counts counts;
    store_verdicts_count(s, &counts);
    EQ_INT(counts.kept, STORE_VERDICTS_MAX);
    EQ_INT(counts.failed, 1);
    for (uint64_t i = 0; i < 2 * STORE_VERDICTS_MAX; i++)
        keep(s, "b", "fail", i, "{}");
    store_verdicts_count(s, &counts);
    EQ_INT(counts.kept, STORE_VERDICTS_MAX);
    EQ_INT(counts.failed, STORE_VERDICTS_MAX);
    char *text = calloc(1, STORE_VERDICT_SIZE_MAX + 2);
    memset(text, 'x', STORE_VERDICT_SIZE_MAX + 1);
    struct verdict_row row = {.session = SPAN("a"), .report = span_str(text)};
    CU_ASSERT_NOT_EQUAL(store_verdict(s, &row), 0);
    free(text);
    store_close(s);
    EXPECT_SQL(p.path, "SELECT count(*) || ' ' || min(session) FROM verdicts", "100 b");
    place_remove(&p);
}

static void they_outlive_the_recorder(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    keep(s, "a", "fail", 7, "{\"n\":1}");
    store_close(s); /* nothing else was recorded */
    s = open_at(p.path);
    EXPECT_KEPT(s, "a fail x1 {\"n\":1};");
    keep(s, "a", "fail", 7, "{\"n\":2}");
    keep(s, "a", "pass", 8, "{\"n\":3}");
    put_number(s, "x", 1);
    COMMIT(s); /* with what is committed they are written, too */
    EXPECT_SQL(p.path, "SELECT group_concat(asked || report, ' ') FROM (SELECT * FROM verdicts ORDER BY id)",
               "2{\"n\":2} 1{\"n\":3}");
    EXPECT_SQL(p.path, "SELECT group_concat(id) FROM (SELECT id FROM verdicts ORDER BY id)", "2,3");
    OK(store_empty(s, &err));
    EXPECT_KEPT(s, "");
    store_close(s);
    EXPECT_SQL(p.path, "SELECT count(*) FROM verdicts", "0");
    place_remove(&p);
}

/* --- recordings that are only looked at -------------------------------------------------------------------------------------- */

static int note_series(void *arg, const struct series_row *row) {
    buf_printf(arg, "%.*s/%.*s %d %.0f;", SPAN_ARG(row->session), SPAN_ARG(row->name), row->id > 1000,
               row->sum);
    return 0;
}

static int note_sample(void *arg, const struct sample_row *row) {
    buf_printf(arg, "%.*s/%.*s %d;", SPAN_ARG(row->session), SPAN_ARG(row->spelling->name),
               row->series_id > 1000);
    return 0;
}

static int note_session(void *arg, const struct session_row *row) {
    buf_printf(arg, "%.*s %d;", SPAN_ARG(row->name), (int)row->samples);
    return 0;
}

#define EXPECT_TEXT(call, wanted)                                                                            \
    do {                                                                                                     \
        struct buf b = {.max = 1 << 20};                                                                     \
        OK(call);                                                                                            \
        buf_char(&b, '\0');                                                                                  \
        CU_ASSERT_STRING_EQUAL(b.p, wanted);                                                                 \
        buf_free(&b);                                                                                        \
    } while (0)

static void two_recordings_as_one(void) {
    struct place p, q;
    place_make(&p);
    place_make(&q);
    struct store *s = open_at(p.path);
    put_number(s, "only.first", 1);
    put_number(s, "both", 2);
    keep(s, "default", "fail", 1, "{}");
    store_close(s);
    s = open_at(q.path);
    put_number(s, "both", 3);
    keep(s, "default", "pass", 1, "{}");
    store_close(s);
    struct buf before = read_file(p.path);

    const char *const paths[] = {p.path, q.path};
    struct err why = {0};
    s = store_open_view(paths, 2, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    struct store_stats stats;
    store_stats(s, &stats);
    EQ_INT(stats.samples, 3);
    EQ_INT(stats.series, 3);
    EXPECT_KEPT(s, "2:default pass x1 {};default fail x1 {};");
    struct reader *r = store_reader_take(s, &why);
    OK(r->ops->begin(r, &err));
    struct filter all = {0}, second = {.session = SPAN("2:default")}, one = {.limit = 1};
    EXPECT_TEXT(r->ops->series(r, &all, note_series, &b, &err),
                "default/only.first 0 1;default/both 0 2;2:default/both 1 3;");
    EXPECT_TEXT(r->ops->series(r, &second, note_series, &b, &err), "2:default/both 1 3;");
    EXPECT_TEXT(r->ops->series(r, &one, note_series, &b, &err), "default/only.first 0 1;");
    EXPECT_TEXT(r->ops->samples(r, &second, true, note_sample, &b, &err), "2:default/both 1;");
    EXPECT_TEXT(r->ops->sessions(r, note_session, &b, &err), "default 2;2:default 1;");
    struct filter newest = {.limit = 1, .newest = true};
    EXPECT_TEXT(r->ops->samples(r, &newest, true, note_sample, &b, &err), "2:default/both 1;");
    newest.limit = 2;
    EXPECT_TEXT(r->ops->samples(r, &newest, true, note_sample, &b, &err), "default/both 0;2:default/both 1;");
    newest.limit = 9;
    EXPECT_TEXT(r->ops->samples(r, &newest, true, note_sample, &b, &err),
                "default/only.first 0;default/both 0;2:default/both 1;");
    struct filter later = {.since = 1}, of_second = {.since = READER_SECOND};
    EXPECT_TEXT(r->ops->samples(r, &later, true, note_sample, &b, &err), "default/both 0;2:default/both 1;");
    EXPECT_TEXT(r->ops->samples(r, &of_second, true, note_sample, &b, &err), "2:default/both 1;");
    of_second.since++;
    EXPECT_TEXT(r->ops->samples(r, &of_second, true, note_sample, &b, &err), "");
    later.until = 2;
    EXPECT_TEXT(r->ops->samples(r, &later, true, note_sample, &b, &err), "default/both 0;");
    later.until = READER_SECOND + 1;
    EXPECT_TEXT(r->ops->samples(r, &later, true, note_sample, &b, &err), "default/both 0;2:default/both 1;");
    uint64_t first_id, second_id, none, last_id;
    OK(r->ops->session_id(r, SPAN("default"), &first_id, &err));
    OK(r->ops->session_id(r, SPAN("2:default"), &second_id, &err));
    OK(r->ops->session_id(r, SPAN("2:other"), &none, &err));
    CU_ASSERT(first_id == 1 && second_id > 1000 && none == 0);
    OK(reader_last_id(r, first_id, &last_id, &err));
    EQ_INT(last_id, 2);
    OK(reader_last_id(r, second_id, &last_id, &err));
    EQ_INT(last_id, READER_SECOND + 1);
    OK(reader_last_id(r, 0, &last_id, &err));
    EQ_INT(last_id, READER_SECOND + 1);
    r->ops->end(r);
    store_reader_give(s, r);
    store_close(s);
    struct buf after = read_file(p.path);
    CU_ASSERT(before.n == after.n && memcmp(before.p, after.p, after.n) == 0);
    buf_free(&before);
    buf_free(&after);
    place_remove(&p);
    place_remove(&q);
}

static void a_view_follows_its_recorder(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    const char *const paths[] = {p.path};
    struct err why = {0};
    struct store *view = store_open_view(paths, 1, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(view);
    struct store_stats stats;
    char name[RECORDING_NAME_SIZE], viewed[RECORDING_NAME_SIZE];
    for (int i = 1; i <= 3; i++) {
        uint64_t changes = store_view_changes(view);
        put_number(s, "a", i);
        OK(store_request(s, &(struct request){.method = SPAN("GET"), .path = SPAN("/"), .status = 200},
                         &err));
        OK(store_loss(s, 0, LOSS_TRUNCATED, 2, SPAN("d"), &err));
        keep(s, "default", i == 2 ? "fail" : "pass", 1, "{}");
        store_stats(view, &stats); /* nothing is committed */
        EQ_INT(stats.samples, i - 1);
        EQ_INT(store_view_changes(view), changes);
        COMMIT(s);
        CU_ASSERT_NOT_EQUAL(store_view_changes(view), changes);
        changes = store_view_changes(view);
        store_stats(view, &stats);
        EQ_INT(stats.samples, i);
        EQ_INT(stats.series, 1);
        EQ_INT(stats.requests, i);
        EQ_INT(stats.losses[LOSS_TRUNCATED], 2 * i);
        EQ_INT(stats.losses[LOSS_UNWRITTEN], 1);
        CU_ASSERT(stats.bytes > 0);
        EQ_INT(store_view_changes(view), changes);
        struct store_verdict_counts counts;
        store_verdicts_count(view, &counts);
        EQ_INT(counts.last_id, i);
        EQ_INT(counts.failed, i == 2);
    }
    EXPECT_KEPT(view, "default pass x3 {};");
    struct store_removed removed;
    OK(store_reset(s, 1, &removed, &err));
    store_stats(view, &stats);
    EQ_INT(stats.samples, 0);
    EQ_INT(store_view_replaced(view), 0);
    OK(store_empty(s, &err));
    store_recording(s, name);
    store_recording(view, viewed);
    EQ_STR(viewed, name);
    EQ_INT(store_view_replaced(view), 1);
    EXPECT_KEPT(view, "");
    store_close(s);
    store_stats(view, &stats);
    EQ_INT(stats.losses[LOSS_UNWRITTEN], 0);
    unlink(p.path);
    s = open_at(p.path);
    put_number(s, "b", 1);
    keep(s, "default", "fail", 1, "[]");
    store_close(s);
    EXPECT_KEPT(view, "default fail x1 [];");
    store_stats(view, &stats);
    EQ_INT(stats.samples, 1);
    EQ_INT(stats.requests, 0);
    EQ_INT(store_view_replaced(view), 2);
    store_close(view);
    place_remove(&p);
}

/* It is copied, and the copy brought up to date. */
static void an_older_recording_is_viewed_unchanged(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    put_number(s, "kept", 1);
    store_close(s);
    run_sql(p.path, TO_VERSION_6 FROM_6_TO_5);
    struct buf before = read_file(p.path);
    const char *const paths[] = {p.path};
    struct err why = {0};
    CU_ASSERT_PTR_NULL(store_reader_open(p.path, &why));
    s = store_open_view(paths, 1, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    struct reader *r = store_reader_take(s, &why);
    OK(r->ops->begin(r, &err));
    struct filter all = {0};
    EXPECT_TEXT(r->ops->series(r, &all, note_series, &b, &err), "default/kept 0 1;");
    r->ops->end(r);
    store_reader_give(s, r);
    store_close(s);
    struct buf after = read_file(p.path);
    CU_ASSERT(before.n == after.n && memcmp(before.p, after.p, after.n) == 0);
    buf_free(&before);
    buf_free(&after);
    place_remove(&p);
}

/* The file that a reader's next moment is of. */
static void see_file(struct reader *r, struct reader_file of[2]) {
    memset(of, 0, 2 * sizeof *of);
    OK(r->ops->begin(r, &err));
    OK(r->ops->file(r, of, &err));
    r->ops->end(r);
}

/* Of a copy, which has the same name. */
static void put_in_place(const char *path) {
    char copy[sizeof((struct place *)NULL)->path + 8];
    snprintf(copy, sizeof copy, "%s.copy", path);
    struct buf bytes = read_file(path);
    write_file(copy, bytes.p, bytes.n);
    buf_free(&bytes);
    OK(rename(copy, path));
}

static void a_file_is_told_from_its_copy(const char *make_older) {
    struct place p, q;
    place_make(&p);
    place_make(&q);
    struct store *second = open_at(q.path), *s = open_at(p.path);
    put_number(s, "a", 1);
    store_close(s);
    run_sql(p.path, make_older);
    const char *const paths[] = {p.path, q.path};
    struct err why = {0};
    struct store *views[] = {store_open_view(paths, 1, &why), store_open_view(paths, 2, &why)};
    CU_ASSERT_FATAL(views[0] && views[1]);
    struct reader *readers[4];
    struct reader_file first[2], now[2], other[2];
    for (int i = 0; i < 4; i++)
        readers[i] = store_reader_take(views[i / 2], &why);
    see_file(readers[0], first);
    CU_ASSERT(strlen(first[0].recording) == 32 && first[1].inode == 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++) {
            see_file(readers[i], now);
            EQ_STR(now[0].recording, first[0].recording);
            CU_ASSERT(reader_file_is(&now[0], &first[0]) == (round == 0));
            EQ_INT(now[1].inode != 0, i / 2);
            if (i == 2)
                memcpy(other, now, sizeof other);
            if (i == 3)
                CU_ASSERT(reader_file_is(&now[0], &other[0]) && reader_file_is(&now[1], &other[1]));
        }
        EQ_INT(store_view_replaced(views[0]), round);
        put_number(second, "b", 1); /* its file stays */
        COMMIT(second);
        if (round == 0)
            put_in_place(p.path);
    }
    store_close(second);
    see_file(readers[3], now);
    CU_ASSERT_TRUE(reader_file_is(&now[1], &other[1]));
    put_in_place(q.path);
    see_file(readers[3], now);
    CU_ASSERT_TRUE(reader_file_is(&now[0], &other[0]));
    CU_ASSERT_FALSE(reader_file_is(&now[1], &other[1]));
    EQ_STR(now[1].recording, other[1].recording);
    for (int i = 0; i < 4; i++)
        store_reader_give(views[i / 2], readers[i]);
    store_close(views[0]);
    store_close(views[1]);
    place_remove(&p);
    place_remove(&q);
}

static void a_copy_is_another_file(void) {
    a_file_is_told_from_its_copy("SELECT 1");
    a_file_is_told_from_its_copy(
        TO_VERSION_6 FROM_6_TO_5 FROM_5_TO_4 FROM_4_TO_3 FROM_3_TO_2); /* which has no name */
}

static void what_is_no_recording_is_not_viewed(void) {
    struct place p;
    place_make(&p);
    store_close(open_at(p.path));
    const char *const paths[] = {p.path, "/nowhere/r.db"};
    struct err why = {0};
    CU_ASSERT_PTR_NULL(store_open_view(paths, 2, &why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "/nowhere/r.db"));
    place_remove(&p);
}

UNIT_MAIN("store/verdicts",
          {"newest first, and the same question once", newest_first_and_the_same_question_once},
          {"passes make room before failures", passes_make_room_before_failures},
          {"they outlive the recorder", they_outlive_the_recorder},
          {"two recordings as one", two_recordings_as_one},
          {"a view follows its recorder", a_view_follows_its_recorder},
          {"an older recording is viewed unchanged", an_older_recording_is_viewed_unchanged},
          {"a copy in the place of a file is another file", a_copy_is_another_file},
          {"what is no recording is not viewed", what_is_no_recording_is_not_viewed})
