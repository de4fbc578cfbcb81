/* What a call of the library costs: nanoseconds per call beside a bare snprintf and memcpy of the same line, measured
 * in the same run, for 1, 2 and 4 threads that begin together and call for far longer than a thread takes to start.
 * The library's own thread sends meanwhile, and takes a core or a good part of one for it: by the wall the callers cannot have more than what
 * it leaves, so that stands beside it; and one row sends to a socket that is read between the rounds only, so that the sender sleeps. Then
 * the fastest of many short rounds, which a busy machine disturbs least, beside the programs named as arguments: each is given the sink's address and prints lines of "NANOSECONDS NAME".
 * `make bench-client`.
 */
#include "sink.h"
#include "statwit.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define N_CALLS 1000000 /* of a thread in a round, */
#define N_FEW   100000  /* and where they wait in a queue that is to fit the caches */
#define ROUNDS  7
#define N_SHORT 1000 /* calls of a short round */
#define SHORTS  300

static struct statwit_metrics *metrics;
static int n_calls = N_CALLS;

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void incr_times(int n) {
    for (int i = 0; i < n; i++)
        statwit_incr(metrics, "login.attempt",
                     .tags = STATWIT_TAGS({"from_relay", "True"}, {"env", "production"}));
}

static void incr(void) {
    incr_times(n_calls);
}

static void timing(void) {
    for (int i = 0; i < n_calls; i++)
        statwit_timing(metrics, "events.latency", i % 1000,
                       .tags = STATWIT_TAGS({"from_relay", "True"}, {"env", "production"}));
}

/* The yardstick: the least that a client which formats with printf does. */
static void bare_times(int n) {
    static _Thread_local char buffer[1432];
    size_t size = 0;
    for (int i = 0; i < n; i++) {
        char line[256];
        int length = snprintf(line, sizeof line, "%s:%d|c|#%s:%s,%s:%s\n", "login.attempt", 1, "from_relay",
                              "True", "env", "production");
        if (size + (size_t)length > sizeof buffer)
            size = 0;
        memcpy(buffer + size, line, (size_t)length);
        size += (size_t)length;
        __asm__ volatile("" : : "r"(buffer) : "memory");
    }
}

static void bare(void) {
    bare_times(n_calls);
}

struct run {
    pthread_t thread;
    pthread_barrier_t *start;
    void (*body)(void);
    double began_ns, ended_ns, cpu_ns;
};

static void *run_thread(void *context) {
    struct run *run = context;
    pthread_barrier_wait(run->start);
    run->began_ns = now_ns();
    double cpu = cpu_ns();
    run->body();
    run->cpu_ns = cpu_ns() - cpu;
    run->ended_ns = now_ns();
    return NULL;
}

struct cost {
    double wall_ns, cpu_ns; /* of a call; wall: per call of any thread */
    double cores;           /* that the library's own thread left to the callers */
};

static double process_cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* One round: all threads together. */
static struct cost measure_round(void (*body)(void), unsigned n_threads) {
    pthread_barrier_t start;
    struct run runs[4];
    double began = 1e300, ended = 0, cpu = 0, process = process_cpu_ns();
    pthread_barrier_init(&start, NULL, n_threads);
    for (unsigned i = 0; i < n_threads; i++) {
        runs[i] = (struct run){.start = &start, .body = body};
        pthread_create(&runs[i].thread, NULL, run_thread, &runs[i]);
    }
    for (unsigned i = 0; i < n_threads; i++) {
        pthread_join(runs[i].thread, NULL);
        began = runs[i].began_ns < began ? runs[i].began_ns : began;
        ended = runs[i].ended_ns > ended ? runs[i].ended_ns : ended;
        cpu += runs[i].cpu_ns;
    }
    process = process_cpu_ns() - process;
    pthread_barrier_destroy(&start);
    return (struct cost){.wall_ns = (ended - began) / n_calls / n_threads,
                         .cpu_ns = cpu / n_calls / n_threads,
                         .cores = (double)sysconf(_SC_NPROCESSORS_ONLN) - (process - cpu) / (ended - began)};
}

/* ---- the socket of a sender that sleeps ---- */

static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER; /* held during a round */

static void *read_between(void *context) {
    char bytes[8192];
    for (long n = 1; n > 0;) {
        pthread_mutex_lock(&reading);
        pthread_mutex_unlock(&reading);
        n = sink_read(*(int *)context, bytes, sizeof bytes, -1);
    }
    return NULL;
}

/* The fastest round by each clock: what other programs take from it is least there. */
static struct cost measure(void (*body)(void), unsigned n_threads) {
    struct cost best = {.wall_ns = 1e300, .cpu_ns = 1e300};
    for (int round = 0; round < ROUNDS * (N_CALLS / n_calls); round++) {
        statwit_flush(metrics, 10000); /* each round finds an empty queue */
        pthread_mutex_lock(&reading);
        struct cost cost = measure_round(body, n_threads);
        pthread_mutex_unlock(&reading);
        if (cost.wall_ns < best.wall_ns) {
            best.wall_ns = cost.wall_ns;
            best.cores = cost.cores;
        }
        best.cpu_ns = cost.cpu_ns < best.cpu_ns ? cost.cpu_ns : best.cpu_ns;
    }
    return best;
}

/* How many times as much as one thread: by the wall, of what the sender leaves; and by what the callers themselves use, as if each had a
 * core. */
