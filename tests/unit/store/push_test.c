/* A push against a scripted wire: each fault at each request. Whatever happens, the engine shows all of a recording or nothing, and no row twice. */
#include "core/clock.h"
#include "fleet_wire.h"
#include "store/clickhouse/push.h"
#include "store/fixture.h"

#include <zlib.h>

/* --- an engine ---------------------------------------------------------------------------------------------- */

/* What happens to one request. */
enum fault {
    LOST,         /* it is done, but its answer is lost */
    NOTHING,      /* nothing is done, and there is no answer */
    UNREACHABLE,  /* there is no connection */
    BUSY,         /* 252: too many parts */
    AT_WORK,      /* 216: the same query is running */
    HALF,         /* half of the rows arrive, and the answer is lost */
    SHARD_KILLED, /* 32: half of the rows arrive, and the shard for the others is cut off */
    EXCEPTION,    /* 200, with an exception in the header: 241 */
    TWICE,        /* done twice, as by a proxy that repeats, and the answer is lost */
    MISCOUNTED,   /* a count is one too small */
    ENDLESS,      /* an answer that does not end */
    LIED,         /* 200 for what was not done */
    DENIED,       /* 497: no right to */
    N_FAULTS
};

#define ROWS_MAX 4096
#define KEY      20 /* shard_key and push: what each row begins with */

struct row {
    char table[16], key[KEY];
};

static struct {
    struct row rows[ROWS_MAX];
    size_t n_rows;
    char visible[ROWS_MAX][KEY]; /* pushes */
    size_t n_visible;
    struct span newest; /* what the question about the newest push is answered */
    char told[200];
    size_t n_requests, n_inserts, fault_at, running;
    enum fault fault;
} engine;

static struct buf unpack(struct span packed) {
    struct buf bytes = {.max = 1 << 24};
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n};
    OK(inflateInit2(&z, 15 + 16));
    buf_reserve(&bytes, 1 << 22);
    z.next_out = (Bytef *)bytes.p;
    z.avail_out = 1 << 22;
    EQ_INT(inflate(&z, Z_FINISH), Z_STREAM_END);
    bytes.n = z.total_out;
    inflateEnd(&z);
    return bytes;
}

/* Each row begins with the first row's key; bytes in the middle of a row that equal it are as good as impossible. */
static size_t count_rows(struct span rows) {
    size_t n = 0;
    for (const char *at = rows.p; (at = memmem(at, (size_t)(rows.p + rows.n - at), rows.p, KEY)); at += KEY)
        n++;
    return n;
}

static void keep_rows(const char *table, const struct fleet_request *request, size_t share) {
    struct buf bytes = request->gzip ? unpack(request->body) : (struct buf){0};
    struct span rows = request->gzip ? buf_view(&bytes) : request->body;
    size_t n = count_rows(rows);
    if (strcmp(table, "recordings") == 0) { /* shard_key, recording, push */
        memcpy(engine.visible[engine.n_visible], rows.p, 4);
        memcpy(engine.visible[engine.n_visible++] + 4, rows.p + 20, 16);
    } else
        for (size_t i = 0; i < n / share && engine.n_rows < ROWS_MAX; i++) {
            snprintf(engine.rows[engine.n_rows].table, sizeof engine.rows[0].table, "%s", table);
            memcpy(engine.rows[engine.n_rows++].key, rows.p, KEY);
        }
    buf_free(&bytes);
}

/* UUIDs are two numbers, each with its least byte first. */
static void write_push(const char key[KEY], char text[37]) {
    uint64_t high, low;
    memcpy(&high, key + 4, 8);
    memcpy(&low, key + 12, 8);
    snprintf(text, 37, "%08llx-%04llx-%04llx-%04llx-%012llx", (unsigned long long)high >> 32,
             (unsigned long long)high >> 16 & 0xffff, (unsigned long long)high & 0xffff,
             (unsigned long long)low >> 48, (unsigned long long)low & 0xffffffffffff);
}

