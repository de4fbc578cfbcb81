#include "command/sender.h"

#include "command/rows.h"
#include "core/log.h"
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define UDP_PACK     1432
#define UNIX_PACK    8192
#define HTTP_PACK    ((size_t)1 << 20)
#define DATAGRAM_MAX 65507 /* of UDP over IPv4 */
#define PACKET_MAX   ((size_t)64 << 20)

/* --- where to -------------------------------------------------------------------------------------------- */

static int unreachable(const struct sender *s, int error) {
    log_error("cannot send to %s: %s. Is `statwit serve` running there?", s->address, strerror(error));
    return EXIT_CANNOT;
}

static int connect_unix(struct sender *s, const char *path, int type) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path || !path[0]) {
        log_error("'%s' is not the path of a Unix socket: such a path has 1 to %zu bytes", path,
                  sizeof address.sun_path - 1);
        return EXIT_USAGE;
    }
    memcpy(address.sun_path, path, strlen(path));
    snprintf(s->address, sizeof s->address, "%s %s", type == SOCK_STREAM ? "unixstream" : "unixgram", path);
    s->kind = type == SOCK_STREAM ? SENDER_STREAM : SENDER_DATAGRAM;
    s->pack = UNIX_PACK;
    s->fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&address, sizeof address) != 0)
        return unreachable(s, errno);
    return EXIT_PASS;
}

/* "127.0.0.1:8125", "[::1]:8125"; without a port, the usual one. */
static int connect_udp(struct sender *s, const char *where) {
    char host[200], port[8] = "8125";
    snprintf(host, sizeof host, "%s", where);
    char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');
    if (colon && (!bracket || bracket < colon)) {
        snprintf(port, sizeof port, "%s", colon + 1);
        *colon = '\0';
    }
    if (strspn(port, "0123456789") == strlen(port) &&
        atol(port) > 65535) { /* getaddrinfo would take what is left of it */
        log_error("cannot send to %s: ports end at 65535", where);
        return EXIT_USAGE;
    }
    char *name = host[0] == '[' ? host + 1 : host;
    if (bracket)
        *bracket = '\0';
    snprintf(s->address, sizeof s->address, "udp %s", where);
    s->kind = SENDER_DATAGRAM;
    s->pack = UDP_PACK;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *list = NULL;
    int code = getaddrinfo(name, port, &hints, &list);
    if (code != 0) {
        log_error("cannot send to %s: %s", s->address, gai_strerror(code));
        return EXIT_CANNOT;
    }
    s->fd = socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool connected = s->fd >= 0 && connect(s->fd, list->ai_addr, list->ai_addrlen) == 0;
    int error = errno;
    freeaddrinfo(list);
    return connected ? EXIT_PASS : unreachable(s, error);
}

static int connect_http(struct sender *s, const struct options *o) {
    s->kind = SENDER_HTTP;
    s->pack = HTTP_PACK;
    snprintf(s->address, sizeof s->address, "%s", statwit_recorder_url(s->remote.recorder));
    buf_str(&s->path, "/dogstatsd/v2/proxy");
    remote_arg(&s->path, "test_session_token", option_text(o, OPT_SESSION));
    return EXIT_PASS;
}

/* Asks the server where the session listens. */
static int connect_session(struct sender *s, const struct options *o, const char *way) {
    int status = remote_open(&s->remote, o);
    if (status != EXIT_PASS)
        return status;
    if (strcmp(way, "http") == 0)
        return connect_http(s, o);
    struct buf path = {.max = 4096};
    json_t *session = NULL;
    buf_str(&path, "/recorder/v1/sessions/");
    remote_segment(&path, rows_session(o));
    status = remote_call(&s->remote, NULL, path.p, NULL, &session);
    buf_free(&path);
    if (status != EXIT_PASS)
        return status;
    struct span at = row_text(json_object_get(session, "dogstatsd"), way);
    if (at.n == 0) {
        log_error(
            "session %s has no %s socket: `statwit serve` and `statwit session new` take options for that",
            rows_session(o), way);
        status = EXIT_CANNOT;
    } else if (strcmp(way, "udp") == 0)
        status = connect_udp(s, at.p);
    else
        status = connect_unix(s, at.p, strcmp(way, "unixgram") == 0 ? SOCK_DGRAM : SOCK_STREAM);
    json_decref(session);
    return status;
}

