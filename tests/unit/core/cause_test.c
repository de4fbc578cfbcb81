#include "core/cause.h"

#include "decode/dogstatsd.h"
#include "unit.h"

static const char *cause; /* of the last line that was refused */

static void on_record(void *arg, const struct record *record) {
    (void)arg;
    if (record->kind == RECORD_REJECT)
        cause = cause_of(&record->reject);
}

/* "" when it is not refused, or when no cause is known. */
static const char *cause_in(struct span line) {
    struct dogstatsd *decoder = dogstatsd_new(&(struct dogstatsd_options){0});
    cause = NULL;
    dogstatsd_decode(decoder, line, on_record, NULL);
    dogstatsd_free(decoder);
    return cause ? cause : "";
}

/* The faults of clients, as people report them. */
static void test_causes(void) {
    static const struct {
        struct span line;
        const char *says; /* "": nothing */
    } cases[] = {
#define LINE(literal) {"" literal, sizeof(literal) - 1}
        {LINE("a:2,2|g"), "a comma stands for the decimal point"},
        {LINE("a:200|g|@0,1"), "a comma stands for the decimal point"},
        {LINE("a:1212 000,5|ms"), "digits are grouped"},
        {LINE("a:12'212'000.33|ms"), "digits are grouped"},
        {LINE("a:1\xc2\xa0"
              "212|ms"),
         "digits are grouped"},
        {LINE("a:None|g"), "the client had no value"},
        {LINE("a:?|g"), "the client had no value"},
        {LINE("a:true|g"), "1 or 0"},
        {LINE("a:\xe2\x88\x9e|g"), "infinity"},
        {LINE("a:env:x,b:c|c"), "tags stand in the place of the value"},
        {LINE("a:#env:x|c"), "tags stand in the place of the value"},
        {LINE("a.A::Worker.run:23.7|ms"), "a name ends at its first ':'"},
        {LINE("a:23ms|ms"), "a unit stands behind the number"},
        {LINE("a:50%|g"), "a unit stands behind the number"},
        {LINE("a:1|c|@50%"), "from 0 to 1"},
        {LINE("a:1|MS"), "lower case"},
        {LINE("a:1|C"), "lower case"},
        {LINE("a:1|m"), "other servers know this type"},
        {LINE("a:1|us"), "milliseconds"},
        {LINE("a:1|counter"), "one letter"},
        {LINE("a:1|c@0.1"), "missing before the '@'"},
        {LINE("a:1|c#x:y"), "missing before the '#'"},
        {LINE("a:1|c\\n"), "newline was meant"},
        {LINE("a:1|c\0"), "a NUL byte"},
        {LINE("a:1|c "), "a blank stands behind the type"},
        {LINE("a:1|c:2|c"), "two lines stand together"},
        {LINE("a:1|cb:2|c"), "two lines stand together"},
        {LINE("_sc|a|critical"), "a status is a digit"},
        {LINE("_sc|a|9"), ""},
        {LINE("_scheduler.depth:5|g"), "every line that begins with _sc"},
        {LINE("_score:5|g|#a"), "every line that begins with _sc"},
        {LINE("_scx|foo|0"), "every line that begins with _sc"},
        {LINE("_sc|n"), ""},
        {LINE("_e:x|y"), "an event begins with _e{"},
        {LINE("a:1|"), "the type is missing"},
        {LINE("a:1|#b:c"), "the type is missing"},
        {LINE("a:1|@0.5"), "the type is missing"},
        {LINE("a:1|c,b:c"), "behind a '|#'"},
        {LINE("a:1e|g"), "without an exponent"},
        {LINE("a:0x1F|g"), "hexadecimal"},
        {LINE("a:1 |c"), "a blank stands beside"},
        {LINE("a: 1|c"), "a blank stands beside"},
        {LINE("a:\"5\"|c"), "in quotes"},
        {LINE("a:++1|g"), "more than one sign"},
        {LINE("a:-|g"), "a sign stands without a number"},
        {LINE("a:1.2.3|g"), "more than one decimal point"},
        {LINE("a:(null)|g"), "the client had no value"},
        {LINE("a:[object Object]|g"), "an object or a list"},
        {LINE("a:1|c|@"), "the rate is missing"},
        {LINE("a:1|c|@1/2"), "from 0 to 1"},
        {LINE("a:1|c|T"), "the timestamp is missing"},
        {LINE("a:1|c|T1700000000.5"), "no fraction"},
        {LINE("a:1|c|T2024-01-01"), "seconds since 1970"},
        {LINE("a|1|c"), "a '|' stands in the place of the ':'"},
        {LINE("a 1|c"), "a blank stands in the place of the ':'"},
        {LINE("a=1|c"), "a '=' stands in the place of the ':'"},
        {LINE("cluster.outbound|443||api.rq:1|c"), "no name can hold one"},
        {LINE("_e{5,11}:title|line1"), "a newline in a title or a text ends the line"},
        {LINE("{\"a\":1}"), "JSON"},
        {LINE("GET / HTTP/1.1"), "HTTP"},
        {LINE("db.query,table=users duration=5i 1700000000"), "InfluxDB"},
        {LINE("a.b 5 1700000000"), "Graphite"},
        {LINE("kafka.roi:0.17"), "the type is missing"},
        {LINE("kafka.Y.mean"), ""},
        {LINE("a:abc|c"), ""},
        {LINE("a:1|q"), ""},
        {LINE("a:|c"), ""},
        {LINE("bad"), ""},
        {LINE("a:1|c"), ""},
#undef LINE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = cause_in(cases[i].line);
        bool good = cases[i].says[0] ? strstr(found, cases[i].says) != NULL : found[0] == '\0';
        if (!good)
            fprintf(stderr, "%.*s: '%s', not '%s'\n", SPAN_ARG(cases[i].line), found, cases[i].says);
        CU_ASSERT(good);
    }
}

/* Whatever a recording holds. */
static void test_odd_rejects(void) {
    for (int reason = 0; reason < REASON_N; reason++)
        for (size_t offset = 0; offset < 4; offset++) {
            cause_of(&(struct reject){.reason = (enum reason)reason, .offset = offset});
            cause_of(&(struct reject){.reason = (enum reason)reason, .text = SPAN("a|"), .offset = offset});
        }
}

UNIT_MAIN("core/cause", {"the usual faults of clients", test_causes}, {"odd rejects", test_odd_rejects})