static size_t held(const char *table, const char *push) {
    size_t n = 0;
    for (size_t i = 0; i < engine.n_rows; i++) {
        char text[37];
        write_push(engine.rows[i].key, text);
        n += strcmp(engine.rows[i].table, table) == 0 && strcmp(text, push) == 0;
    }
    for (size_t i = 0; i < engine.n_visible; i++) {
        char text[37];
        write_push(engine.visible[i], text);
        n += strcmp(table, "recordings") == 0 && strcmp(text, push) == 0;
    }
    return n;
}

/* A word behind `key` in the text, up to a character that ends it. */
static char *word_behind(const char *text, const char *key, const char *ends, char word[80]) {
    const char *at = text ? strstr(text, key) : NULL;
    size_t n = at ? strcspn(at + strlen(key), ends) : 0;
    snprintf(word, 80, "%.*s", (int)(n < 79 ? n : 79), at ? at + strlen(key) : "");
    return word;
}

/* A question: in the body, or with tables in the arguments. */
static void answer_question(const struct fleet_request *request, bool miscounted, struct buf *answer) {
    char table[80], push[80], sql[4096];
    size_t n = request->body.n < sizeof sql - 1 ? request->body.n : sizeof sql - 1;
    snprintf(sql, sizeof sql, "%.*s", (int)n, request->body.p);
    bool with_tables = strstr(request->arguments, "&query=") != NULL;
    const char *from = with_tables ? request->arguments : sql;
    if (wire_greets(request, answer))
        return;
    if (strstr(from, "system.processes")) {
        buf_printf(answer, "%zu\n", engine.running);
        engine.running -= engine.running ? 1 : 0;
    } else if (strstr(from, "n_series"))
        buf_span(answer, engine.newest);
    else {
        word_behind(from, with_tables ? "FROM%20" : "FROM ", with_tables ? "%" : " ", table);
        word_behind(from, with_tables ? "toUUID(%27" : "toUUID('", with_tables ? "%" : "'", push);
        size_t have = held(table, push);
        buf_printf(answer, "%zu\n", miscounted && have ? have - 1 : have);
    }
}

static enum fleet_outcome refuse(int number, const char *words, int *code, struct err *failed) {
    *code = number;
    err_set(failed, 0, "ch:8123/statwit refuses: Code: %d, %s", number, words);
    return FLEET_REFUSED;
}

static enum fleet_outcome lose(struct err *failed, const char *words) {
    err_set(failed, 0, "ch:8123/statwit: %s", words);
    return FLEET_UNCLEAR;
}

static enum fleet_outcome do_fault(enum fault fault, bool insert, const char *table,
                                   const struct fleet_request *request, struct buf *answer, int *code,
                                   struct err *failed) {
    switch (fault) {
    case LOST:
    case TWICE:
        for (int i = fault == TWICE ? 2 : 1; i > 0 && insert; i--)
            keep_rows(table, request, 1);
        engine.running = 2;
        return lose(failed, "no answer");
    case HALF:
        if (insert && strcmp(table, "recordings") != 0)
            keep_rows(table, request, 2);
        return lose(failed, "the connection was closed");
    case NOTHING:
        return lose(failed, "no answer");
    case ENDLESS:
        return lose(failed, "the answer does not end");
    case UNREACHABLE:
        lose(failed, "nobody takes connections there");
        return FLEET_UNREACHABLE;
    case BUSY:
        return refuse(252, "too many parts", code, failed);
    case AT_WORK:
        return refuse(216, "is already running", code, failed);
    case SHARD_KILLED: /* the rows for the other shards are stored */
        if (insert && strcmp(table, "recordings") != 0)
            keep_rows(table, request, 2);
        return refuse(32, "Attempt to read after eof: while receiving packet from ch2:9000", code, failed);
    case EXCEPTION:
        return refuse(241, "memory limit", code, failed);
    case DENIED:
        return refuse(497, "not enough privileges", code, failed);
    case MISCOUNTED:
        if (insert)
            keep_rows(table, request, 1);
        else
            answer_question(request, true, answer);
        return FLEET_OK;
    case LIED:
        if (!insert)
            answer_question(request, false, answer);
        return FLEET_OK;
    case N_FAULTS:
        break;
    }
    return FLEET_OK;
}

