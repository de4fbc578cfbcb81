/* The datadog backend: metrics are aggregated per interval and posted to Datadog's HTTP API by a thread.
 *
 * Per interval and series a count becomes a rate (sum / interval), a gauge its last value, a set the number
 * of its values; timings and histograms become .min .max .count .avg .75percentile .85percentile
 * .95percentile .99percentile, from 1,000 randomly kept values when there are more; a distribution is posted
 * with all its values. Only intervals that are over leave; all do at close. A body waits in a queue until the
 * server took it, or said that it never will.
 *
 * Ownership: the caller's struct, which stays valid after intake_close.
 * Threads: any, also while intake_close runs, or runs twice. No call but intake_flush and intake_close waits
 * for anything but the lock, which is not held while a request is under way. The first body of the queue is
 * the thread's alone: others only append.
 * Limits: queue_bytes of points and bodies; max_series; bodies of some 500 KB before they are deflated.
 * Source: datadogpy's ThreadStats; what an answer means: 408, 429, 5xx and no answer are tried again,
 * honouring Retry-After and X-RateLimit-Reset, with pauses that double up to 64 times; any other refusal
 * loses the body.
 */
#ifndef CLIENT_EMIT_INTAKE_H
#define CLIENT_EMIT_INTAKE_H

#include "emit/curl.h"
#include "emit/format.h"
#include "emit/health.h"
#include "emit/text.h"

#define INTAKE_SAMPLES 1000 /* kept of a timing or histogram in one interval */
#define INTAKE_CHAINS  4096

/* One series in one interval. */
struct point {
    struct point *after; /* in the order in which they came */
    struct point *chain; /* of one hash */
    uint64_t hash;
    int64_t bucket_s; /* where the interval begins */
    enum statwit_type type;
    bool member; /* one value of a set: only says that it is there */
    bool real;
    int64_t integer;
    double sum, min, max;
    size_t n; /* values put */
    double *values;
    size_t n_values, cap_values;
    const char *tags; /* a JSON array, in bytes */
    size_t n_identity;
    char bytes[]; /* identity (name, NUL, tags sorted), tags */
};

struct intake_body {
    struct intake_body *after;
    const char *path;
    unsigned n_series;
    size_t size;
    char bytes[]; /* deflated */
};

struct intake {
    /* These never change after intake_open. */
    const struct config *config;
    struct health *health;
    const struct curl *curl;
    int64_t interval_s;

    pthread_mutex_t lock; /* of what follows, but the handle */
    pthread_cond_t wake;  /* for the thread: there is work; for others: it flushed, or has ended */
    struct point *first, **last;
    struct point **chains;
    size_t n_points;
    struct intake_body *first_body, **last_body;
    size_t held_bytes; /* of points and bodies */
    bool running, stopping;
    uint64_t n_flushes_asked, n_flushes_done;
    int64_t retry_at_ns, deadline_ns;
    int n_failures; /* in a row */
    pthread_t thread;
    CURL *handle; /* the thread's alone while it runs */
};

int intake_open(struct intake *intake, const struct config *config, struct health *health,
                struct statwit_error *error);
void intake_put(struct intake *intake, const struct sample *sample);
/* Posts one JSON document of its own (an event, a check) to path. */
void intake_put_json(struct intake *intake, const char *path, const struct text *json);
bool intake_flush(struct intake *intake, int timeout_ms);
void intake_close(struct intake *intake, int timeout_ms);
uint64_t intake_waiting_bytes(struct intake *intake);
void intake_before_fork(struct intake *intake);
void intake_after_fork(struct intake *intake, bool child);

/* intake_body.c. With the lock held, which is let go while bodies are made, so that nobody who emits waits for
 * that: the points of intervals that began before before_s become bodies. They count as held until they are. */
void intake_roll(struct intake *intake, int64_t before_s);
/* Deflates. NULL: memory is out, or was for the text. */
struct intake_body *intake_body_new(const char *path, unsigned n_series, const struct text *json);
/* With the lock held: takes the body over. */
void intake_queue(struct intake *intake, struct intake_body *body);
/* The value at percentile p (0.95) of n > 0 sorted values. */
double intake_percentile(const double *sorted, size_t n, double p);
/* A JSON array of the tags, those of the environment last. */
void intake_put_tags(struct text *json, const struct config *config, const struct tags *tags);

/* intake_post.c. With the lock held: makes sure that the thread runs. */
void intake_start(struct intake *intake);
/* With the lock held: frees points and bodies; how many series that were. */
unsigned intake_discard(struct intake *intake);

#endif
