/* HTTP without libcurl, against a server that answers with any bytes, whole or one by one. */
#include "statwit.h"
#include "unit.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct statwit_error error;

/* Takes one connection after another; of each it reads a head, writes the reply and closes. */
struct raw {
    int fd;
    char url[64];
    pthread_t thread;
    void *(*answers)(void *raw); /* NULL: answer_all */
    atomic_int n_asked;          /* counted by leave_at_second */
    pthread_mutex_t lock;        /* of what follows */
    const char *reply;
    bool slowly;
    char got[4096];
};

static void next_reply(struct raw *raw, const char *reply, bool slowly) {
    pthread_mutex_lock(&raw->lock);
    raw->reply = reply;
    raw->slowly = slowly;
    pthread_mutex_unlock(&raw->lock);
}

static void *answer_all(void *arg) {
    struct raw *raw = arg;
    int fd, one = 1;
    while ((fd = accept(raw->fd, NULL, NULL)) >= 0) {
        char got[sizeof raw->got] = "";
        size_t n = 0;
        ssize_t more;
        while (n < sizeof got - 1 && !strstr(got, "\r\n\r\n") &&
               (more = read(fd, got + n, sizeof got - 1 - n)) > 0)
            got[n += (size_t)more] = '\0';
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pthread_mutex_lock(&raw->lock);
        const char *reply = raw->reply;
        size_t size = strlen(reply), step = raw->slowly ? 1 : size;
        memcpy(raw->got, got, sizeof got);
        pthread_mutex_unlock(&raw->lock);
        for (size_t at = 0; at < size; at += step)
            if (send(fd, reply + at, step, MSG_NOSIGNAL) < 0)
                break;
        shutdown(fd, SHUT_WR);
        while (read(fd, got, 1) > 0) {
        }
        close(fd);
    }
    return NULL;
}

static void raw_start(struct raw *raw) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    pthread_mutex_init(&raw->lock, NULL);
    raw->fd = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_FATAL(bind(raw->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(raw->fd, 8) == 0 &&
                    getsockname(raw->fd, (struct sockaddr *)&at, &size) == 0);
    snprintf(raw->url, sizeof raw->url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    pthread_create(&raw->thread, NULL, raw->answers ? raw->answers : answer_all, raw);
}

static void raw_stop(struct raw *raw) {
    shutdown(raw->fd, SHUT_RDWR);
    pthread_join(raw->thread, NULL);
    close(raw->fd);
    pthread_mutex_destroy(&raw->lock);
}

#define HEAD "HTTP/1.1 200 OK\r\n"
static const struct {
    const char *reply;
    int status;       /* 0: no answer */
    const char *body; /* or a part of the error */
} answers[] = {
    {HEAD "Content-Length: 3\r\n\r\nabc", 200, "abc"},
    {HEAD "content-length:3 \r\nX: y\r\n\r\nabc", 200, "abc"},
    {"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", 404, ""},
    {"HTTP/1.1 404\nContent-Length: 1\n\nx", 404, "x"},
    {"HTTP/1.0 200 OK\r\n\r\nto the end", 200, "to the end"},
    {HEAD "\r\n", 200, ""},
    {"HTTP/1.1 204 No\r\n\r\n", 204, ""},
    {"HTTP/1.1 100 Continue\r\n\r\n" HEAD "Content-Length: 1\r\n\r\nx", 200, "x"},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n", 200,
     "abc0123456789"},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, ""},
    {"", 0, "the connection was closed"},
    {"HTTP/1.1 200 OK\r\nContent-Le", 0, "the connection was closed"},
    {HEAD "Content-Length: 4\r\n\r\nabc", 0, "the connection was closed"},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nab", 0, "the connection was closed"},
    {"SSH-2.0-OpenSSH\r\n\r\n", 0, "does not speak HTTP/1.1"},
    {"HTTP/2 200\r\n\r\n", 0, "does not speak HTTP/1.1"},
    {"HTTP/1.1 20x OK\r\n\r\n", 0, "does not speak HTTP/1.1"},
    {"HTTP/1.1 2000 OK\r\n\r\n", 0, "does not speak HTTP/1.1"},
    {HEAD "no colon\r\n\r\n", 0, "no colon"},
    {HEAD "Content-Length: -1\r\n\r\n", 0, "Content-Length is not one number"},
    {HEAD "Content-Length: 3x\r\n\r\nabc", 0, "Content-Length is not one number"},
    {HEAD "Content-Length:\r\n\r\n", 0, "Content-Length is not one number"},
    {HEAD "Content-Length: 99999999999999999999999\r\n\r\n", 0, "Content-Length is not one number"},
    {HEAD "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 0, "Content-Length is not one number"},
    {HEAD "Transfer-Encoding: gzip\r\n\r\n", 0, "Transfer-Encoding is not known"},
    {HEAD "Transfer-Encoding: chunked\r\n\r\nz\r\n", 0, "has no size"},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n\r\n", 0, "has no size"},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", 0, "larger than it said"},
    {HEAD "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc", 0, "has no size"},
};

