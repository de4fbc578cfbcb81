/* Records and filters at random, on every medium. */
#include "core/glob.h"
#include "store/fixture.h"

static uint32_t dice_state;
static uint32_t dice(uint32_t sides) {
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

static char random_bytes[4096];
static struct span random_span(void) {
    size_t at = dice(4000), n = dice(4) ? dice(12) : dice(90);
    return span_of(random_bytes + at, n);
}

static struct span maybe_span(void) {
    return dice(3) ? span_of(NULL, 0) : random_span();
}

static double random_number(void) {
    switch (dice(5)) {
    case 0:
        return dice(100);
    case 1:
        return (double)dice(1000000) / 1000;
    case 2:
        return -ldexp((double)dice(1 << 24), (int)dice(2000) - 1000);
    case 3:
        return 2.2250738585072014e-308;
    default:
        return (double)(dice(1 << 24)) * 1e300;
    }
}

static void random_records(const char *path) {
    struct store *s = open_at(path);
    struct lines want = {0};
    struct buf line = {0};
    dice_state = 4711;
    for (size_t i = 0; i < sizeof random_bytes; i++)
        random_bytes[i] = (char)dice(256);
    struct metric spellings[64];
    static struct span tags[64][6];
    for (size_t i = 0; i < 64; i++) {
        size_t n_tags = dice(6);
        for (size_t t = 0; t < n_tags; t++)
            tags[i][t] = random_span();
        spellings[i] = (struct metric){.type = (enum metric_type)dice(METRIC_N_TYPES),
                                       .name = random_span(),
                                       .sample_rate = dice(2) ? 1 : 0.25,
                                       .n_tags = n_tags,
                                       .tags = tags[i],
                                       .unit = maybe_span(),
                                       .interval = dice(3)};
        spellings[i].origin.host = maybe_span();
        spellings[i].origin.container_id = maybe_span();
    }
    uint64_t id = 0;
    while (id < 10000) {
        struct metric m = spellings[dice(64)];
        struct value values[4];
        m.n_values = dice(4) + 1;
        m.values = values;
        int64_t at = AT + (int64_t)(id / 50);
        enum source source = (enum source)dice(2);
        for (size_t i = 0; i < m.n_values; i++) {
            values[i] = (struct value){.timestamp = dice(4) ? 0 : 1 + (int64_t)dice(99)};
            if (m.type == METRIC_SET)
                values[i].text = random_span();
            else
                values[i].number = random_number();
            show_sample(&line, ++id, SPAN("default"), source, at, &m, &values[i]);
            lines_add(&want, &line);
        }
        struct record record = {.kind = RECORD_METRIC, .metric = m};
        OK(store_arrival(s, 1, source, at, &err));
        OK(store_put(s, &record, &err));
        if (dice(30) == 0)
            COMMIT(s);
    }
    COMMIT(s);
    struct lines got = lines_of(s, SAMPLES, everything);
    EQ_INT(got.n, want.n);
    for (size_t i = 0; i < got.n && i < want.n; i++)
        if (strcmp(got.text[i], want.text[i]) != 0) {
            EQ_STR(got.text[i], want.text[i]);
            break;
        }
    EQ_INT(count_of(s, SAMPLES_BY_SERIES, everything), want.n);
    lines_free(&got);
    lines_free(&want);
    buf_free(&line);
    store_close(s);
}
ON_EACH_MEDIUM(random_records)

/* Any filter finds what a search through a plain list finds. */
struct plain {
    uint32_t name, type, tag, source, session, rate;
};

static bool plain_matches(const struct plain *p, const struct filter *f, uint64_t id,
                          const char *const *names, const char *const *tags) {
    static const char *const sessions_by_number[] = {"", "default", "two"};
    return id > f->since && (!f->until || id <= f->until) &&
           (!f->name.p || glob_match(f->name, span_str(names[p->name]))) &&
           (!f->has_type || f->type == p->type) && (!f->has_source || f->source == p->source) &&
           (!f->n_tags || glob_match(f->tags[0], span_str(tags[p->tag]))) &&
           (!f->session.p || span_eq(f->session, span_str(sessions_by_number[p->session])));
}

static void any_filter(const char *path) {
    enum { N = 3000, ASKED = 300 };
    static const char *const names[] = {"a", "a.b", "a.c", "b", "zz"};
    static const char *const tags[] = {"env:ci", "env:prod", "x"};
    static const char *const globs[] = {"a", "a.*", "*", "zz", "?", "none", "a*c"};
    static const char *const tag_globs[] = {"env:ci", "env:*", "x", "y"};
    static struct plain list[N + 1];
    struct store *s = open_at(path);
    uint64_t two;
    OK(store_session_add(s, SPAN("two"), SPAN("k"), 0, &two, &err));
    EQ_INT(two, 2);
    dice_state = 99;
    for (uint32_t id = 1; id <= N; id++) {
        struct plain *p = &list[id];
        *p = (struct plain){dice(5), dice(3), dice(3), dice(4), 1 + dice(2), dice(2)};
        if (dice(3))
            p->name = 1; /* most are of few series, some are rare */
        struct span tag = span_str(tags[p->tag]);
        struct value value = {.number = id};
        struct record record = {.kind = RECORD_METRIC,
                                .metric = {.type = (enum metric_type)p->type,
                                           .name = span_str(names[p->name]),
                                           .sample_rate = p->rate ? 1 : 0.5,
                                           .n_tags = 1,
                                           .tags = &tag,
                                           .n_values = 1,
                                           .values = &value}};
        OK(store_arrival(s, p->session, (enum source)p->source, AT, &err));
        OK(store_put(s, &record, &err));
        if (dice(id < N / 2 ? 200 : 10) == 0)
            COMMIT(s);
    }
    COMMIT(s);
    for (int asked = 0; asked < ASKED; asked++) {
        struct span tag = span_str(tag_globs[dice(4)]);
        struct filter f = {.since = dice(2) ? dice(N) : 0,
                           .until = dice(3) ? 0 : dice(N),
                           .limit = dice(2) ? 0 : dice(50),
                           .newest = dice(2)};
        if (dice(2))
            f.name = span_str(globs[dice(7)]);
        f.has_type = dice(4) == 0;
        f.type = (enum metric_type)dice(3);
        f.has_source = dice(4) == 0;
        f.source = (enum source)dice(4);
        f.n_tags = dice(3) == 0;
        f.tags = &tag;
        if (dice(3) == 0)
            f.session = dice(2) ? SPAN("two") : SPAN("default");
        uint64_t want[N], n = 0;
        for (uint64_t id = 1; id <= N; id++)
            if (plain_matches(&list[id], &f, id, names, tags))
                want[n++] = id;
        uint64_t skip = f.limit && n > f.limit && f.newest ? n - f.limit : 0;
        uint64_t expected = f.limit && n > f.limit ? f.limit : n;
        struct lines got = lines_of(s, SAMPLES, f);
        EQ_INT(got.n, expected);
        for (uint64_t i = 0; i < expected && i < got.n; i++)
            CU_ASSERT((uint64_t)atoi(got.text[i]) == want[skip + i]);
        lines_free(&got);
        EQ_INT(count_of(s, SAMPLES_BY_SERIES, f), expected);
    }
    store_close(s);
}
ON_EACH_MEDIUM(any_filter)

UNIT_MAIN("store/random", CASES("10,000 random records", random_records), CASES("any filter", any_filter))
