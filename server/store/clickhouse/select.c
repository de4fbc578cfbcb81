/* Which pushes are meant: the newest push of each recording, of those the ones whose labels the URL lets through. */
#include "core/array.h"
#include "core/clock.h"
#include "core/glob.h"
#include "store/clickhouse/fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int cmp_u64(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int cmp_i64(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int cmp_uuid(struct fleet_uuid a, struct fleet_uuid b) {
    int order = cmp_u64(a.high, b.high);
    return order ? order : cmp_u64(a.low, b.low);
}

/* The pushes of a recording side by side, the newest last. */
static int by_recording(const void *pa, const void *pb) {
    const struct fleet_recording *a = pa, *b = pb;
    int order = cmp_uuid(a->name, b->name);
    order = order ? order : cmp_i64(a->pushed_at, b->pushed_at);
    return order ? order : cmp_uuid(a->push, b->push);
}

static int by_start(const void *pa, const void *pb) {
    const struct fleet_recording *a = pa, *b = pb;
    int order = cmp_i64(a->started_at, b->started_at);
    return order ? order : cmp_uuid(a->name, b->name);
}

/* Repository, branch and job side by side, the newest first. */
static int by_job(const void *pa, const void *pb) {
    static const char *const keys[] = {"repo", "branch", "job"};
    const struct fleet_recording *a = pa, *b = pb;
    int order = 0;
    for (size_t i = 0; i < 3 && order == 0; i++) {
        int label = fleet_label_of(keys[i]);
        order = span_cmp(a->labels[label], b->labels[label]);
    }
    return order ? order : by_start(pb, pa);
}

static bool same_job(const struct fleet_recording *a, const struct fleet_recording *b) {
    int repo = fleet_label_of("repo"), branch = fleet_label_of("branch"), job = fleet_label_of("job");
    return span_eq(a->labels[repo], b->labels[repo]) && span_eq(a->labels[branch], b->labels[branch]) &&
           span_eq(a->labels[job], b->labels[job]);
}

/* --- the table ---------------------------------------------------------------------------------------------- */

static struct span *take_list(struct arena *texts, struct taker *t, size_t *n) {
    *n = take_count(t, 1);
    struct span *list = arena_alloc(texts, (*n + 1) * sizeof *list);
    for (size_t i = 0; i < *n; i++) {
        struct span text = take_text(t);
        if (list)
            list[i] = arena_copy(texts, text);
    }
    return list;
}

static void take_recording(struct arena *texts, struct taker *t, struct fleet_recording *x) {
    x->name = take_uuid(t);
    x->push = take_uuid(t);
    x->pushed_at = take_i64(t);
    x->started_at = take_i64(t);
    uint64_t *const numbers[] = {&x->last_id,   &x->n_series,  &x->n_spellings,
                                 &x->n_samples, &x->n_records, &x->lost};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = take_u64(t);
    for (int i = 0; i < FLEET_LABELS; i++)
        x->labels[i] = arena_copy(texts, take_text(t));
    size_t n;
    x->keys = take_list(texts, t, &x->n_others);
    x->values = take_list(texts, t, &n);
    x->n_others = n < x->n_others ? n : x->n_others;
}

static void make_question(const struct fleet_url *url, struct buf *sql) {
    buf_str(
        sql,
        "SELECT recording, push, pushed_at, started_at, last_id, n_series, n_spellings, n_samples, n_records, lost,"
        " repo, branch, commit, job, run, host, version, label_keys, label_values FROM recordings WHERE 1");
    if (url->since)
        buf_printf(sql, " AND day >= toDate(%lld)", (long long)(url->since / (86400 * NS_PER_S)));
    if (url->until)
        buf_printf(sql, " AND day <= toDate(%lld)", (long long)(url->until / (86400 * NS_PER_S)));
    if (url->recording[0])
        buf_printf(sql, " AND recording = toUUID('%.8s-%.4s-%.4s-%.4s-%.12s')", url->recording,
                   url->recording + 8, url->recording + 12, url->recording + 16, url->recording + 20);
    buf_str(sql, " FORMAT RowBinary");
}

static int read_recordings(struct fleet_reader *r, struct err *err) {
    struct buf sql = {.max = 4096}, answer = {0};
    make_question(&r->url, &sql);
    int failed = fleet_ask(&r->f, sql.p, 0, NULL, &answer, err);
    struct taker t = {answer.p, answer.p + answer.n, false};
    while (!failed && take_more(&t)) {
        if (!array_room(&r->list, r->n, &r->cap, sizeof *r->list))
            failed = err_set(err, 0, "out of memory");
        else
            take_recording(&r->texts, &t, &r->list[r->n++]);
    }
    if (!failed && t.failed)
        failed = fleet_damaged(r, err);
    if (!failed && r->texts.failed)
        failed = err_set(err, 0, "out of memory");
    buf_free(&sql);
    buf_free(&answer);
    return failed;
}

/* --- the conditions ----------------------------------------------------------------------------------------- */

static struct span other_label(const struct fleet_recording *x, struct span key) {
    for (size_t i = 0; i < x->n_others; i++)
        if (span_eq(x->keys[i], key))
            return x->values[i];
    return SPAN("");
}