static void test_answers(void) {
    struct raw raw = {.reply = ""};
    raw_start(&raw);
    struct statwit_connect_options options = {.timeout_ms = 240000};
    struct statwit_recorder *recorder = statwit_recorder_connect(raw.url, &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(recorder);
    for (size_t i = 0; i < 2 * (sizeof answers / sizeof answers[0]); i++) {
        struct statwit_response response;
        next_reply(&raw, answers[i / 2].reply, i % 2);
        int result = statwit_request(recorder, &(struct statwit_request){.path = "/x"}, &response, &error);
        EQ_INT(result, answers[i / 2].status ? 0 : -1);
        EQ_INT(response.status, answers[i / 2].status);
        if (result == 0)
            EQ_STR(response.body, answers[i / 2].body);
        else if (!strstr(error.text, answers[i / 2].body))
            CU_FAIL_FATAL(error.text);
        statwit_response_free(&response);
    }
    statwit_recorder_close(recorder);
    raw_stop(&raw);
}

/* Whoever sends without end is not listened to without end. */
static void test_heads_without_end(void) {
    static const char *const begins[] = {HEAD, HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n",
                                         "HTTP/1.1 100 Continue\r\n\r\n"};
    static const char *const repeats[] = {"Name: value\r\n", "Name: value\r\n", "HTTP/1.1 102 Wait\r\n\r\n"};
    struct raw raw = {.reply = ""};
    raw_start(&raw);
    struct statwit_recorder *recorder = statwit_recorder_connect(raw.url, NULL, &error);
    char *replies[3]; /* one each: the thread may still be sending the one before */
    for (size_t i = 0; i < 3; i++) {
        struct statwit_response response;
        replies[i] = malloc(300000);
        size_t n = (size_t)sprintf(replies[i], "%s", begins[i]);
        while (n < 200000)
            n += (size_t)sprintf(replies[i] + n, "%s", repeats[i]);
        next_reply(&raw, replies[i], false);
        EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/x"}, &response, &error), -1);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no answer from"));
    }
    statwit_recorder_close(recorder);
    raw_stop(&raw);
    for (size_t i = 0; i < 3; i++)
        free(replies[i]);
}

