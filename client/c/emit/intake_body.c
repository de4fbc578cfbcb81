/* From points to deflated JSON bodies. */
#include "emit/intake.h"
#include "emit/number.h"
#include <math.h>
#include <stdlib.h>
#include <zlib.h>

#define BODY_BYTES 500000 /* a body that has reached this is closed */
#define BODY_MAX   ((size_t)64 << 20)

static const char series_path[] = "/api/v1/series", distributions_path[] = "/api/v1/distribution_points";

/* A body under way; points of one kind go into one. */
struct draft {
    const char *path;
    struct text json;
    unsigned n_series;
};

double intake_percentile(const double *sorted, size_t n, double p) {
    double index = rint(p * (double)n - 1); /* half to even, which is the default rounding */
    return sorted[index > 0 ? (size_t)index : 0];
}

void intake_put_tags(struct text *json, const struct config *config, const struct tags *tags) {
    char buffer[4096];
    const char *separator = "";
    text_puts(json, "[");
    for (size_t i = 0; i < tags->n; i++) {
        struct line line = line_in(buffer, sizeof buffer);
        tags_render_one(&line, &tags->list[i]);
        json->failed |= line.overflow;
        text_puts(json, separator);
        text_put_json(json, buffer, line_size(&line));
        separator = ",";
    }
    for (const char *tag = config->wire_tags; *tag;) {
        size_t size = strcspn(tag, ",");
        text_puts(json, separator);
        text_put_json(json, tag, size);
        separator = ",";
        tag += size + (tag[size] == ',');
    }
    text_puts(json, "]");
}

static void put_number(struct text *json, double value, bool real) {
    char text[NUMBER_SIZE];
    /* A sum of finite values may still be none. */
    if (!isfinite(value))
        value = signbit(value) ? -1.7976931348623157e308 : 1.7976931348623157e308;
    bool integer = !real && fabs(value) < 0x1p53;
    size_t size = integer ? number_put_integer(text, (int64_t)value) : number_put_real(text, value);
    text_put(json, text, size);
}

struct intake_body *intake_body_new(const char *path, unsigned n_series, const struct text *json) {
    uLongf size = compressBound((uLong)json->size);
    Bytef *deflated = json->failed ? NULL : malloc(size);
    bool done = deflated && compress(deflated, &size, (const Bytef *)json->bytes, (uLong)json->size) == Z_OK;
    struct intake_body *body = done ? malloc(sizeof *body + size) : NULL;
    if (body) {
        *body = (struct intake_body){.path = path, .n_series = n_series, .size = size};
        memcpy(body->bytes, deflated, size);
    }
    free(deflated);
    return body;
}

void intake_queue(struct intake *intake, struct intake_body *body) {
    intake->held_bytes += sizeof *body + body->size;
    *intake->last_body = body;
    intake->last_body = &body->after;
}

static void finish(struct intake *intake, struct draft *draft) {
    if (draft->n_series > 0) {
        text_puts(&draft->json, "]}");
        struct intake_body *body = intake_body_new(draft->path, draft->n_series, &draft->json);
        if (body) {
            pthread_mutex_lock(&intake->lock);
            intake_queue(intake, body);
            pthread_mutex_unlock(&intake->lock);
        } else {
            health_drop(intake->health, DROP_FULL, draft->n_series, "out of memory for a request");
        }
    }
    draft->n_series = 0;
    text_free(&draft->json);
}

static void begin_series(struct intake *intake, struct draft *draft, const struct point *point,
                         const char *suffix) {
    if (draft->json.size > BODY_BYTES)
        finish(intake, draft);
    text_puts(&draft->json, draft->n_series++ ? ",{\"metric\":" : "{\"series\":[{\"metric\":");
    struct text name = {.max = LINE_MAX_BYTES};
    text_puts(&name, point->bytes);
    text_puts(&name, suffix);
    if (name.failed)
        draft->json.failed = true;
    else
        text_put_json(&draft->json, name.bytes, name.size);
    text_free(&name);
    text_printf(&draft->json, ",\"points\":[[%lld,", (long long)point->bucket_s);
}

