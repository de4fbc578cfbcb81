/* libstatwit for C++, from C++11 on: emit with tags and values of any type, and assert in tests.
 *
 *     statwit::incr(metrics, "login.attempt", statwit::with().instance("failure"));
 *     statwit::gauge(metrics, "queue.depth", 42, statwit::with().tag("shard", 7).tag("primary", true));
 *     statwit::timer timer(metrics, "job.duration");        result:failure when an exception ends the block
 *
 *     statwit::recorder recorder;                           a private recorder; ends with the program
 *     statwit::session session(recorder);                   what one test emits
 *     statwit_metrics *metrics = session.metrics("shop.");  a client that sends there
 *     session.expect("incr shop.login.attempt{instance:failure} sum == 1");
 *
 * Purpose: what statwit.h says with macros in C. All else is used as it is there.
 * Ownership: the classes own what they hold, and cannot be copied. A session is closed before its recorder.
 * Threads, Limits: as in statwit.h.
 * Errors: emitting never fails and never throws but for memory. recorder, session and its members throw: statwit::failed with
 * the report when the verdict is fail, statwit::inconclusive when something was lost that could have changed it, statwit::trouble
 * when there is no verdict. A test that waits for a failure takes neither of the others for it.
 * Source: statwit.h.
 */
#ifndef STATWIT_HPP
#define STATWIT_HPP

#include <exception>
#include <statwit.h>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace statwit {

/* A text that is borrowed during a call. */
struct text {
    const char *bytes;
    text(const char *given) : bytes(given) {
    }
    text(const std::string &given) : bytes(given.c_str()) {
    }
};

/* The optional arguments of a call. It keeps what it is told. */
class with {
  public:
    with &instance(std::string value) {
        return instance_ = std::move(value), *this;
    }
    with &tag(std::string key, std::string value) {
        return tags_.emplace_back(std::move(key), std::move(value)), *this;
    }
    with &tag(std::string key, const char *value) {
        return tag(std::move(key), std::string(value ? value : "None"));
    }
    with &tag(std::string key, bool value) {
        return tag(std::move(key), std::string(STATWIT_BOOL(value)));
    }
    template <class T>
    typename std::enable_if<std::is_arithmetic<T>::value, with &>::type tag(std::string key, T value) {
        char written[STATWIT_NUMBER_SIZE];
        return tag(std::move(key),
                   std::string(std::is_floating_point<T>::value
                                   ? statwit_real_text(written, static_cast<double>(value))
                                   : statwit_integer_text(written, static_cast<int64_t>(value))));
    }
    with &sample_rate(double rate) {
        return call_.sample_rate = rate, *this;
    }
    with &amount(int64_t by) {
        return call_.amount = by, *this;
    }
    with &timestamp_s(int64_t when) {
        return call_.timestamp_s = when, *this;
    }
    with &cardinality(std::string value) {
        return cardinality_ = std::move(value), *this;
    }
    with &internal() {
        return call_.internal = true, *this;
    }

    /* As C has it. `list` holds the tags, which live as long as this and the list. */
    statwit_call as_call(std::vector<statwit_tag> &list) const {
        statwit_call call = call_;
        call.instance = instance_.empty() ? nullptr : instance_.c_str();
        call.cardinality = cardinality_.empty() ? nullptr : cardinality_.c_str();
        call.tags = as_tags(list);
        return call;
    }
    const statwit_tag *as_tags(std::vector<statwit_tag> &list) const {
        if (tags_.empty())
            return nullptr;
        list.reserve(tags_.size() + 1);
        for (const auto &tag : tags_)
            list.push_back({tag.first.c_str(), tag.second.c_str()});
        list.push_back({nullptr, nullptr});
        return list.data();
    }

  private:
    statwit_call call_ = statwit_call();
    std::string instance_, cardinality_;
    std::vector<std::pair<std::string, std::string>> tags_;
};

