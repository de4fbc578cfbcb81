/* The recording alone: how many samples a second it takes, at what size, and how long one commit is; beside what SQLite
 * itself does with the narrowest rows that could hold the same (series, value), in the same run on the same disk.
 *
 *     make bench-store [BENCH_STORE=MILLIONS]
 */
#include "core/clock.h"
#include "store/store.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PER_READ 1280 /* 64 datagrams of 20 */

static char directory[] = "/tmp/statwit-bench-XXXXXX", path[64];

static _Noreturn void give_up(const char *what) {
    fprintf(stderr, "store_bench: %s\n", what);
    exit(1);
}

static void check(int result, const struct err *err) {
    if (result != 0)
        give_up(err->text);
}

static void remove_files(void) {
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[80];
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

static double cpu_s(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long rss_kib(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static double file_bytes(void) {
    struct stat st;
    return stat(path, &st) == 0 ? (double)st.st_size : 0;
}

/* A metric as the decoder of lines would hand it over. */
struct made {
    char name[32], rest[80], tags[2][32];
    struct span spans[2];
    char digits[8];
    struct value value;
    struct record record;
};

static void make(struct made *m, uint64_t series, uint64_t i) {
    m->record.kind = RECORD_METRIC;
    struct metric *metric = &m->record.metric;
    metric->type = METRIC_COUNT;
    metric->sample_rate = 1;
    metric->name = span_of(m->name, (size_t)snprintf(m->name, sizeof m->name, "service.request.n%llu",
                                                     (unsigned long long)series));
    m->spans[0] = span_of(m->tags[0], (size_t)snprintf(m->tags[0], sizeof m->tags[0], "env:ci"));
    m->spans[1] = span_of(m->tags[1], (size_t)snprintf(m->tags[1], sizeof m->tags[1], "instance:i-%llu",
                                                       (unsigned long long)series));
    metric->n_tags = 2;
    metric->tags = m->spans;
    metric->key_name = metric->name;
    metric->key_rest =
        span_of(m->rest, (size_t)snprintf(m->rest, sizeof m->rest, "c|#%s,%s", m->tags[0], m->tags[1]));
    m->value.text = span_of(m->digits, (size_t)snprintf(m->digits, sizeof m->digits, "%d", (int)(i % 1000)));
    m->value.number = (double)(i % 1000);
    metric->n_values = 1;
    metric->values = &m->value;
}

static uint64_t scatter(uint64_t i, uint64_t n) {
    i *= 0x9e3779b97f4a7c15u;
    return (i >> 32) % n;
}

/* Stores n samples of n_series, scattered or in turn; returns samples a second. */
static double store_rate(uint64_t n_series, uint64_t n, uint64_t per_commit, bool in_turn,
                         double *cpu_per_million, double *bytes_per_sample, double *longest_ms, double *mib) {
    struct err err = {0};
    struct store *s = store_open(&(struct store_options){.path = path}, &err);
    if (!s)
        give_up(err.text);
    struct made *made = calloc(n_series, sizeof *made);
    if (!made)
        give_up("out of memory");
    for (uint64_t i = 0; i < n_series; i++) {
        make(&made[i], i, i);
        made[i].record.metric.tags = made[i].spans;
    }
    double cpu = cpu_s(), before_mib = (double)rss_kib() / 1024;
    int64_t start = clock_mono_ns(), longest = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (i % PER_READ == 0)
            store_arrival(s, 1, SOURCE_UDP, start + (int64_t)i, &err);
        check(store_put(s, &made[in_turn ? i % n_series : scatter(i, n_series)].record, &err), &err);
        if ((i + 1) % per_commit == 0 || i + 1 == n) {
            int64_t before = clock_mono_ns();
            check(store_commit(s, &err), &err);
            int64_t took = clock_mono_ns() - before;
            longest = took > longest ? took : longest;
        }
    }
    double seconds = (double)(clock_mono_ns() - start) / 1e9;
    *mib = (double)rss_kib() / 1024 - before_mib;
    *cpu_per_million = (cpu_s() - cpu) / ((double)n / 1e6);
    *longest_ms = (double)longest / 1e6;
    free(made);
    store_close(s);
    *bytes_per_sample = file_bytes() / (double)n;
    return (double)n / seconds;
}

/* The yardstick: narrow rows (series, value), 200 to a statement, same pages, same commits. */
static double bare_rate(uint64_t n_series, uint64_t n, uint64_t per_commit, double *cpu_per_million) {
    enum { ROWS = 200 };
    sqlite3 *db;
    sqlite3_stmt *stmt;
    char sql[ROWS * 6 + 64] = "INSERT INTO t VALUES ";
    for (int i = 0; i < ROWS; i++)
        strcat(sql, i ? ",(?,?)" : "(?,?)");
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
                     "PRAGMA wal_autocheckpoint = 2048; CREATE TABLE t (series INTEGER, value REAL)",
                     NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        give_up(sqlite3_errmsg(db));
    double cpu = cpu_s();
    int64_t start = clock_mono_ns();
    uint64_t uncommitted = 0;
    for (uint64_t i = 0; i < n; i += ROWS) {
        if (uncommitted == 0)
            sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
        for (int k = 0; k < ROWS; k++) {
            sqlite3_bind_int64(stmt, 2 * k + 1, (sqlite3_int64)scatter(i + (uint64_t)k, n_series));
            sqlite3_bind_double(stmt, 2 * k + 2, (double)((i + (uint64_t)k) % 1000));
        }
        if (sqlite3_step(stmt) != SQLITE_DONE)
            give_up(sqlite3_errmsg(db));
        sqlite3_reset(stmt);
        uncommitted += ROWS;
        if (uncommitted >= per_commit) {
            sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
            uncommitted = 0;
        }
    }
    if (uncommitted)
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    double seconds = (double)(clock_mono_ns() - start) / 1e9;
    *cpu_per_million = (cpu_s() - cpu) / ((double)n / 1e6);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return (double)n / seconds;
}

/* per_commit: as many as the ingest loop commits under load. */
static void compare(uint64_t n_series, uint64_t n, uint64_t per_commit, bool in_turn) {
    double cpu, bare_cpu, bytes, longest, mib;
    double bare = bare_rate(n_series, n, per_commit, &bare_cpu);
    remove_files();
    double rate = store_rate(n_series, n, per_commit, in_turn, &cpu, &bytes, &longest, &mib);
    printf(
        "%8llu series%s %5.2f M/s, bare rows %5.2f M/s, ratio %4.2f   CPU %5.2f s/M, bare rows %4.2f, ratio %4.2f\n",
        (unsigned long long)n_series, in_turn ? " in turn" : "", rate / 1e6, bare / 1e6, rate / bare, cpu,
        bare_cpu, bare_cpu / cpu);
    printf("                 %.1f bytes a sample, longest commit %.1f ms, %.0f MiB\n", bytes, longest, mib);
}

/* The rows that each new series takes (itself, its summary, a chunk of one value) with the indexes of schema/sqlite. */
static double bare_series_rate(uint64_t n, uint64_t per_commit, double *cpu_per_million) {
    static const char tables[] =
        "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;"
        "PRAGMA wal_autocheckpoint = 2048;"
        "CREATE TABLE m (id INTEGER PRIMARY KEY, session INTEGER, hash BLOB, name TEXT, type INTEGER, tags TEXT);"
        "CREATE INDEX mn ON m (name, session, type); CREATE INDEX ms ON m (session);"
        "CREATE TABLE y (id INTEGER PRIMARY KEY, samples INTEGER, count REAL, sum REAL, min REAL, max REAL, last REAL,"
        " first_at INTEGER, last_at INTEGER, first_id INTEGER, last_id INTEGER, chunk INTEGER);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, context INTEGER, prev INTEGER, n INTEGER, count REAL, sum REAL,"
        " min REAL, max REAL, vals TEXT)";
    static const char *const rows[] = {
        "INSERT INTO m VALUES (?1, 1, zeroblob(12), 'service.request.n' || ?1, 0, '[\"env:ci\",\"instance:i-' || ?1 || '\"]')",
        "INSERT INTO y VALUES (?1, 1, 1.0, 7.0, 7.0, 7.0, 7.0, ?2, ?2, ?1, ?1, ?1)",
        "INSERT INTO c VALUES (?1, ?1, NULL, 1, 1.0, 7.0, 7.0, 7.0, '7')"};
    sqlite3 *db;
    enum { ROWS = sizeof rows / sizeof rows[0], SUMMARY = 1 };
    sqlite3_stmt *stmt[ROWS];
    if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, tables, NULL, NULL, NULL) != SQLITE_OK)
        give_up(sqlite3_errmsg(db));
    for (int i = 0; i < ROWS; i++)
        if (sqlite3_prepare_v2(db, rows[i], -1, &stmt[i], NULL) != SQLITE_OK)
            give_up(sqlite3_errmsg(db));
    double cpu = cpu_s();
    int64_t start = clock_mono_ns();
    for (uint64_t i = 0; i < n; i++) {
        if (i % per_commit == 0)
            sqlite3_exec(db, i ? "COMMIT; BEGIN" : "BEGIN", NULL, NULL, NULL);
        for (int k = 0; k < ROWS; k++) {
            sqlite3_bind_int64(stmt[k], 1, (sqlite3_int64)i + 1);
            if (k == SUMMARY)
                sqlite3_bind_int64(stmt[k], 2, start);
            if (sqlite3_step(stmt[k]) != SQLITE_DONE)
                give_up(sqlite3_errmsg(db));
            sqlite3_reset(stmt[k]);
        }
    }
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    double seconds = (double)(clock_mono_ns() - start) / 1e9;
    *cpu_per_million = (cpu_s() - cpu) / ((double)n / 1e6);
    for (int k = 0; k < ROWS; k++)
        sqlite3_finalize(stmt[k]);
    sqlite3_close(db);
    return (double)n / seconds;
}

