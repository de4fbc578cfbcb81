/* How many points a second the fake intake takes: decoded, stored and answered 202, posted over loopback by CLIENTS
 * clients of this process. Beside each: the decoder alone, and for JSON jansson's bare parse of the same bytes.
 *
 * Usage: intake_bench [SECONDS]. Prints one line of JSON for each kind of body.
 */
#include "../support/server.h" /* not the one of this folder */
#include "bodies.h"
#include "core/buf.h"
#include "core/clock.h"
#include "decode/intake/intake.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define CLIENTS 4

struct body {
    const char *name, *path, *content_type;
    enum intake_format format;
    struct buf bytes;
    size_t n_points;
};

static struct server server;
static int64_t until_ns;

/* --- measuring --------------------------------------------------------------------------------------------------------- */

static void ignore(void *arg, const struct record *record) {
    if (record->kind == RECORD_METRIC)
        *(size_t *)arg += record->metric.n_values;
}

static double decoder_rate(const struct body *b) {
    struct intake_options options = {.now_s = clock_wall_ns() / NS_PER_S};
    struct intake_error error;
    size_t n = 0;
    int64_t from = clock_mono_ns(), at;
    do {
        if (intake_decode(b->format, buf_view(&b->bytes), &options, ignore, &n, &error) != INTAKE_OK)
            abort();
        at = clock_mono_ns();
    } while (at - from < NS_PER_S);
    return (double)n * 1e9 / (double)(at - from);
}

static double jansson_rate(const struct body *b) {
    size_t n = 0;
    int64_t from = clock_mono_ns(), at;
    do {
        json_t *tree = json_loadb(b->bytes.p, b->bytes.n, 0, NULL);
        if (!tree)
            abort();
        json_decref(tree);
        n += b->n_points;
        at = clock_mono_ns();
    } while (at - from < NS_PER_S);
    return (double)n * 1e9 / (double)(at - from);
}

static void *post(void *arg) {
    const struct body *b = arg;
    struct client c;
    struct buf text = {0};
    size_t n = 0;
    client_open(&c, &server);
    buf_printf(
        &text,
        "POST %s HTTP/1.1\r\nHost: localhost\r\nDD-API-KEY: k\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
        b->path, b->content_type, b->bytes.n);
    buf_span(&text, buf_view(&b->bytes));
    while (clock_mono_ns() < until_ns) {
        client_send(&c, text.p, text.n);
        if (client_receive(&c) != 202) {
            fprintf(stderr, "%s: answered %d\n", b->path, c.status);
            abort();
        }
        n += b->n_points;
    }
    client_close(&c);
    buf_free(&text);
    return (void *)n;
}

static double stored_rate(struct body *b, int64_t seconds) {
    pthread_t threads[CLIENTS];
    size_t n = 0;
    server_start(&server, &(struct http_options){0});
    int64_t from = clock_mono_ns();
    until_ns = from + seconds * NS_PER_S;
    for (int i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, post, b);
    for (int i = 0; i < CLIENTS; i++) {
        void *points;
        pthread_join(threads[i], &points);
        n += (size_t)points;
    }
    double rate = (double)n * 1e9 / (double)(clock_mono_ns() - from);
    server_stop(&server);
    return rate;
}

static void measure(struct body *b, int64_t seconds) {
    struct rusage usage;
    double decoded = decoder_rate(b), stored = stored_rate(b, seconds);
    bool json = b->format == INTAKE_SERIES_V1;
    double bare = json ? jansson_rate(b) : 0;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "{\"body\":\"%s\",\"bytes\":%zu,\"points\":%zu,\"stored_points_per_s\":%.0f,\"decoded_points_per_s\":%.0f,",
        b->name, b->bytes.n, b->n_points, stored, decoded);
    if (json)
        printf("\"jansson_points_per_s\":%.0f,\"stored_to_jansson\":%.2f,", bare, stored / bare);
    printf("\"max_rss_mb\":%ld}\n", usage.ru_maxrss / 1024);
    fflush(stdout);
    buf_free(&b->bytes);
}

int main(int argc, char **argv) {
    int64_t seconds = argc > 1 ? strtoll(argv[1], NULL, 10) : 3;
    const char *json = "application/json", *protobuf = "application/x-protobuf";
    struct body bodies[] = {
        {.name = "v1 JSON, 1 point a series",
         .path = "/api/v1/series",
         .content_type = json,
         .format = INTAKE_SERIES_V1},
        {.name = "v1 JSON, 10 points a series",
         .path = "/api/v1/series",
         .content_type = json,
         .format = INTAKE_SERIES_V1},
        {.name = "v2 protobuf, 1 point a series",
         .path = "/api/v2/series",
         .content_type = protobuf,
         .format = INTAKE_SERIES_V2},
        {.name = "v2 protobuf, 10 points a series",
         .path = "/api/v2/series",
         .content_type = protobuf,
         .format = INTAKE_SERIES_V2},
    };
    static const int sizes[][2] = {{5000, 1}, {2000, 10}, {4000, 1}, {1500, 10}}; /* series, points of each */
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        bool v1 = bodies[i].format == INTAKE_SERIES_V1;
        (v1 ? body_json : body_protobuf)(&bodies[i].bytes, sizes[i][0], sizes[i][1]);
        bodies[i].n_points = (size_t)sizes[i][0] * (size_t)sizes[i][1];
        measure(&bodies[i], seconds < 1 ? 1 : seconds);
    }
    return 0;
}
