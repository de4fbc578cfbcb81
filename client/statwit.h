/* libstatwit: emit Datadog metrics, and assert in tests on what a statwit server recorded.
 *
 * Purpose: two halves that share this header and nothing else. EMITTING is a metrics client for production;
 * ASSERTING controls a recorder (`statwit serve`) and judges what it received.
 *
 * Ownership: what a _open, _connect, _start or _new function returned is yours until you give it to the
 * matching _close or _free, which take NULL as well. Strings that you pass are read during the call and never
 * kept. Errors: functions of the asserting half return 0 or -1 (or NULL) and fill the caller's struct
 * statwit_error, which may be NULL. Functions that emit never fail: what could not be sent is counted
 * (statwit_health). Units: in the names (_ms, _s, _bytes). C++: usable from C++11 on; the optional arguments
 * of the macros are designated initialisers, which C++ has from C++20 on, so that older code calls the plain
 * functions beneath.
 */
#ifndef STATWIT_H
#define STATWIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STATWIT_API __attribute__((visibility("default")))

enum statwit_error_code {
    STATWIT_OK = 0,
    STATWIT_INVALID,     /* an argument, an option or an expectation is malformed */
    STATWIT_UNREACHABLE, /* no connection, or it broke or took too long */
    STATWIT_REFUSED,     /* the server answered, with a status that is not 2xx */
    STATWIT_PROTOCOL,    /* the answer is not what a statwit server says */
    STATWIT_NO_MEMORY,
    STATWIT_SYSTEM, /* the system refused: a process, a file, a library */
};

/* What went wrong and what to do about it, in a sentence or two for a person. */
struct statwit_error {
    enum statwit_error_code code;
    int status; /* the HTTP status behind STATWIT_REFUSED, else 0 */
    char text[500];
};

/* ---- ASSERTING: a recorder
 * --------------------------------------------------------------------------------------
 *
 * Threads: any; the calls on one recorder are done one after the other, so a thread that waits in an
 * expectation keeps the others waiting: give each thread a recorder of its own. fork: the child may go on
 * using the recorder, over a connection of its own. libcurl.so.4 is loaded by the first call that needs it; a
 * program that only emits DogStatsD never does.
 */
struct statwit_recorder;

struct statwit_connect_options {
    const char *token;   /* NULL: STATWIT_TOKEN, else none */
    const char *ca_file; /* certificates to trust for https; NULL: STATWIT_CA_FILE, else the system's */
    int timeout_ms;      /* for one answer; 0: 30,000; -1: none */
};

/* url NULL: STATWIT_URL, else http://127.0.0.1:8125. Sends nothing yet: the first request tells whether a
 * server is there. options may be NULL. */
STATWIT_API struct statwit_recorder *statwit_recorder_connect(const char *url,
                                                              const struct statwit_connect_options *options,
                                                              struct statwit_error *error);
/* Where it is, without a trailing slash. Belongs to the recorder. */
STATWIT_API const char *statwit_recorder_url(const struct statwit_recorder *recorder);
/* Until the server says that it listens, at most timeout_ms (0: ask once). */
STATWIT_API int statwit_recorder_wait(struct statwit_recorder *recorder, int timeout_ms,
                                      struct statwit_error *error);
/* Ends the server as well when statwit_recorder_start started it. */
STATWIT_API void statwit_recorder_close(struct statwit_recorder *recorder);

/* Receives the body of a 2xx answer piece by piece; false ends the request early, which is no error. */
typedef bool (*statwit_chunk)(void *context, const char *bytes, size_t size);

struct statwit_request {
    const char *method; /* NULL: GET, or POST when there is a body */
    const char *path;   /* with the query: "/recorder/v1/series?type=count" */
    const void *body;   /* NULL: none */
    size_t size;
    const char *content_type; /* of the body; NULL: application/json */
    int timeout_ms;           /* 0: the recorder's; -1: none, and then only a lost connection ends it */
    statwit_chunk chunk;      /* NULL: the body is collected in the response */
    void *context;
};

struct statwit_response {
    int status;            /* HTTP */
    char *body;            /* NUL-terminated; empty when chunk took it */
    size_t size;           /* bytes, at most 256 MiB */
    char content_type[96]; /* empty when the server named none */
};

/* Any request to the recorder over its kept-alive connection. 0 as soon as there is an answer, whatever its
 * status: look at response->status. The response is to be freed; after -1 it is empty. A connection that the
 * server closed meanwhile is opened anew. */
STATWIT_API int statwit_request(struct statwit_recorder *recorder, const struct statwit_request *request,
                                struct statwit_response *response, struct statwit_error *error);
STATWIT_API void statwit_response_free(struct statwit_response *response);

#ifdef __cplusplus
}
#endif

#endif
