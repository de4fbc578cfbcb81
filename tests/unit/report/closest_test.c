/* What a failure says about the mistakes that clients make. */
#include "core/buf.h"
#include "judging.h"

#include "unit.h"

/* All texts under "closest", one a line. */
static const char *told(struct fake *f, const char *asked, const struct judge_options *options) {
    static char text[8192];
    json_t *result = judging_result(f, asked, options);
    const json_t *list = json_object_get(result, "closest");
    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_object_get(json_array_get(list, i), "text"));
        strncat(text, one ? one : "", 1000);
        strcat(text, "\n");
    }
    json_decref(result);
    return text;
}

struct told_case {
    struct span sent;
    const char *asked;
    const char *says, *never; /* NULL: nothing is asked of that side */
};
#define S(literal)                                                                                           \
    { "" literal, sizeof(literal) - 1 }

static void check(const struct told_case *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct fake *f = fake_new();
        fake_send_span(f, cases[i].sent);
        const char *text = told(f, cases[i].asked, NULL);
        bool found = cases[i].says ? strstr(text, cases[i].says) != NULL : text[0] == '\0';
        bool wrong = cases[i].never && strstr(text, cases[i].never);
        if (!found || wrong)
            fprintf(stderr, "%.*s, asked %s:\n%swhich %s: %s\n", SPAN_ARG(cases[i].sent), cases[i].asked,
                    text, found ? "should not say" : "does not say",
                    found           ? cases[i].never
                    : cases[i].says ? cases[i].says
                                    : "(nothing)");
        CU_ASSERT(found && !wrong);
        fake_free(f);
    }
}
#define CHECK(cases) check(cases, sizeof cases / sizeof cases[0])

/* Some clients and libraries put an end behind every name, others drop one. */
static void test_ends(void) {
    static const struct told_case cases[] = {
        {S("login.attempt:1|c"), "incr login", "its name goes on with .attempt", NULL},
        {S("login:1|c"), "incr login.total", "lacks the end .total", NULL},
        {S("login_ms:1|ms"), "timing login", "its name goes on with _ms", NULL},
        {S("login.a,env=ci:1|c"), "incr login{env:ci}", "its name goes on with .a", NULL},
        {S("loginattempt:1|c"), "incr login", NULL, NULL}, /* no joint between them */
        {S("a.b:1|c"), "incr a", NULL, NULL},              /* begins too many */
        {S("login.a:1|c\nlogim:1|c"), "incr login", "logim", NULL},
        {S("login.attempt:abc|c"), "incr login", "its name goes on with .attempt", NULL},
        {S("_e{16,1}:Deploy finishd!!|x"), "event Deploy", "goes on with \" finishd!!\"", NULL},
        {S("_e{12,1}:[api] Deploy|x"), "event Deploy", "has the prefix \"[api] \"", NULL},
        {S("_sc|db.ok.main|0"), "check db.ok", "its name goes on with .main", NULL},
    };
    CHECK(cases);
}

/* Three bytes made them service checks, and their names can't be read. */
static void test_mistaken_family(void) {
    static const struct told_case cases[] = {
        {S("_scheduler.depth:5|g"), "gauge _scheduler.depth", "every line that begins with _sc is read as",
         NULL},
        {S("_scheduler.depth:5|g"), "gauge _scheduler.*", "every line that begins with _sc is read as",
         "its name"},
        {S("_scheduler.depth:5|g"), "gauge _schedular.depth", "its name is 1 edit away", "ends at its first"},
        {S("_scheduler.depth:5|g"), "incr _scheduler.depth", "is a gauge, not a count", NULL},
        {S("_scx|foo|0"), "check foo", "every line that begins with _sc is read as", NULL},
    };
    CHECK(cases);
}

