/* Samples whose timestamps lie too far away are counted as they come. What the reader says of them is what a look at every sample
 * says: after commits, marks, evictions and resets, and in a file of before they were counted. So with the last sample of a gauge that was
 * less than the one before it. */
#include "core/stray.h"
#include "store/fixture.h"
#include "store/sqlite/rows.h"

#define NAMES         3
#define SESSIONS_MADE 2

struct counts {
    uint64_t n[NAMES][STRAY_KINDS + 1];
    int64_t timestamp[NAMES][STRAY_KINDS + 1]; /* the first of them */
    uint64_t looked;
};

static void count(struct counts *c, struct span name, int kind, uint64_t n, int64_t timestamp) {
    size_t i = (size_t)(name.p[0] - 'a');
    CU_ASSERT_FATAL(i < NAMES && kind > STRAY_NONE && kind <= STRAY_KINDS);
    if (c->n[i][kind] == 0)
        c->timestamp[i][kind] = timestamp;
    c->n[i][kind] += n;
}

static int take_stray(void *arg, const struct stray_row *row) {
    count(arg, row->name, row->kind, row->n, row->timestamp);
    return 0;
}

static int take_sample(void *arg, const struct sample_row *row) {
    struct counts *c = arg;
    enum stray kind = stray_of(row->value.timestamp, row->received_at, STRAY_POINT_OLD_S);
    c->looked++;
    if (kind != STRAY_NONE)
        count(c, row->spelling->name, kind, 1, row->value.timestamp);
    return 0;
}

/* The first of a name is that of its first series, so it is compared where there is one series to a name. */
static uint64_t compare(struct reader *r, struct span session, uint64_t since) {
    struct err why = {0};
    struct counts told = {0}, seen = {0};
    struct filter f = {.session = session, .since = since}, timed = f;
    timed.timed = true;
    EQ_INT(r->ops->begin(r, &why), 0);
    EQ_INT(r->ops->strays(r, &f, take_stray, &told, &why), 0);
    EQ_INT(r->ops->samples(r, &timed, false, take_sample, &seen, &why), 0);
    r->ops->end(r);
    for (int i = 0; i < NAMES; i++)
        for (int kind = 1; kind <= STRAY_KINDS; kind++) {
            EQ_INT(told.n[i][kind], seen.n[i][kind]);
            if (session.p)
                EQ_INT(told.timestamp[i][kind], seen.timestamp[i][kind]);
        }
    return seen.looked;
}

/* --- gauges that fell ---------------------------------------------------------------------------------- */

#define SERIES_MADE (NAMES * SESSIONS_MADE)

struct falls {
    uint64_t series[SERIES_MADE], fell_id[SERIES_MADE], newest_id;
    double newest;
    size_t n;
};

/* Series by series. */
static int take_next(void *arg, const struct sample_row *row) {
    struct falls *f = arg;
    if (f->n == 0 || f->series[f->n - 1] != row->series_id) {
        CU_ASSERT_FATAL(f->n < SERIES_MADE);
        f->series[f->n] = row->series_id;
        f->fell_id[f->n++] = 0;
    } else if (row->value.number < f->newest)
        f->fell_id[f->n - 1] = row->id;
    f->newest = row->value.number;
    return 0;
}

static int take_summary(void *arg, const struct series_row *row) {
    const struct falls *f = arg;
    for (size_t i = 0; i < f->n; i++)
        if (f->series[i] == row->id) {
            CU_ASSERT(row->fall_known);
            EQ_INT(row->fell_id > row->first_id ? row->fell_id : 0, f->fell_id[i]);
        }
    return 0;
}

static void compare_falls(struct reader *r) {
    struct err why = {0};
    struct falls falls = {.n = 0};
    EQ_INT(r->ops->begin(r, &why), 0);
    EQ_INT(r->ops->samples(r, &everything, false, take_next, &falls, &why), 0);
    EQ_INT(r->ops->series(r, &everything, take_summary, &falls, &why), 0);
    r->ops->end(r);
}