/* What a recorder reads of a file before it can store anything. */
static double load_cpu_s(void) {
    struct err err = {0};
    double cpu = cpu_s();
    struct store *s = store_open(&(struct store_options){.path = path}, &err);
    if (!s)
        give_up(err.text);
    cpu = cpu_s() - cpu;
    store_close(s);
    return cpu;
}

static void compare_new(uint64_t n, uint64_t per_commit) {
    double cpu, bare_cpu, bytes, longest, mib;
    double bare = bare_series_rate(n, per_commit, &bare_cpu);
    remove_files();
    double rate = store_rate(n, n, per_commit, true, &cpu, &bytes, &longest, &mib);
    double load = load_cpu_s() / ((double)n / 1e6);
    remove_files();
    printf(
        "%8llu new     %6.3f M/s, bare rows %5.3f M/s, ratio %4.2f   CPU %5.2f s/M, bare rows %4.2f, ratio %4.2f\n",
        (unsigned long long)n, rate / 1e6, bare / 1e6, rate / bare, cpu, bare_cpu, bare_cpu / cpu);
    printf(
        "                 %.1f bytes a series in the file, %.0f of memory; loaded again: CPU %.2f s/M, %.2f of storing\n",
        bytes, mib * 1048576 / (double)n, load, load / cpu);
}