/* The one that is sent most often comes first, however many others match. */
static void test_most_per_series(void) {
    struct fake *f = fake_new();
    for (int i = 0; i < 20; i++) {
        char line[32];
        snprintf(line, sizeof line, "a%d:1|c", i);
        fake_send(f, line);
    }
    fake_send(f, "a13:1|c");
    const char *text = told(f, "any * per_series <= 1", NULL);
    CU_ASSERT_EQUAL(strncmp(text, "a13 (count) 2 samples", 21), 0);
    EQ_STR(judging_text(f, "any * per_series <= 1", "why"),
           "per_series is 2, expected per_series <= 1, of a13");
    fake_free(f);
}

/* F2: the line was refused, and the name that was read of it is not the one that its author meant. */
static void test_refused_names(void) {
    static const struct told_case cases[] = {
        {S("faktory.jobs.A::Worker.perform:23.7|ms"), "timing faktory.jobs.A::Worker.perform",
         "a name ends at its first ':', so its name was read as faktory.jobs.A", NULL},
        {S("faktory.jobs.A::Worker.perform:23.7|ms"), "timing faktory.jobs.*.perform",
         "a name ends at its first ':'", NULL},
        {S("servant.path.:accountId.GET.max:113.5|g"), "gauge servant.path.:accountId.GET.max",
         "rejected, invalid_value", NULL},
        {S("hikaricp,pool=a::b:0.4|ms"), "timing hikaricp", "in the form of InfluxDB", NULL},
        {S("app.login:abc|c"), "incr login", "has the prefix app.", NULL},
        {S("login:abc|c"), "incr app.login", "lacks the prefix app.", NULL},
        {S("app.login:abc|c"), "incr login*", "has the prefix app.", NULL},
        {S("logn:abc|c"), "incr login", "its name is 1 edit away", NULL},
        {S("Login:abc|c"), "incr login", "its name differs in upper and lower case", NULL},
        {S("cluster.outbound|443||api.rq:1|c"), "incr cluster.outbound|443||api.rq",
         "a '|' ends the value, so no name can hold one", NULL},
        {S("login:1|clogout:2|c"), "incr logout", "its text holds logout", NULL},
        {S("catalog:1|cx"), "incr at", NULL, NULL}, /* a short name must stand by itself */
        {S("x:at|cx"), "incr at", "its text holds at", NULL},
        {S("a:1|c|#k:v\nw,env:prod"), "incr a{env:prod}", "a newline before it made a line of its own", NULL},
        {S("other:abc|c"), "incr login", NULL, NULL},
        {S("a:x|c|#env:prod"), "incr a{env:ci}", "has env:prod, not env:ci", NULL},
        {S("a:x|c|@0.5|#env:prod|c:1"), "incr a{env:ci}", "has env:prod, not env:ci", NULL},
        {S("a:x|c|#env:ci"), "incr a{env:ci}", "not a number\n", NULL},
        {S("a:x|g"), "incr a", "is a gauge, not a count", NULL},
        {S("my.a:b.c:1|c"), "incr my.*.c", "a name ends at its first ':', so its name was read as my.a",
         "':'; a name ends"},
        {S("hikaricp,pool=a::b:0.4|ms"), "timing hikaricp{pool:\"a::b\"}", "pool:a::b is in its name", NULL},
    };
    CHECK(cases);
}

static void test_refused_twice_is_shown_once(void) {
    struct fake *f = fake_new();
    for (int i = 0; i < 7; i++)
        fake_send(f, "login:abc|c");
    fake_send(f, "login:abd|c");
    const char *text = told(f, "incr login", NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "the value is not a number; 7 times the same\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "the value is not a number\n"));
    fake_free(f);
}

static void test_refused_elsewhere(void) {
    struct fake *f = fake_new();
    fake_session(f, "other");
    fake_send(f, "login:abc|c\nlogn:abc|c");
    fake_session(f, "default");
    const char *text = told(f, "incr login", NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "arrived in session other"));
    CU_ASSERT_PTR_NULL(strstr(text, "edit")); /* sessions are apart on purpose */
    fake_send(f, "login:abc|c");
    struct judge_options since = {.since = fake_last_id(f)};
    text = told(f, "incr login", &since);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "arrived before the mark"));
    fake_free(f);
}