static enum fleet_outcome wire_post(const struct fleet_request *request, struct buf *answer, int *code,
                                    struct err *failed) {
    char table[80];
    word_behind(request->arguments, "query=INSERT%20INTO%20", "%", table);
    bool insert = table[0] != '\0', faulty = engine.n_requests++ == engine.fault_at;
    engine.n_inserts += insert;
    if (faulty)
        return do_fault(engine.fault, insert, table, request, answer, code, failed);
    if (insert)
        keep_rows(table, request, 1);
    else
        answer_question(request, false, answer);
    return FLEET_OK;
}

/* --- pushes ------------------------------------------------------------------------------------------------- */

static struct store *recording(void) {
    struct store *s = open_with((struct store_options){.path = ":memory:"});
    OK(store_arrival(s, 1, SOURCE_UDP, AT, &err));
    for (int i = 0; i < 40; i++) {
        struct value value = {.number = i};
        char name[16];
        snprintf(name, sizeof name, "name%d", i % 7);
        OK(store_put(s,
                     &(struct record){.kind = RECORD_METRIC,
                                      .metric = {.type = METRIC_GAUGE,
                                                 .name = span_str(name),
                                                 .sample_rate = 1,
                                                 .n_values = 1,
                                                 .values = &value}},
                     &err));
    }
    OK(store_commit(s, &err));
    return s;
}

static int push_all(struct store *s, struct push_result *result, struct err *failed) {
    struct push_options o = {.patience_ns = 3600 * NS_PER_S, .pause_ns = 1, .labels = {SPAN("shop")}};
    snprintf(o.url.host, sizeof o.url.host, "ch");
    snprintf(o.url.database, sizeof o.url.database, "statwit");
    struct err no_reader = {0};
    struct reader *r = store_reader_take(s, &no_reader);
    int outcome = push_run(r, &o, result, failed);
    store_reader_give(s, r);
    return outcome;
}

static void begin_engine(size_t fault_at, enum fault fault) {
    engine.n_rows = engine.n_visible = engine.n_requests = engine.n_inserts = engine.running = 0;
    engine.newest = SPAN("");
    engine.fault_at = fault_at;
    engine.fault = fault;
}

/* All that is visible is one push, and it is whole. */
static void check_visible(const struct push_result *whole, bool pushed) {
    CU_ASSERT(engine.n_visible > 0 || !pushed);
    for (size_t i = 0; i < engine.n_visible; i++) {
        char text[37];
        write_push(engine.visible[i], text);
        EQ_INT(held("samples", text), whole->samples);
        EQ_INT(held("series", text), whole->series);
        EQ_INT(held("spellings", text), whole->series);
        EQ_INT(held("records", text), whole->records);
        CU_ASSERT_EQUAL(memcmp(engine.visible[i], engine.visible[0], KEY), 0);
    }
}

static void each_fault_at_each_request(void) {
    struct store *s = recording();
    struct push_result whole, result;
    begin_engine(SIZE_MAX, LOST);
    OK(push_all(s, &whole, &err));
    EQ_INT(whole.samples, 40);
    EQ_INT(whole.series, 7);
    CU_ASSERT(whole.records > 0 && !whole.known);
    check_visible(&whole, true);
    size_t n = engine.n_requests;
    for (int fault = 0; fault < N_FAULTS; fault++)
        for (size_t at = 0; at < n; at++) {
            struct err failed = {0};
            begin_engine(at, (enum fault)fault);
            int outcome = push_all(s, &result, &failed);
            check_visible(&whole, outcome == 0 && fault != LIED);
            if (outcome != 0 && fault != DENIED)
                fprintf(stderr, "fault %d at request %zu: %s\n", fault, at, failed.text);
            CU_ASSERT(outcome == (fault == DENIED ? -1 : 0) || !failed.set);
            if (fault == DENIED)
                CU_ASSERT_PTR_NOT_NULL(strstr(failed.text, "497"));
        }
    store_close(s);
}

