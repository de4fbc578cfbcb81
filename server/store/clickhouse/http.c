#include "store/clickhouse/http.h"

#include "core/clock.h"
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define SONAME     "libcurl.so.4"
#define CONNECT_MS 10000L

/* --- libcurl ------------------------------------------------------------------------------------------------ */

struct fleet_curl {
    CURLcode (*global_init)(long);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    CURLcode (*easy_perform)(CURL *);
    void (*easy_cleanup)(CURL *);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
};

/* The library stays loaded: its TLS library could not be unloaded. */
static int load_curl(struct fleet_curl *curl, struct err *err) {
    void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_set(err, 0, "cannot load " SONAME ", which clickhouse:// needs (%s): install libcurl4",
                       dlerror());
    const struct {
        const char *name;
        void *slot;
    } wanted[] = {
        {"curl_global_init", &curl->global_init},   {"curl_easy_init", &curl->easy_init},
        {"curl_easy_setopt", &curl->easy_setopt},   {"curl_easy_getinfo", &curl->easy_getinfo},
        {"curl_easy_perform", &curl->easy_perform}, {"curl_easy_cleanup", &curl->easy_cleanup},
        {"curl_slist_append", &curl->slist_append}, {"curl_slist_free_all", &curl->slist_free_all},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        /* POSIX's own way around ISO C's ban on turning an object pointer into a function pointer. */
        *(void **)wanted[i].slot = dlsym(library, wanted[i].name);
        if (!*(void **)wanted[i].slot)
            return err_set(err, 0, SONAME " has no %s: it is not the libcurl that was expected",
                           wanted[i].name);
    }
    return curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
               ? 0
               : err_set(err, 0, SONAME " cannot be initialised");
}

/* --- a connection ------------------------------------------------------------------------------------------- */

struct fleet_http {
    struct fleet_curl curl;
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
    return to->failed && h->answer ? 0 : n;
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
    if (load_curl(&h->curl, err) != 0 || !(h->handle = h->curl.easy_init())) {
        err_set(err, 0, "out of memory");
        free(h);
        return NULL;
    }
    bool six = strchr(url->host, ':') != NULL;
    h->tls = url->tls;
    h->head.max = 4096;
    h->user = setting("USER");
    h->password = setting("PASSWORD");
    snprintf(h->authority, sizeof h->authority, "%s%s%s:%d", six ? "[" : "", url->host, six ? "]" : "",
             url->port);
    snprintf(h->where, sizeof h->where, "%s/%s", h->authority, url->database);
    const struct fleet_curl *curl = &h->curl;
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
    h->curl.easy_cleanup(h->handle);
    buf_free(&h->head);
    free(h);
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
    if (code)
        err_set(err, 0, "%s refuses: %.*s", h->where, (int)n, text.p);
    else
        err_set(err, 0, "%s answered %ld: is it the HTTP port of a ClickHouse?", h->where, status);
    return code || (status >= 400 && status < 500) ? FLEET_REFUSED : FLEET_UNCLEAR;
}

static struct curl_slist *make_headers(struct fleet_http *h, const struct fleet_request *request) {
    char line[1100];
    struct curl_slist *list = h->curl.slist_append(NULL, "Expect:");
    snprintf(line, sizeof line, "Content-Type: %s", request->content_type);
    list = h->curl.slist_append(list, line);
    if (request->gzip)
        list = h->curl.slist_append(list, "Content-Encoding: gzip");
    if (h->user) {
        snprintf(line, sizeof line, "X-ClickHouse-User: %s", h->user);
        list = h->curl.slist_append(list, line);
    }
    if (h->password) {
        snprintf(line, sizeof line, "X-ClickHouse-Key: %s", h->password);
        list = h->curl.slist_append(list, line);
    }
    return list;
}

/* CURLE_… before anything was sent. */
static bool not_reached(CURLcode result) {
    return result == CURLE_COULDNT_CONNECT || result == CURLE_COULDNT_RESOLVE_HOST ||
           result == CURLE_COULDNT_RESOLVE_PROXY || result == CURLE_SSL_CONNECT_ERROR ||
           result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE;
}

enum fleet_outcome fleet_http_post(struct fleet_http *h, const struct fleet_request *request,
                                   struct buf *answer, int *code, struct err *err) {
    const struct fleet_curl *curl = &h->curl;
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
        outcome = not_reached(result) ? FLEET_UNREACHABLE : FLEET_UNCLEAR;
        err_set(err, 0, "%s: %s", h->where,
                answer && answer->failed ? "the answer is larger than 1 GiB"
                : h->reason[0]           ? h->reason
                                         : "no answer");
    } else if (status != 200 || h->code)
        outcome = refuse(h, status, text, err);
    *code = h->code;
    return outcome;
}