inline void incr(statwit_metrics *metrics, text key, const with &more = with()) {
    std::vector<statwit_tag> list;
    const statwit_call call = more.as_call(list);
    statwit_emit_incr(metrics, key.bytes, &call);
}

template <class T>
typename std::enable_if<std::is_floating_point<T>::value>::type
emit(statwit_metrics *metrics, statwit_type type, text key, T value, const with &more) {
    std::vector<statwit_tag> list;
    const statwit_call call = more.as_call(list);
    statwit_emit_real(metrics, type, key.bytes, static_cast<double>(value), &call);
}

template <class T>
typename std::enable_if<std::is_integral<T>::value>::type emit(statwit_metrics *metrics, statwit_type type,
                                                               text key, T value, const with &more) {
    std::vector<statwit_tag> list;
    const statwit_call call = more.as_call(list);
    statwit_emit_integer(metrics, type, key.bytes, static_cast<int64_t>(value), &call);
}

/* The value is a number; that of a timing is in milliseconds. */
template <class T> void count(statwit_metrics *metrics, text key, T value, const with &more = with()) {
    emit(metrics, STATWIT_COUNT, key, value, more);
}
template <class T> void gauge(statwit_metrics *metrics, text key, T value, const with &more = with()) {
    emit(metrics, STATWIT_GAUGE, key, value, more);
}
template <class T> void timing(statwit_metrics *metrics, text key, T value, const with &more = with()) {
    emit(metrics, STATWIT_TIMING, key, value, more);
}
template <class T> void histogram(statwit_metrics *metrics, text key, T value, const with &more = with()) {
    emit(metrics, STATWIT_HISTOGRAM, key, value, more);
}
template <class T> void distribution(statwit_metrics *metrics, text key, T value, const with &more = with()) {
    emit(metrics, STATWIT_DISTRIBUTION, key, value, more);
}
/* A set has members: numbers or texts. */
template <class T>
typename std::enable_if<std::is_arithmetic<T>::value>::type set(statwit_metrics *metrics, text key, T member,
                                                                const with &more = with()) {
    emit(metrics, STATWIT_SET, key, member, more);
}
inline void set(statwit_metrics *metrics, text key, text member, const with &more = with()) {
    std::vector<statwit_tag> list;
    const statwit_call call = more.as_call(list);
    statwit_emit_text(metrics, STATWIT_SET, key.bytes, member.bytes, &call);
}

/* Of `more` only the tags count; `about` has the other fields (`statwit_event about{}; about.alert_type = "error";`). */
inline void event(statwit_metrics *metrics, text title, text body, const with &more = with(),
                  struct statwit_event about = {}) {
    std::vector<statwit_tag> list;
    about.tags = more.as_tags(list);
    statwit_emit_event(metrics, title.bytes, body.bytes, &about);
}
inline void check(statwit_metrics *metrics, text name, statwit_check_status status, const with &more = with(),
                  struct statwit_check about = {}) {
    std::vector<statwit_tag> list;
    about.tags = more.as_tags(list);
    statwit_emit_check(metrics, name.bytes, status, &about);
}

/* Sends a timing when its block is left, with the tag result:success, or result:failure after fail() or when an exception
 * leaves the block. */
class timer {
  public:
    timer(statwit_metrics *metrics, std::string key, with more = with())
        : key_(std::move(key)), more_(std::move(more)), call_(more_.as_call(list_)),
          exceptions_(exceptions()) {
        statwit_timer_start(&timer_, metrics, key_.c_str(), &call_);
    }
    ~timer() {
        if (exceptions() > exceptions_)
            fail();
        stop();
    }
    timer(const timer &) = delete;
    timer &operator=(const timer &) = delete;
    void fail() {
        statwit_timer_fail(&timer_);
    }
    void stop() {
        statwit_timer_stop(&timer_);
    }

  private:
    static int exceptions() {
#ifdef __cpp_lib_uncaught_exceptions
        return std::uncaught_exceptions();
#else
        return std::uncaught_exception();
#endif
    }
    std::string key_;
    with more_;
    std::vector<statwit_tag> list_;
    statwit_call call_;
    int exceptions_;
    struct statwit_timer timer_;
};

