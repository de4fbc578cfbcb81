#include "ingest/unixgram.h"

#include "ingest/socket.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_S      8    /* the time that the child has, less than who starts a recorder waits for it */
#define SKB_OVERHEAD 320  /* what the kernel keeps behind the bytes of a datagram, */
#define SKB_HEAD     256  /* and before it */
#define SKB_BLOCK    1024 /* and the least block that any kernel takes for both, rounded up */

#define STRING_OF(x) #x
#define DIGITS_OF(x) STRING_OF(x)

/* Room for the descriptors of one message. */
union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int) * UNIXGRAM_SPARES)];
};

/* --- the child: system calls only ---------------------------------------------------------------------------------- */

static bool enter_namespace(void) {
    static const char queue[] = DIGITS_OF(UNIXGRAM_QUEUE);
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    int fd = open("/proc/sys/net/unix/max_dgram_qlen", O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, queue, sizeof queue - 1) == (ssize_t)sizeof queue - 1;
}

static void make_and_send(int to) {
    int fds[UNIXGRAM_SPARES];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!enter_namespace())
        _exit(1);
    for (int i = 0; i < UNIXGRAM_SPARES; i++)
        if ((fds[i] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
            _exit(1);
    union control control;
    memset(&control, 0, sizeof control);
    struct iovec one = {"", 1};
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(head), fds, sizeof fds);
    _exit(sendmsg(to, &message, MSG_NOSIGNAL) == 1 ? 0 : 1);
}

/* --- the parent ---------------------------------------------------------------------------------------------------- */

/* Waits for them, the child's time at most. Returns how many came. */
static size_t receive_sockets(int from, int fds[UNIXGRAM_SPARES]) {
    union control control;
    char byte;
    struct iovec one = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct timeval patience = {.tv_sec = CHILD_S};
    setsockopt(from, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t n;
    for (int i = 0; (n = recvmsg(from, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR && i < 100; i++)
        continue;
    struct cmsghdr *head = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!head || head->cmsg_type != SCM_RIGHTS || head->cmsg_len < CMSG_LEN(sizeof(int)))
        return 0;
    size_t bytes = head->cmsg_len - CMSG_LEN(0);
    memcpy(fds, CMSG_DATA(head), bytes);
    return bytes / sizeof(int);
}

/* Fills the spares. */
static void ask_child(struct unixgram_maker *m) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return;
    pid_t pid = fork();
    if (pid == 0)
        make_and_send(pair[1]);
    close(pair[1]); /* so that the end of the child is the end of what it sends */
    if (pid > 0) {
        m->n_spares = receive_sockets(pair[0], m->spares);
        if (m->n_spares == 0)
            kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    close(pair[0]);
}

void unixgram_maker_init(struct unixgram_maker *m) {
    *m = (struct unixgram_maker){0};
    pthread_mutex_init(&m->lock, NULL);
}

void unixgram_maker_free(struct unixgram_maker *m) {
    while (m->n_spares > 0)
        close(m->spares[--m->n_spares]);
    pthread_mutex_destroy(&m->lock);
}

static int take_spare(struct unixgram_maker *m) {
    pthread_mutex_lock(&m->lock);
    if (m->n_spares == 0 && !m->refused)
        ask_child(m);
    m->refused = m->n_spares == 0;
    int fd = m->n_spares > 0 ? m->spares[--m->n_spares] : -1;
    pthread_mutex_unlock(&m->lock);
    return fd;
}

int unixgram_make(struct unixgram_maker *m, size_t *holds, struct err *err) {
    *holds = socket_unixgram_holds();
    int fd = *holds < UNIXGRAM_ENOUGH ? take_spare(m) : -1;
    if (fd >= 0) {
        *holds = UNIXGRAM_QUEUE + 1; /* as the kernel compares */
        return fd;
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 ? fd : err_set(err, errno, "cannot make a Unix socket");
}

size_t unixgram_charge(size_t bytes) {
    size_t block = SKB_BLOCK;
    while (block < bytes + SKB_OVERHEAD)
        block *= 2;
    return block + SKB_HEAD;
}

size_t unixgram_sender_buffer(void) {
    unsigned long n = 0;
    FILE *file = fopen("/proc/sys/net/core/wmem_default", "re");
    bool told = file && fscanf(file, "%lu", &n) == 1;
    if (file)
        fclose(file);
    return told ? n : 212992;
}