/* An accepted line whose name is not the one that its author meant. */
static void test_accepted_names(void) {
    static const struct told_case cases[] = {
        {S("rnode.gas_-1:8000000000000000:222|g"), "gauge rnode.gas_-1:8000000000000000",
         "a name ends at its first ':', what follows was read as its values", NULL},
        {S("pfx.a.b:80:222|g"), "gauge a.b:80", "a name ends at its first ':'", NULL},
        {S("a.b:80:222|g"), "gauge a.b:*", "a name ends at its first ':'", NULL},
        {S("Login.Attempt:1|c"), "incr login.attempt", "its name differs in upper and lower case", "edit"},
        {S(" login.attempt :1|c"), "incr login.attempt",
         "\" login.attempt \" (count) 1 sample: its name has blanks or control characters around it", "edit"},
        {S("a\0:1|c"), "incr a", "a\\x00 (count) 1 sample: its name has blanks or control", NULL},
        {S("b:1|c"), "incr a", NULL, NULL}, /* of one letter, every other one is an edit away */
        {S("http_requests,method=GET,status=200:1|c"), "incr http_requests{method:GET}",
         "in the form of InfluxDB; DogStatsD takes them behind '|#'; method:GET is in its name", NULL},
        {S("http_requests,method=GET,status=200:1|c"), "incr http_requests{method:GET}",
         "method:GET is in its name", "missing"},
        {S("http_requests,method=GET:1|c"), "incr http_requests{method:PUT}", "tag method:PUT is missing",
         NULL},
        {S("foo.bar#tag1=x,tag2=y:100|c"), "incr foo.bar{tag2:y}", "form of Librato", "missing"},
        {S("my.metric.x;tag=a;env=b:1|c"), "incr my.metric.x{tag:a,env:b}", "form of Graphite", "missing"},
        {S("m[tag=a,env=b]:1|c"), "incr m{env:b}", "form of SignalFx", "missing"},
        {S("istio_requests_total.;.reporter=.=source.;.code=.=200:1|c"),
         "incr istio_requests_total{reporter:source,code:200}", "form of Istio", "missing"},
        {S("app.http,method=GET:1|c"), "incr http", "has the prefix app.", NULL},
        {S("a,b:1|c"), "incr a", NULL, NULL}, /* no key=value: an ordinary name */
        {S("app.login.ok:1|c"), "incr login.*", "has the prefix app.", NULL},
    };
    CHECK(cases);
}

/* F11 */
static void test_families(void) {
    static const struct told_case cases[] = {
        {S("_score:5|g|#a"), "gauge _score", "every line that begins with _sc is read as a service check",
         NULL},
        {S("_scheduler.depth:5|g"), "gauge _scheduler.depth", "sc_format", NULL},
        {S("_e{x:1|c"), "incr \"_e{x\"", "every line that begins with _e{ is read as an event", NULL},
        {S("sc|db.ok|0"), "check db.ok", "a service check begins with _sc|", NULL},
        {S("e{6,4}:Deploy|text"), "event Deploy", "an event begins with _e{", NULL},
        {S("_sc|db.ok|ok"), "check db.ok", "sc_invalid_status", "begins"},
        {S("deploy:1|c"), "event deploy", "is a count, not an event", NULL},
        {S("_e{6,4}:deploy|text"), "incr deploy", "is an event, not a count", NULL},
        {S("_sc|db.ok|0"), "any db.ok", "is a service check, not a metric", NULL},
        {S("db.ok:1|g"), "check db.ok", "is a gauge, not a service check", NULL},
    };
    CHECK(cases);
}

