/* The structs of recorders and sessions, for the files of this folder. */
#ifndef CLIENT_REPORT_RECORDER_H
#define CLIENT_REPORT_RECORDER_H

#include "emit/curl.h"
#include "report/plain.h"
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

/* The number in the ready line and in the status that this library was written for. */
#define RECORDER_API 1

struct statwit_recorder {
    char *url, *token, *ca_file;
    int timeout_ms;
    pthread_mutex_t lock;    /* one request at a time */
    bool bad_url;            /* the first request tells */
    struct plain plain;      /* host NULL: not for this URL, but libcurl is */
    const struct curl *curl; /* NULL: not needed */
    CURL *handle;
    pid_t pid;         /* whose handle it is: a child of fork opens one of its own */
    pid_t server;      /* that statwit_recorder_start started; 0: none */
    int server_in;     /* our end of its stdin: it ends when this is closed */
    pid_t parent;      /* who started it, and who alone may end it */
    atomic_bool known; /* that it speaks RECORDER_API */
};

struct statwit_session {
    struct statwit_recorder *recorder;
    json_t *document; /* the server's answer, which holds name and env */
    const char *name;
    bool owned; /* made by us, to be removed by us */
};

/* missing.c: a program that did not look whether a recorder or session was opened calls with NULL. It is told, by every such
 * call, why that failed. */
/* Keeps why a recorder or a session could not be opened, and hands it to the caller. */
void missing_keep(const struct statwit_error *why, struct statwit_error *error);
/* The error of a call on NULL; always -1. */
int missing_tell(struct statwit_error *error);

/* recorder.c: -1 unless `told`, the ready line or the status, has the number RECORDER_API. */
int recorder_check_api(const json_t *told, const char *who, struct statwit_error *error);
/* The same of the server that the recorder leads to; it is asked once. */
int recorder_check(struct statwit_recorder *recorder, struct statwit_error *error);

/* session.c: NULL for NULL. */
struct statwit_recorder *session_recorder(const struct statwit_session *session);

/* answer.c: a request whose answer is a JSON object with status 2xx; a new reference, or NULL and the
 * server's own words. body NULL: GET. Steals body. */
json_t *answer_get(struct statwit_recorder *recorder, const char *method, const char *path, json_t *body,
                   int timeout_ms, struct statwit_error *error);
/* The string, or fallback when it is not one. */
const char *answer_string(const json_t *object, const char *name, const char *fallback);
/* The number; NaN when it is not one. */
double answer_number(const json_t *object, const char *name);
/* The non-negative whole number; 0 when it is not one. */
uint64_t answer_count(const json_t *object, const char *name);

/* process.c: ends the server that belongs to the recorder. */
void process_end(struct statwit_recorder *recorder);

#endif
