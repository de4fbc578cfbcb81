/* The thread that posts bodies, one after the other, until the server took them. */
#include "emit/intake.h"
#include "emit/random.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#define PAUSE_MAX_S 3600 /* what a server may ask for */

/* The outcome of one request. */
struct answer {
    const struct intake *intake;
    CURLcode code;
    long status;
    long reset_s; /* X-RateLimit-Reset; 0: none */
    long after_s; /* Retry-After; 0: none */
};

static size_t take_nothing(char *bytes, size_t one, size_t size, void *context) {
    (void)bytes;
    (void)context;
    return one * size;
}

static size_t take_header(char *bytes, size_t one, size_t size, void *context) {
    static const char name[] = "x-ratelimit-reset:";
    struct answer *answer = context;
    char text[64];
    size *= one;
    if (size > sizeof name && size < sizeof text && strncasecmp(bytes, name, sizeof name - 1) == 0) {
        memcpy(text, bytes, size);
        text[size] = '\0';
        answer->reset_s = strtol(text + sizeof name - 1, NULL, 10);
    }
    return size;
}

/* Ends a request that would outlive the client. */
static int check_deadline(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    struct intake *intake = context;
    (void)a, (void)b, (void)c, (void)d;
    pthread_mutex_lock(&intake->lock);
    bool over = intake->stopping && clock_monotonic_ns() > intake->deadline_ns;
    pthread_mutex_unlock(&intake->lock);
    return over;
}

static bool add_header(const struct curl *curl, struct curl_slist **headers, const char *name,
                       const char *value) {
    char line[1024];
    if ((size_t)snprintf(line, sizeof line, "%s: %s", name, value) >= sizeof line)
        return false;
    struct curl_slist *longer = curl->slist_append(*headers, line);
    *headers = longer ? longer : *headers;
    return longer;
}

static struct curl_slist *make_headers(const struct intake *intake) {
    const struct statwit_options *options = &intake->config->options;
    struct curl_slist *headers = NULL;
    const struct curl *curl = intake->curl;
    bool done = add_header(curl, &headers, "Content-Type", "application/json") &&
                add_header(curl, &headers, "Content-Encoding", "deflate") &&
                add_header(curl, &headers, "DD-API-KEY", options->api_key) &&
                (!options->app_key || add_header(curl, &headers, "DD-APPLICATION-KEY", options->app_key));
    if (done)
        done = curl->slist_append(headers, "Expect:");
    if (done)
        return headers;
    curl->slist_free_all(headers);
    return NULL;
}

static CURLcode perform(struct intake *intake, const struct intake_body *body, const char *url,
                        const struct curl_slist *headers, struct answer *answer) {
    const struct curl *curl = intake->curl;
    const struct statwit_options *options = &intake->config->options;
    if (!intake->handle)
        intake->handle = curl->easy_init();
    CURL *handle = intake->handle;
    if (!handle)
        return CURLE_OUT_OF_MEMORY;
    bool failed = false;
#define SET(option, value) failed |= curl->easy_setopt(handle, option, value) != CURLE_OK
    SET(CURLOPT_URL, url);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_USERAGENT, "libstatwit/" STATWIT_VERSION);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->size);
    SET(CURLOPT_POSTFIELDS, body->bytes);
    SET(CURLOPT_TIMEOUT_MS, (long)options->request_timeout_ms);
    SET(CURLOPT_WRITEFUNCTION, take_nothing);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, answer);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, check_deadline);
    SET(CURLOPT_XFERINFODATA, intake);
    if (options->ca_file)
        SET(CURLOPT_CAINFO, options->ca_file);
#undef SET
    CURLcode code = failed ? CURLE_OUT_OF_MEMORY : curl->easy_perform(handle);
    curl_off_t after_s = 0;
    curl->easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer->status);
    if (curl->easy_getinfo(handle, CURLINFO_RETRY_AFTER, &after_s) == CURLE_OK)
        answer->after_s = (long)after_s;
    curl->easy_setopt(handle, CURLOPT_HTTPHEADER, NULL);
    return code;
}

static struct answer post(struct intake *intake, const struct intake_body *body) {
    struct answer answer = {.intake = intake, .code = CURLE_OUT_OF_MEMORY};
    struct text url = {.max = 4096};
    const char *host = intake->config->options.api_host;
    size_t size = strlen(host);
    text_put(&url, host, size > 0 && host[size - 1] == '/' ? size - 1 : size);
    text_puts(&url, body->path);
    struct curl_slist *headers = make_headers(intake);
    if (headers && !url.failed)
        answer.code = perform(intake, body, url.bytes, headers, &answer);
    intake->curl->slist_free_all(headers);
    text_free(&url);
    return answer;
}

/* ---- the queue; with the lock held ---- */

static void pop(struct intake *intake) {
    struct intake_body *body = intake->first_body;
    intake->first_body = body->after;
    if (!intake->first_body)
        intake->last_body = &intake->first_body;
    intake->held_bytes -= sizeof *body + body->size;
    free(body);
}

