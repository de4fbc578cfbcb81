#include "emit/intake.h"

#include "emit/error.h"
#include "emit/random.h"
#include <stdlib.h>
#include <time.h>

/* ---- points; with the lock held ---- */

static uint64_t hash_bytes(const char *bytes, size_t size, uint64_t hash) {
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return hash ^ hash >> 29;
}

static bool room(const struct intake *intake, size_t size) {
    return intake->held_bytes + size <= intake->config->options.queue_bytes;
}

static struct point *point_find(const struct intake *intake, const struct point *wanted) {
    for (struct point *point = intake->chains[wanted->hash % INTAKE_CHAINS]; point; point = point->chain)
        if (point->hash == wanted->hash && point->bucket_s == wanted->bucket_s &&
            point->type == wanted->type && point->member == wanted->member &&
            point->n_identity == wanted->n_identity &&
            memcmp(point->bytes, wanted->bytes, point->n_identity) == 0)
            return point;
    return NULL;
}

/* The point there is, or `made` itself, which then belongs to the intake. NULL: no room. Frees made
 * otherwise. */
static struct point *point_take(struct intake *intake, struct point *made, size_t size) {
    made->hash = hash_bytes(made->bytes, made->n_identity, (uint64_t)made->bucket_s * 31 + made->type);
    struct point *point = point_find(intake, made);
    if (point || !room(intake, size) || intake->n_points >= (size_t)intake->config->options.max_series) {
        free(made);
        return point;
    }
    intake->held_bytes += size;
    intake->n_points++;
    struct point **chain = &intake->chains[made->hash % INTAKE_CHAINS];
    made->chain = *chain;
    *chain = made;
    *intake->last = made;
    intake->last = &made->after;
    return made;
}

static bool keep_value(struct intake *intake, struct point *point, double value) {
    if (point->type != STATWIT_DISTRIBUTION && point->n_values == INTAKE_SAMPLES) {
        point->values[(size_t)(random_unit() * INTAKE_SAMPLES)] = value;
        return true;
    }
    if (point->n_values == point->cap_values) {
        size_t cap = point->cap_values ? 2 * point->cap_values : 8;
        size_t more = (cap - point->cap_values) * sizeof *point->values;
        double *values = room(intake, more) ? realloc(point->values, cap * sizeof *values) : NULL;
        if (!values)
            return false;
        intake->held_bytes += more;
        point->values = values;
        point->cap_values = cap;
    }
    point->values[point->n_values++] = value;
    return true;
}

static bool point_add(struct intake *intake, struct point *point, const struct sample *sample) {
    double value = sample->kind == VALUE_REAL ? sample->real : (double)sample->integer;
    bool real = sample->kind == VALUE_REAL;
    if (point->type == STATWIT_GAUGE) {
        point->real = real;
        point->integer = sample->integer;
        point->sum = sample->real;
    } else if (point->type == STATWIT_COUNT) {
        point->sum += value;
    } else if (point->type != STATWIT_SET) {
        if (!keep_value(intake, point, value))
            return false;
        point->real |= real;
        point->sum += value;
        point->min = point->n == 0 || value < point->min ? value : point->min;
        point->max = point->n == 0 || value > point->max ? value : point->max;
    }
    point->n++;
    return true;
}

/* ---- from a call to its point ---- */

static int compare_tags(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* name NUL tags, sorted, each with its NUL: the same for every order in which the tags are given. */
static void put_identity(struct text *identity, const struct config *config, const struct sample *sample,
                         const struct tags *tags) {
    struct text rendered = {.max = LINE_MAX_BYTES};
    size_t offsets[TAGS_MAX];
    const char *sorted[TAGS_MAX];
    char buffer[4096];
    struct line line = line_in(buffer, sizeof buffer);
    format_name(&line, config, sample->key);
    line_char(&line, '\0');
    text_put(identity, buffer, line_size(&line));
    identity->failed |= line.overflow;
    for (size_t i = 0; i < tags->n; i++) {
        line = line_in(buffer, sizeof buffer);
        tags_render_one(&line, &tags->list[i]);
        line_char(&line, '\0');
        identity->failed |= line.overflow;
        offsets[i] = rendered.size;
        text_put(&rendered, buffer, line_size(&line));
    }
    for (size_t i = 0; i < tags->n && !rendered.failed; i++)
        sorted[i] = rendered.bytes + offsets[i];
    if (!rendered.failed)
        qsort(sorted, tags->n, sizeof *sorted, compare_tags);
    for (size_t i = 0; i < tags->n && !rendered.failed; i++)
        text_put(identity, sorted[i], strlen(sorted[i]) + 1);
    identity->failed |= rendered.failed;
    text_free(&rendered);
}

static struct point *point_new(const struct text *identity, const struct text *tags,
                               const struct sample *sample, int64_t bucket_s) {
    struct point *point = calloc(1, sizeof *point + identity->size + tags->size + 1);
    if (!point)
        return NULL;
    point->bucket_s = bucket_s;
    point->type = sample->type;
    point->n_identity = identity->size;
    memcpy(point->bytes, identity->bytes, identity->size);
    if (tags->size > 0)
        memcpy(point->bytes + identity->size, tags->bytes, tags->size);
    point->tags = point->bytes + identity->size;
    return point;
}

#define MEMBER_MAX 1024 /* bytes of a set's value */

/* Whether add_member has room for the value. */
static bool fits_member(const struct sample *sample) {
    char buffer[MEMBER_MAX];
    struct line line = line_in(buffer, sizeof buffer);
    if (sample->type == STATWIT_SET)
        format_value(&line, sample);
    return !line.overflow;
}

/* A value of a set counts once: its own point, with the value in its identity, says that it was there. False:
 * no room. */
static bool add_member(struct intake *intake, struct point *set, struct text *identity,
                       const struct sample *sample) {
    char buffer[MEMBER_MAX];
    struct line line = line_in(buffer, sizeof buffer);
    struct text none = {.max = 0};
    format_value(&line, sample);
    text_put(identity, buffer, line_size(&line));
    struct point *made =
        identity->failed || line.overflow ? NULL : point_new(identity, &none, sample, set->bucket_s);
    if (!made)
        return false;
    made->member = true;
    struct point *member = point_take(intake, made, sizeof *made + identity->size);
    if (member && member->n++ == 0)
        set->n++;
    return member;
}

static int64_t bucket_of(const struct intake *intake, const struct sample *sample) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t at_s = sample->call->timestamp_s > 0 ? sample->call->timestamp_s : now.tv_sec;
    return at_s - at_s % intake->interval_s;
}

