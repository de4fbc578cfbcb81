/* What tests send to: datagram and stream sockets, and an HTTP server that answers by a script.
 *
 * Ownership: close file descriptors yourself; http_sink_stop frees the server. Ports are free ones of 127.0.0.1.
 * Errors: a sink that cannot be made ends the program.
 */
#ifndef SUPPORT_SINK_H
#define SUPPORT_SINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* How long a test waits for what must come: only a failure takes that long, however slow the machine. */
#define PATIENCE_MS 60000

int sink_udp(int *port);
/* -1 when the port is taken. */
int sink_udp_at(int port);
/* A listening socket (stream) or one to read from; the path must not exist. */
int sink_unix(const char *path, bool stream);
/* One datagram (or what a stream holds), NUL-terminated; -1 when none comes within timeout_ms. */
long sink_read(int fd, char *bytes, size_t cap, int timeout_ms);
/* Everything that comes until `size` bytes are there or nothing comes for timeout_ms; datagrams are joined. */
size_t sink_read_all(int fd, char *bytes, size_t cap, size_t size, int timeout_ms);
/* mkdtemp, and its removal with what lies in it. */
void sink_directory(char path[64]);
void sink_remove(const char *path);

/* HELD answers after http_sink_release. */
enum http_manner { HTTP_ANSWER, HTTP_CUT, HTTP_CUT_HALF, HTTP_HANG, HTTP_HELD };

struct http_reply {
    int status;
    const char *headers; /* lines, each ended by \r\n; NULL: none */
    const char *body;    /* NULL: {} */
    enum http_manner manner;
};

#define HTTP_SINK_MAX 256
struct http_received {
    char line[512]; /* "POST /api/v1/series HTTP/1.1" */
    char *headers;
    char *body; /* inflated when it came deflated; NUL-terminated */
};

struct http_sink {
    int fd, port, stop, held;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t came;
    const struct http_reply *replies;
    size_t n_replies, n_received;
    struct http_received received[HTTP_SINK_MAX];
};

/* The n-th request gets the n-th reply, the last one again when there are more requests. */
struct http_sink *http_sink_start(const struct http_reply *replies, size_t n_replies);
void http_sink_release(struct http_sink *sink);
/* Whether n requests came, within timeout_ms. */
bool http_sink_wait(struct http_sink *sink, size_t n, int timeout_ms);
void http_sink_stop(struct http_sink *sink);

#endif
