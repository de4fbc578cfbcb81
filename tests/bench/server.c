#include "server.h"

#include "core/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what) {
    perror(what);
    exit(1);
}

int server_connect(const struct server *s) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->http_port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&in, sizeof in) != 0)
        die("bench: connect");
    return fd;
}

void server_start(struct server *s, const char *binary) {
    memset(s, 0, sizeof *s);
    strcpy(s->directory, "/tmp/statwit-bench-XXXXXX");
    if (!mkdtemp(s->directory))
        die("bench: mkdtemp");
    snprintf(s->unixgram, sizeof s->unixgram, "%s/gram", s->directory);
    snprintf(s->unixstream, sizeof s->unixstream, "%s/stream", s->directory);
    char db[96];
    snprintf(db, sizeof db, "%s/db", s->directory);
    int out[2];
    if (pipe(out) != 0)
        die("bench: pipe");
    int64_t start_ns = clock_mono_ns();
    s->pid = fork();
    if (s->pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execl(binary, binary, "serve", "--dogstatsd-port", "0", "--http-port", "0", "--db", db,
              "--dogstatsd-socket", s->unixgram, "--dogstatsd-stream-socket", s->unixstream, "--quiet",
              (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    s->out = out[0];
    char line[8192];
    size_t n = 0;
    while (n < sizeof line - 1 && read(s->out, line + n, 1) == 1 && line[n] != '\n')
        n++;
    s->ready_ns = clock_mono_ns() - start_ns;
    line[n] = '\0';
    json_t *ready = json_loads(line, 0, NULL);
    const char *http = json_string_value(json_object_get(ready, "http"));
    const char *udp = json_string_value(json_object_get(json_object_get(ready, "dogstatsd"), "udp"));
    if (!http || !udp) {
        fprintf(stderr, "bench: %s did not start: %s\n", binary, line);
        exit(1);
    }
    s->http_port = atoi(strrchr(http, ':') + 1);
    s->udp_port = atoi(strrchr(udp, ':') + 1);
    json_decref(ready);
    s->http = server_connect(s);
}

int64_t server_stop(struct server *s) {
    close(s->http);
    int64_t start_ns = clock_mono_ns();
    kill(s->pid, SIGTERM);
    int status;
    waitpid(s->pid, &status, 0);
    int64_t took_ns = clock_mono_ns() - start_ns;
    close(s->out);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", s->directory);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || system(command) != 0)
        fprintf(stderr, "bench: the server ended with status %d\n", status);
    return took_ns;
}

static void post(const struct server *s, int fd, const char *method, const char *path, const char *body) {
    char head[1024];
    size_t n_body = body ? strlen(body) : 0;
    int n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %zu\r\n\r\n",
                     method, path, s->http_port, n_body);
    struct iovec parts[2] = {{head, (size_t)n}, {(char *)body, n_body}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (sendmsg(fd, &message, MSG_NOSIGNAL) != (ssize_t)((size_t)n + n_body))
        die("bench: ask");
}

/* The body, valid until the next. */
static const char *read_answer(int fd) {
    static char *answer;
    static size_t cap;
    for (size_t got = 0;;) {
        if (cap < got + 65536 && !(answer = realloc(answer, cap = got + 1048576)))
            die("bench");
        ssize_t more = recv(fd, answer + got, cap - got - 1, 0);
        if (more <= 0)
            die("bench: answer");
        got += (size_t)more;
        answer[got] = '\0';
        char *end = strstr(answer, "\r\n\r\n");
        if (!end)
            continue;
        char *length = strcasestr(answer, "content-length:");
        size_t n_head = (size_t)(end + 4 - answer);
        bool whole = length && length < end ? got >= n_head + strtoul(length + 15, NULL, 10)
                                            : strcmp(answer + got - 5, "0\r\n\r\n") == 0;
        if (whole)
            return end + 4;
    }
}

const char *server_ask(struct server *s, const char *method, const char *path, const char *body) {
    post(s, s->http, method, path, body);
    return read_answer(s->http);
}

void server_post(const struct server *s, int fd, const char *path, const char *body) {
    post(s, fd, "POST", path, body);
}

int server_passes(int fd) {
    return strstr(read_answer(fd), "\"verdict\":\"pass\"") ? 0 : -1;
}

long long number_after(const char *text, const char *key) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(text, quoted);
    return at ? strtoll(at + strlen(quoted), NULL, 10) : -1;
}

double server_cpu_s(const struct server *s) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)s->pid);
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[n] = '\0';
    unsigned long user = 0, system = 0;
    char *at = strrchr(text, ')');
    if (at)
        sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

long server_rss_kib(const struct server *s, const char *key) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)s->pid);
    FILE *file = fopen(path, "r");
    long kib = -1;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            kib = atol(line + strlen(key));
    if (file)
        fclose(file);
    return kib;
}

long long server_lost(struct server *s) {
    json_t *status =
        json_loads(server_ask(s, "GET", "/recorder/v1/status", NULL), JSON_DISABLE_EOF_CHECK, NULL);
    json_t *losses = json_object_get(status, "losses");
    long long n = 0;
    const char *key;
    json_t *value;
    if (json_is_object(losses)) {
        json_object_foreach(losses, key, value)
            if (strcmp(key, "unixgram_full") != 0) /* no loss */
                n += json_integer_value(value);
    } else {
        size_t i;
        json_array_foreach(losses, i, value)
            n += json_integer_value(json_object_get(value, "n"));
    }
    json_decref(status);
    return n;
}

void kill_and_wait(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