static bool put_sample(struct intake *intake, const struct sample *sample, struct text *identity,
                       const struct text *tags) {
    struct point *made = point_new(identity, tags, sample, bucket_of(intake, sample));
    struct point *point =
        made ? point_take(intake, made, sizeof *made + identity->size + tags->size + 1) : NULL;
    if (!point)
        return false;
    if (sample->type == STATWIT_SET)
        return add_member(intake, point, identity, sample);
    return point_add(intake, point, sample);
}

void intake_put(struct intake *intake, const struct sample *sample) {
    struct text identity = {.max = LINE_MAX_BYTES}, json = {.max = 2 * LINE_MAX_BYTES};
    struct tags tags;
    bool scoped = !sample->no_scopes && scope_any();
    if (scoped)
        scope_lock();
    format_collect(&tags, intake->config, sample);
    put_identity(&identity, intake->config, sample, &tags);
    intake_put_tags(&json, intake->config, &tags);
    if (scoped)
        scope_unlock();
    bool large = tags.overflow || identity.failed || json.failed || !fits_member(sample);
    pthread_mutex_lock(&intake->lock);
    bool late = intake->stopping;
    bool done = !large && !late && put_sample(intake, sample, &identity, &json);
    if (done)
        intake_start(intake);
    pthread_mutex_unlock(&intake->lock);
    health_add(&intake->health->metrics, 1);
    if (!done)
        health_drop(intake->health,
                    large  ? DROP_LARGE
                    : late ? DROP_LATE
                           : DROP_FULL,
                    1, "%s",
                    large  ? "a metric is too large, or a set's value over 1,024 bytes"
                    : late ? "the client is closed"
                           : "the queue to the API is full");
    text_free(&identity);
    text_free(&json);
}

void intake_put_json(struct intake *intake, const char *path, const struct text *json) {
    struct intake_body *body = intake_body_new(path, 1, json);
    pthread_mutex_lock(&intake->lock);
    bool late = intake->stopping, done = body && !late && room(intake, sizeof *body + body->size);
    if (done) {
        intake_queue(intake, body);
        intake_start(intake);
        pthread_cond_broadcast(&intake->wake);
    }
    pthread_mutex_unlock(&intake->lock);
    if (done)
        return;
    free(body);
    health_drop(intake->health, late ? DROP_LATE : DROP_FULL, 1, "%s",
                late ? "the client is closed" : "the queue to the API is full");
}

/* ---- life ---- */

static void init_locks(struct intake *intake) {
    pthread_mutex_init(&intake->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&intake->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int intake_open(struct intake *intake, const struct config *config, struct health *health,
                struct statwit_error *error) {
    const struct statwit_options *options = &config->options;
    if (strpbrk(options->api_key, "\r\n") || (options->app_key && strpbrk(options->app_key, "\r\n")))
        return error_set(error, STATWIT_INVALID, "an API key holds no line break");
    intake->curl = curl_load(error);
    if (!intake->curl)
        return -1;
    intake->chains = calloc(INTAKE_CHAINS, sizeof(struct point *));
    if (!intake->chains)
        return error_memory(error);
    intake->config = config;
    intake->health = health;
    intake->interval_s = options->flush_interval_ms / 1000;
    intake->last = &intake->first;
    intake->last_body = &intake->first_body;
    init_locks(intake);
    return 0;
}

unsigned intake_discard(struct intake *intake) {
    unsigned n_series = 0;
    for (struct point *point = intake->first, *after; point; point = after) {
        after = point->after;
        n_series += !point->member;
        free(point->values);
        free(point);
    }
    for (struct intake_body *body = intake->first_body, *after; body; body = after) {
        after = body->after;
        n_series += body->n_series;
        free(body);
    }
    intake->first = NULL;
    intake->last = &intake->first;
    intake->first_body = NULL;
    intake->last_body = &intake->first_body;
    intake->n_points = intake->held_bytes = 0;
    if (intake->chains)
        memset(intake->chains, 0, INTAKE_CHAINS * sizeof(struct point *));
    return n_series;
}

uint64_t intake_waiting_bytes(struct intake *intake) {
    pthread_mutex_lock(&intake->lock);
    uint64_t size = intake->held_bytes;
    pthread_mutex_unlock(&intake->lock);
    return size;
}

void intake_before_fork(struct intake *intake) {
    pthread_mutex_lock(&intake->lock);
}

void intake_after_fork(struct intake *intake, bool child) {
    if (!child) {
        pthread_mutex_unlock(&intake->lock);
        return;
    }
    /* What waits here is the parent's to send, and so are its thread and its connection. */
    intake->running = false;
    intake->n_flushes_done = intake->n_flushes_asked;
    intake->handle = NULL;
    intake_discard(intake);
    init_locks(intake);
}