static void print_scale(const struct cost *one, const struct cost *many, unsigned n_threads) {
    printf("  %5.1f %5.1f %4.2f of %4.2f %4.2f", many->wall_ns, many->cpu_ns, one->wall_ns / many->wall_ns,
           many->cores < n_threads ? many->cores : n_threads, n_threads * one->cpu_ns / many->cpu_ns);
}

static void row(const char *name, void (*body)(void), const struct statwit_options *options,
                double yardstick_ns) {
    struct statwit_health health = {0};
    struct cost one = {0};
    printf("%-34s", name);
    for (unsigned n_threads = 1; n_threads <= 4; n_threads *= 2) {
        metrics = options ? statwit_open(options, NULL) : NULL;
        struct cost cost = measure(body, n_threads);
        statwit_close(metrics);
        statwit_health(metrics, &health);
        if (n_threads > 1) {
            print_scale(&one, &cost, n_threads);
            continue;
        }
        one = cost;
        printf(" %5.1f %5.1f %4.2f", cost.wall_ns, cost.cpu_ns, cost.cpu_ns / yardstick_ns);
    }
    printf("  %llu packets, %llu lost\n", (unsigned long long)health.packets_sent,
           (unsigned long long)(health.dropped_full + health.dropped_late + health.dropped_refused));
}

/* ---- the fastest round ---- */

static void lock_times(int n) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    for (int i = 0; i < n; i++) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
}

/* Nanoseconds a call; without options of `call`. */
static double fastest(const char *name, const struct statwit_options *options, void (*call)(int)) {
    double best = 1e12;
    metrics = options ? statwit_open(options, NULL) : NULL;
    for (int round = 0; round < SHORTS; round++) {
        double start = now_ns();
        call(N_SHORT);
        double took = now_ns() - start;
        best = took < best ? took : best;
    }
    statwit_close(metrics);
    printf("%-34s %7.1f\n", name, best / N_SHORT);
    return best / N_SHORT;
}

/* 30 ns on a machine where the bare line takes 83.7. */
#define AGGREGATED_LIMIT 0.36

static void print_fastest(const struct statwit_options *buffered, const struct statwit_options *aggregating,
                          const struct statwit_options *dummy) {
    double bare_ns = fastest("bare snprintf + memcpy", NULL, bare_times);
    double lock_ns = fastest("bare lock and unlock of a mutex", NULL, lock_times);
    fastest("libstatwit, buffered UDP", buffered, incr_times);
    double aggregated_ns = fastest("libstatwit, aggregated", aggregating, incr_times);
    fastest("libstatwit, dummy", dummy, incr_times);
    printf("aggregated: %.2f of the bare line, %.1f locks; %.2f of its limit (%.2f of the bare line)\n",
           aggregated_ns / bare_ns, aggregated_ns / lock_ns, aggregated_ns / bare_ns / AGGREGATED_LIMIT,
           AGGREGATED_LIMIT);
}

/* Prints what another client's benchmark says. */
static void others(const char *program, int port) {
    char command[4096], line[256];
    snprintf(command, sizeof command, "'%s' 127.0.0.1:%d", program, port);
    FILE *output = popen(command, "r");
    while (output && fgets(line, sizeof line, output)) {
        char *name;
        double ns = strtod(line, &name);
        name[strcspn(name, "\n")] = '\0';
        printf("%-34s %7.1f\n", name + strspn(name, " "), ns);
    }
    if (!output || pclose(output) != 0)
        printf("%s failed\n", program);
}

int main(int n_arguments, char **arguments) {
    char folder[64], path[80];
    pthread_t reader;
    int port, fd = sink_udp(&port);
    sink_directory(folder);
    snprintf(path, sizeof path, "%s/socket", folder);
    int unread = sink_unix(path, false);
    pthread_create(&reader, NULL, read_between, &unread);
    struct statwit_options options[] = {
        {.port = port, .queue_bytes = (size_t)512 << 20},
        {.port = port, .aggregate = true},
        {.backend = "dummy"},
        {.port = port},
        {.socket_path = path, .buffer_bytes = 1432, .queue_bytes = (size_t)512 << 20}};
    double yardstick_ns = measure(bare, 1).cpu_ns;
    printf(
        "ns per call: wall (over all threads), CPU of the caller; one thread: its CPU beside a bare snprintf + memcpy;\n"
        "more: how many times as much as one thread, by the wall (of the cores that the sender leaves) and by the callers' CPU (two: 1.8 wanted)\n"
        "%-34s %16s %31s %31s\n",
        "", "1 thread", "2 threads", "4 threads");
    row("bare snprintf + memcpy", bare, NULL, yardstick_ns);
    row("incr, two tags, buffered UDP", incr, &options[0], yardstick_ns);
    n_calls = N_FEW;
    row("the same, its sender asleep", incr, &options[4], yardstick_ns);
    n_calls = N_CALLS;
    row("the same, flat out: 1 MiB queue", incr, &options[3], yardstick_ns);
    row("incr, two tags, aggregated", incr, &options[1], yardstick_ns);
    row("timing, two tags, buffered UDP", timing, &options[0], yardstick_ns);
    row("timing, two tags, packed", timing, &options[1], yardstick_ns);
    row("incr, two tags, dummy", incr, &options[2], yardstick_ns);
    printf("\nincr with two tags, one thread: ns per call in the fastest of %d rounds of %d\n", SHORTS,
           N_SHORT);
    print_fastest(&options[0], &options[1], &options[2]);
    fflush(stdout);
    for (int i = 1; i < n_arguments; i++)
        others(arguments[i], port);
    pthread_cancel(reader);
    pthread_join(reader, NULL);
    close(unread);
    sink_remove(folder);
    close(fd);
    return 0;
}