/* F3: what metrics have. */
static void test_events_and_checks(void) {
    static const struct told_case cases[] = {
        {S("_e{14,4}:Deploy finishd|text"), "event \"Deploy finished\"",
         "\"Deploy finishd\" (event) 1 event: its name is 1 edit away", NULL},
        {S("_e{6,4}:Deploy|text|#env:ci"), "event Deploy{env:prod}", "has env:ci, not env:prod", NULL},
        {S("_e{13,4}:my.pfx.Deploy|text"), "event Deploy", "has the prefix my.pfx.", NULL},
        {S("_e{6,4}:deploy|text"), "event Deploy", "differs in upper and lower case", NULL},
        {S("_sc|my.pfx.db.ok|0|#env:ci"), "check db.ok", "has the prefix my.pfx.", NULL},
        {S("_sc|my.pfx.db.ok|0|#env:ci"), "check my.pfx.db.ok{env:prod}", "has env:ci, not env:prod", NULL},
        {S("_sc|my.db.ok|0"), "check db.*", "has the prefix my.", NULL},
        {S("_sc|db.ok|2"), "check db.ok status == ok", "db.ok (service check) 1 check, critical: matched",
         NULL},
        {S("_sc|db.ok|0|h:web"), "check db.ok{host:db}", "has host:web, not host:db", NULL},
        {S("_e{6,4}:Deploy|text\n_e{6,4}:Deploy|more"), "event Deploy samples == 3", "2 events: matched",
         NULL},
        {S("_e{6,4}:Deploy|text"), "no event Deploy", "matched", NULL},
        {S("_e{6,4}:Rollback|text"), "event Deploy", NULL, NULL},
    };
    CHECK(cases);
}

/* datadogpy#660 and its like: the lengths in an event's header. */
static void test_lengths(void) {
    static const struct told_case cases[] = {
        {S("_e{2,4}:\xc3\xa9\xc3\xa9|text|t:error"), "event \"\xc3\xa9\xc3\xa9\"",
         "must count bytes, not characters", NULL},
        {S("_e{4,4}:Deploy|text"), "event Deploy", "the lengths in _e{…} are too small", NULL},
        {S("_e{5,4}:Deploy|text"), "event Deploy", "the lengths in _e{…} are too small", NULL},
        {S("_e{8,2}:Deploy|text"), "event Deploy", "the lengths in _e{…} are too great", NULL},
        {S("_e{6,4}:Deploy|text"), "event \"Deploy finished\"", "lacks the end \" finished\"", "cut"},
        {S("_e{60,4}:Deploy|text"), "event Deploy", "event_too_short", NULL},
    };
    CHECK(cases);
}

static void test_other_session_and_mark(void) {
    struct fake *f = fake_new();
    fake_session(f, "other");
    fake_send(f, "_e{6,4}:Deploy|text\n_sc|db.ok|0\n_sc|db.ko|0");
    fake_session(f, "default");
    CU_ASSERT_PTR_NOT_NULL(strstr(told(f, "event Deploy", NULL), "arrived in session other"));
    const char *text = told(f, "check db.ok", NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "db.ok (service check) 1 check, ok: arrived in session other"));
    CU_ASSERT_PTR_NULL(strstr(text, "db.ko"));
    fake_send(f, "_sc|db.ok|0");
    struct judge_options since = {.since = fake_last_id(f)};
    CU_ASSERT_PTR_NOT_NULL(strstr(told(f, "check db.ok", &since), "arrived before the mark"));
    /* the own session's come first, where both differ in one thing */
    fake_session(f, "other");
    fake_send(f, "m:1|c");
    fake_session(f, "default");
    fake_send(f, "m:1|c|#Foo:1");
    text = told(f, "incr m{!Foo}", NULL);
    CU_ASSERT(strncmp(text, "m (count) {Foo:1}", 17) == 0);
    fake_free(f);
}

