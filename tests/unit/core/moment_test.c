#include "core/moment.h"

#include "core/clock.h"
#include "unit.h"

static int64_t time_of(const char *text) {
    int64_t wall_ns;
    return moment_parse_time(span_str(text), &wall_ns) ? wall_ns : -1;
}

static void test_times(void) {
    const int64_t ten = INT64_C(1795773600) * NS_PER_S; /* 2026-11-27T10:00:00Z */
    EQ_INT(time_of("2026-11-27T10:00:00Z"), ten);
    EQ_INT(time_of("2026-11-27t10:00:00z"), ten);
    EQ_INT(time_of("2026-11-27 10:00:00Z"), ten);
    EQ_INT(time_of("2026-11-27T11:30:00+01:30"), ten);
    EQ_INT(time_of("2026-11-27T00:00:00-10:00"), ten);
    EQ_INT(time_of("2026-11-27T10:00:00.5Z"), ten + NS_PER_S / 2);
    EQ_INT(time_of("2026-11-27T10:00:00.123456789Z"), ten + 123456789);
    EQ_INT(time_of("2026-11-27T10:00:00.1234567899Z"), ten + 123456789);
    EQ_INT(time_of("1970-01-01T00:00:00Z"), 0);
    EQ_INT(time_of("2024-02-29T00:00:00Z"), INT64_C(1709164800) * NS_PER_S);
    EQ_INT(time_of("2016-12-31T23:59:60Z"), INT64_C(1483228800) * NS_PER_S); /* a leap second */
    static const char *const bad[] = {"",
                                      "2026-11-27",
                                      "2026-11-27T10:00Z",
                                      "2026-11-27T10:00:00",
                                      "2026-11-27T10:00:00.Z",
                                      "2026-11-27T10:00:00Zx",
                                      "2026-11-27T10:00:00+1:00",
                                      "2026-11-27T10:00:00+0100",
                                      "2026-11-27T24:00:00Z",
                                      "2026-11-27T10:60:00Z",
                                      "2026-11-27T10:00:61Z",
                                      "2026-13-27T10:00:00Z",
                                      "2026-00-27T10:00:00Z",
                                      "2026-11-31T10:00:00Z",
                                      "2025-02-29T00:00:01Z",
                                      "2026/11/27T10:00:00Z",
                                      "26-11-27T10:00:00Z",
                                      "-2026-11-27T10:00:00Z",
                                      "2026-11-27T1 :00:00Z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (time_of(bad[i]) != -1)
            fprintf(stderr, "'%s' is taken for a time\n", bad[i]);
        EQ_INT(time_of(bad[i]), -1);
    }
}

/* The text of a time is read as that time. */
static void test_there_and_back(void) {
    uint32_t dice = 1;
    for (int i = 0; i < 10000; i++) {
        char text[CLOCK_RFC3339_SIZE];
        dice = dice * 1664525u + 1013904223u;
        int64_t wall_ns = ((int64_t)dice * 1500) * NS_PER_MS + dice % 1000000;
        clock_rfc3339(wall_ns, text);
        EQ_INT(time_of(text), wall_ns);
    }
}

static void test_moments(void) {
    struct moment m;
    CU_ASSERT(moment_parse(SPAN("0"), &m) && m.kind == MOMENT_MARK && m.mark == 0);
    CU_ASSERT(moment_parse(SPAN("4711"), &m) && m.kind == MOMENT_MARK && m.mark == 4711);
    CU_ASSERT(moment_parse(SPAN("now"), &m) && m.kind == MOMENT_NOW);
    CU_ASSERT(moment_parse(SPAN("1.5s"), &m) && m.kind == MOMENT_AGE && m.ns == 1500 * NS_PER_MS);
    CU_ASSERT(moment_parse(SPAN("7d"), &m) && m.kind == MOMENT_AGE && m.ns == 7 * 86400 * NS_PER_S);
    CU_ASSERT(moment_parse(SPAN("1970-01-01T00:00:01Z"), &m) && m.kind == MOMENT_TIME && m.ns == NS_PER_S);
    static const char *const bad[] = {
        "",     "Now", "-1",  "+1",         "1.5",  "10 s", " 10s",
        "5x",   "s",   "0x1", "yesterday",  "1e3",  "-5s",  "99999999999999999999",
        "10s ", ".",   "nan", "2026-11-27", "12:00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (moment_parse(span_str(bad[i]), &m))
            fprintf(stderr, "'%s' is taken for a moment\n", bad[i]);
        CU_ASSERT(!moment_parse(span_str(bad[i]), &m));
    }
}

UNIT_MAIN("core/moment", {"times as RFC 3339 has them", test_times}, {"there and back", test_there_and_back},
          {"marks, ages, times and now", test_moments})