/* Adds tags to all that any client emits until the end of the block, in this thread or in all. */
class global_tags {
  public:
    explicit global_tags(with tags, bool all_threads = false) : more_(std::move(tags)) {
        static const statwit_tag none[] = {{nullptr, nullptr}};
        const statwit_tag *listed = more_.as_tags(list_);
        statwit_scope_push(&scope_, all_threads, listed ? listed : none);
    }
    ~global_tags() {
        statwit_scope_pop(&scope_);
    }
    global_tags(const global_tags &) = delete;
    global_tags &operator=(const global_tags &) = delete;

  private:
    with more_;
    std::vector<statwit_tag> list_;
    statwit_scope scope_;
};

/* There is no verdict: no recorder, or a malformed expectation. */
struct trouble : std::runtime_error {
    explicit trouble(const statwit_error &error) : std::runtime_error(error.text) {
    }
};

/* The verdict is fail. what() is the report. */
struct failed : std::runtime_error {
    explicit failed(const std::string &report) : std::runtime_error(report) {
    }
};

/* The verdict is inconclusive. what() is the report. */
struct inconclusive : std::runtime_error {
    explicit inconclusive(const std::string &report) : std::runtime_error("inconclusive\n" + report) {
    }
};

/* A private recorder, or with a URL the one that runs there. */
class recorder {
  public:
    recorder() : recorder_(statwit_recorder_start(nullptr, &error_)) {
        check();
    }
    explicit recorder(const std::string &url)
        : recorder_(statwit_recorder_connect(url.c_str(), nullptr, &error_)) {
        check();
    }
    ~recorder() {
        statwit_recorder_close(recorder_);
    }
    recorder(const recorder &) = delete;
    recorder &operator=(const recorder &) = delete;
    statwit_recorder *get() const {
        return recorder_;
    }

  private:
    void check() const {
        if (!recorder_)
            throw trouble(error_);
    }
    statwit_error error_ = statwit_error();
    statwit_recorder *recorder_;
};

/* What one test emits. It is removed with what it recorded. */
class session {
  public:
    explicit session(recorder &of) {
        statwit_error error = statwit_error();
        session_ = statwit_session_open(of.get(), nullptr, &error);
        if (!session_)
            throw trouble(error);
    }
    ~session() {
        statwit_close(metrics_);
        statwit_session_close(session_);
    }
    session(const session &) = delete;
    session &operator=(const session &) = delete;
    statwit_session *get() const {
        return session_;
    }

    /* The session's own client, which sends here. It is made by the first call, and belongs to the session. */
    statwit_metrics *metrics(const char *prefix = nullptr) {
        if (metrics_)
            return metrics_;
        statwit_options options = statwit_options();
        statwit_error error = statwit_error();
        options.prefix = prefix;
        statwit_session_aim(session_, &options);
        metrics_ = statwit_open(&options, &error);
        if (!metrics_)
            throw trouble(error);
        return metrics_;
    }

    /* Throws unless the verdict is pass. Sends first what the session's own client still holds. */
    void expect(const std::string &expectations, int within_ms = 0) {
        statwit_expect_options options = statwit_expect_options();
        statwit_report report;
        statwit_error error = statwit_error();
        if (metrics_)
            statwit_flush(metrics_, 1000);
        options.within_ms = within_ms;
        if (statwit_expect(session_, expectations.c_str(), &options, &report, &error))
            throw trouble(error);
        const statwit_verdict verdict = report.verdict;
        const std::string said = report.text;
        statwit_report_free(&report);
        if (verdict == STATWIT_INCONCLUSIVE)
            throw inconclusive(said);
        if (verdict != STATWIT_PASS)
            throw failed(said);
    }

  private:
    statwit_session *session_ = nullptr;
    statwit_metrics *metrics_ = nullptr;
};

} // namespace statwit

#endif
