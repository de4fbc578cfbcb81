// statwit.hpp, all of it, against the real server.
#include <cstdio>
#include <cstdlib>
#include <statwit.hpp>
#include <string>

static void require(bool holds, const char *what, int line) {
    if (!holds) {
        std::fprintf(stderr, "client_cpp.cc:%d: %s\n", line, what);
        std::exit(1);
    }
}
#define REQUIRE(holds) require(holds, #holds, __LINE__)

static void emits_all_kinds(statwit::session &session) {
    statwit_metrics *metrics = session.metrics("shop.");
    REQUIRE(metrics == session.metrics());
    const std::string name = "login.attempt";
    statwit::incr(metrics, name, statwit::with().instance("failure"));
    statwit::incr(metrics, "by", statwit::with().amount(3).sample_rate(1).cardinality("low"));
    statwit::count(metrics, "count", 0);
    statwit::gauge(metrics, "depth", 1.5f,
                   statwit::with()
                       .tag("shard", 7)
                       .tag("ratio", 0.5)
                       .tag("primary", true)
                       .tag("who", name)
                       .tag("none", nullptr));
    statwit::timing(metrics, "latency", 480u);
    statwit::histogram(metrics, "h", 7L);
    statwit::distribution(metrics, "d", 0.25);
    statwit::set(metrics, "users", "ann");
    statwit::set(metrics, "users", name);
    statwit::set(metrics, "users", 5);
    struct statwit_event about = {};
    about.alert_type = "error";
    statwit::event(metrics, "Deploy", "text", statwit::with().tag("env", "ci"), about);
    statwit::event(metrics, "Plain", "text");
    statwit::check(metrics, "up", STATWIT_CHECK_WARNING, statwit::with().tag("env", "ci"));
    session.expect(
        "incr shop.login.attempt[instance:failure] sum == 1\n"
        "incr shop.by sum == 3\n"
        "incr shop.count where value == 0\n"
        "gauge shop.depth[shard:7,ratio:0.5,primary:True,who:login.attempt,none:None] last == 1.5\n"
        "timing shop.latency last == 480\n"
        "histogram shop.h last == 7\n"
        "distribution shop.d last == 0.25\n"
        "set shop.users distinct == 3\n"
        "event Deploy[env:ci] where alert_type == error\n"
        "event Plain[]\n"
        "check up[env:ci] status == warning\n"
        "no reject *\n");
}

static void times(statwit::session &session) {
    statwit_metrics *metrics = session.metrics();
    { statwit::timer timer(metrics, "job", statwit::with().tag("queue", std::string("a"))); }
    {
        statwit::timer timer(metrics, std::string("told"));
        timer.fail();
    }
    try {
        statwit::timer timer(metrics, "thrown");
        throw 5;
    } catch (int) {
        statwit::timer timer(metrics, "in.handler");
    }
    {
        statwit::global_tags tags(statwit::with().tag("tenant", "t"));
        statwit::global_tags nothing{statwit::with()};
        statwit::incr(metrics, "inside");
    }
    statwit::incr(metrics, "outside");
    session.expect("timing shop.job[queue:a,result:success] samples == 1\n"
                   "timing shop.told[result:failure] samples == 1\n"
                   "timing shop.thrown[result:failure] samples == 1\n"
                   "timing shop.in.handler[result:success] samples == 1\n"
                   "incr shop.inside[tenant:t]\n"
                   "incr shop.outside[]\n");
}

static statwit_verdict verdict(statwit::session &session, const char *expectation) {
    try {
        session.expect(expectation);
        return STATWIT_PASS;
    } catch (const statwit::failed &failure) {
        REQUIRE(std::string(failure.what()).find(expectation) != std::string::npos);
        return STATWIT_FAIL;
    } catch (const statwit::inconclusive &failure) {
        REQUIRE(std::string(failure.what()).find(expectation) != std::string::npos);
        return STATWIT_INCONCLUSIVE;
    } catch (const statwit::trouble &trouble) {
        REQUIRE(*trouble.what());
        return STATWIT_ERROR;
    }
}

static void judges(statwit::recorder &recorder) {
    statwit::session session(recorder), other(recorder);
    statwit::incr(session.metrics(), "a");
    REQUIRE(verdict(session, "incr a") == STATWIT_PASS);
    REQUIRE(verdict(other, "incr a") == STATWIT_FAIL);
    REQUIRE(verdict(session, "no any a") == STATWIT_FAIL);
    REQUIRE(verdict(session, "incr a sum === 1") == STATWIT_ERROR);
    const std::string faults = std::string("{\"dogstatsd\":[{\"drop\":1,\"session\":\"") +
                               statwit_session_name(other.get()) + "\"}]}";
    struct statwit_request request = {};
    statwit_response response;
    request.method = "PUT";
    request.path = "/recorder/v1/faults";
    request.body = faults.data();
    request.size = faults.size();
    REQUIRE(statwit_request(recorder.get(), &request, &response, nullptr) == 0 && response.status == 200);
    statwit_response_free(&response);
    statwit::incr(other.metrics(), "a");
    REQUIRE(verdict(other, "no any a") == STATWIT_INCONCLUSIVE);
    REQUIRE(verdict(other, "incr a") == STATWIT_INCONCLUSIVE);
}

int main() {
    statwit::recorder recorder;
    {
        statwit::session session(recorder);
        emits_all_kinds(session);
        times(session);
        statwit_assert(session.get(), "incr shop.by");
    }
    judges(recorder);
    statwit::recorder same(statwit_recorder_url(recorder.get()));
    statwit::session session(same);
    session.expect("no any *");
    try {
        statwit::recorder nowhere("no url");
        REQUIRE(false);
    } catch (const statwit::trouble &) {
    }
    std::puts("c++: ok");
}
