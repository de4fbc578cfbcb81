/* Requests over HTTP, one after the other, tried again as the Agent's forwarder does.
 *
 * DESIGN. A request that failed for a while (no answer, 404, 429, 5xx) stays the first, and the thread pauses: twice as long each time,
 * with a random share, FORWARD_BACKOFF_MAX seconds at most. 400, 403, 413 and redirects are final: a further try would get the same
 * answer, and the API key is for nobody else. libcurl is loaded when it is needed, as in the client: see decision 13. */
#include "core/clock.h"
#include "core/libcurl.h"
#include "forward/private.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const struct libcurl *lib;

int request_prepare(struct err *err) {
    lib = libcurl_load("--forward", err);
    return lib ? 0 : -1;
}

/* --- one request -------------------------------------------------------------------------------------------------------- */

static size_t ignore_answer(char *bytes, size_t size, size_t n, void *arg) {
    (void)bytes, (void)arg;
    return size * n;
}

static int look_for_end(void *target, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    return target_is_over(target);
}

static bool add_header(struct curl_slist **list, const char *name, struct span value) {
    struct buf line = {.max = 64 << 10};
    if (value.n == 0)
        return true;
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ')
            return true; /* no value of a header */
    buf_printf(&line, "%s: %.*s", name, SPAN_ARG(value));
    struct curl_slist *longer = line.failed ? NULL : lib->slist_append(*list, line.p);
    buf_free(&line);
    *list = longer ? longer : *list;
    return longer;
}

static struct curl_slist *make_headers(const struct forward_target *t, const struct forward_request *r) {
    const char *own = t->forward->api_key;
    struct curl_slist *list = lib->slist_append(NULL, "Expect:");
    bool all = list && add_header(&list, "DD-API-KEY", own ? span_str(own) : r->api_key) &&
               add_header(&list, "Content-Type", r->content_type) &&
               add_header(&list, "Content-Encoding", r->content_encoding) &&
               add_header(&list, "User-Agent", r->user_agent);
    if (all && span_starts(r->user_agent, SPAN("datadog-agent")))
        all = add_header(&list, "DD-Agent-Payload", SPAN("4.87.0"));
    if (all)
        return list;
    lib->slist_free_all(list);
    return NULL;
}

static bool is_local(const char *url) {
    const char *host = strstr(url, "://") + 3;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 ||
           strncmp(host, "[::1]", 5) == 0;
}

/* The answer's status, 0 with why: there was none. */
static long ask(struct forward_target *t, CURL *handle, const struct forward_request *r, const char **why) {
    struct buf url = {.max = 128 << 10};
    struct curl_slist *headers = make_headers(t, r);
    long status = 0;
    buf_str(&url, t->where);
    buf_span(&url, r->path);
    if (r->query.n)
        buf_printf(&url, "?%.*s", SPAN_ARG(r->query));
    *why = "out of memory";
    if (!url.failed && headers) {
        lib->easy_setopt(handle, CURLOPT_URL, url.p);
        lib->easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
        lib->easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
        lib->easy_setopt(handle, CURLOPT_POSTFIELDS, r->body.p);
        lib->easy_setopt(handle, CURLOPT_CUSTOMREQUEST, r->method.p);
        CURLcode code = lib->easy_perform(handle);
        *why = lib->easy_strerror(code);
        if (code == CURLE_OK)
            lib->easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    }
    lib->slist_free_all(headers);
    buf_free(&url);
    return status;
}

static CURL *make_handle(struct forward_target *t) {
    CURL *handle = lib->easy_init();
    if (!handle)
        return NULL;
    lib->easy_setopt(handle, CURLOPT_POST, 1L);
    lib->easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    lib->easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)FORWARD_TIMEOUT_MS);
    lib->easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    lib->easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore_answer);
    lib->easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    lib->easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look_for_end);
    lib->easy_setopt(handle, CURLOPT_XFERINFODATA, t);
    if (t->forward->ca_file)
        lib->easy_setopt(handle, CURLOPT_CAINFO, t->forward->ca_file);
    if (is_local(t->where))
        lib->easy_setopt(handle, CURLOPT_NOPROXY, "*");
    return handle;
}

/* --- trying again --------------------------------------------------------------------------------------------------------- */

static bool is_final(long status) {
    return status == 400 || status == 403 || status == 413 || (status >= 300 && status < 400);
}

static const char *explain(long status) {
    return status == 403   ? " (the API key is not accepted)"
           : status == 413 ? " (the body is too large)"
           : status < 400  ? " (a redirect is not followed: the API key is for this host)"
                           : "";
}

/* Between a half and the whole of it. */
static int64_t pause_ns(const struct forward_target *t, unsigned n_failed) {
    int64_t longest = FORWARD_BACKOFF_MAX * NS_PER_S, ns = t->forward->options.backoff_ns;
    for (unsigned i = 1; i < n_failed && ns < longest; i++)
        ns *= 2;
    ns = ns < longest ? ns : longest;
    uint16_t share = 0;
    if (getrandom(&share, sizeof share, 0) != sizeof share)
        share = 0;
    return ns / 2 + (int64_t)((double)ns / 2 * share / UINT16_MAX);
}

static void send_request(struct forward_target *t, CURL *handle, const struct forward_request *r) {
    for (unsigned n_failed = 0; !target_is_over(t);) {
        const char *why;
        long status = handle ? ask(t, handle, r, &why) : (why = "out of memory", 0);
        if (status >= 200 && status < 300) {
            target_passed(t, 1);
            return;
        }
        if (is_final(status)) {
            target_failed(t, 1, &t->status.refused, "%.*s was answered %ld%s", SPAN_ARG(r->path), status,
                          explain(status));
            return;
        }
        if (status)
            target_failed(t, 1, &t->status.retries, "%.*s was answered %ld", SPAN_ARG(r->path), status);
        else
            target_failed(t, 1, &t->status.retries, "%s", why);
        /* When the recorder stops, each request has one try more. */
        if (!target_pause(t, pause_ns(t, ++n_failed)) && n_failed > 1)
            break;
    }
    target_dropped(t, 1);
}

void *request_run(void *target) {
    struct forward_target *t = target;
    CURL *handle = make_handle(t);
    bool stopped = false;
    for (struct forward_item *item; (item = target_take(t, 0, &stopped)) || !stopped;) {
        if (!item)
            continue;
        send_request(t, handle, &item->request);
        free(item);
    }
    if (handle)
        lib->easy_cleanup(handle);
    return NULL;
}
