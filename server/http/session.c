#include "http/session.h"

#include "core/utf8.h"
#include "http/server.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#define NAME_SHOWN ((size_t)64) /* bytes of a name in an error */

static struct span shown(struct span name) {
    return span_of(name.p, name.n < NAME_SHOWN ? name.n : NAME_SHOWN);
}

static void __attribute__((format(printf, 3, 4)))
refuse(struct http_request *rq, unsigned status, const char *format, ...) {
    rq->session_unknown = true;
    rq->session_status = status;
    char why[HTTP_SESSION_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    buf_str(&rq->session_why, why);
}

static bool makes_session(const struct http_request *rq) {
    return rq->http->options.auto_sessions && rq->route &&
           (rq->method != HTTP_GET || (rq->route->flags & ROUTE_MAKES_SESSION));
}

/* --- tokens that are no names ---------------------------------------------------------------------------- */

#define NAME_MAX_BYTES (HTTP_NAME_SIZE - 1)
#define TOKEN_KEPT     ((size_t)40) /* bytes of such a token that its session's name begins with */

static bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

static bool is_name(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (!is_name_byte(s.p[i]))
            return false;
    return s.n <= NAME_MAX_BYTES && !span_eq(s, SPAN(".")) && !span_eq(s, SPAN(".."));
}

/* The test agent takes any text for a token, and tests' own names are long and have brackets. Such a one is named by what it
 * begins with and a hash:
 *
 *     tests.test_shop.test_login[v1]  ->  tests.test_shop.test_login_v1_-0123456789abcdef
 */
struct span http_session_name(struct span token, char name[HTTP_NAME_SIZE]) {
    if (is_name(token))
        return token;
    size_t n = token.n < TOKEN_KEPT ? token.n : TOKEN_KEPT;
    for (size_t i = 0; i < n; i++)
        name[i] = is_name_byte(token.p[i]) ? token.p[i] : '_';
    int more =
        snprintf(name + n, HTTP_NAME_SIZE - n, "-%016llx", (unsigned long long)XXH3_64bits(token.p, token.n));
    return span_of(name, n + (size_t)more);
}

static void name_token(struct http_request *rq) {
    struct span token = rq->session_token;
    char *name;
    if (!rq->http->options.auto_sessions || is_name(token) || !(name = malloc(HTTP_NAME_SIZE)))
        return;
    rq->unnamed_token = token;
    rq->token = name;
    rq->session_token = http_session_name(token, name);
}

struct labelling {
    uint64_t session_id;
    struct span label;
};

static int label_on_loop(struct store *store, void *arg, struct err *err) {
    const struct labelling *l = arg;
    return store_session_label(store, l->session_id, l->label, err);
}

/* Whole characters; a header may hold bytes that are none. */
static struct span put_characters(char *to, size_t max, struct span s) {
    size_t at = 0;
    while (s.n > 0) {
        size_t taken;
        struct span character = utf8_mended(s, &taken);
        if (at + character.n > max)
            break;
        memcpy(to + at, character.p, character.n);
        at += character.n;
        s = span_from(s, taken);
    }
    return span_of(to, at);
}

int http_session_label(struct http *h, uint64_t session_id, struct span label, struct err *err) {
    char text[HTTP_LABEL_MAX];
    struct labelling l = {session_id, put_characters(text, sizeof text, label)};
    return ingest_call(h->ingest, INGEST_NOTHING, label_on_loop, &l, err);
}

/* --- finding --------------------------------------------------------------------------------------------- */

/* Another request may make it at the same time. */
static int make(struct http_request *rq, struct span name, struct ingest_session *session) {
    char text[INGEST_NAME_SIZE];
    struct err err = {0}, ignored = {0};
    if (name.n == 0 || name.n >= sizeof text || memchr(name.p, '\0', name.n)) {
        refuse(rq, 400, "a session's name is 1 to 64 of A-Z a-z 0-9 _ . -");
        return -1;
    }
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    if (ingest_session_open(rq->http->ingest, text, false, 0, session, &err) == 0) {
        if (rq->unnamed_token.p) /* without the token for a label the session is as good */
            http_session_label(rq->http, session->id, rq->unnamed_token, &ignored);
        return 0;
    }
    if (err.sys == EEXIST && ingest_session_find(rq->http->ingest, name, session, &ignored) == 0)
        return 0;
    refuse(rq, err.sys == EINVAL ? 400 : err.sys == ENOSPC ? 429 : 503, "%s", err.text);
    return -1;
}

static int find(struct http_request *rq, struct span name, struct ingest_session *session) {
    struct err ignored = {0};
    if (ingest_session_find(rq->http->ingest, name, session, &ignored) == 0)
        return 0;
    if (makes_session(rq))
        return make(rq, name, session);
    if (!rq->prefix.p)
        refuse(rq, 404, "no session has the token '%.*s'", SPAN_ARG(shown(http_session_token(rq))));
    else if (name.n == 0)
        refuse(rq, 404, "the path names no session: it goes /s/NAME/…");
    else
        refuse(rq, 404, "the path names the session '%.*s', and there is none of that name",
               SPAN_ARG(shown(name)));
    return -1;
}

struct session_named {
    uint64_t id;
    char name[INGEST_NAME_SIZE];
};

static void take_name(void *arg, const struct ingest_session *session) {
    struct session_named *n = arg;
    if (session->id == n->id)
        memcpy(n->name, session->name, sizeof n->name);
}

/* Whether the key belongs to no other session than the one that the path names. */
static bool key_agrees(struct http_request *rq, const struct ingest_session *session) {
    struct ingest *in = rq->http->ingest;
    uint64_t id = rq->api_key.n ? ingest_session_by_key(in, rq->api_key) : session->id;
    if (id == session->id || id == ingest_session_by_key(in, SPAN("")))
        return true;
    struct session_named other = {.id = id};
    ingest_session_each(in, take_name, &other);
    if (id == INGEST_ENDED)
        refuse(rq, 409, "the path names the session '%s', but the API key is of a session that has ended",
               session->name);
    else
        refuse(rq, 409, "the path names the session '%.60s', but the API key is that of '%.60s'",
               session->name, other.name);
    return false;
}

static void read_prefix(struct http_request *rq) {
    struct ingest_session session;
    struct span token = rq->session_token;
    if (token.p && !span_eq(token, rq->prefix))
        name_token(rq); /* the path may have the name that was made of it */
    if (token.p && !span_eq(rq->session_token, rq->prefix)) {
        refuse(rq, 409, "the path names the session '%.*s', but the token is '%.*s'",
               SPAN_ARG(shown(rq->prefix)), SPAN_ARG(shown(token)));
        return;
    }
    rq->session_token = rq->prefix;
    if (!rq->unnamed_token.p)
        name_token(rq);
    if (find(rq, rq->session_token, &session) == 0 && key_agrees(rq, &session))
        rq->session_id = session.id;
}

static void read_token(struct http_request *rq) {
    struct ingest_session session;
    name_token(rq);
    if (find(rq, rq->session_token, &session) == 0)
        rq->session_id = session.id;
}

static void read_key(struct http_request *rq) {
    rq->session_id = ingest_session_by_key(rq->http->ingest, rq->api_key);
    if (rq->session_id == INGEST_ENDED)
        refuse(rq, 404, "the session of this API key has ended");
}

struct span http_session_token(const struct http_request *rq) {
    return rq->unnamed_token.p ? rq->unnamed_token : rq->session_token;
}

void http_session_read(struct http_request *rq) {
    rq->api_key = http_header(rq, "DD-API-KEY");
    if (!rq->api_key.p)
        rq->api_key = http_arg(rq, "api_key");
    rq->session_token = http_header(rq, "X-Datadog-Test-Session-Token");
    if (!rq->session_token.p)
        rq->session_token = http_arg(rq, "test_session_token");
    if (rq->prefix.p)
        read_prefix(rq);
    else if (rq->session_token.p)
        read_token(rq);
    else
        read_key(rq);
    if (rq->session_unknown)
        rq->session_id = ingest_session_by_key(rq->http->ingest, SPAN(""));
}
