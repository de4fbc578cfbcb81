#include "ingest/holder.h"
#include "ingest/socket.h"
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64], path[96];

static void enter(void) {
    strcpy(directory, "/tmp/statwit-sock-XXXXXX");
    CU_ASSERT_FATAL(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/s", directory);
}

static void leave(void) {
    unlink(path);
    CU_ASSERT(rmdir(directory) == 0);
}

static void a_port_in_use_names_its_holder(void) {
    int fds[SOCKET_UDP_MAX], again[SOCKET_UDP_MAX], port = 0;
    struct err err = {0};
    CU_ASSERT_FATAL(socket_udp("127.0.0.1", 0, fds, &err) == 1);
    char name[64], pid[32];
    socket_udp_name(fds[0], name, sizeof name, &port);
    CU_ASSERT(port > 0 && strncmp(name, "127.0.0.1:", 10) == 0);
    CU_ASSERT(socket_udp("127.0.0.1", port, again, &err) == -1);
    EQ_INT(err.sys, EADDRINUSE);
    snprintf(pid, sizeof pid, "pid %d)", (int)getpid());
    CU_ASSERT(strstr(err.text, pid) != NULL && strstr(err.text, "--dogstatsd-port") != NULL);
    close(fds[0]);
}

static atomic_bool over;

static void *come_and_go(void *arg) {
    while (!over) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fds[200];
        for (int i = 0; i < 200; i++) {
            fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            bind(fds[i], (struct sockaddr *)&at, sizeof at);
        }
        for (int i = 0; i < 200; i++)
            close(fds[i]);
    }
    return arg;
}

/* The kernel's table is read a page at a time: when other sockets were closed meanwhile, the holder was at times not found. */
static void a_holder_is_found_beside_others(void) {
    pthread_t thread;
    over = false;
    CU_ASSERT_FATAL(pthread_create(&thread, NULL, come_and_go, NULL) == 0);
    for (int i = 0; i < 200; i++) {
        int fds[SOCKET_UDP_MAX], port = 0;
        struct err err = {0};
        char text[128];
        CU_ASSERT_FATAL(socket_udp("127.0.0.1", 0, fds, &err) == 1);
        socket_udp_name(fds[0], text, sizeof text, &port);
        holder_of_port("udp", port, text, sizeof text);
        CU_ASSERT(text[0] != '\0');
        close(fds[0]);
    }
    over = true;
    pthread_join(thread, NULL);
}

static void localhost_is_one_port(void) {
    int fds[SOCKET_UDP_MAX], port[SOCKET_UDP_MAX];
    struct err err = {0};
    int n = socket_udp("localhost", 0, fds, &err);
    CU_ASSERT_FATAL(n >= 1);
    for (int i = 0; i < n; i++) {
        char name[64];
        socket_udp_name(fds[i], name, sizeof name, &port[i]);
        EQ_INT(port[i], port[0]);
        close(fds[i]);
    }
}

static void an_unknown_host_is_an_error(void) {
    int fds[SOCKET_UDP_MAX];
    struct err err = {0};
    CU_ASSERT(socket_udp("not an address", 0, fds, &err) == -1);
    CU_ASSERT(strstr(err.text, "--bind") != NULL);
}

static void a_stale_socket_is_replaced(void) {
    enter();
    struct err err = {0};
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    for (int i = 0; i < 2; i++) {
        int fd = socket_unix(path, types[i], &err);
        CU_ASSERT_FATAL(fd >= 0);
        close(fd); /* as after kill -9: the file stays */
        fd = socket_unix(path, types[i], &err);
        CU_ASSERT(fd >= 0);
        struct stat st;
        CU_ASSERT(stat(path, &st) == 0);
        EQ_INT(st.st_mode & 0777, 0722);
        close(fd);
    }
    leave();
}

static void a_live_socket_is_refused(void) {
    enter();
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    for (int i = 0; i < 2; i++) {
        struct err err = {0}, busy = {0};
        int fd = socket_unix(path, types[i], &err);
        CU_ASSERT_FATAL(fd >= 0);
        CU_ASSERT(socket_unix(path, types[i], &busy) == -1);
        CU_ASSERT(strstr(busy.text, "another process listens") != NULL);
        struct err other = {0};
        CU_ASSERT(socket_unix(path, types[1 - i], &other) == -1); /* of the other type, too */
        close(fd);
        unlink(path);
    }
    leave();
}

static pthread_barrier_t at_once;

static void *open_at_once(void *arg) {
    struct err err = {0};
    pthread_barrier_wait(&at_once);
    int *fd = arg;
    *fd = socket_unix(path, SOCK_STREAM, &err);
    return NULL;
}

/* Both found it stale, and one removed what the other had just made. */
static void two_at_once_on_a_stale_socket(void) {
    enter();
    pthread_barrier_init(&at_once, NULL, 2);
    for (int i = 0; i < 300; i++) {
        struct err err = {0};
        int stale = socket_unix(path, SOCK_STREAM, &err), one, other;
        close(stale);
        pthread_t thread;
        CU_ASSERT_FATAL(pthread_create(&thread, NULL, open_at_once, &one) == 0);
        open_at_once(&other);
        pthread_join(thread, NULL);
        CU_ASSERT_FATAL((one >= 0) != (other >= 0));
        close(one >= 0 ? one : other);
    }
    pthread_barrier_destroy(&at_once);
    unlink(path);
    leave();
}

static void another_kind_of_file_is_refused(void) {
    enter();
    struct err err = {0};
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    CU_ASSERT(file >= 0 && write(file, "mine", 4) == 4);
    close(file);
    CU_ASSERT(socket_unix(path, SOCK_DGRAM, &err) == -1);
    CU_ASSERT(strstr(err.text, "not a socket") != NULL);
    struct stat st;
    CU_ASSERT(stat(path, &st) == 0 && st.st_size == 4);
    leave();
}

static void a_path_too_long_is_an_error(void) {
    char longest[300];
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    struct err err = {0};
    CU_ASSERT(socket_unix(longest, SOCK_DGRAM, &err) == -1 && strstr(err.text, "longer than") != NULL);
}

UNIT_MAIN("ingest/socket", {"a port in use names its holder", a_port_in_use_names_its_holder},
          {"a holder is found beside others", a_holder_is_found_beside_others},
          {"localhost is one port on all its addresses", localhost_is_one_port},
          {"an unknown host is an error", an_unknown_host_is_an_error},
          {"a stale socket is replaced", a_stale_socket_is_replaced},
          {"a live socket is refused", a_live_socket_is_refused},
          {"two at once on a stale socket", two_at_once_on_a_stale_socket},
          {"another kind of file is refused", another_kind_of_file_is_refused},
          {"a path too long is an error", a_path_too_long_is_an_error})