static int ignore_series(void *arg, const struct series_row *row) {
    (void)row;
    ++*(uint64_t *)arg;
    return 0;
}

static int ignore_sample(void *arg, const struct sample_row *row) {
    (void)row;
    ++*(uint64_t *)arg;
    return 0;
}

static void ask(const char *what, bool samples, struct filter f) {
    struct err err = {0};
    struct reader *r = store_reader_open(path, &err);
    if (!r)
        give_up(err.text);
    uint64_t n = 0;
    int64_t start = clock_mono_ns();
    check(r->ops->begin(r, &err), &err);
    check(samples ? r->ops->samples(r, &f, true, ignore_sample, &n, &err)
                  : r->ops->series(r, &f, ignore_series, &n, &err),
          &err);
    r->ops->end(r);
    printf("    %-44s %8.2f ms  %llu rows\n", what, (double)(clock_mono_ns() - start) / 1e6,
           (unsigned long long)n);
    reader_close(r);
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* One sample, one commit, and a question about it. */
static void latency(void) {
    enum { ROUNDS = 20000 };
    struct err err = {0};
    struct store *s = store_open(&(struct store_options){.path = path}, &err);
    int64_t *commit = calloc(ROUNDS, sizeof *commit), *answer = calloc(ROUNDS, sizeof *answer);
    struct made *made = calloc(100, sizeof *made);
    if (!s || !commit || !answer || !made)
        give_up(s ? "out of memory" : err.text);
    long idle = rss_kib();
    for (uint64_t i = 0; i < 100; i++)
        make(&made[i], i, i);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        int64_t start = clock_mono_ns();
        store_arrival(s, 1, SOURCE_UDP, start, &err);
        check(store_put(s, &made[i % 100].record, &err), &err);
        check(store_commit(s, &err), &err);
        commit[i] = clock_mono_ns() - start;
        struct reader *r = store_reader_take(s, &err);
        uint64_t n = 0;
        check(r->ops->begin(r, &err), &err);
        check(r->ops->samples(r, &(struct filter){.name = made[i % 100].record.metric.name, .since = i}, true,
                              ignore_sample, &n, &err),
              &err);
        r->ops->end(r);
        store_reader_give(s, r);
        answer[i] = clock_mono_ns() - start - commit[i];
        if (n != 1)
            give_up("the sample just committed is not there");
    }
    qsort(commit, ROUNDS, sizeof *commit, by_number);
    qsort(answer, ROUNDS, sizeof *answer, by_number);
    printf(
        "one sample: commit median %.1f us, 99 %% %.1f us; question about it median %.1f us, 99 %% %.1f us; idle %ld KiB\n",
        (double)commit[ROUNDS / 2] / 1e3, (double)commit[ROUNDS * 99 / 100] / 1e3,
        (double)answer[ROUNDS / 2] / 1e3, (double)answer[ROUNDS * 99 / 100] / 1e3, idle);
    free(commit);
    free(answer);
    free(made);
    store_close(s);
}

