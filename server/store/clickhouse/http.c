#include "store/clickhouse/http.h"

#include "core/clock.h"
#include "core/libcurl.h"
#include <stdio.h>
#include <stdlib.h>

#define CONNECT_MS 10000L
#define HEAD_MAX   ((size_t)1 << 20)

/* --- a connection ------------------------------------------------------------------------------------------- */

struct fleet_http {
    const struct libcurl *curl;
    CURL *handle;
    bool tls;
    char authority[300], where[400], reason[CURL_ERROR_SIZE];
    const char *user, *password;
    struct buf *answer;
    struct buf head; /* of an answer that is not wanted: what it begins with */
    int code;
};

static const char *setting(const char *name) {
    char ours[64], theirs[64];
    snprintf(ours, sizeof ours, "STATWIT_CLICKHOUSE_%s", name);
    snprintf(theirs, sizeof theirs, "CLICKHOUSE_%s", name);
    const char *value = getenv(ours);
    return value ? value : getenv(theirs);
}

static size_t on_body(char *bytes, size_t one, size_t n, void *arg) {
    struct fleet_http *h = arg;
    struct buf *to = h->answer ? h->answer : &h->head;
    buf_add(to, bytes, one * n);
    return to->failed ? 0 : n;
}

static size_t on_header(char *line, size_t one, size_t n, void *arg) {
    static const char name[] = "x-clickhouse-exception-code:";
    struct fleet_http *h = arg;
    size_t length = sizeof name - 1;
    if (n > length && strncasecmp(line, name, length) == 0)
        h->code = atoi(line + length);
    return one * n;
}

