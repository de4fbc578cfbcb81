/* The recorder measured as a whole: the real binary, its recording on disk, beside the limits of the same machine in the same
 * minute: a bare recvmmsg sink, a bare multi-row insert of narrow rows.
 *
 *     recorder_bench BINARY [quick]      a tenth of everything
 *     recorder_bench BINARY flood N      N questions of both kinds beside a session that is flooded
 *     recorder_bench BINARY receive [M]  only what must be received without a loss, M million samples at a time, beside its limits
 *     recorder_bench BINARY keep [M [N]] M million samples of N series at once: all are kept, the newest 50,000, the newest 5,000
 *     recorder_bench BINARY ask N        N rounds of "send, ask, have it" with both cores busy; fails on a miss
 */
#include "core/clock.h"
#include "load.h"
#include "server.h"
#include "yardstick.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static const char *binary = "build/release/statwit";
static uint64_t million = 1000000;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double at_quantile(double *list, size_t n, double q) {
    qsort(list, n, sizeof *list, by_value);
    size_t i = (size_t)(q * (double)n);
    return list[i < n ? i : n - 1];
}

static void life(void) {
    enum { ROUNDS = 15 };
    double ready_ms[ROUNDS], stop_ms[ROUNDS];
    long rss = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct server s;
        server_start(&s, binary);
        rss = server_rss_kib(&s, "VmRSS:");
        ready_ms[i] = (double)s.ready_ns / 1e6;
        stop_ms[i] = (double)server_stop(&s) / 1e6;
    }
    printf("start to ready                 %8.1f ms median of %d\n", at_quantile(ready_ms, ROUNDS, 0.5),
           ROUNDS);
    printf("SIGTERM to exit, idle          %8.1f ms median\n", at_quantile(stop_ms, ROUNDS, 0.5));
    printf("idle memory (RSS)              %8.1f MB\n", (double)rss / 1024);
}

static int server_udp(const struct server *s) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->udp_port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof in) != 0)
        perror("bench: connect");
    return fd;
}

/* Send one metric, ask for it over a kept-alive connection; every answer must hold it. */
static int ask(int rounds, int busy) {
    struct server s;
    server_start(&s, binary);
    pid_t burners[2];
    for (int i = 0; i < busy; i++)
        if ((burners[i] = fork()) == 0)
            for (volatile unsigned long spin = 0;; spin++) {
            }
    int fd = server_udp(&s);
    double *us = malloc(sizeof *us * (size_t)rounds);
    int misses = 0;
    for (int i = 0; us && i < rounds; i++) {
        char line[64], path[64];
        int n = snprintf(line, sizeof line, "ask.%d:%d|c", i % 500, i);
        snprintf(path, sizeof path, "/recorder/v1/series?name=ask.%d", i % 500);
        int64_t start_ns = clock_mono_ns();
        if (send(fd, line, (size_t)n, 0) != n)
            perror("send");
        const char *answer = server_ask(&s, "GET", path, NULL);
        us[i] = (double)(clock_mono_ns() - start_ns) / 1e3;
        if (number_after(answer, "samples") != i / 500 + 1)
            misses++;
    }
    if (us)
        printf("send, ask, have it: %6d rounds, %d cores busy: median %.0f us, 99th %.0f us, %d misses\n",
               rounds, busy, at_quantile(us, (size_t)rounds, 0.5), at_quantile(us, (size_t)rounds, 0.99),
               misses);
    free(us);
    close(fd);
    for (int i = 0; i < busy; i++)
        kill_and_wait(burners[i]);
    server_stop(&s);
    return misses;
}

