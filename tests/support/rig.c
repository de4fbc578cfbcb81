#include "rig.h"

#include "ingest/loop.h"
#include "unit.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void must(int ok, const struct err *err, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "rig: %s: %s\n", what, err && err->set ? err->text : "failed");
    exit(1);
}

static void start(struct rig *rig, const char *path, size_t queue_memory, size_t so_rcvbuf) {
    struct err err = {0};
    memset(rig, 0, sizeof *rig);
    strcpy(rig->directory, "/tmp/statwit-rig-XXXXXX");
    must(mkdtemp(rig->directory) != NULL, NULL, "mkdtemp");
    snprintf(rig->unixgram, sizeof rig->unixgram, "%s/gram", rig->directory);
    snprintf(rig->unixstream, sizeof rig->unixstream, "%s/stream", rig->directory);
    struct store_options options = {.path = path ? path : ":memory:", .keep_datagrams = true};
    rig->store = store_open(&options, &err);
    must(rig->store != NULL, &err, "store_open");
    rig->pipeline = pipeline_new(rig->store, queue_memory, &err);
    must(rig->pipeline != NULL, &err, "pipeline_new");
    struct ingest_options ingest = {
        .listen = {.bind = "127.0.0.1", .unixgram = rig->unixgram, .unixstream = rig->unixstream},
        .so_rcvbuf = so_rcvbuf,
        .quiet = true};
    rig->ingest = ingest_start(rig->store, rig->pipeline, &ingest, &err);
    must(rig->ingest != NULL, &err, "ingest_start");
    must(ingest_session_find(rig->ingest, SPAN("default"), &rig->at, &err) == 0, &err, "default session");
}

void rig_start(struct rig *rig, const char *path, size_t queue_memory) {
    start(rig, path, queue_memory, 0);
}

void rig_start_narrow(struct rig *rig, size_t so_rcvbuf) {
    start(rig, NULL, 0, so_rcvbuf);
}

void rig_stop(struct rig *rig) {
    ingest_stop(rig->ingest);
    pipeline_free(rig->pipeline);
    store_close(rig->store);
    must(rmdir(rig->directory) == 0, NULL, "the socket files were left behind");
}

/* Not by a job: with each, the loop looks at what was dropped before it. */
void rig_hear_drops(struct rig *rig, bool hears) {
    struct ingest *in = rig->ingest;
    const char *unsure;
    close(in->softnet);
    in->softnet = hears ? softnet_open() : -1;
    in->softnet_drops = softnet_settle(in->softnet, &unsure);
}

int rig_connect(const struct ingest_addresses *at, enum source source) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)at->udp_port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof un.sun_path, "%.100s",
             source == SOURCE_UNIXGRAM ? at->unixgram : at->unixstream);
    bool udp = source == SOURCE_UDP;
    int fd = socket(udp ? AF_INET : AF_UNIX,
                    (source == SOURCE_UNIXSTREAM ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    int failed =
        udp ? connect(fd, (struct sockaddr *)&in, sizeof in) : connect(fd, (struct sockaddr *)&un, sizeof un);
    must(fd >= 0 && !failed, NULL, "connect");
    return fd;
}

void rig_send(int fd, enum source source, const void *bytes, size_t n) {
    if (source == SOURCE_UNIXSTREAM) {
        uint32_t length = (uint32_t)n;
        must(send(fd, &length, 4, MSG_NOSIGNAL) == 4, NULL, "send");
    }
    must(send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n, NULL, "send");
}

static int count_sample(void *arg, const struct sample_row *row) {
    struct rig_seen *seen = arg;
    seen->samples++;
    seen->sum += row->value.number;
    seen->last = row->value.number;
    return 0;
}

static int count_event(void *arg, const struct event_row *row) {
    (void)row;
    ((struct rig_seen *)arg)->events++;
    return 0;
}

static int count_check(void *arg, const struct check_row *row) {
    (void)row;
    ((struct rig_seen *)arg)->checks++;
    return 0;
}

static int count_reject(void *arg, const struct reject_row *row) {
    (void)row;
    ((struct rig_seen *)arg)->rejects++;
    return 0;
}

static uint64_t id_of(struct rig *rig, const char *name) {
    struct ingest_session session = {.id = INGEST_ALL};
    struct err err = {0};
    must(!*name || ingest_session_find(rig->ingest, span_str(name), &session, &err) == 0, &err, "session");
    return session.id;
}

struct rig_seen rig_ask(struct rig *rig, const char *session, const char *name) {
    struct rig_seen seen = {0};
    struct err err = {0};
    uint64_t last_id;
    must(ingest_barrier(rig->ingest, id_of(rig, session), &last_id, &err) == 0, &err, "barrier");
    struct reader *reader = store_reader_take(rig->store, &err);
    must(reader != NULL, &err, "reader");
    struct filter filter = {.session = *session ? span_str(session) : (struct span){0},
                            .name = span_str(name)};
    struct filter in_session = {.session = filter.session};
    const struct reader_ops *ops = reader->ops;
    must(ops->begin(reader, &err) == 0 &&
             ops->samples(reader, &filter, true, count_sample, &seen, &err) == 0 &&
             ops->events(reader, &in_session, count_event, &seen, &err) == 0 &&
             ops->checks(reader, &in_session, count_check, &seen, &err) == 0 &&
             ops->rejects(reader, &in_session, count_reject, &seen, &err) == 0,
         &err, "read");
    ops->end(reader);
    store_reader_give(rig->store, reader);
    return seen;
}

struct lost {
    enum loss loss;
    bool nobodys;
    uint64_t n;
};

static int count_loss(void *arg, const struct loss_row *row) {
    struct lost *lost = arg;
    if (row->loss == lost->loss && !row->session.p == lost->nobodys)
        lost->n += row->n;
    return 0;
}

uint64_t rig_lost(struct rig *rig, const char *session, enum loss loss) {
    struct lost lost = {.loss = loss, .nobodys = !*session};
    struct err err = {0};
    uint64_t last_id;
    must(ingest_barrier(rig->ingest, id_of(rig, session), &last_id, &err) == 0, &err, "barrier");
    struct reader *reader = store_reader_take(rig->store, &err);
    must(reader != NULL, &err, "reader");
    struct filter filter = {.session = *session ? span_str(session) : (struct span){0}};
    must(reader->ops->begin(reader, &err) == 0 &&
             reader->ops->losses(reader, &filter, count_loss, &lost, &err) == 0,
         &err, "losses");
    reader->ops->end(reader);
    store_reader_give(rig->store, reader);
    return lost.n;
}