static void end_series(struct intake *intake, struct draft *draft, const struct point *point,
                       const char *type) {
    const char *host = intake->config->options.hostname;
    text_printf(&draft->json, "]],\"type\":\"%s\",\"host\":", type);
    text_put_json(&draft->json, host, strlen(host));
    text_puts(&draft->json, ",\"device\":null,\"tags\":");
    text_puts(&draft->json, point->tags);
    text_printf(&draft->json, ",\"interval\":%lld}", (long long)intake->interval_s);
}

static void put_series(struct intake *intake, struct draft *draft, const struct point *point,
                       const char *suffix, double value, bool real, const char *type) {
    begin_series(intake, draft, point, suffix);
    put_number(&draft->json, value, real);
    end_series(intake, draft, point, type);
}

static int compare_values(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void put_histogram(struct intake *intake, struct draft *draft, struct point *point) {
    static const struct {
        double p;
        const char *suffix;
    } percentiles[] = {
        {0.75, ".75percentile"}, {0.85, ".85percentile"}, {0.95, ".95percentile"}, {0.99, ".99percentile"}};
    qsort(point->values, point->n_values, sizeof *point->values, compare_values);
    put_series(intake, draft, point, ".min", point->min, point->real, "gauge");
    put_series(intake, draft, point, ".max", point->max, point->real, "gauge");
    put_series(intake, draft, point, ".count", (double)point->n / (double)intake->interval_s, true, "rate");
    put_series(intake, draft, point, ".avg", point->sum / (double)point->n, true, "gauge");
    for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; i++)
        put_series(intake, draft, point, percentiles[i].suffix,
                   intake_percentile(point->values, point->n_values, percentiles[i].p), point->real, "gauge");
}

static void put_distribution(struct intake *intake, struct draft *draft, const struct point *point) {
    begin_series(intake, draft, point, "");
    for (size_t i = 0; i < point->n_values; i++) {
        text_puts(&draft->json, i ? "," : "[");
        put_number(&draft->json, point->values[i], point->real);
    }
    text_puts(&draft->json, "]");
    end_series(intake, draft, point, "distribution");
}

static void put_point(struct intake *intake, struct draft *series, struct draft *distributions,
                      struct point *point) {
    if (point->member || point->n == 0)
        return;
    switch (point->type) {
    case STATWIT_COUNT:
        put_series(intake, series, point, "", point->sum / (double)intake->interval_s, true, "rate");
        break;
    case STATWIT_GAUGE:
        put_series(intake, series, point, "", point->real ? point->sum : (double)point->integer, point->real,
                   "gauge");
        break;
    case STATWIT_SET:
        put_series(intake, series, point, "", (double)point->n, false, "gauge");
        break;
    case STATWIT_DISTRIBUTION:
        put_distribution(intake, distributions, point);
        break;
    default:
        put_histogram(intake, series, point);
    }
}

/* The points of intervals that began before before_s leave the list and their chains. */
static struct point *take_over(struct intake *intake, int64_t before_s) {
    struct point *taken = NULL, **end = &taken, **link = &intake->first;
    while (*link) {
        struct point *point = *link, **chain = &intake->chains[point->hash % INTAKE_CHAINS];
        if (point->bucket_s >= before_s) {
            link = &point->after;
            continue;
        }
        *link = point->after;
        while (*chain != point)
            chain = &(*chain)->chain;
        *chain = point->chain;
        *end = point;
        end = &point->after;
    }
    *end = NULL;
    intake->last = link;
    return taken;
}

static size_t point_size(const struct point *point) {
    return sizeof *point + point->n_identity + (point->member ? 0 : strlen(point->tags) + 1) +
           point->cap_values * sizeof *point->values;
}

void intake_roll(struct intake *intake, int64_t before_s) {
    struct draft series = {.path = series_path, .json = {.max = BODY_MAX}};
    struct draft distributions = {.path = distributions_path, .json = {.max = BODY_MAX}};
    size_t n_points = 0, n_bytes = 0;
    struct point *taken = take_over(intake, before_s);
    pthread_mutex_unlock(&intake->lock);
    for (struct point *point = taken, *after; point; point = after) {
        after = point->after;
        put_point(intake, &series, &distributions, point);
        n_points++;
        n_bytes += point_size(point);
        free(point->values);
        free(point);
    }
    finish(intake, &series);
    finish(intake, &distributions);
    pthread_mutex_lock(&intake->lock);
    intake->n_points -= n_points;
    intake->held_bytes -= n_bytes;
}