/* Many wait, each for a metric of its own; the datagram that fulfils one, and the time until its answer is here. */
static void waiting(int n) {
    struct server s;
    server_start(&s, binary);
    int *fds = malloc(sizeof *fds * (size_t)n), wrong = 0;
    double *us = malloc(sizeof *us * (size_t)n);
    if (!fds || !us)
        exit(1);
    for (int i = 0; i < n; i++) {
        char body[128];
        snprintf(body, sizeof body, "{\"expect\":[\"incr wait.%d sum == 1\"],\"within_ms\":600000}", i);
        fds[i] = server_connect(&s);
        server_post(&s, fds[i], "/recorder/v1/expect", body);
    }
    server_ask(&s, "GET", "/recorder/v1/status", NULL);
    int udp = server_udp(&s);
    for (int i = 0; i < n; i++) {
        char line[64];
        int length = snprintf(line, sizeof line, "wait.%d:1|c", i);
        int64_t start_ns = clock_mono_ns();
        if (send(udp, line, (size_t)length, 0) != length)
            perror("send");
        wrong += server_passes(fds[i]) != 0;
        us[i] = (double)(clock_mono_ns() - start_ns) / 1e3;
        close(fds[i]);
    }
    printf("fulfilled, answered: %d waiting: median %.0f us, 99th %.0f us, %d wrong\n", n,
           at_quantile(us, (size_t)n, 0.5), at_quantile(us, (size_t)n, 0.99), wrong);
    close(udp);
    free(fds);
    free(us);
    server_stop(&s);
}

