/* One number for one claim: the same samples give the same sum, count and average to the last bit, however the recorder's commits
 * cut them, whichever claims are asked beside, whether the judge started at the end or was fed, and after the file was opened again.
 */
#include "judge/judge.h"
#include "store/store.h"
#include "unit.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#define N_VALUES 6

static const double values[N_VALUES] = {0.1, 0.2, 0.3, 1e16, 0.7, -1e16};
static const double rates[N_VALUES] = {1, 0.3, 1, 0.7, 1, 0.3}; /* three spellings of one series */

static char folder[64], path[96];

static void place_make(void) {
    strcpy(folder, "/tmp/statwit-one-number-XXXXXX");
    assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/r.db", folder);
}

static void place_remove(void) {
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", "-lock", "-journal", NULL}; *end;
         end++) {
        char file[128];
        snprintf(file, sizeof file, "%s%s", path, *end);
        unlink(file);
    }
    EQ_INT(rmdir(folder), 0);
}

static struct store *open_store(void) {
    struct store_options options = {.path = path};
    struct err err = {0};
    struct store *s = store_open(&options, &err);
    assert(s);
    return s;
}

static void put(struct store *s, size_t i, bool sampled) {
    struct value value = {.number = values[i]};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = METRIC_COUNT,
                                       .name = SPAN("a"),
                                       .sample_rate = sampled ? rates[i] : 1,
                                       .n_values = 1,
                                       .values = &value}};
    struct err err = {0};
    assert(store_arrival(s, 1, SOURCE_UDP, 1795000000000000000 + (int64_t)i, &err) == 0);
    assert(store_put(s, &record, &err) == 0);
}

static void commit(struct store *s) {
    struct err err = {0};
    assert(store_commit(s, &err) == 0);
}

static struct reader *begin(struct store *s) {
    struct err err = {0};
    struct reader *r = store_reader_take(s, &err);
    assert(r && r->ops->begin(r, &err) == 0);
    return r;
}

static void end(struct store *s, struct reader *r) {
    r->ops->end(r);
    store_reader_give(s, r);
}

static struct judge *parse(const char *text) {
    struct judge_source source = {.text = span_str(text)};
    struct judge_error error;
    struct judge *j = judge_parse(&source, 1, NULL, &error);
    assert(j);
    return j;
}

/* What the first expectation's clauses were told, with all digits: "clause observed, …". */
static void observed(struct judge *j, struct store *s, char *text, size_t size) {
    struct err err = {0};
    struct reader *r = begin(s);
    json_t *report = judge_report(j, r, &err), *clause;
    assert(report);
    end(s, r);
    size_t i, n = 0;
    text[0] = '\0';
    json_array_foreach(json_object_get(json_array_get(json_object_get(report, "results"), 0), "clauses"), i,
                       clause) {
        const json_t *value = json_object_get(clause, "observed");
        n += (size_t)snprintf(text + n, size - n, "%s %a, ", json_string_value(json_object_get(clause, "op")),
                              json_number_value(value));
    }
    json_decref(report);
    judge_free(j);
}

static int feed_series(void *j, const struct series_row *row) {
    return judge_take_series(j, row);
}

static int feed_sample(void *j, const struct sample_row *row) {
    return judge_take_sample(j, row);
}

static void feed_rest(struct judge *j, struct store *s, uint64_t *cursor) {
    struct err err = {0};
    struct reader *r = begin(s);
    struct filter all = {0}, rest = {.since = *cursor};
    assert(r->ops->series(r, &all, feed_series, j, &err) == 0);
    assert(r->ops->samples(r, &rest, true, feed_sample, j, &err) == 0);
    assert(r->ops->last_id(r, cursor, &err) == 0);
    end(s, r);
}

static struct judge *started(const char *text, struct store *s) {
    struct err err = {0};
    struct judge *j = parse(text);
    struct reader *r = begin(s);
    assert(judge_start(j, r, &err) == 0);
    end(s, r);
    return j;
}

static const char claim[] =
    "incr a sum == 1 and count == 2 and avg == 3 and min == 4 and max == 5 and last == 6";
/* Each makes the judge read samples that the claim alone does not. */
static const char *const companions[] = {"",
                                         "any a distinct == 3",
                                         "incr a p50 == 1",
                                         "incr a first == 1",
                                         "incr a rate == 1",
                                         "incr a sum ~ 1",
                                         "incr a each != 1",
                                         "no incr a each > 1 and rate < 1",
                                         "any * median == 3",
                                         "timing a"};

/* The bits of `cuts` say after which samples a commit comes. */
static void check_cuts(unsigned cuts, bool sampled, char first[512]) {
    char text[512], got[512];
    place_make();
    struct store *s = open_store();
    struct judge *fed = started(claim, s), *halfway = NULL;
    uint64_t fed_to = 0, halfway_to = 0;
    for (size_t i = 0; i < N_VALUES; i++) {
        put(s, i, sampled);
        if (!(cuts >> i & 1))
            continue;
        commit(s);
        feed_rest(fed, s, &fed_to);
        if (!halfway) {
            halfway = started(claim, s);
            halfway_to = judge_seen(halfway);
        }
        if (cuts % 3 == 0) { /* the running sums go on in a file that is opened again */
            store_close(s);
            s = open_store();
        }
    }
    commit(s);
    feed_rest(fed, s, &fed_to);
    observed(fed, s, got, sizeof got);
    if (!first[0])
        strcpy(first, got);
    EQ_STR(got, first);
    if (halfway) {
        feed_rest(halfway, s, &halfway_to);
        observed(halfway, s, got, sizeof got);
        EQ_STR(got, first);
    }
    for (size_t i = 0; i < sizeof companions / sizeof companions[0]; i++) {
        snprintf(text, sizeof text, "%s\n%s", claim, companions[i]);
        observed(started(text, s), s, got, sizeof got);
        EQ_STR(got, first);
    }
    store_close(s);
    place_remove();
}

static void test_all_cuts_and_companions(void) {
    for (int sampled = 0; sampled < 2; sampled++) {
        char first[512] = "";
        for (unsigned cuts = 0; cuts < 1u << (N_VALUES - 1); cuts++)
            check_cuts(cuts, sampled, first);
    }
}

/* As found: passed or failed by when the recorder committed. */
static void test_a_person_s_sum(void) {
    for (unsigned cuts = 0; cuts < 4; cuts++) {
        place_make();
        struct store *s = open_store();
        for (size_t i = 0; i < 3; i++) {
            put(s, i, false);
            if (cuts >> i & 1)
                commit(s);
        }
        commit(s);
        struct judge *j =
            started("incr a sum == 0.6 and avg == 0.2\nno incr a sum != 0.6\nincr a distinct == 3", s);
        EQ_INT(judge_verdict(j), VERDICT_PASS);
        judge_free(j);
        j = started("incr a sum == 0.600001", s);
        EQ_INT(judge_verdict(j), VERDICT_FAIL);
        judge_free(j);
        store_close(s);
        place_remove();
    }
}

UNIT_MAIN("judge/one number", {"any commits, any companions, fed or started", test_all_cuts_and_companions},
          {"0.1 + 0.2 + 0.3 is 0.6", test_a_person_s_sum})
