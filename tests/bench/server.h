/* A real `statwit serve` to measure: started, asked, watched, ended. Errors: printed, then exit. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
    pid_t pid;
    int out;
    int http_port, udp_port;
    char directory[64], unixgram[96], unixstream[96];
    int64_t ready_ns; /* from fork to the ready line */
    int http;         /* a kept-alive connection */
};

/* Runs the binary (argv[0] of the benchmark names it, or build/release/statwit) on free ports with its recording on disk. */
void server_start(struct server *s, const char *binary);
/* Ends it; returns nanoseconds from SIGTERM to its exit. */
int64_t server_stop(struct server *s);
/* One request over the kept-alive connection; returns the body, valid until the next. */
const char *server_ask(struct server *s, const char *method, const char *path, const char *body);
/* Another connection; a question over it, and the time its answer took to come (both calls block no longer than the server). */
int server_connect(const struct server *s);
void server_post(const struct server *s, int fd, const char *path, const char *body);
/* Waits for the answer's end; 0 when it says "verdict":"pass". */
int server_passes(int fd);
/* The value of an integer after "key": in the text; -1 when it isn't there. */
long long number_after(const char *text, const char *key);
double server_cpu_s(const struct server *s);
long server_rss_kib(const struct server *s, const char *key); /* "VmRSS:", "VmHWM:" */
/* Losses of every kind, from /recorder/v1/status. */
long long server_lost(struct server *s);
void kill_and_wait(pid_t pid);

#endif