/* Floods a session of its own until it is killed. */
static pid_t flood_another(struct server *s) {
    static char path[108];
    const char *answer = server_ask(s, "POST", "/recorder/v1/sessions", "{\"name\":\"flood\",\"unix\":true}");
    const char *at = strstr(answer, "\"unixgram\":\"");
    if (!at || sscanf(at, "\"unixgram\":\"%107[^\"]", path) != 1) {
        fprintf(stderr, "bench: no session: %s\n", answer);
        exit(1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct load load = {LOAD_UNIXGRAM, .path = path, .payload = 8192, .n_series = 1000,
                            .n_samples = UINT64_MAX / 2};
        load_send(&load);
        _exit(0);
    }
    return pid;
}

/* While another session is flooded flat out: send and ask, and ask with `within` and send, by turns. */
static void beside_a_flood(int rounds) {
    struct server s;
    server_start(&s, binary);
    pid_t flood = flood_another(&s);
    int udp = server_udp(&s), wrong = 0;
    double *ms[2] = {malloc(sizeof(double) * (size_t)rounds), malloc(sizeof(double) * (size_t)rounds)};
    if (!ms[0] || !ms[1])
        exit(1);
    for (int i = 0; i < 2 * rounds; i++) {
        bool waits = i % 2;
        char line[64], body[128];
        int n = snprintf(line, sizeof line, "mine.%d:1|c", i), fd = server_connect(&s);
        snprintf(body, sizeof body, "{\"expect\":[\"incr mine.%d sum == 1\"],\"within_ms\":%d}", i,
                 waits ? 600000 : 0);
        if (waits) {
            server_post(&s, fd, "/recorder/v1/expect", body);
            usleep(20000); /* so that most of them do wait */
        }
        int64_t start_ns = clock_mono_ns();
        if (send(udp, line, (size_t)n, 0) != n)
            perror("send");
        if (!waits)
            server_post(&s, fd, "/recorder/v1/expect", body);
        wrong += server_passes(fd) != 0;
        ms[waits][i / 2] = (double)(clock_mono_ns() - start_ns) / 1e6;
        close(fd);
    }
    double plain = at_quantile(ms[0], (size_t)rounds, 0.5), waiting = at_quantile(ms[1], (size_t)rounds, 0.5);
    printf(
        "beside a flooded session: send and ask %.1f ms, ask with within and send %.1f ms median, %.1f times; %d wrong\n",
        plain, waiting, waiting / plain, wrong);
    free(ms[0]);
    free(ms[1]);
    close(udp);
    kill_and_wait(flood);
    server_stop(&s);
}

struct outcome {
    double stored_rate; /* samples a second, until the last one could be asked for */
    double cpu_s;
    long long missing, lost;
    long peak_mb;
};

/* Sends the load to a recorder of its own. */
static struct outcome record(struct load *load) {
    struct server s;
    struct outcome o;
    server_start(&s, binary);
    load->port = load->transport == LOAD_HTTP ? s.http_port : s.udp_port;
    load->path = load->transport == LOAD_UNIXGRAM ? s.unixgram : s.unixstream;
    double cpu_s = server_cpu_s(&s);
    int64_t start_ns = clock_mono_ns();
    load_send(load);
    o.lost = server_lost(&s);
    double took_s = (double)(clock_mono_ns() - start_ns) / 1e9;
    o.cpu_s = server_cpu_s(&s) - cpu_s;
    long long stored = number_after(server_ask(&s, "GET", "/recorder/v1/status", NULL), "samples");
    o.stored_rate = (double)stored / took_s;
    o.missing = (long long)load->sent_samples - stored;
    o.peak_mb = server_rss_kib(&s, "VmHWM:") / 1024;
    server_stop(&s);
    return o;
}

static double offered(const struct load *load) {
    return (double)load->sent_samples / (double)load->took_ns * 1e9;
}

static void throughput(const char *what, struct load load, double insert_limit) {
    struct outcome o = record(&load);
    printf(
        "%-30s %5.1f M sent at %.2f M/s, stored %.2f M/s (%.2f of bare insert), missing %lld, lost %lld, CPU %.2f s/M, peak "
        "%ld MB\n",
        what, (double)load.sent_samples / 1e6, offered(&load) / 1e6, o.stored_rate / 1e6,
        o.stored_rate / insert_limit, o.missing, o.lost, o.cpu_s / ((double)load.sent_samples / 1e6),
        o.peak_mb);
    fflush(stdout);
}

/* The highest rate of which nothing is lost, bisected between nothing and what the sender can offer. */
static void lossless(const char *what, struct load load, double insert_limit) {
    enum { STEPS = 5 };
    struct outcome o = record(&load);
    double low = 0, high = offered(&load);
    if (o.missing == 0)
        low = high;
    for (int i = 0; i < STEPS && low < high; i++) {
        load.rate = (low + high) / 2;
        if (record(&load).missing == 0)
            low = load.rate;
        else
            high = load.rate;
    }
    printf("%-30s %5.1f M without loss at %.2f M/s%s (%.2f of bare insert)\n", what,
           (double)load.n_samples / 1e6, low / 1e6, low < high ? "" : ", all that the sender can offer",
           low / insert_limit);
    fflush(stdout);
}

/* What must hold, with one rate or one burst each; up to 1.00 of its limit it does. */
static void receive(uint64_t n_samples, double insert_limit) {
    struct load load = {LOAD_UNIXGRAM, .payload = 1432, .n_series = 1000, .n_samples = n_samples};
    struct outcome o = record(&load);
    printf(
        "burst into a Unix socket       %lld of %.1f M missing, stored at %.2f of bare insert, CPU %.2f s/M; %s\n",
        o.missing, (double)load.sent_samples / 1e6, o.stored_rate / insert_limit,
        o.cpu_s / ((double)load.sent_samples / 1e6),
        o.missing ? "not within its limit (0)" : "within its limit (0)");
    load = (struct load){LOAD_UDP, .payload = 1432, .n_series = 1000, .n_samples = n_samples};
    o = record(&load);
    double lost = (double)o.missing / (double)load.sent_samples;
    printf(
        "burst into UDP, default queue  %.1f %% of %.1f M missing, sent at %.2f of bare insert, peak %ld MB; "
        "%.2f of its limit (10 %%)\n",
        lost * 100, (double)load.sent_samples / 1e6, offered(&load) / insert_limit, o.peak_mb, lost / 0.1);
    load.rate = 2 * insert_limit;
    o = record(&load);
    lost = (double)o.missing / (double)load.sent_samples;
    printf(
        "UDP at twice bare insert       %.1f %% of %.1f M missing, sent at %.2f of bare insert, stored at %.2f; %s\n",
        lost * 100, (double)load.sent_samples / 1e6, offered(&load) / insert_limit,
        o.stored_rate / insert_limit, o.missing ? "not within its limit (0)" : "within its limit (0)");
}

/* A flood of which only the newest samples are kept; the answer that comes at once, and the one that waits for all that was sent. */
static void keep_newest(const char *n_kept, size_t n_series, uint64_t n_samples) {
    struct server s;
    setenv("STATWIT_RETENTION_SAMPLES", n_kept, 1);
    server_start(&s, binary);
    unsetenv("STATWIT_RETENTION_SAMPLES");
    struct load load = {LOAD_UNIXGRAM, .path = s.unixgram, .payload = 1432, .n_series = n_series,
                        .n_samples = n_samples};
    double cpu_s = server_cpu_s(&s);
    int64_t start_ns = clock_mono_ns();
    load_send(&load);
    int64_t sent_ns = clock_mono_ns();
    const char *queue = strstr(server_ask(&s, "GET", "/recorder/v1/status?settled=no", NULL), "\"queue\":");
    long long waiting = queue ? number_after(queue, "bytes") : -1;
    int64_t at_once_ns = clock_mono_ns();
    const char *answer = server_ask(&s, "GET", "/recorder/v1/status", NULL);
    int64_t end_ns = clock_mono_ns();
    long long kept = number_after(answer, "samples"), evicted = number_after(answer, "evicted"),
              commits = number_after(answer, "commits");
    printf(
        "--retention-samples %-6s %6zu series: %.1f M sent, stored %.2f M/s, CPU %.2f s/M; status after the last one: at once "
        "%.1f ms, of all, %.0f MB waiting, %.0f ms; %lld kept, %lld missing, %lld commits\n",
        n_kept, n_series, (double)load.sent_samples / 1e6,
        (double)load.sent_samples / (double)(end_ns - start_ns) * 1e3,
        (server_cpu_s(&s) - cpu_s) / ((double)load.sent_samples / 1e6), (double)(at_once_ns - sent_ns) / 1e6,
        (double)waiting / 1e6, (double)(end_ns - sent_ns) / 1e6, kept,
        (long long)load.sent_samples - kept - (evicted > 0 ? evicted : 0), commits);
    server_stop(&s);
}

static void keep_each(uint64_t n_samples, size_t n_series) {
    static const char *const kept[] = {"0", "50000", "5000"};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        keep_newest(kept[i], n_series, n_samples);
}

static void ask_each(struct server *s, unsigned long long millions) {
    static const struct {
        const char *what, *method, *path, *body;
    } list[] = {
        {"ls: 1,000 series", "GET", "/recorder/v1/series?limit=1000", NULL},
        {"one series' summary", "GET", "/recorder/v1/series?name=service.requests.latency_7", NULL},
        {"one series' newest 100 samples", "GET",
         "/recorder/v1/samples?name=service.requests.latency_7&limit=100", NULL},
        {"count of one series", "POST", "/recorder/v1/expect",
         "{\"expect\":[\"timing service.requests.latency_7 samples >= 1\"]}"},
        {"p95 of one series", "POST", "/recorder/v1/expect",
         "{\"expect\":[\"timing service.requests.latency_7 p95 < 500\"]}"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        double ms[9];
        for (int k = 0; k < 9; k++) {
            int64_t start_ns = clock_mono_ns();
            server_ask(s, list[i].method, list[i].path, list[i].body);
            ms[k] = (double)(clock_mono_ns() - start_ns) / 1e6;
        }
        printf("on %2llu M samples: %-31s %7.2f ms median\n", millions, list[i].what,
               at_quantile(ms, 9, 0.5));
    }
}

/* On 1, 10 and 50 million samples. */
static void questions(void) {
    static const uint64_t sizes[] = {1, 10, 50};
    struct server s;
    server_start(&s, binary);
    uint64_t had = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct load load = {.transport = LOAD_UNIXGRAM,
                            .path = s.unixgram,
                            .payload = 1432,
                            .n_series = 1000,
                            .n_samples = sizes[i] * million - had};
        load_send(&load);
        had += load.sent_samples;
        server_ask(&s, "GET", "/recorder/v1/status", NULL);
        ask_each(&s, had / 1000000);
    }
    server_stop(&s);
}

int main(int argc, char **argv) {
    if (argc > 1)
        binary = argv[1];
    bool quick = argc > 2 && strcmp(argv[2], "quick") == 0;
    if (quick)
        million /= 10;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 3 && strcmp(argv[2], "ask") == 0)
        return ask(atoi(argv[3]), 2) != 0;
    if (argc > 3 && strcmp(argv[2], "flood") == 0) {
        beside_a_flood(atoi(argv[3]));
        return 0;
    }
    if (argc > 2 && strcmp(argv[2], "keep") == 0) {
        keep_each((argc > 3 ? (uint64_t)atoi(argv[3]) : 5) * million,
                  argc > 4 ? (size_t)atoi(argv[4]) : 1000);
        return 0;
    }
    double limit = yardstick_insert(5 * million);
    printf("yardstick: bare multi-row insert of narrow rows   %.2f M rows/s\n", limit / 1e6);
    if (argc > 2 && strcmp(argv[2], "receive") == 0) {
        receive((argc > 3 ? (uint64_t)atoi(argv[3]) : 30) * million, limit);
        return 0;
    }
    double sink = yardstick_sink(3 * million, 1432);
    printf("yardstick: bare recvmmsg sink, 1,432 bytes        %.2f M samples/s offered, %.1f %% kept\n",
           sink / 1e6, yardstick_sink_kept() * 100);
    life();
    ask(quick ? 500 : 5000, 0);
    ask(quick ? 500 : 5000, 2);
    waiting(quick ? 100 : 1000);
    beside_a_flood(quick ? 20 : 100);
    const struct load gram = {LOAD_UNIXGRAM, .payload = 1432, .n_series = 1000, .n_samples = 20 * million},
                      udp = {LOAD_UDP, .payload = 1432, .n_series = 1000, .n_samples = 20 * million},
                      stream = {LOAD_UNIXSTREAM, .payload = 1432, .n_series = 1000, .n_samples = 5 * million},
                      http = {LOAD_HTTP, .payload = 60000, .n_series = 1000, .n_samples = 2 * million};
    struct load load = udp;
    receive(30 * million, limit);
    throughput("unixgram 1432, flat out", gram, limit);
    load.rate = 2.5e6;
    throughput("udp 1432, 2.5 M/s", load, limit);
    lossless("udp 1432, bisected", udp, limit);
    load = (struct load){LOAD_UDP, .payload = 1432, .n_series = 1000, .n_samples = 3 * million};
    throughput("udp 1432, burst flat out", load, limit);
    load = (struct load){LOAD_UDP, .n_series = 1000, .n_samples = 2 * million};
    throughput("udp one sample, flat out", load, limit);
    lossless("udp one sample, bisected", load, limit);
    load.transport = LOAD_UNIXGRAM;
    throughput("unixgram one sample, flat out", load, limit);
    throughput("unixstream 1432, flat out", stream, limit);
    throughput("http, v1 JSON of 60 KB", http, limit);
    load = (struct load){LOAD_UNIXGRAM, .payload = 1432, .n_series = 100000, .n_samples = 5 * million};
    throughput("unixgram 1432, 100,000 series", load, limit);
    load = (struct load){LOAD_UNIXGRAM, .payload = 1432, .n_series = 1000, .n_tags = 20,
                         .n_samples = 5 * million};
    throughput("unixgram 1432, 20 tags", load, limit);
    questions();
    return 0;
}