static void test_urls(void) {
    static const char *const bad[] = {
        "http://",          "http://:80",       "http://h:",    "http://h:0",
        "http://h:65536",   "http://h:8x",      "http://[::1",  "http://[::1]x",
        "http://h/a b",     "http://h:1 ",      "http://h?a=b", "http://h:123456789012",
        "http://\xc3\xa4/", "http://h\r\nX: y/"};
    struct statwit_response response;
    struct statwit_request request = {.path = "/p"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct statwit_recorder *recorder = statwit_recorder_connect(bad[i], NULL, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(recorder);
        EQ_INT(statwit_request(recorder, &request, &response, &error), -1);
        EQ_INT(error.code, STATWIT_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "is not a URL"));
        statwit_recorder_close(recorder);
    }
    struct raw raw = {.reply = HEAD "Content-Length: 0\r\n\r\n"};
    char url[128], host[96];
    raw_start(&raw);
    snprintf(url, sizeof url, "HTTP://localhost:%s/s/a//", strrchr(raw.url, ':') + 1);
    struct statwit_recorder *recorder = statwit_recorder_connect(url, NULL, &error);
    EQ_INT(statwit_request(recorder, &request, &response, &error), 0);
    statwit_response_free(&response);
    snprintf(host, sizeof host, "GET /s/a/p HTTP/1.1\r\nHost: localhost:%s\r\n", strrchr(raw.url, ':') + 1);
    pthread_mutex_lock(&raw.lock);
    CU_ASSERT(strncmp(raw.got, host, strlen(host)) == 0);
    pthread_mutex_unlock(&raw.lock);
    EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/a b"}, &response, &error), -1);
    EQ_INT(error.code, STATWIT_INVALID);
    EQ_INT(statwit_request(recorder, &(struct statwit_request){.path = "/a\r\nX: y"}, &response, &error), -1);
    EQ_INT(error.code, STATWIT_INVALID);
    statwit_recorder_close(recorder);
    raw_stop(&raw);
}

/* Answers the first request of each connection, and ends it at the second, which it has taken. */
static void *leave_at_second(void *arg) {
    struct raw *raw = arg;
    int fd;
    while ((fd = accept(raw->fd, NULL, NULL)) >= 0) {
        static const char reply[] = HEAD "Content-Length: 0\r\n\r\n";
        for (int i = 0; i < 2; i++) {
            char got[sizeof raw->got] = "";
            size_t n = 0;
            ssize_t more;
            while (n < sizeof got - 1 && !strstr(got, "\r\n\r\n") &&
                   (more = read(fd, got + n, sizeof got - 1 - n)) > 0)
                got[n += (size_t)more] = '\0';
            if (strstr(got, "/twice"))
                raw->n_asked++;
            if (i == 0 && send(fd, reply, sizeof reply - 1, MSG_NOSIGNAL) < 0)
                break;
        }
        close(fd);
    }
    return NULL;
}

/* What was taken and not answered may have been done: a GET is asked again, a POST would be there twice. */
static void test_no_post_twice(void) {
    static const struct statwit_request first = {.path = "/first"};
    static const struct statwit_request seconds[] = {
        {.path = "/twice"}, {.path = "/twice", .method = "POST"}, {.path = "/twice", .body = "", .size = 0}};
    struct raw raw = {.reply = "", .answers = leave_at_second};
    raw_start(&raw);
    for (int i = 0; i < 3; i++) {
        struct statwit_response response;
        struct statwit_recorder *recorder = statwit_recorder_connect(raw.url, NULL, &error);
        raw.n_asked = 0;
        EQ_INT(statwit_request(recorder, &first, &response, &error), 0);
        statwit_response_free(&response);
        EQ_INT(statwit_request(recorder, &seconds[i], &response, &error), i == 0 ? 0 : -1);
        statwit_response_free(&response);
        EQ_INT(raw.n_asked, i == 0 ? 2 : 1);
        statwit_recorder_close(recorder);
    }
    raw_stop(&raw);
}

/* A program that only asks over http never loads libcurl, which may not be there. */
static void test_no_libcurl(void) {
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(maps);
    while (fgets(line, sizeof line, maps))
        CU_ASSERT_PTR_NULL(strstr(line, "libcurl"));
    fclose(maps);
}

UNIT_MAIN("client/plain", {"answers, whole and byte by byte", test_answers},
          {"heads without end", test_heads_without_end}, {"URLs", test_urls},
          {"a POST is not sent twice", test_no_post_twice}, {"libcurl was not loaded", test_no_libcurl})
