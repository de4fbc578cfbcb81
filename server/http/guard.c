#include "http/guard.h"

#include "core/glob.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define HOST_MAX 255 /* bytes of a DNS name */

static bool same_word(struct span a, struct span b) {
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

static bool ends_with(struct span s, struct span tail) {
    return s.n >= tail.n && same_word(span_from(s, s.n - tail.n), tail);
}

static bool is_port(struct span s) {
    if (s.n == 0)
        return true;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.p[0] == ':';
}

/* "::1" stays. */
struct span guard_name(struct span host) {
    static const struct span bad = {NULL, 0};
    if (!host.p)
        return bad;
    if (host.n && host.p[0] == '[') {
        const char *end = memchr(host.p, ']', host.n);
        if (!end || !is_port(span_from(host, (size_t)(end - host.p) + 1)))
            return bad;
        return span_of(host.p + 1, (size_t)(end - host.p) - 1);
    }
    const char *colon = memchr(host.p, ':', host.n);
    size_t n = colon ? (size_t)(colon - host.p) : host.n;
    if (colon && memchr(colon + 1, ':', host.n - n - 1))
        return host;
    return is_port(span_from(host, n)) ? span_of(host.p, n) : bad;
}

/* 4 or 6 with the address; 0: not a literal. */
static int literal(struct span host, unsigned char address[16]) {
    char text[HOST_MAX + 1];
    if (host.n == 0 || host.n > HOST_MAX)
        return 0;
    snprintf(text, sizeof text, "%.*s", SPAN_ARG(host));
    if (inet_pton(AF_INET, text, address) == 1)
        return 4;
    return inet_pton(AF_INET6, text, address) == 1 ? 6 : 0;
}

bool guard_is_loopback(struct span host) {
    static const unsigned char one[16] = {[15] = 1}, mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char address[16];
    switch (literal(host, address)) {
    case 4:
        return address[0] == 127;
    case 6:
        return memcmp(address, one, 16) == 0 || (memcmp(address, mapped, 12) == 0 && address[12] == 127);
    default:
        return same_word(host, SPAN("localhost")) || ends_with(host, SPAN(".localhost"));
    }
}

/* How Docker's and Podman's containers call the machine that they run on. `.internal` is no public domain. */
static bool is_container_host(struct span name) {
    return same_word(name, SPAN("host.docker.internal")) || same_word(name, SPAN("host.containers.internal"));
}

bool guard_host(struct span host, struct span bound, bool loopback) {
    if (!host.p)
        return true;
    struct span name = guard_name(host);
    if (!name.p || name.n == 0 || name.n > HOST_MAX)
        return false;
    if (name.p[name.n - 1] == '.')
        name.n--; /* the root's dot */
    if (guard_is_loopback(name) || same_word(name, bound))
        return true;
    if (loopback)
        return false;
    unsigned char address[16];
    char own[HOST_NAME_MAX + 1] = "";
    if (gethostname(own, sizeof own - 1) != 0)
        own[0] = '\0';
    return literal(name, address) || !memchr(name.p, '.', name.n) || same_word(name, span_str(own)) ||
           is_container_host(name);
}

/* The globs are in small letters or not, the name is in small ones. */
static bool glob_allows(const char *glob, struct span name) {
    for (const char *at = glob; *at; at += strspn(at, ", ")) {
        char small[HOST_MAX + 1];
        size_t n = strcspn(at, ", ");
        if (n > 0 && n < sizeof small) {
            for (size_t i = 0; i < n; i++)
                small[i] = (char)tolower((unsigned char)at[i]);
            if (glob_match(span_of(small, n), name))
                return true;
        }
        at += n;
    }
    return false;
}

bool guard_allowed(struct span host, size_t n, const char *const *globs) {
    struct span name = guard_name(host);
    char small[HOST_MAX + 1];
    if (!name.p || name.n == 0 || name.n > HOST_MAX)
        return false;
    if (name.n > 1 && name.p[name.n - 1] == '.')
        name.n--;
    for (size_t i = 0; i < name.n; i++)
        small[i] = (char)tolower((unsigned char)name.p[i]);
    for (size_t i = 0; i < n; i++)
        if (glob_allows(globs[i], span_of(small, name.n)))
            return true;
    return false;
}

bool guard_origin(struct span origin, struct span host) {
    if (!origin.p)
        return true;
    struct span scheme = SPAN("http://"), tls = SPAN("https://");
    size_t skip = span_starts(origin, scheme) ? scheme.n : span_starts(origin, tls) ? tls.n : 0;
    return skip > 0 && host.p && same_word(span_from(origin, skip), host);
}

bool guard_token(struct span authorization, struct span token) {
    struct span scheme = SPAN("Bearer ");
    if (authorization.n < scheme.n || !same_word(span_of(authorization.p, scheme.n), scheme))
        return false;
    struct span given = span_from(authorization, scheme.n);
    unsigned char differs = given.n != token.n;
    for (size_t i = 0; i < given.n; i++)
        differs |= (unsigned char)(given.p[i] ^ (token.n ? token.p[i % token.n] : 0));
    return differs == 0 && token.n > 0;
}