static void retry_later(struct intake *intake, const struct answer *answer) {
    int doublings = intake->n_failures < 6 ? intake->n_failures : 6;
    int64_t pause_ms = (int64_t)intake->config->options.backoff_ms << doublings;
    long asked_s = answer->after_s > answer->reset_s ? answer->after_s : answer->reset_s;
    if (asked_s > PAUSE_MAX_S)
        asked_s = PAUSE_MAX_S;
    if (asked_s * 1000 > pause_ms)
        pause_ms = asked_s * 1000;
    intake->n_failures++;
    health_add(&intake->health->retries, 1);
    /* A little apart, so that the processes of a site do not all come back at once. */
    intake->retry_at_ns = clock_monotonic_ns() + (int64_t)((double)pause_ms * 1e6 * (1 + random_unit() / 8));
}

static void settle(struct intake *intake, const struct answer *answer) {
    struct intake_body *body = intake->first_body;
    /* The status is the answer, also when the rest of it got lost. */
    bool answered = answer->status != 0;
    if (answered && answer->status >= 200 && answer->status < 300) {
        health_add(&intake->health->packets_sent, 1);
        health_add(&intake->health->bytes_sent, body->size);
        intake->n_failures = 0;
        pop(intake);
    } else if (answered && answer->status < 500 && answer->status != 408 && answer->status != 429) {
        health_drop(intake->health, DROP_REFUSED, body->n_series, "%.80s%s answered %ld",
                    intake->config->options.api_host, body->path, answer->status);
        pop(intake);
    } else {
        retry_later(intake, answer);
    }
}

static void send_bodies(struct intake *intake) {
    while (intake->first_body && clock_monotonic_ns() >= intake->retry_at_ns) {
        if (intake->stopping && clock_monotonic_ns() > intake->deadline_ns)
            return;
        struct intake_body *body = intake->first_body;
        pthread_mutex_unlock(&intake->lock);
        struct answer answer = post(intake, body);
        pthread_mutex_lock(&intake->lock);
        settle(intake, &answer);
    }
}

static int64_t now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

static void wait_until(struct intake *intake, int64_t when_ns) {
    struct timespec when = {.tv_sec = when_ns / 1000000000, .tv_nsec = when_ns % 1000000000};
    pthread_cond_timedwait(&intake->wake, &intake->lock, &when);
}

static void finish(struct intake *intake) {
    unsigned n_lost = intake_discard(intake);
    free(intake->chains);
    intake->chains = NULL;
    if (intake->handle)
        intake->curl->easy_cleanup(intake->handle);
    intake->handle = NULL;
    if (n_lost > 0)
        health_drop(intake->health, DROP_LATE, n_lost, "not sent before the client was closed");
}

static void *thread_main(void *context) {
    struct intake *intake = context;
    pthread_mutex_lock(&intake->lock);
    for (;;) {
        int64_t now = now_s();
        uint64_t n_asked = intake->n_flushes_asked; /* who asks from now on may mean what is not rolled yet */
        bool last = intake->stopping;
        intake_roll(intake, last ? INT64_MAX : now - now % intake->interval_s);
        send_bodies(intake);
        intake->n_flushes_done = n_asked;
        pthread_cond_broadcast(&intake->wake);
        if (last && (!intake->first_body || clock_monotonic_ns() > intake->deadline_ns))
            break;
        if (intake->n_flushes_asked != n_asked || intake->stopping != last)
            continue; /* asked meanwhile */
        /* Until the interval is over, a pause is, or somebody wakes. */
        int64_t next_ns =
            clock_monotonic_ns() + (intake->interval_s - now_s() % intake->interval_s) * 1000000000;
        if (intake->first_body && intake->retry_at_ns < next_ns)
            next_ns = intake->retry_at_ns;
        if (intake->stopping && intake->deadline_ns < next_ns)
            next_ns = intake->deadline_ns + 1000000;
        wait_until(intake, next_ns);
    }
    finish(intake);
    intake->running = false;
    intake->n_flushes_done = intake->n_flushes_asked;
    pthread_cond_broadcast(&intake->wake);
    pthread_mutex_unlock(&intake->lock);
    return NULL;
}

void intake_start(struct intake *intake) {
    if (intake->running)
        return;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    intake->running = pthread_create(&intake->thread, NULL, thread_main, intake) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool intake_flush(struct intake *intake, int timeout_ms) {
    int64_t deadline_ns = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;
    pthread_mutex_lock(&intake->lock);
    uint64_t number = intake->running ? ++intake->n_flushes_asked : 0;
    pthread_cond_broadcast(&intake->wake);
    while ((intake->n_flushes_done < number || intake->first_body) && clock_monotonic_ns() < deadline_ns)
        wait_until(intake, deadline_ns);
    bool done = intake->n_flushes_done >= number && !intake->first_body;
    pthread_mutex_unlock(&intake->lock);
    return done;
}

void intake_close(struct intake *intake, int timeout_ms) {
    pthread_mutex_lock(&intake->lock);
    bool again = intake->stopping, running = intake->running;
    intake->stopping = true;
    if (!again)
        intake->deadline_ns = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;
    int64_t until_ns = intake->deadline_ns + 200000000;
    pthread_cond_broadcast(&intake->wake);
    if (!running && !again)
        finish(intake);
    while (!again && intake->running && clock_monotonic_ns() < until_ns)
        wait_until(intake, until_ns);
    bool ended = !intake->running;
    pthread_mutex_unlock(&intake->lock);
    if (again || !running)
        return;
    /* A thread that a request still holds up is left behind: libcurl looks at the deadline once a second. */
    if (ended)
        pthread_join(intake->thread, NULL);
    else
        pthread_detach(intake->thread);
}
