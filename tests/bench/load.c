#include "load.h"

#include <stdbool.h>

#include "core/buf.h"
#include "core/clock.h"
#include "store/store.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGES       64
#define DATAGRAM_KINDS 4096  /* prepared datagrams, sent in turn */
#define BODY_KINDS     64    /* prepared requests, sent in turn */
#define PAYLOAD_MAX    65000 /* bytes of a datagram or body */
#define TAGS_MAX       100

struct prepared {
    char *bytes; /* a datagram with the 4-byte frame length in front; a whole request */
    size_t n;    /* without that length */
    uint64_t samples;
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int connect_to(const struct load *load) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (load->path)
        strncpy(un.sun_path, load->path, sizeof un.sun_path - 1);
    bool inet = load->transport == LOAD_UDP || load->transport == LOAD_HTTP;
    bool stream = load->transport == LOAD_UNIXSTREAM || load->transport == LOAD_HTTP;
    int fd = socket(inet ? AF_INET : AF_UNIX, stream ? SOCK_STREAM : SOCK_DGRAM, 0);
    int failed = inet ? connect(fd, (struct sockaddr *)&in, sizeof in)
                      : connect(fd, (struct sockaddr *)&un, sizeof un);
    if (fd < 0 || failed)
        die("load: connect");
    return fd;
}

/* What stands for the i-th sample, at `at` of its payload. */
static void one_sample(const struct load *load, struct buf *text, size_t series, size_t i, size_t at) {
    bool http = load->transport == LOAD_HTTP;
    const char *quote = http ? "\"" : "";
    unsigned long whole = (unsigned long)((i + at) % 97), part = (unsigned long)((i * 7 + at) % 1000);
    if (http)
        buf_printf(text,
                   "%s{\"metric\":\"service.requests.latency_%zu\",\"points\":[[%lld,%lu.%03lu]],\"tags\":[",
                   at ? "," : "", series, (long long)time(NULL), whole, part);
    else
        buf_printf(text, "service.requests.latency_%zu:%lu.%03lu|ms|#", series, whole, part);
    size_t n_tags = load->n_tags ? load->n_tags : 2;
    for (size_t k = 0; k < n_tags && k < TAGS_MAX; k++)
        if (k == 1)
            buf_printf(text, ",%sendpoint:/api/%zu%s", quote, series % 50, quote);
        else
            buf_printf(text, "%s%s%s:ci%s", k ? "," : "", quote, k ? "tag" : "env", quote);
    buf_str(text, http ? "]}" : "\n");
}

static void prepare(const struct load *load, struct prepared *list, size_t n_list) {
    struct buf text = {0}, sample = {0}, request = {0};
    size_t series = 0, payload = load->payload < PAYLOAD_MAX ? load->payload : PAYLOAD_MAX;
    for (size_t i = 0; i < n_list; i++) {
        buf_clear(&text);
        for (;;) {
            buf_clear(&sample);
            one_sample(load, &sample, series % load->n_series, i, text.n);
            if (text.n > 0 && text.n + sample.n > payload)
                break;
            buf_span(&text, buf_view(&sample));
            series++;
            list[i].samples++;
        }
        uint32_t length = (uint32_t)text.n;
        buf_clear(&request);
        if (load->transport == LOAD_HTTP)
            buf_printf(&request,
                       "POST /api/v1/series HTTP/1.1\r\nHost: localhost\r\nDD-API-KEY: load\r\n"
                       "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n{\"series\":[",
                       text.n + strlen("{\"series\":[]}"));
        else
            buf_add(&request, (const char *)&length, sizeof length);
        buf_span(&request, buf_view(&text));
        if (load->transport == LOAD_HTTP)
            buf_str(&request, "]}");
        list[i].n = load->transport == LOAD_HTTP ? request.n : text.n;
        list[i].bytes = malloc(request.n);
        if (!list[i].bytes)
            die("load");
        memcpy(list[i].bytes, request.p, request.n);
    }
    buf_free(&text);
    buf_free(&sample);
    buf_free(&request);
}

/* Posts one body and waits until it was accepted. */
static void post(int fd, const struct prepared *request) {
    char answer[4096];
    size_t got = 0;
    for (size_t done = 0; done < request->n;) {
        ssize_t n = send(fd, request->bytes + done, request->n - done, MSG_NOSIGNAL);
        if (n < 0)
            die("load: send");
        done += (size_t)n;
    }
    for (;;) {
        ssize_t n = recv(fd, answer + got, sizeof answer - 1 - got, 0);
        if (n <= 0)
            die("load: answer");
        got += (size_t)n;
        answer[got] = '\0';
        const char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "content-length:");
        if (end && length && got >= (size_t)(end + 4 - answer) + strtoul(length + 15, NULL, 10))
            break;
    }
    if (strncmp(answer, "HTTP/1.1 202", 12) != 0) {
        fprintf(stderr, "load: %s\n", answer);
        exit(1);
    }
}

