/* What reading and pushing a fleet's recordings stands on, without an engine: URLs, bytes in SQL, RowBinary. */
#include "core/clock.h"
#include "guard.h"
#include "store/clickhouse/ask.h"
#include "store/open.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>

#define NOW (INT64_C(1795800000) * NS_PER_S)

static void urls_say_where(void) {
    struct fleet_url u;
    struct err err = {0};
    CU_ASSERT_EQUAL(fleet_url_parse("clickhouse://ch", NOW, &u, &err), 0);
    EQ_STR(u.host, "ch");
    EQ_STR(u.database, "statwit");
    EQ_INT(u.port, 8123);
    CU_ASSERT_EQUAL(
        fleet_url_parse(
            "clickhouses://[::1]:99/db_1?repo=a%26b&label.team=x*&since=7d&until=2026-11-01&latest=2&lossless=1",
            NOW, &u, &err),
        0);
    EQ_STR(u.host, "::1");
    EQ_INT(u.port, 99);
    CU_ASSERT(u.tls && u.lossless);
    EQ_INT(u.n_words, 2);
    EQ_STR(u.words[0].glob, "a&b");
    EQ_STR(u.words[1].key, "team");
    CU_ASSERT(u.words[1].other);
    EQ_INT(u.since, NOW - 7 * 86400 * NS_PER_S);
    EQ_INT(u.until, INT64_C(1793491200) * NS_PER_S);
    EQ_INT(u.latest, 2);
    CU_ASSERT_EQUAL(
        fleet_url_parse("clickhouse://h?recording=97B2c0de-0000-0000-0000-000000000001", NOW, &u, &err), 0);
    EQ_STR(u.recording, "97b2c0de000000000000000000000001");
}

static void urls_are_refused_in_words(void) {
    static const struct {
        const char *url, *words;
    } bad[] = {{"clickhouse://u:secret@h/db", "STATWIT_CLICKHOUSE_PASSWORD"},
               {"clickhouse://h?brnch=main", "did you mean 'branch'?"},
               {"clickhouse://h?since=soon", "since takes an age"},
               {"clickhouse://h?latest=none", "latest takes a number"},
               {"clickhouse://h?recording=12", "32 hexadecimal digits"},
               {"clickhouse://h?lossless=maybe", "lossless takes 1"},
               {"clickhouse://h?repo", "WORD=VALUE"},
               {"clickhouse://h?repo=%zz", "WORD=VALUE"},
               {"clickhouse://h?label.=x", "unknown 'label.'"},
               {"clickhouse://h?version=1", "unknown 'version'"},
               {"clickhouse://h/a-b", "letters, digits and _"},
               {"clickhouse://h/9", "letters, digits and _"},
               {"clickhouse://h:0/db", "HOST[:PORT]"},
               {"clickhouse://h:70000", "HOST[:PORT]"},
               {"clickhouse://", "HOST[:PORT]"},
               {"clickhouse://a b", "HOST[:PORT]"},
               {"clickhouse://[::1", "HOST[:PORT]"},
               {"http://h", "is no URL of recordings"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fleet_url u;
        struct err err = {0};
        EQ_INT(fleet_url_parse(bad[i].url, NOW, &u, &err), -1);
        if (!strstr(err.text, bad[i].words))
            fprintf(stderr, "%s: %s\n", bad[i].url, err.text);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, bad[i].words));
        CU_ASSERT_PTR_NULL(strstr(err.text, "secret"));
    }
}

static void urls_and_files_are_told_apart(void) {
    CU_ASSERT(reader_is_url("clickhouse://h/db"));
    CU_ASSERT(reader_is_url("clickhouses://h/db"));
    CU_ASSERT(!reader_is_url("file:///tmp/r.db"));
    CU_ASSERT(!reader_is_url("clickhouse.db"));
    CU_ASSERT(!reader_is_url(""));
}

static void bytes_in_sql_are_digits(void) {
    struct buf sql = {.max = 4096};
    char bytes[256];
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    sql_text(&sql, span_of(bytes, sizeof bytes));
    EQ_INT(sql.n, 2 * 256 + strlen("unhex('')"));
    EQ_INT(strspn(sql.p + 7, "0123456789ABCDEF"), 512);
    CU_ASSERT_EQUAL(memcmp(sql.p, "unhex('000102", 13), 0);
    CU_ASSERT_EQUAL(memcmp(sql.p + sql.n - 6, "FEFF')", 6), 0);
    buf_free(&sql);
}

static void rows_come_back(void) {
    struct buf b = {.max = 1 << 20};
    const struct span texts[] = {SPAN("a\0b"), SPAN(""), SPAN("\xff'")};
    put_u8(&b, 7);
    put_f64(&b, -0.0);
    put_f64(&b, (double)NAN);
    put_uuid(&b, (struct fleet_uuid){1, UINT64_MAX});
    put_size(&b, 300);
    put_texts(&b, 3, texts);
    put_i64(&b, INT64_MIN);
    struct taker t = {b.p, b.p + b.n, false};
    EQ_INT(take_u8(&t), 7);
    CU_ASSERT(signbit(take_f64(&t)));
    CU_ASSERT(isnan(take_f64(&t)));
    struct fleet_uuid u = take_uuid(&t);
    CU_ASSERT(u.high == 1 && u.low == UINT64_MAX);
    CU_ASSERT(take_size(&t) == 300);
    EQ_INT(take_count(&t, 1), 3);
    for (int i = 0; i < 3; i++)
        EQ_SPAN(take_text(&t), texts[i]);
    CU_ASSERT(take_i64(&t) == INT64_MIN);
    CU_ASSERT(!take_more(&t) && !t.failed);
    buf_free(&b);
}

/* Each beginning of a row, and lengths that lie. */
static void short_answers_fail(void) {
    struct buf b = {.max = 1 << 20};
    put_text(&b, SPAN("twelve bytes"));
    put_u64(&b, 1);
    for (size_t n = 0; n < b.n; n++) {
        struct span cut = guard_end(span_of(b.p, n));
        struct taker t = {cut.p, cut.p + cut.n, false};
        take_text(&t);
        take_u64(&t);
        CU_ASSERT(t.failed && !take_more(&t));
    }
    static const char *const lies[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x7f",
                                       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
    for (size_t i = 0; i < 3; i++) {
        struct span lie = guard_end(span_str(lies[i]));
        struct taker t = {lie.p, lie.p + lie.n, false}, u = t;
        EQ_INT(take_text(&t).n, 0);
        EQ_INT(take_count(&u, 1), 0);
        CU_ASSERT(t.failed && u.failed);
    }
    buf_free(&b);
}

static void nobody_there_is_said(void) {
    struct err err = {0};
    bool usage = true;
    CU_ASSERT_PTR_NULL(reader_open("clickhouse://127.0.0.1:1/db", NULL, NS_PER_S, &usage, &err));
    CU_ASSERT(!usage);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "127.0.0.1:1/db"));
}

UNIT_MAIN("store/fleet", {"a URL says where", urls_say_where},
          {"a URL is refused in words", urls_are_refused_in_words},
          {"URLs and files are told apart", urls_and_files_are_told_apart},
          {"bytes in SQL are digits", bytes_in_sql_are_digits}, {"rows come back", rows_come_back},
          {"short answers fail", short_answers_fail}, {"nobody there is said", nobody_there_is_said})