static struct span label_of(const struct fleet_recording *x, const struct fleet_word *word) {
    return word->other ? other_label(x, span_str(word->key)) : x->labels[fleet_label_of(word->key)];
}

struct span fleet_label(const struct fleet_recording *x, struct span key) {
    for (int i = 0; i < FLEET_LABELS; i++)
        if (span_eq(key, span_str(fleet_labels[i])))
            return x->labels[i];
    return other_label(x, key);
}

static bool is_meant(const struct fleet_url *url, const struct fleet_recording *x) {
    for (size_t i = 0; i < url->n_words; i++)
        if (!glob_match(span_str(url->words[i].glob), label_of(x, &url->words[i])))
            return false;
    return (!url->since || x->started_at >= url->since) && (!url->until || x->started_at < url->until);
}

static void keep_meant(struct fleet_reader *r) {
    size_t n = 0;
    if (r->n > 1)
        qsort(r->list, r->n, sizeof *r->list, by_recording);
    for (size_t i = 0; i < r->n; i++) {
        bool newest = i + 1 == r->n || cmp_uuid(r->list[i].name, r->list[i + 1].name) != 0;
        if (!newest || !is_meant(&r->url, &r->list[i]))
            continue;
        if (r->url.lossless && r->list[i].lost > 0)
            r->n_lossy++;
        else
            r->list[n++] = r->list[i];
    }
    r->n = n;
}

static void keep_latest(struct fleet_reader *r) {
    size_t n = 0;
    uint64_t of_job = 0;
    if (r->n > 1)
        qsort(r->list, r->n, sizeof *r->list, by_job);
    for (size_t i = 0; i < r->n; i++) {
        of_job = n > 0 && same_job(&r->list[n - 1], &r->list[i]) ? of_job + 1 : 1;
        if (of_job <= r->url.latest)
            r->list[n++] = r->list[i];
    }
    r->n = n;
}

static int refuse_nothing(const struct fleet_reader *r, const struct fleet_recording *newest,
                          struct err *err) {
    char at[CLOCK_RFC3339_SIZE];
    if (r->n_lossy)
        return err_set(err, 0, "no recording in %s matches and has lost nothing; %zu have losses",
                       fleet_http_where(r->f.http), r->n_lossy);
    if (!newest)
        return err_set(err, 0, "no recording in %s matches", fleet_http_where(r->f.http));
    clock_rfc3339(newest->started_at, at);
    struct span repo = newest->labels[0], branch = newest->labels[1];
    return err_set(err, 0,
                   "no recording in %s matches; the newest of those looked at: %.16s, repo %.*s, branch %.*s",
                   fleet_http_where(r->f.http), at, (int)(repo.n < 80 ? repo.n : 80), repo.p,
                   (int)(branch.n < 80 ? branch.n : 80), branch.p);
}

/* Some series or records may be gone: a partition was dropped, a replica lags. */
static int check_complete(struct fleet_reader *r, struct err *err) {
    uint64_t series = 0, records = 0, have[2] = {0};
    struct buf answer = {0};
    struct fleet_table sel = {"sel", FLEET_SEL, buf_view(&r->sel)};
    for (size_t i = 0; i < r->n; i++) {
        series += r->list[i].n_series;
        records += r->list[i].n_records;
    }
    static const char *const questions[] = {
        "SELECT count() FROM series WHERE push IN (SELECT push FROM sel) FORMAT RowBinary",
        "SELECT count() FROM records WHERE push IN (SELECT push FROM sel) FORMAT RowBinary"};
    for (int i = 0; i < 2; i++) {
        if (fleet_ask(&r->f, questions[i], 1, &sel, &answer, err) != 0) {
            buf_free(&answer);
            return -1;
        }
        struct taker t = {answer.p, answer.p + answer.n, false};
        have[i] = take_u64(&t);
    }
    buf_free(&answer);
    if (have[0] == series && have[1] == records)
        return 0;
    return err_set(err, 0,
                   "%s holds %" PRIu64 " of %" PRIu64 " series and %" PRIu64 " of %" PRIu64
                   " records: a part of it was dropped, or a replica lags behind",
                   fleet_http_where(r->f.http), have[0], series, have[1], records);
}

int fleet_select(struct fleet_reader *r, bool *usage, struct err *err) {
    if (read_recordings(r, err) != 0)
        return -1;
    struct fleet_recording newest = {0};
    bool some = r->n > 0;
    for (size_t i = 0; i < r->n; i++)
        newest = by_start(&r->list[i], &newest) > 0 || i == 0 ? r->list[i] : newest;
    keep_meant(r);
    if (r->url.latest)
        keep_latest(r);
    if (r->n > 1)
        qsort(r->list, r->n, sizeof *r->list, by_start);
    *usage = r->n == 0 || r->n > FLEET_RECORDINGS_MAX;
    if (r->n == 0)
        return refuse_nothing(r, some ? &newest : NULL, err);
    if (*usage)
        return err_set(
            err, 0,
            "%zu recordings match, more than the %d that can be asked at once: narrow it with since= or repo=",
            r->n, FLEET_RECORDINGS_MAX);
    for (size_t i = 0; i < r->n; i++) {
        put_uuid(&r->sel, r->list[i].push);
        put_u32(&r->sel, (uint32_t)i);
    }
    return check_complete(r, err);
}
