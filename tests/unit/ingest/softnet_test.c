/* /proc/net/softnet_stat as kernels write it. */
#include "ingest/loop.h"
#include "unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int file(const char *text) {
    int fd = memfd_create("softnet_stat", MFD_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    return fd;
}

#define ZEROS "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000"

/* What waits was once looked for in columns that only Linux 6.4 and later have: Debian 12's kernel has none of them. */
static void what_waits(void) {
    static const struct {
        const char *text;
        uint32_t waiting[2];
    } rows[] = {
        {"000000ff 00000002 00000000 " ZEROS " 00000003 00000000\n"
         "00000010 00000000 00000000 " ZEROS " 00000000 00000001\n",
         {3, 0}}, /* 5.10 to 6.3 */
        {"000000ff 00000002 00000000 " ZEROS " 00000003 00000000 00000001 00000002\n"
         "00000010 00000000 00000000 " ZEROS " 00000004 00000001 00000004 00000000\n",
         {3, 4}}, /* since 6.4 */
        {"000000ff 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n"
         "00000010 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n",
         {0, 0}}, /* before 5.10 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct softnet_cpu cpus[4];
        int fd = file(rows[i].text);
        EQ_INT(softnet_read(fd, cpus, 4), 2);
        EQ_INT(cpus[0].processed, 255);
        EQ_INT(cpus[0].dropped, 2);
        EQ_INT(cpus[0].waiting, rows[i].waiting[0]);
        EQ_INT(cpus[1].processed, 16);
        EQ_INT(cpus[1].waiting, rows[i].waiting[1]);
        EQ_INT(softnet_read(fd, cpus, 1), 1);
        const char *unsure = "";
        EQ_INT(softnet_settle(fd, &unsure), 2);
        CU_ASSERT((unsure != NULL) ==
                  (rows[i].waiting[0] > 0)); /* what never goes on is not waited for without end */
        close(fd);
    }
}

static void not_readable(void) {
    struct softnet_cpu cpus[1];
    const char *unsure = "";
    EQ_INT(softnet_settle(-1, &unsure), 0);
    CU_ASSERT(unsure == NULL);
    int fd = file("");
    EQ_INT(softnet_read(fd, cpus, 1), 0);
    EQ_INT(softnet_settle(fd, &unsure), 0);
    close(fd);
}

/* The kernel gives one page at a time, here through a socket that keeps what was sent in one piece: a single read was once all
 * there was of it, and CPUs from the 31st on were neither waited for nor were their drops counted. */
static int pages(const char *text, size_t n) {
    int fds[2], wide = 4 << 20;
    CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &wide, sizeof wide);
    for (size_t at = 0; at < n; at += 4096) {
        size_t piece = n - at < 4096 ? n - at : 4096;
        CU_ASSERT_FATAL(send(fds[1], text + at, piece, MSG_DONTWAIT) == (ssize_t)piece);
    }
    close(fds[1]);
    return fds[0];
}

#define LINE 135
/* n CPUs: each has processed its number, the last has dropped 7 and has 5 waiting. */
static char *text_of(size_t n) {
    char *text = malloc(n * LINE + 1);
    CU_ASSERT_FATAL(text != NULL);
    for (size_t i = 0; i < n; i++)
        snprintf(text + i * LINE, LINE + 1, "%08zx %08x 00000000 " ZEROS " %08x %08zx 00000000 00000000\n", i,
                 i == n - 1 ? 7 : 0, i == n - 1 ? 5 : 0, i);
    return text;
}

static void two_hundred_cpus(void) {
    enum { N = 200 };
    static struct softnet_cpu cpus[N + 1];
    char *text = text_of(N);
    int fd = pages(text, N * LINE);
    EQ_INT(softnet_read(fd, cpus, N + 1), N);
    for (int i = 0; i < N; i++)
        EQ_INT(cpus[i].processed, i);
    EQ_INT(cpus[N - 1].dropped, 7);
    EQ_INT(cpus[N - 1].waiting, 5);
    close(fd);
    const char *unsure;
    fd = pages(text, N * LINE);
    EQ_INT(softnet_settle(fd, &unsure),
           7); /* the drop counter; then the backlog is looked at again, and the text is over */
    CU_ASSERT(unsure == NULL);
    close(fd);
    fd = file(text);
    EQ_INT(softnet_settle(fd, &unsure), 7);
    CU_ASSERT(unsure != NULL); /* the last CPU's backlog never gets shorter, and that was waited for */
    close(fd);
    free(text);
}

static void more_cpus_than_are_watched(void) {
    for (size_t more = 0; more < 2; more++) {
        char *text = text_of(SOFTNET_CPUS_MAX + 1 + more);
        int fd = file(text);
        const char *unsure;
        EQ_INT(softnet_settle(fd, &unsure), 0); /* the last one's drops are beyond */
        CU_ASSERT(unsure && strcmp(unsure, SOFTNET_TOO_MANY) == 0);
        close(fd);
        free(text);
    }
}

UNIT_MAIN("ingest/softnet", {"what waits", what_waits}, {"not readable", not_readable},
          {"200 CPUs, a page at a time", two_hundred_cpus},
          {"more CPUs than are watched", more_cpus_than_are_watched})