static int connect_to(struct sender *s, const struct options *o, const char *to) {
    static const char *const ways[] = {"udp", "unixgram", "unixstream", "http"};
    for (size_t i = 0; i < 4; i++)
        if (strcmp(to, ways[i]) == 0)
            return connect_session(s, o, to);
    if (strncmp(to, "udp://", 6) == 0)
        return connect_udp(s, to + 6);
    if (strncmp(to, "unixgram://", 11) == 0)
        return connect_unix(s, to + 11, SOCK_DGRAM);
    if (strncmp(to, "unixstream://", 13) == 0)
        return connect_unix(s, to + 13, SOCK_STREAM);
    if (strncmp(to, "unix://", 7) == 0)
        return connect_unix(s, to + 7, SOCK_DGRAM);
    log_error(
        "cannot send to '%s': say udp, unixgram, unixstream, http, or udp://HOST:PORT, unixgram://PATH, "
        "unixstream://PATH",
        to);
    return EXIT_USAGE;
}

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

/* The address in the variables that Datadog's clients read; NULL: none is set. */
static const char *from_environment(char text[300]) {
    const char *url = variable("DD_DOGSTATSD_URL"), *path = variable("DD_DOGSTATSD_SOCKET"),
               *host = variable("DD_AGENT_HOST"), *port = variable("DD_DOGSTATSD_PORT");
    if (url)
        return url;
    if (path)
        snprintf(text, 300, "unixgram://%s", path);
    else if (host || port)
        snprintf(text, 300, host && strchr(host, ':') ? "udp://[%s]:%s" : "udp://%s:%s",
                 host ? host : "127.0.0.1", port ? port : "8125");
    else
        return NULL;
    return text;
}

int sender_open(struct sender *s, const struct options *o, const char *usual) {
    char text[300];
    *s = (struct sender){.fd = -1, .packet = {.max = PACKET_MAX}, .path = {.max = 4096}};
    const char *to = option_text(o, OPT_TO);
    if (!to && o->value[OPT_URL].from == FROM_DEFAULT && strcmp(usual, "http") != 0)
        to = from_environment(text);
    return connect_to(s, o, to ? to : usual);
}

/* --- sending --------------------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static int send_packet(struct sender *s) {
    struct span bytes = buf_view(&s->packet);
    bool sent = false;
    if (s->kind == SENDER_HTTP) {
        int status = remote_post(&s->remote, s->path.p, bytes.p, bytes.n, "text/plain");
        if (status != EXIT_PASS)
            return status;
        sent = true;
    } else if (s->kind == SENDER_STREAM) {
        unsigned char length[4];
        for (int i = 0; i < 4; i++)
            length[i] = (unsigned char)(bytes.n >> 8 * i);
        sent = write_all(s->fd, (const char *)length, 4) && write_all(s->fd, bytes.p, bytes.n);
    } else
        do
            sent = send(s->fd, bytes.p, bytes.n, 0) >= 0;
        while (!sent && errno == EINTR);
    if (!sent)
        return unreachable(s, errno);
    s->n_packets++;
    buf_clear(&s->packet);
    return EXIT_PASS;
}

int sender_line(struct sender *s, struct span line) {
    int status = EXIT_PASS;
    size_t most = s->kind == SENDER_HTTP ? HTTP_PACK : DATAGRAM_MAX;
    if (line.n > most) {
        log_error("a line of %zu bytes is too long: one packet holds at most %zu", line.n, most);
        return EXIT_USAGE;
    }
    if (s->packet.n && s->packet.n + 1 + line.n > s->pack)
        status = send_packet(s);
    if (s->packet.n)
        buf_char(&s->packet, '\n');
    buf_span(&s->packet, line);
    s->n_lines++;
    return status;
}

int sender_flush(struct sender *s) {
    return s->packet.n ? send_packet(s) : EXIT_PASS;
}

int sender_lines(struct sender *s, FILE *from) {
    char *line = NULL;
    size_t cap = 0;
    int status = EXIT_PASS;
    for (ssize_t n; status == EXIT_PASS && (n = getline(&line, &cap, from)) >= 0;) {
        if (n > 0 && line[n - 1] == '\n')
            n--;
        if (n > 0)
            status = sender_line(s, span_of(line, (size_t)n));
    }
    if (status == EXIT_PASS && ferror(from)) {
        log_error("cannot read the lines: %s", strerror(errno));
        status = EXIT_CANNOT;
    }
    free(line);
    return status;
}

/* On this host the answer of a port that nobody listens on is there as soon as send returns. */
static int check_heard(const struct sender *s) {
    int error = 0;
    socklen_t size = sizeof error;
    if (s->kind == SENDER_DATAGRAM && getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error)
        return unreachable(s, error);
    return EXIT_PASS;
}

int sender_close(struct sender *s, int status) {
    if (status == EXIT_PASS && s->packet.n)
        status = send_packet(s);
    if (status == EXIT_PASS)
        status = check_heard(s);
    if (s->fd >= 0)
        close(s->fd);
    remote_close(&s->remote);
    buf_free(&s->packet);
    buf_free(&s->path);
    return status;
}
