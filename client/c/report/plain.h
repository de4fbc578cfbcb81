/* HTTP/1.1 without TLS, as far as a recorder at http:// needs it: the command line and the assertions work without libcurl.
 *
 * What it does not do: TLS, proxies, redirects, compression, names and passwords in a URL. For https:// there is libcurl (request.c).
 *
 * Ownership: the caller's struct; plain_close gives back what is in it.
 * Threads: one at a time. A child of fork opens a connection of its own.
 * Errors: enum plain_end; for PLAIN_UNREACHABLE and PLAIN_LOST with an errno, 0 where the system has none.
 * Limits: PLAIN_HEAD_MAX bytes of an answer's head.
 */
#ifndef CLIENT_REPORT_PLAIN_H
#define CLIENT_REPORT_PLAIN_H

#include "emit/text.h"
#include <stdint.h>
#include <sys/types.h>

#define PLAIN_HEAD_MAX 65536

struct plain {
    int fd; /* -1: not connected */
    pid_t pid;
    char *host, *port, *authority,
        *base; /* one allocation, which host begins; base: what stands before each path */
    char *in;  /* received, and not taken yet */
    size_t n, at;
};

enum plain_url {
    PLAIN_URL_OK,
    PLAIN_URL_OTHER /* not for us: https, a password */,
    PLAIN_URL_BAD,
    PLAIN_URL_NO_MEMORY
};
/* Takes http://HOST[:PORT][/BASE] apart. */
enum plain_url plain_init(struct plain *p, const char *url);
void plain_close(struct plain *p);

enum plain_end {
    PLAIN_DONE,
    PLAIN_STOPPED,     /* by `take` */
    PLAIN_UNRESOLVED,  /* no such host: words */
    PLAIN_UNREACHABLE, /* no connection: errno */
    PLAIN_LOST,        /* the connection ended before the answer did: errno */
    PLAIN_GARBLED,     /* not HTTP: words */
    PLAIN_TIMED_OUT,
    PLAIN_URL_BAD_PATH, /* a blank or a control character in the path */
    PLAIN_NO_MEMORY
};

struct plain_exchange {
    const char *method, *path;
    const char *headers; /* whole lines, each with its end; "" for none */
    const char *body;    /* NULL: none */
    size_t size;
    int64_t timeout_ms; /* of all; of a silence when it streams; 0: none */
    bool streams;
    /* A piece of the body, behind status and content_type; false ends the exchange. */
    bool (*take)(void *context, const char *bytes, size_t size);
    void *context;

    /* The answer. */
    int status;
    char content_type[96];
    bool got_some; /* at least a byte of it */
    int number;    /* an errno */
    const char *words;
};
enum plain_end plain_run(struct plain *p, struct plain_exchange *e);

#endif
