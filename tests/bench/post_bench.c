/* POSTs to the real binary, its recording on disk: points a second, latency and the server's CPU time by points in a body and by
 * clients. Beside them, in the same run, the limits: a bare round trip (GET /healthz), the decoder alone on the same body, without a
 * memory of series, and SQLite alone, which inserts the same bytes as one row and commits.
 *
 *     post_bench BINARY [SECONDS [POINTS [CLIENTS]]]      of each line, 1 by default; only that many points, clients
 */
#include "bodies.h"
#include "core/buf.h"
#include "core/clock.h"
#include "decode/intake/intake.h"
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 16
#define TIMES_MAX   1000000

struct request {
    const char *name, *method, *path, *content_type;
    enum intake_format format;
    struct buf body;
    size_t n_points;
    int want; /* status */
};

struct outcome {
    double per_s, p50_us, p99_us, cpu_us; /* requests a second; of one request */
};

static double seconds = 1;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void die(const char *what) {
    fprintf(stderr, "post_bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* One client of one connection: it sends a request as soon as the one before it was answered. */
struct client {
    int fd;
    int64_t sent_ns;
    size_t n_sent, n_got;
    char answer[1024];
};

static void send_more(struct client *c, struct span text) {
    ssize_t n = send(c->fd, text.p + c->n_sent, text.n - c->n_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
        die("send");
    c->n_sent += n > 0 ? (size_t)n : 0;
}

static void begin(struct client *c, struct span text) {
    c->sent_ns = clock_mono_ns();
    c->n_sent = c->n_got = 0;
    send_more(c, text);
}

/* Whether the whole answer is here. */
static bool receive(struct client *c, int want) {
    ssize_t n = recv(c->fd, c->answer + c->n_got, sizeof c->answer - 1 - c->n_got, MSG_DONTWAIT);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            die("recv");
        return false;
    }
    c->n_got += (size_t)n;
    c->answer[c->n_got] = '\0';
    const char *end = strstr(c->answer, "\r\n\r\n"), *length = strcasestr(c->answer, "\r\nContent-Length:");
    if (!end || (length && c->n_got < (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10)))
        return false;
    if (atoi(c->answer + 9) != want) {
        fprintf(stderr, "post_bench: answered %s\n", c->answer);
        exit(1);
    }
    return true;
}

static struct outcome run(struct server *s, const struct request *q, int n_clients) {
    static double us[TIMES_MAX];
    struct client clients[CLIENTS_MAX];
    struct pollfd polled[CLIENTS_MAX];
    struct buf text = {0};
    size_t n = 0;
    buf_printf(&text, "%s %s HTTP/1.1\r\nHost: localhost\r\n", q->method, q->path);
    if (q->body.n)
        buf_printf(&text, "DD-API-KEY: k\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", q->content_type,
                   q->body.n);
    buf_str(&text, "\r\n");
    buf_span(&text, buf_view(&q->body));
    double cpu_s = server_cpu_s(s);
    int64_t start_ns = clock_mono_ns(), now_ns = start_ns;
    for (int i = 0; i < n_clients; i++) {
        clients[i].fd = server_connect(s);
        begin(&clients[i], buf_view(&text));
    }
    while (now_ns - start_ns < (int64_t)(seconds * 1e9) && n < TIMES_MAX) {
        for (int i = 0; i < n_clients; i++)
            polled[i] = (struct pollfd){clients[i].fd, clients[i].n_sent < text.n ? POLLOUT : POLLIN, 0};
        if (poll(polled, (nfds_t)n_clients, -1) < 0)
            die("poll");
        now_ns = clock_mono_ns();
        for (int i = 0; i < n_clients; i++) {
            if (polled[i].revents & POLLOUT)
                send_more(&clients[i], buf_view(&text));
            else if (polled[i].revents && receive(&clients[i], q->want)) {
                if (n < TIMES_MAX)
                    us[n++] = (double)(now_ns - clients[i].sent_ns) / 1e3;
                begin(&clients[i], buf_view(&text));
            }
        }
    }
    struct outcome o = {.per_s = (double)n * 1e9 / (double)(now_ns - start_ns)};
    o.cpu_us = (server_cpu_s(s) - cpu_s) * 1e6 / (double)(n ? n : 1);
    qsort(us, n, sizeof *us, by_value);
    o.p50_us = n ? us[n / 2] : 0;
    o.p99_us = n ? us[n * 99 / 100] : 0;
    for (int i = 0; i < n_clients; i++)
        close(clients[i].fd);
    buf_free(&text);
    return o;
}

static void ignore(void *arg, const struct record *record) {
    *(size_t *)arg += record->kind == RECORD_METRIC;
}

/* Microseconds for one body. */
static double decoder_us(const struct request *q) {
    struct intake_options options = {.now_s = clock_wall_ns() / NS_PER_S};
    struct intake_error error;
    size_t n = 0, rounds = 0;
    int64_t from = clock_mono_ns(), at;
    do {
        if (intake_decode(q->format, buf_view(&q->body), &options, ignore, &n, &error) != INTAKE_OK)
            die("decode");
        rounds++;
        at = clock_mono_ns();
    } while (at - from < NS_PER_S / 4);
    return (double)(at - from) / 1e3 / (double)rounds;
}

static double bare_insert_us(const struct server *s, const struct request *q) {
    char path[96];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    size_t rounds = 0;
    snprintf(path, sizeof path, "%s/bare", s->directory);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
                     "PRAGMA wal_autocheckpoint = 2048; CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)",
                     NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "INSERT INTO t (body) VALUES (?)", -1, &stmt, NULL) != SQLITE_OK)
        die("sqlite");
    int64_t from = clock_mono_ns(), at;
    do {
        sqlite3_bind_blob64(stmt, 1, q->body.p, q->body.n, SQLITE_STATIC);
        if (sqlite3_step(stmt) != SQLITE_DONE)
            die("insert");
        sqlite3_reset(stmt);
        rounds++;
        at = clock_mono_ns();
    } while (at - from < NS_PER_S / 4);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return (double)(at - from) / 1e3 / (double)rounds;
}