/* F7: no mark contradicts what stands beside it. */
static void test_tags(void) {
    static const struct told_case cases[] = {
        {S("a:1|c|#k:v\0"), "incr a{k:v}", "has k:v\\x00, not k:v", NULL},
        {S("m:1|c|#Foo:1,Foo:2"), "incr m{!Foo:1}", "has Foo:1, which !Foo:1 excludes", "has Foo:2"},
        {S("m:1|c|#Foo:1,Foo:2"), "incr m{!Foo:2}", "has Foo:2, which !Foo:2 excludes", "has Foo:1"},
        {S("m:1|c|#Foo:1,Foo:2"), "incr m{Foo:3}", "has Foo:1 and Foo:2, not Foo:3", NULL},
        {S("m:1|c|#F:1,F:2,F:4"), "incr m{F:3}", "has F:1, F:2 and more, not F:3", NULL},
        {S("o:1|c|#host:"), "incr o{host:h1}", "has host:, not host:h1", "has ,"},
        {S("o:1|c|#host:h2"), "incr o{host:h1}", "has host:h2, not host:h1", NULL},
        {S("l:1|c|#Env:PROD"), "incr l{env:prod}", "has Env:PROD, not env:prod", "missing"},
        {S("l:1|c|#country=china"), "incr l{country:china}", "has country=china, not country:china",
         "missing"},
        {S("l:1|c|#a:b, c:d"), "incr l{c:d}", "has \" c:d\", not c:d", "missing"},
        {S("l:1|c|#ENV"), "incr l{env}", "has ENV, not env", "missing"},
        {S("k:1|c|#fmt:v1,v2,v3"), "incr k{\"fmt:v1,v2,v3\"}", "a comma separates tags", NULL},
        {S("t:1|c|#a,,b,"), "incr t[a,b]", "{\"\",a,b} 1 sample: an empty tag is one too many", NULL},
        {S(" t7:1|c|#a"), "incr t7", "\" t7\" (count)", NULL},
        {S("t:1|c|# c:d,a:b"), "incr t{x}", "{\" c:d\",a:b}", NULL},
        {S("l:1|c|#environment:prod"), "incr l{env:prod}", "tag env:prod is missing", NULL},
    };
    CHECK(cases);
}

/* Conditions, patterns of tags, and claims about refused lines. */
static void test_conditions(void) {
    static const struct told_case cases[] = {
        {S("_e{6,4}:Deploy|text|p:low"), "event Deploy where priority == normal",
         "1 event: its priority is 'low', not priority == normal", "matched"},
        {S("_e{6,4}:Deploy|text|p:low\n_e{6,4}:Deploy|text"), "no event Deploy where priority == low",
         "1 event: matched", "priority"},
        {S("_sc|db|0"), "check db where status == critical", "its status is ok, not status == critical",
         NULL},
        {S("a:1|c"), "incr a where value == 5", "matched ('where' aside), sum 1", NULL},
        {S("a:x|c"), "no reject *", "rejected, invalid_value", NULL},
        {S("a:x|c\nb:1|q"), "no reject * where reason == invalid_type", "rejected, invalid_type",
         "invalid_value"},
        {S("app:x|c"), "reject apq", "its name is 1 edit away", NULL},
        {S("app:x|c"), "reject app where reason == no_pipe", "its reason is 'invalid_value', not reason",
         NULL},
        {S("app:1|c"), "reject app", "app (count) 1 sample: was accepted", "refused"},
        {S("app:1|c"), "reject apq", NULL, NULL},
        {S("app:1|c"), "no reject app", NULL, NULL},
        {S("jobs.A::Worker:1|ms"), "reject \"jobs.A::W*\"", "so its name was read as jobs.A", NULL},
        {S("jobs.A::Worker:1|ms"), "reject Worker", "its text holds Worker", NULL},
        {S("a:1|c|#env:prod"), "incr a{env=~\"ci.*\"}", "has env:prod, not env=~\"ci.*\"", NULL},
        {S("a:1|c|#env:prod"), "incr a{env!~\"pr.*\"}", "has env:prod, which env!~\"pr.*\" excludes", NULL},
        {S("a:1|c|#env:prod"), "incr a{env:(ci|test)}", "has env:prod, not env:(ci|test)", NULL},
        {S("a:1|c|#b"), "incr a{env:(ci|test)}", "tag env:(ci|test) is missing", NULL},
        {S("a:1|c|#b"), "incr a{\"\"}", "tag \"\" is missing", NULL},
        {S("a:1|c|#envs:prod"), "incr a{en*:ci}", "has envs:prod, not en*:ci", NULL},
    };
    CHECK(cases);
}