/* The newest push says by half of its id what is in it. */
static void what_is_there_is_not_sent(void) {
    struct store *s = recording();
    struct push_result whole, result;
    begin_engine(SIZE_MAX, LOST);
    OK(push_all(s, &whole, &err));
    char text[37];
    write_push(engine.visible[0], text);
    unsigned day = (unsigned)(AT / (86400 * NS_PER_S));
    snprintf(engine.told, sizeof engine.told, "%s\t%u\t%llu\t%llu\t%llu\t%llu\n", text, day,
             (unsigned long long)whole.series, (unsigned long long)whole.series,
             (unsigned long long)whole.samples, (unsigned long long)whole.records);
    engine.newest = span_str(engine.told);
    engine.n_inserts = 0;
    OK(push_all(s, &result, &err));
    CU_ASSERT(result.known);
    EQ_INT(engine.n_inserts, 0);
    EQ_INT(result.samples, whole.samples);
    engine.n_rows--; /* a part was dropped */
    OK(push_all(s, &result, &err));
    CU_ASSERT(!result.known);
    EQ_INT(engine.n_inserts, 5);
    engine.n_rows++;
    engine.told[0] = engine.told[0] == '0' ? '1' : '0'; /* of other content */
    OK(push_all(s, &result, &err));
    CU_ASSERT(!result.known);
    for (size_t cut = 0; cut < engine.newest.n; cut++) { /* an answer that was cut short */
        struct err failed = {0};
        begin_engine(SIZE_MAX, LOST);
        engine.newest = span_of(engine.told, cut);
        struct push_options o = {.patience_ns = NS_PER_MS, .pause_ns = 1, .labels = {SPAN("shop")}};
        struct err no_reader = {0};
        struct reader *r = store_reader_take(s, &no_reader);
        push_run(r, &o, &result, &failed);
        store_reader_give(s, r);
        CU_ASSERT(!result.known);
    }
    store_close(s);
}

static void a_signal_ends_it(void) {
    struct store *s = recording();
    struct err failed = {0};
    struct push_result result;
    atomic_bool stop = true;
    struct push_options o = {.patience_ns = 3600 * NS_PER_S, .stop = &stop};
    begin_engine(3, BUSY);
    struct err no_reader = {0};
    struct reader *r = store_reader_take(s, &no_reader);
    EQ_INT(push_run(r, &o, &result, &failed), -1);
    store_reader_give(s, r);
    CU_ASSERT_PTR_NOT_NULL(strstr(failed.text, "ended by a signal"));
    EQ_INT(engine.n_visible, 0);
    store_close(s);
}

/* A last try had next to no time, and that it timed out was told as the reason: nothing of who is not there. */
static void no_try_without_time(void) {
    struct store *s = recording();
    struct err failed = {0}, no_reader = {0};
    struct push_result result;
    struct push_options o = {.patience_ns = NS_PER_S, .pause_ns = 90 * NS_PER_MS, .labels = {SPAN("shop")}};
    begin_engine(0, UNREACHABLE);
    struct reader *r = store_reader_take(s, &no_reader);
    o.until_ns = clock_mono_ns() + 100 * NS_PER_MS;
    EQ_INT(push_run(r, &o, &result, &failed), -1);
    store_reader_give(s, r);
    EQ_INT(engine.n_requests, 1);
    store_close(s);
}

UNIT_MAIN("store/push", {"each fault at each request", each_fault_at_each_request},
          {"what is there is not sent", what_is_there_is_not_sent}, {"a signal ends it", a_signal_ends_it},
          {"no try without time", no_try_without_time})
