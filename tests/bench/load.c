#include "load.h"

#include <stdbool.h>

#include "core/clock.h"
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
#define DATAGRAM_KINDS 4096 /* prepared datagrams, sent in turn */

struct prepared {
    char *bytes; /* with the 4-byte frame length in front */
    size_t n;    /* without it */
    uint64_t samples;
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int connect_to(const struct load *load) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->udp_port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (load->path)
        strncpy(un.sun_path, load->path, sizeof un.sun_path - 1);
    int family = load->transport == LOAD_UDP ? AF_INET : AF_UNIX;
    int fd = socket(family, load->transport == LOAD_UNIXSTREAM ? SOCK_STREAM : SOCK_DGRAM, 0);
    int failed = load->transport == LOAD_UDP ? connect(fd, (struct sockaddr *)&in, sizeof in)
                                             : connect(fd, (struct sockaddr *)&un, sizeof un);
    if (fd < 0 || failed)
        die("load: connect");
    return fd;
}

static void prepare(const struct load *load, struct prepared *list) {
    size_t series = 0;
    for (size_t i = 0; i < DATAGRAM_KINDS; i++) {
        char text[65536];
        size_t n = 0;
        do {
            char line[128];
            int length = snprintf(
                line, sizeof line, "service.requests.latency_%zu:%zu.%03zu|ms|#env:ci,endpoint:/api/%zu\n",
                series % load->n_series, (i + n) % 97, (i * 7 + n) % 1000, series % load->n_series % 50);
            if (n > 0 && n + (size_t)length > load->payload)
                break;
            memcpy(text + n, line, (size_t)length);
            n += (size_t)length;
            series++;
            list[i].samples++;
        } while (load->payload > 0);
        list[i].n = n;
        list[i].bytes = malloc(n + 4);
        if (!list[i].bytes)
            die("load");
        uint32_t length = (uint32_t)n;
        memcpy(list[i].bytes, &length, 4);
        memcpy(list[i].bytes + 4, text, n);
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

void load_send(struct load *load) {
    int fd = connect_to(load);
    struct prepared *list = calloc(DATAGRAM_KINDS, sizeof *list);
    if (!list)
        die("load");
    prepare(load, list);
    load->sent_samples = load->sent_datagrams = 0;
    int64_t start_ns = clock_mono_ns();
    for (size_t at = 0; load->sent_samples < load->n_samples;) {
        struct mmsghdr messages[MESSAGES];
        struct iovec parts[MESSAGES];
        unsigned n = 0;
        for (; n < MESSAGES && load->sent_samples < load->n_samples; n++, at = (at + 1) % DATAGRAM_KINDS) {
            bool framed = load->transport == LOAD_UNIXSTREAM;
            parts[n] = framed ? (struct iovec){list[at].bytes, list[at].n + 4}
                              : (struct iovec){list[at].bytes + 4, list[at].n};
            messages[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[n], .msg_iovlen = 1}};
            load->sent_samples += list[at].samples;
        }
        send_all(fd, messages, n, load->transport);
        load->sent_datagrams += n;
        if (load->rate > 0) {
            int64_t due_ns = start_ns + (int64_t)((double)load->sent_samples / load->rate * 1e9);
            struct timespec until = {due_ns / NS_PER_S, due_ns % NS_PER_S};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        }
    }
    load->took_ns = clock_mono_ns() - start_ns;
    close(fd);
    for (size_t i = 0; i < DATAGRAM_KINDS; i++)
        free(list[i].bytes);
    free(list);
}