static void send_all(int fd, struct mmsghdr *messages, unsigned n, enum load_transport transport) {
    for (unsigned done = 0; done < n;) {
        int sent;
        if (transport == LOAD_UNIXSTREAM) {
            struct msghdr *m = &messages[done].msg_hdr;
            ssize_t bytes = sendmsg(fd, m, MSG_NOSIGNAL);
            if (bytes < 0)
                die("load: send");
            if ((size_t)bytes == m->msg_iov->iov_len)
                done++;
            else {
                m->msg_iov->iov_base = (char *)m->msg_iov->iov_base + bytes;
                m->msg_iov->iov_len -= (size_t)bytes;
            }
            continue;
        }
        sent = sendmmsg(fd, messages + done, n - done, 0);
        if (sent > 0)
            done += (unsigned)sent;
        else if (errno == ENOBUFS || errno == EAGAIN)
            poll(&(struct pollfd){fd, POLLOUT, 0}, 1, 1);
        else if (errno != ECONNREFUSED)
            die("load: send");
    }
}

/* Sends the prepared ones from *at on, at most MESSAGES of them. */
static void send_some(int fd, struct load *load, const struct prepared *list, size_t *at) {
    struct mmsghdr messages[MESSAGES];
    struct iovec parts[MESSAGES];
    unsigned n = 0;
    for (; n < MESSAGES && load->sent_samples < load->n_samples; n++, *at = (*at + 1) % DATAGRAM_KINDS) {
        bool framed = load->transport == LOAD_UNIXSTREAM;
        parts[n] = framed ? (struct iovec){list[*at].bytes, list[*at].n + 4}
                          : (struct iovec){list[*at].bytes + 4, list[*at].n};
        messages[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[n], .msg_iovlen = 1}};
        load->sent_samples += list[*at].samples;
    }
    send_all(fd, messages, n, load->transport);
    load->sent_datagrams += n;
}

void load_send(struct load *load) {
    int fd = connect_to(load);
    size_t n_list = load->transport == LOAD_HTTP ? BODY_KINDS : DATAGRAM_KINDS;
    struct prepared *list = calloc(n_list, sizeof *list);
    if (!list)
        die("load");
    prepare(load, list, n_list);
    load->sent_samples = load->sent_datagrams = 0;
    int64_t start_ns = clock_mono_ns();
    for (size_t at = 0; load->sent_samples < load->n_samples;) {
        if (load->transport == LOAD_HTTP) {
            post(fd, &list[at]);
            load->sent_samples += list[at].samples;
            load->sent_datagrams++;
            at = (at + 1) % n_list;
        } else
            send_some(fd, load, list, &at);
        if (load->rate > 0) {
            int64_t due_ns = start_ns + (int64_t)((double)load->sent_samples / load->rate * 1e9);
            struct timespec until = {due_ns / NS_PER_S, due_ns % NS_PER_S};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        }
    }
    load->took_ns = clock_mono_ns() - start_ns;
    close(fd);
    for (size_t i = 0; i < n_list; i++)
        free(list[i].bytes);
    free(list);
}

/* --- a recording ------------------------------------------------------------------------------------------ */

static void check(int failed, const struct err *err) {
    if (!failed)
        return;
    fprintf(stderr, "load: %s\n", err->text);
    exit(1);
}

static void put_series(struct store *s, const struct load_series *of, size_t i, const char *name,
                       size_t line) {
    char shard[32];
    struct err err = {0};
    snprintf(shard, sizeof shard, "shard:%zu", i % of->n_per_name);
    struct span tags[] = {SPAN("env:ci"), span_str(shard)};
    struct value value = {.number = (double)((line * 7919 + i) % 1000)};
    struct record record = {.kind = RECORD_METRIC,
                            .metric = {.type = of->by_turns && i % 2 == 0 ? METRIC_TIMING : METRIC_COUNT,
                                       .name = span_str(name),
                                       .sample_rate = 1,
                                       .n_tags = 2,
                                       .tags = tags,
                                       .origin.host = SPAN("web-1"),
                                       .n_values = 1,
                                       .values = &value}};
    check(store_put(s, &record, &err) != 0, &err);
}

#define NAME_SIZE 48
void load_store(struct store *s, const struct load_series *of) {
    struct err err = {0};
    size_t n_names = (of->n_series + of->n_per_name - 1) / of->n_per_name;
    char(*names)[NAME_SIZE] = calloc(n_names, sizeof *names);
    if (!names)
        die("load");
    for (size_t i = 0; i < n_names; i++) {
        const char *number = strstr(of->name, "%zu");
        snprintf(names[i], NAME_SIZE, "%.*s%zu%s", (int)(number - of->name), of->name, i, number + 3);
    }
    for (size_t line = 0; line < of->n_lines; line++) {
        check(store_arrival(s, 1, SOURCE_UDP, INT64_C(1795000000000000000) + (int64_t)line, &err) != 0, &err);
        for (size_t i = 0; i < of->n_series; i++)
            put_series(s, of, i, names[i / of->n_per_name], line);
        if (of->commits || line + 1 == of->n_lines)
            check(store_commit(s, &err) != 0, &err);
    }
    free(names);
}
