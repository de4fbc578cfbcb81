/* A stop under load: nothing is freed too early, nobody waits for ever, and what could not be stored is told. */
#include "core/clock.h"
#include "ingest/loop.h"
#include "rig.h"
#include "unit.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rig rig;
static atomic_bool over;

struct flood {
    enum source source;
    int fd;
    pthread_t thread;
    atomic_uint_fast64_t sent; /* samples of those that send() has taken */
};

/* Goes on until the test is over, whether somebody listens or not. */
static void *flood(void *arg) {
    struct flood *f = arg;
    static const char frame[] = "\x05\0\0\0m:1|c";
    bool stream = f->source == SOURCE_UNIXSTREAM;
    while (!over)
        if (send(f->fd, frame + (stream ? 0 : 4), stream ? 9 : 5, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            f->sent++;
    return NULL;
}

/* From a recording that nobody writes any more. */
static int count_sample(void *arg, const struct sample_row *row) {
    (void)row;
    ++*(uint64_t *)arg;
    return 0;
}

static int count_loss(void *arg, const struct loss_row *row) {
    ((uint64_t *)arg)[row->loss] += row->n;
    return 0;
}

static void read_file(const char *path, uint64_t *samples, uint64_t losses[LOSS_N]) {
    struct err err = {0};
    struct filter all = {0};
    struct reader *reader = store_reader_open(path, &err);
    CU_ASSERT_FATAL(reader != NULL && reader->ops->begin(reader, &err) == 0);
    *samples = 0;
    memset(losses, 0, LOSS_N * sizeof *losses);
    CU_ASSERT(reader->ops->samples(reader, &all, true, count_sample, samples, &err) == 0);
    CU_ASSERT(reader->ops->losses(reader, &all, count_loss, losses, &err) == 0);
    reader->ops->end(reader);
    reader_close(reader);
}

static char folder[] = "/tmp/statwit-stop-XXXXXX";
static char path[64];

static void make_folder(void) {
    strcpy(folder, "/tmp/statwit-stop-XXXXXX");
    CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/db", folder);
}

static void remove_folder(void) {
    unlink(path);
    CU_ASSERT(rmdir(folder) == 0);
}

/* Batches that came in after the mark once were freed after the pool that they belong to, and were told nowhere. */
static void while_senders_go_on(void) {
    static const enum source sources[] = {SOURCE_UDP, SOURCE_UNIXGRAM, SOURCE_UNIXSTREAM};
    for (int round = 0; round < 5; round++) {
        make_folder();
        rig_start(&rig, path, 0);
        static struct flood floods[3];
        over = false;
        for (int i = 0; i < 3; i++) {
            floods[i] = (struct flood){.source = sources[i], .fd = rig_connect(&rig.at.at, sources[i])};
            CU_ASSERT_FATAL(pthread_create(&floods[i].thread, NULL, flood, &floods[i]) == 0);
        }
        while (floods[0].sent < 1000 || floods[1].sent < 10 || floods[2].sent < 1000) {
        }
        uint64_t sent = 0, samples, losses[LOSS_N], found = 0;
        for (int i = 0; i < 3; i++)
            sent += floods[i].sent;
        rig_stop(&rig);
        over = true;
        for (int i = 0; i < 3; i++) {
            pthread_join(floods[i].thread, NULL);
            close(floods[i].fd);
        }
        read_file(path, &samples, losses);
        for (int i = 0; i < LOSS_N; i++)
            found += losses[i];
        CU_ASSERT(samples + found >= sent); /* what was sent before the stop */
        remove_folder();
    }
}

/* A batch that is done when the test says so. */
struct slow {
    struct batch batch; /* first */
    atomic_bool go_on, freed;
    int result;
};

static int slow_feed(struct batch *batch, struct store *store, struct err *err) {
    (void)store, (void)err;
    return ((struct slow *)batch)->go_on;
}

static void slow_free(struct batch *batch) {
    ((struct slow *)batch)->freed = true;
}

static void put_slow(struct slow *slow, uint64_t session_id, size_t n_bytes) {
    *slow = (struct slow){.result = 7};
    slow->batch = (struct batch){.session_id = session_id,
                                 .n_bytes = n_bytes,
                                 .feed = slow_feed,
                                 .free = slow_free,
                                 .result = &slow->result};
    struct batch *batch = &slow->batch;
    CU_ASSERT_FATAL(pipeline_put(rig.pipeline, &batch) == 0);
}

static int nothing(struct store *store, void *arg, struct err *err) {
    (void)store, (void)arg, (void)err;
    return 0;
}

/* The loop has had a turn: what was asked and put before is begun. */
static void have_a_turn(void) {
    struct err err = {0};
    CU_ASSERT(ingest_call(rig.ingest, INGEST_NOTHING, nothing, NULL, &err) == 0);
}

/* Behind a batch that never ends datagrams can't be stored: they are counted when the time is over. */
static void what_is_not_stored_in_time_is_told(void) {
    enum { N = 100 };
    make_folder();
    rig_start(&rig, path, 0);
    static struct slow slow;
    put_slow(&slow, 1, 1);
    have_a_turn();
    int fd = rig_connect(&rig.at.at, SOURCE_UDP);
    for (int i = 0; i < N; i++)
        rig_send(fd, SOURCE_UDP, "m:1|c", 5);
    int64_t begun_ns = clock_mono_ns();
    rig_stop(&rig);
    CU_ASSERT(clock_mono_ns() - begun_ns >= INGEST_END_NS);
    close(fd);
    CU_ASSERT(slow.freed);
    EQ_INT(slow.result, -1); /* whoever put it is told */
    uint64_t samples, losses[LOSS_N];
    read_file(path, &samples, losses);
    EQ_INT(samples, 0);
    EQ_INT(losses[LOSS_STOPPED], N);
    remove_folder();
}

/* What stands in the sockets, because the queue is full, is counted as well. */
static void what_is_not_read_in_time_is_told(void) {
    enum { N = 100 };
    make_folder();
    rig_start(&rig, path, 0);
    static struct slow slow;
    put_slow(&slow, 1, PIPELINE_CAP_MIN);
    have_a_turn();
    int fd = rig_connect(&rig.at.at, SOURCE_UDP);
    for (int i = 0; i < N; i++)
        rig_send(fd, SOURCE_UDP, "m:1|c", 5);
    rig_stop(&rig);
    close(fd);
    uint64_t samples, losses[LOSS_N];
    read_file(path, &samples, losses);
    EQ_INT(samples, 0);
    EQ_INT(losses[LOSS_STOPPED], N);
    remove_folder();
}

static void count_answer(void *arg, uint64_t last_id) {
    (void)last_id;
    atomic_fetch_add((atomic_int *)arg, 1);
}

/* A question that waited behind another of its session was once left where it stood: who had asked it waited for ever. */
static void a_question_behind_another_is_answered(void) {
    rig_start(&rig, NULL, 0);
    struct err err = {0};
    atomic_int answers = 0;
    static struct slow slow;
    put_slow(&slow, 4711, PIPELINE_CAP_MIN); /* so that nothing is read */
    have_a_turn();
    int fd = rig_connect(&rig.at.at, SOURCE_UDP);
    rig_send(fd, SOURCE_UDP, "m:1|c", 5);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(ingest_barrier_then(rig.ingest, 1, count_answer, &answers, &err) == 0);
        have_a_turn();
    }
    EQ_INT(answers, 0);
    ingest_end(rig.ingest);
    CU_ASSERT(ingest_barrier_then(rig.ingest, 1, count_answer, &answers, &err) == -1); /* too late */
    slow.go_on = true;
    rig_stop(&rig);
    EQ_INT(answers, 3);
    close(fd);
}

/* There is time: all is stored, nothing is lost, and the time limit is not waited for. */
static void all_that_was_sent_is_stored(void) {
    enum { N = 2000 };
    make_folder();
    rig_start(&rig, path, 0);
    rig_hear_drops(&rig, false);
    rig.ingest->stop_ns = 3600 * NS_PER_S; /* however slow the machine */
    int fd = rig_connect(&rig.at.at, SOURCE_UNIXSTREAM);
    for (int i = 0; i < N; i++)
        rig_send(fd, SOURCE_UNIXSTREAM, "m:1|c", 5);
    rig_stop(&rig);
    close(fd);
    uint64_t samples, losses[LOSS_N];
    read_file(path, &samples, losses);
    EQ_INT(samples, N);
    for (int i = 0; i < LOSS_N; i++)
        EQ_INT(losses[i], 0);
    remove_folder();
}

UNIT_MAIN("ingest/stop", {"while senders go on", while_senders_go_on},
          {"what is not stored in time is told", what_is_not_stored_in_time_is_told},
          {"what is not read in time is told", what_is_not_read_in_time_is_told},
          {"a question behind another is answered", a_question_behind_another_is_answered},
          {"all that was sent is stored", all_that_was_sent_is_stored})
