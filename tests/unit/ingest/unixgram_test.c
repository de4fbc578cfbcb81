/* Unix datagram sockets and clients that do not wait: how much one can send at once, and what is said when that may not have been
 * enough. What must be waiting at once is sent by a job that holds the loop meanwhile.
 */
#include "ingest/unixgram.h"

#include "ingest/loop.h"
#include "ingest/socket.h"
#include "rig.h"
#include "unit.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;

/* Sends until the kernel says that it would have to wait, n at most; returns how many went. */
static int send_without_waiting(int fd, int n) {
    int sent = 0;
    while (sent < n && send(fd, "n:1|c", 5, MSG_DONTWAIT | MSG_NOSIGNAL) == 5)
        sent++;
    CU_ASSERT(sent == n || errno == EAGAIN);
    return sent;
}

struct burst {
    int fd, n, sent;
};

static int burst_on_loop(struct store *store, void *arg, struct err *err) {
    (void)store, (void)err;
    struct burst *b = arg;
    b->sent = send_without_waiting(b->fd, b->n);
    return 0;
}

/* The datagrams that one sender gets rid of while nobody reads. */
static int burst(const struct ingest_session *session, int n) {
    struct err err = {0};
    struct burst b = {rig_connect(&session->at, SOURCE_UNIXGRAM), n, 0};
    CU_ASSERT(ingest_call(rig.ingest, INGEST_NOTHING, burst_on_loop, &b, &err) == 0);
    CU_ASSERT(rig_ask(&rig, session->name, "n").samples >= (uint64_t)b.sent);
    close(b.fd);
    return b.sent;
}

static struct receiver *receiver_of(uint64_t session_id) {
    struct receiver *r = rig.ingest->receivers;
    while (r->session->is.id != session_id || r->source != SOURCE_UNIXGRAM)
        r = r->next;
    return r;
}

static bool no_child_is_left(void) {
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

/* Eleven went, where the kernel's own default holds; the rest of a burst was lost in the client. */
static void a_burst_fits(void) {
    rig_start(&rig, NULL, 0);
    if (receiver_of(1)->holds < UNIXGRAM_ENOUGH)
        fprintf(stderr, "this system lets no process have a network namespace: the queue is short\n");
    else
        EQ_INT(burst(&rig.at, 160), 160); /* what takes least of a sender's buffer on every kernel */
    EQ_INT(rig_lost(&rig, "default", LOSS_UNIXGRAM_FULL), 0);
    CU_ASSERT_TRUE(no_child_is_left());
    rig_stop(&rig);
}

/* Each session's own socket has it, and what is left over is given back. */
static void sessions_have_it_too(void) {
    enum { N = UNIXGRAM_SPARES + 3 };
    struct ingest_session sessions[N];
    struct err err = {0};
    int before = dup(0);
    close(before);
    rig_start(&rig, NULL, 0);
    for (int i = 0; i < N; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        CU_ASSERT_FATAL(ingest_session_open(rig.ingest, name, true, 0, &sessions[i], &err) == 0);
        EQ_INT(receiver_of(sessions[i].id)->holds, receiver_of(1)->holds);
    }
    CU_ASSERT(burst(&sessions[N - 1], 10) == 10);
    CU_ASSERT_TRUE(no_child_is_left());
    rig_stop(&rig);
    int after = dup(0);
    close(after);
    EQ_INT(after, before);
}

/* What a sender that does not wait could not send is nowhere counted: that it may be is. */
static void a_full_queue_is_told(void) {
    rig_start(&rig, NULL, 0);
    int sent = burst(&rig.at, 100000);
    CU_ASSERT(sent < 100000);
    CU_ASSERT(rig_lost(&rig, "default", LOSS_UNIXGRAM_FULL) >= 1);
    rig_stop(&rig);
}

static void what_was_emptied_is_not_full(void) {
    rig_start(&rig, NULL, 0);
    struct receiver *r = receiver_of(1);
    int n = r->holds < UNIXGRAM_ENOUGH ? (int)r->holds - 1 : 160;
    for (int i = 0; i < 5; i++)
        EQ_INT(burst(&rig.at, n), n);
    EQ_INT(rig_ask(&rig, "default", "n").samples, 5 * n);
    EQ_INT(rig_lost(&rig, "default", LOSS_UNIXGRAM_FULL), 0);
    rig_stop(&rig);
}

/* The rest of the process's life. */
static void forbid_namespaces(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    CU_ASSERT_FATAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CU_ASSERT_FATAL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void without_permission_it_is_a_plain_one(void) {
    forbid_namespaces();
    rig_start(&rig, NULL, 0);
    struct receiver *r = receiver_of(1);
    EQ_INT(r->holds, socket_unixgram_holds());
    if (r->holds < UNIXGRAM_ENOUGH) {
        CU_ASSERT_TRUE(rig.ingest->unixgram.refused);
        EQ_INT(burst(&rig.at, 250), (int)r->holds);
        CU_ASSERT(rig_lost(&rig, "default", LOSS_UNIXGRAM_FULL) >= 1);
    }
    CU_ASSERT_TRUE(no_child_is_left());
    rig_stop(&rig);
}

UNIT_MAIN("ingest/unixgram", {"a burst fits", a_burst_fits}, {"sessions have it too", sessions_have_it_too},
          {"a full queue is told", a_full_queue_is_told},
          {"what was emptied is not full", what_was_emptied_is_not_full},
          {"without permission it is a plain one", without_permission_it_is_a_plain_one})