/* Where 300 us, and 5 M points/s of sixteen, were asked for, a round trip took 6 us and this decoding 151. A client's body needs one trip
 * and one decoding; no core decodes more than its rate. Up to 1.00 of its limit it is met. */
#define GOAL_POINTS 1000
#define GOAL_P50    (300 / (151.0 + 6))
#define GOAL_RATE   (5 / 6.6)
static void print_goal(const struct outcome *o, int n_points, int n_clients, double trip_us,
                       double decode_us) {
    double p50 = o->p50_us / (trip_us + decode_us), rate = o->per_s * decode_us / 1e6;
    if (n_clients == 1)
        printf("%24s p50 is %.2f of trip + decoding (%.0f us): %.2f of its limit (%.2f)\n", "", p50,
               trip_us + decode_us, p50 / GOAL_P50, GOAL_P50);
    else
        printf("%24s points/s are %.2f of the decoder's rate (%.2f M): %.2f of its limit (%.2f)\n", "", rate,
               n_points / decode_us, GOAL_RATE / rate, GOAL_RATE);
}

static void measure(const char *binary, struct request *q, int n_points, int n_clients) {
    static const struct request bare = {.method = "GET", .path = "/healthz", .want = 200};
    struct server s;
    buf_clear(&q->body);
    if (q->format == INTAKE_SERIES_V1)
        body_json(&q->body, n_points, 1);
    else
        body_protobuf(&q->body, n_points, 1);
    server_start(&s, binary);
    struct outcome trip = run(&s, &bare, n_clients);
    run(&s, q, 1); /* the first sight of the series is another benchmark's */
    struct outcome o = run(&s, q, n_clients);
    double decode_us = decoder_us(q), insert_us = bare_insert_us(&s, q);
    printf(
        "%-4s %5d points %3d clients %8.3f M points/s  p50 %7.0f us  p99 %7.0f us  CPU %6.0f us a POST, %5.2f s/M  "
        "p50 is %5.1f bare round trips (%.1f us), %4.1f bare inserts (%.1f us)  CPU is %5.1f decodings (%.1f us)\n",
        q->name, n_points, n_clients, o.per_s * n_points / 1e6, o.p50_us, o.p99_us, o.cpu_us,
        o.cpu_us / n_points, o.p50_us / trip.p50_us, trip.p50_us, o.p50_us / insert_us, insert_us,
        o.cpu_us / decode_us, decode_us);
    if (n_points == GOAL_POINTS)
        print_goal(&o, n_points, n_clients, trip.p50_us, decode_us);
    fflush(stdout);
    server_stop(&s);
}

int main(int argc, char **argv) {
    if (argc > 2)
        seconds = atof(argv[2]);
    struct request requests[] = {
        {"v2", "POST", "/api/v2/series", "application/x-protobuf", INTAKE_SERIES_V2, {0}, 0, 202},
        {"v1", "POST", "/api/v1/series", "application/json", INTAKE_SERIES_V1, {0}, 0, 202},
    };
    static const int points[] = {1, 10, 1000}, clients[] = {1, 16};
    int only_points = argc > 3 ? atoi(argv[3]) : 0, only_clients = argc > 4 ? atoi(argv[4]) : 0;
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 3; k++)
            for (size_t j = 0; j < 2; j++)
                if ((!only_points || points[k] == only_points) &&
                    (!only_clients || clients[j] == only_clients))
                    measure(argc > 1 ? argv[1] : "build/release/statwit", &requests[i], points[k],
                            clients[j]);
        buf_free(&requests[i].body);
    }
    return 0;
}