int main(int argc, char **argv) {
    if (argc > 2 && mkdtemp(directory)) { /* store_bench new SERIES */
        snprintf(path, sizeof path, "%s/r.db", directory);
        compare_new((uint64_t)atoi(argv[2]), 65536);
        rmdir(directory);
        return 0;
    }
    uint64_t n = (uint64_t)(argc > 1 ? atoi(argv[1]) : 5) * 1000000;
    if (n == 0 || !mkdtemp(directory))
        give_up("usage: store_bench [MILLIONS]");
    snprintf(path, sizeof path, "%s/r.db", directory);
    latency();
    remove_files();
    compare(1000, n, 20480, true);
    remove_files();
    compare(1000, n, 20480, false);
    ask("all series", false, (struct filter){0});
    ask("samples of one series", true, (struct filter){.name = SPAN("service.request.n7")});
    ask("newest 100", true, (struct filter){.limit = 100, .newest = true});
    ask("newest 100 of one series", true,
        (struct filter){.name = SPAN("service.request.n7"), .limit = 100, .newest = true});
    ask("all samples", true, (struct filter){0});
    remove_files();
    compare(100000, n, 500000, false);
    remove_files();
    compare(1000000, n < 2000000 ? n : 2000000, 65536, false);
    remove_files();
    compare_new(100000, 65536);
    compare_new(1000000, 65536);
    rmdir(directory);
    return 0;
}