static void compare_all(struct store *s, uint64_t mark) {
    struct err why = {0};
    struct reader *r = store_reader_take(s, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    for (int i = 0; i < 2; i++) {
        compare(r, SPAN("default"), i ? mark : 0);
        compare(r, SPAN("other"), i ? mark : 0);
        compare(r, (struct span){NULL, 0}, i ? mark : 0);
    }
    compare_falls(r);
    store_reader_give(s, r);
}

static unsigned seed;
static unsigned roll(unsigned n) {
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % n;
}

static void put_timed(struct store *s, uint64_t session, int name, int64_t now_s) {
    const int64_t times[] = {0, now_s, now_s - 3601, now_s + 601, now_s * 1000, now_s - 3600, now_s + 600, 5};
    char text[] = {(char)('a' + name), 0};
    static const int32_t keys[] = {1, 2};
    static const uint32_t counts[] = {1, 2};
    struct sketch sketch = {
        .count = 3, .sum = 3, .min = 1, .max = 2, .avg = 1, .n_bins = 2, .keys = keys, .counts = counts};
    struct value v = {.number = name == 2 ? sketch.avg : roll(name == 1 ? 2000 : 3),
                      .timestamp = times[roll(8)]};
    if (name == 2)
        v.sketch = &sketch;
    struct record r = {.kind = RECORD_METRIC,
                       .metric = {.name = span_str(text),
                                  .type = name == 2 ? METRIC_DISTRIBUTION : METRIC_GAUGE,
                                  .sample_rate = 1,
                                  .n_values = 1,
                                  .values = &v}};
    OK(store_arrival(s, session, SOURCE_HTTP, now_s * 1000000000 + 5, &err));
    OK(store_put(s, &r, &err));
}

static void as_if_looked_at(const char *path) {
    struct store *s = open_with((struct store_options){.path = path, .retention_samples = 400});
    uint64_t other, mark = 0;
    seed = 7;
    OK(store_session_add(s, SPAN("other"), SPAN("k"), 0, &other, &err));
    for (int i = 0; i < 1500; i++) {
        put_timed(s, roll(2) ? other : 1, (int)roll(NAMES), AT / 1000000000 + i * 60);
        if (roll(9) == 0)
            COMMIT(s);
        if (i % 300 == 299) {
            COMMIT(s);
            compare_all(s, mark);
            mark = store_last_id(s);
            compare_all(s, mark - 20);
        }
        if (i == 900)
            OK(store_reset(s, other, NULL, &err));
    }
    COMMIT(s);
    compare_all(s, mark);
    OK(store_reset(s, 1, NULL, &err));
    compare_all(s, 0);
    store_close(s);
}
ON_EACH_MEDIUM(as_if_looked_at)

static void older_are_counted(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_at(p.path);
    struct err why = {0};
    for (int i = 0; i < 500; i++) {
        put_timed(s, 1, (int)roll(NAMES), AT / 1000000000 + i * 60);
        if (roll(5) == 0)
            COMMIT(s);
    }
    COMMIT(s);
    store_close(s);
    static const char all[] =
        "SELECT group_concat(context_id || ' ' || kind || ' ' || n || ' ' || timestamp || ' ' || first_id || ' ' || "
        "last_id, ';') FROM (SELECT * FROM stray ORDER BY context_id, kind)";
    static char counted[4096], migrated[4096];
    ask_sql(p.path, all, counted, sizeof counted);
    CU_ASSERT(strlen(counted) > 200);
    run_sql(p.path, TO_VERSION_6);
    store_close(open_at(p.path));
    ask_sql(p.path, all, migrated, sizeof migrated);
    EQ_STR(migrated, counted);
    struct reader *r = store_reader_open(p.path, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT(compare(r, SPAN("default"), 0) > 300);
    reader_close(r);
    place_remove(&p);
}

#define SPELLINGS 50

/* A mark between samples of each spelling of a series: its samples are read once, not once for each spelling. */
static void many_spellings(void) {
    struct store *s = open_at(":memory:");
    struct err why = {0};
    uint64_t mark = 0;
    char container[16];
    struct value v = {.number = 1, .timestamp = 5};
    struct record r = {
        .kind = RECORD_METRIC,
        .metric = {.name = SPAN("a"), .type = METRIC_GAUGE, .sample_rate = 1, .n_values = 1, .values = &v}};
    OK(store_arrival(s, 1, SOURCE_UDP, AT, &err));
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < SPELLINGS; i++) {
            snprintf(container, sizeof container, "c%d", i);
            r.metric.origin.container_id = span_str(container);
            OK(store_put(s, &r, &err));
        }
        COMMIT(s);
        mark = round == 1 ? store_last_id(s) : mark;
    }
    struct reader *reader = store_reader_take(s, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
    struct counts told = {0};
    struct filter f = {.session = SPAN("default"), .since = mark};
    OK(reader->ops->begin(reader, &err));
    uint64_t before = ((struct rows *)reader)->n_looked;
    OK(reader->ops->strays(reader, &f, take_stray, &told, &err));
    EQ_INT(told.n[0][STRAY_PAST], 2 * SPELLINGS);
    CU_ASSERT(((struct rows *)reader)->n_looked - before <= 4 * SPELLINGS);
    reader->ops->end(reader);
    store_reader_give(s, reader);
    store_close(s);
}

UNIT_MAIN("store/strays", {"as if each sample were looked at, on a file", as_if_looked_at_on_file},
          {"in memory", as_if_looked_at_in_memory}, {"in a file of an earlier version", older_are_counted},
          {"many spellings of a series", many_spellings})