struct fleet_http *fleet_http_new(const struct fleet_url *url, const char *ca_file, struct err *err) {
    struct fleet_http *h = calloc(1, sizeof *h);
    if (!h)
        return err_set(err, 0, "out of memory"), NULL;
    h->curl = libcurl_load("clickhouse://", err);
    h->handle = h->curl ? h->curl->easy_init() : NULL;
    if (!h->handle) {
        if (h->curl)
            err_set(err, 0, "out of memory");
        free(h);
        return NULL;
    }
    bool six = strchr(url->host, ':') != NULL;
    h->tls = url->tls;
    h->head.max = HEAD_MAX;
    h->user = setting("USER");
    h->password = setting("PASSWORD");
    snprintf(h->authority, sizeof h->authority, "%s%s%s:%d", six ? "[" : "", url->host, six ? "]" : "",
             url->port);
    snprintf(h->where, sizeof h->where, "%s/%s", h->authority, url->database);
    const struct libcurl *curl = h->curl;
    curl->easy_setopt(h->handle, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(h->handle, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl->easy_setopt(h->handle, CURLOPT_ERRORBUFFER, h->reason);
    curl->easy_setopt(h->handle, CURLOPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(h->handle, CURLOPT_WRITEDATA, h);
    curl->easy_setopt(h->handle, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(h->handle, CURLOPT_HEADERDATA, h);
    curl->easy_setopt(h->handle, CURLOPT_USERAGENT, "statwit/" STATWIT_VERSION);
    if (ca_file)
        curl->easy_setopt(h->handle, CURLOPT_CAINFO, ca_file);
    return h;
}

void fleet_http_free(struct fleet_http *h) {
    if (!h)
        return;
    h->curl->easy_cleanup(h->handle);
    buf_free(&h->head);
    free(h);
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load((const atomic_bool *)arg);
}

void fleet_http_stop_when(struct fleet_http *h, const atomic_bool *stop) {
    h->curl->easy_setopt(h->handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    h->curl->easy_setopt(h->handle, CURLOPT_XFERINFODATA, stop);
    h->curl->easy_setopt(h->handle, CURLOPT_NOPROGRESS, 0L);
}

const char *fleet_http_where(const struct fleet_http *h) {
    return h->where;
}

/* --- a question --------------------------------------------------------------------------------------------- */

/* What ClickHouse says begins "Code: 60, e.displayText() = DB::Exception: …" or "Code: 60. DB::Exception: …". */
static int code_of(struct span text) {
    return span_starts(text, SPAN("Code: ")) ? atoi(text.p + 6) : 0;
}

static enum fleet_outcome refuse(struct fleet_http *h, long status, struct span text, struct err *err) {
    int code = h->code ? h->code : code_of(text);
    h->code = code;
    size_t n = 0;
    while (n < text.n && n < 260 && text.p[n] != '\n')
        n++;
    if (code == 192 || code == 193 || code == 516 || (status == 401 && !code)) {
        err_set(
            err, 0,
            "%s does not know user %s or its password (STATWIT_CLICKHOUSE_USER, STATWIT_CLICKHOUSE_PASSWORD)",
            h->authority, h->user ? h->user : "default");
        return FLEET_REFUSED;
    }
    if (code == 243 || memmem(text.p, n, "No space left on device", 23))
        err_set(err, 0, "%s: its disk is full: %.*s", h->where, (int)n, text.p);
    else if (code || span_starts(text, SPAN("Poco::")) ||
             span_starts(text, SPAN("std::"))) /* of a file, of the network */
        err_set(err, 0, "%s refuses: %.*s", h->where, (int)n, text.p);
    else
        err_set(err, 0, "%s answered %ld: is it the HTTP port of a ClickHouse?", h->where, status);
    return code || (status >= 400 && status < 500) ? FLEET_REFUSED : FLEET_UNCLEAR;
}

static struct curl_slist *make_headers(struct fleet_http *h, const struct fleet_request *request) {
    char line[1100];
    struct curl_slist *list = h->curl->slist_append(NULL, "Expect:");
    snprintf(line, sizeof line, "Content-Type: %s", request->content_type);
    list = h->curl->slist_append(list, line);
    if (request->gzip)
        list = h->curl->slist_append(list, "Content-Encoding: gzip");
    if (h->user) {
        snprintf(line, sizeof line, "X-ClickHouse-User: %s", h->user);
        list = h->curl->slist_append(list, line);
    }
    if (h->password) {
        snprintf(line, sizeof line, "X-ClickHouse-Key: %s", h->password);
        list = h->curl->slist_append(list, line);
    }
    return list;
}

/* CURLE_… before anything was sent. */
static bool not_reached(CURLcode result) {
    return result == CURLE_COULDNT_CONNECT || result == CURLE_COULDNT_RESOLVE_HOST ||
           result == CURLE_COULDNT_RESOLVE_PROXY || result == CURLE_SSL_CONNECT_ERROR;
}

/* It will not be trusted later, either. */
static bool not_trusted(CURLcode result) {
    return result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE;
}

static void explain_failure(const struct fleet_http *h, CURLcode result, const struct buf *answer,
                            struct err *err) {
    long error = 0;
    h->curl->easy_getinfo(h->handle, CURLINFO_OS_ERRNO, &error);
    if (answer->failed)
        err_set(err, 0, "%s: the answer does not end: more than %zu bytes came", h->where, answer->max);
    else if (result == CURLE_COULDNT_CONNECT && error)
        err_set(err, (int)error, "%s: nobody takes connections there", h->where);
    else if (not_trusted(result))
        err_set(err, 0, "%s: its certificate is not trusted: %s (--ca-file names those that are)", h->where,
                h->reason);
    else
        err_set(err, 0, "%s: %s", h->where, h->reason[0] ? h->reason : "no answer");
}

enum fleet_outcome fleet_http_post(struct fleet_http *h, const struct fleet_request *request,
                                   struct buf *answer, int *code, struct err *err) {
    const struct libcurl *curl = h->curl;
    struct buf url = {.max = 1 << 20};
    buf_printf(&url, "%s://%s/?%s", h->tls ? "https" : "http", h->authority, request->arguments);
    struct curl_slist *headers = make_headers(h, request);
    h->answer = answer;
    h->code = 0;
    h->reason[0] = '\0';
    buf_clear(&h->head);
    if (answer)
        buf_clear(answer);
    curl->easy_setopt(h->handle, CURLOPT_URL, url.p);
    curl->easy_setopt(h->handle, CURLOPT_HTTPHEADER, headers);
    curl->easy_setopt(h->handle, CURLOPT_POST, 1L);
    curl->easy_setopt(h->handle, CURLOPT_FRESH_CONNECT, (long)request->once);
    curl->easy_setopt(h->handle, CURLOPT_POSTFIELDS, request->body.p ? request->body.p : "");
    curl->easy_setopt(h->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
    curl->easy_setopt(h->handle, CURLOPT_TIMEOUT_MS, (long)(request->timeout_ns / NS_PER_MS) + 1);
    CURLcode result = curl->easy_perform(h->handle);
    long status = 0;
    curl->easy_getinfo(h->handle, CURLINFO_RESPONSE_CODE, &status);
    curl->slist_free_all(headers);
    buf_free(&url);
    struct span text = buf_view(answer ? answer : &h->head);
    enum fleet_outcome outcome = FLEET_OK;
    if (result != CURLE_OK) {
        outcome = not_trusted(result)   ? FLEET_REFUSED
                  : not_reached(result) ? FLEET_UNREACHABLE
                                        : FLEET_UNCLEAR;
        explain_failure(h, result, answer ? answer : &h->head, err);
    } else if (status != 200 || h->code)
        outcome = refuse(h, status, text, err);
    *code = h->code;
    return outcome;
}