/* F4: the Agent takes the line and drops a part of it. */
static void test_ignored_parts(void) {
    static const struct told_case cases[] = {
        {S("gt:1|g|#pipe|in:tag,red"), "gauge gt{red}", "'in:tag,red' was ignored", NULL},
        {S("t:1|c|#a:1|#b:2"), "incr t{a:1}", "'#a:1' was ignored", NULL},
        {S("t:1|c| #a:b"), "incr t{a:b}", "' #a:b' was ignored", NULL},
        {S("t:1|c|#a:1|\x1b%"), "incr t{b}", "'\\x1b%' was ignored", NULL},
        {S("_sc|n.n|0|m:has | pipe"), "check n.n status == critical", "' pipe' was ignored", NULL},
        {S("_e{6,4}:Deploy|text|x:y"), "event Deploy samples == 2", "'x:y' was ignored", NULL},
        {S("t:1|c|#a:1"), "incr t{b}", "tag b is missing", "ignored"},
    };
    CHECK(cases);
}

/* F8: gauges that are sent as differences. */
static void test_deltas(void) {
    struct fake *f = fake_new();
    fake_send(f, "q:100|g\nq:+4|g\nq:-10|g\nr:1|g\nr:2|g\nn:3|g\nn:-1|g\none:-1|g");
    EQ_STR(
        judging_text(f, "gauge q last == 94", "why"),
        "last is -10, expected last == 94; its values add up to that, but a sign makes no difference of it: an "
        "Agent takes +4 as 4 and -4 as -4");
    EQ_STR(
        judging_text(f, "gauge n last == 7", "why"),
        "last is -1, expected last == 7; a sign makes no difference of it: an Agent takes +4 as 4 and -4 as -4");
    EQ_STR(judging_text(f, "gauge r last == 9", "why"), "last is 2, expected last == 9");
    EQ_STR(judging_text(f, "gauge one last == 9", "why"), "last is -1, expected last == 9");
    EQ_STR(judging_text(f, "gauge q last == -10", "why"), "last is -10");
    fake_free(f);
}

/* The most frequent first failure: an aim that is wrong, or a client that was not flushed. */
static void test_nothing_at_all(void) {
    struct fake *f = fake_new();
    struct judge_options options = {.session = SPAN("s 1"), .listening = SPAN("UDP 127.0.0.1:1")};
    json_t *result = judging_result(f, "incr a", &options);
    EQ_STR(
        json_string_value(json_object_get(result, "why")),
        "no sample that matches was received; nothing at all arrived in session \"s 1\", which listens on UDP "
        "127.0.0.1:1. The client may send elsewhere, or may still buffer what it has: flush or close it, or wait "
        "(within).");
    json_decref(result);
    static const char *const sessions[] = {"default", "*"};
    for (size_t i = 0; i < 2; i++) {
        options = (struct judge_options){.session = span_str(sessions[i])};
        result = judging_result(f, "event a", &options);
        const char *why = json_string_value(json_object_get(result, "why"));
        CU_ASSERT_PTR_NOT_NULL(strstr(why, i ? "in any session." : "in session default."));
        json_decref(result);
    }
    /* a `no` is not told so, and one record of any kind is enough */
    EQ_STR(judging_text(f, "no incr a", "why"), "no sample that matches was received");
    static const char *const anything[] = {"b:1|c", "_sc|b|0", "_e{1,1}:a|b", "bad"};
    for (size_t i = 0; i < 4; i++) {
        struct fake *one = fake_new();
        fake_send(one, anything[i]);
        EQ_STR(judging_text(one, "incr a", "why"), "no sample that matches was received");
        struct judge_options since = {.since = fake_last_id(one)};
        result = judging_result(one, "incr a", &since);
        CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(json_object_get(result, "why")),
                                      "nothing at all arrived in session default after the mark."));
        json_decref(result);
        fake_free(one);
    }
    fake_free(f);
}

/* The line would have broken it, had it been well-formed. */
static void test_a_no_tells_of_refused_lines(void) {
    struct fake *f = fake_new();
    fake_send(f, "errors.x:abc|c\nerrors.x:abc|c\nother:x|c\nA::errors.y:1|c");
    json_t *result = judging_result(f, "no any errors.*", NULL);
    EQ_STR(json_string_value(json_object_get(result, "verdict")), "pass");
    EQ_STR(
        json_string_value(json_object_get(result, "note")),
        "2 lines of that name were refused, as an Agent would: errors.x:abc|c (invalid_value: the value is not a "
        "number)");
    EQ_INT(json_array_size(json_object_get(result, "closest")), 1);
    json_decref(result);
    result = judging_result(f, "no any nothing.*", NULL);
    CU_ASSERT_PTR_NULL(json_object_get(result, "note"));
    json_decref(result);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(judging_text(f, "no any A::errors.y", "why"), "1 line of that name was refused"));
    /* of other sessions only where the claim is about them */
    fake_session(f, "other");
    fake_send(f, "elsewhere:x|c");
    struct judge_options wide = {.no_everywhere = true};
    for (int i = 0; i < 2; i++) {
        result = judging_result(f, "no incr elsewhere", i ? &wide : NULL);
        CU_ASSERT((json_object_get(result, "note") != NULL) == (i == 1));
        json_decref(result);
    }
    fake_free(f);
}

/* However many there are, and however alike. */
static void test_bounded(void) {
    struct fake *f = fake_new();
    struct buf line = {0};
    for (int i = 0; i < 3000; i++) {
        buf_clear(&line);
        buf_printf(&line, "_e{6,4}:deploy|text|#i:%d\n_sc|db.oo|0|#i:%d\ndb:x%d|c", i, i, i);
        fake_send_span(f, buf_view(&line));
    }
    buf_free(&line);
    static const char *const asked[] = {"event Deploy", "check db.ok", "incr db"};
    for (size_t i = 0; i < 3; i++) {
        json_t *result = judging_result(f, asked[i], NULL);
        EQ_INT(json_array_size(json_object_get(result, "closest")), 5);
        json_decref(result);
    }
    fake_free(f);
}

UNIT_MAIN("report/closest", {"an end too many or too few", test_ends},
          {"a metric that was read as a service check", test_mistaken_family},
          {"the series that per_series speaks of", test_most_per_series},
          {"refused lines whose name was read otherwise", test_refused_names},
          {"the same refused line is shown once", test_refused_twice_is_shown_once},
          {"refused lines of other sessions and before the mark", test_refused_elsewhere},
          {"accepted lines whose name was read otherwise", test_accepted_names},
          {"read as another kind of record", test_families},
          {"events and checks have a closest", test_events_and_checks},
          {"an event's lengths in characters", test_lengths},
          {"events and checks of other sessions, before the mark", test_other_session_and_mark},
          {"the tag that decided is named, as it is", test_tags},
          {"conditions, patterns, claims about refused lines", test_conditions},
          {"parts of a line that an Agent ignores", test_ignored_parts},
          {"gauges that are sent as differences", test_deltas},
          {"nothing arrived at all", test_nothing_at_all},
          {"a no that passes tells of refused lines", test_a_no_tells_of_refused_lines},
          {"five at most", test_bounded})
