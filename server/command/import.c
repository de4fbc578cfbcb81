/* statwit import: a recording from captures: each record has the time at which it arrived then. */
#include "command/commands.h"
#include "core/log.h"
#include "decode/capture.h"
#include "decode/dogstatsd.h"
#include "store/store.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE           (64 << 10) /* bytes read at a time */
#define COMMIT_RECORDS  262144     /* after so many records */
#define COMMIT_ROWS     131072     /* or so many rows that a commit has to write */
#define DEFAULT_SESSION 1

struct import {
    struct store *store;
    struct dogstatsd *decoder;
    struct err *err;
    int port; /* of a pcap */
    uint64_t n_datagrams, n_records;
    struct capture_skipped skipped; /* by the file under way */
    int failed;
};

static void put_record(void *arg, const struct record *record) {
    struct import *i = arg;
    i->n_records++;
    if (!i->failed)
        i->failed = store_put(i->store, record, i->err);
}

static int take_datagram(void *arg, int64_t at_ns, enum source source, struct span datagram,
                         struct err *err) {
    struct import *i = arg;
    i->err = err;
    i->n_datagrams++;
    if (store_arrival(i->store, DEFAULT_SESSION, source, at_ns, err) != 0 ||
        store_datagram(i->store, datagram, err) != 0)
        return -1;
    dogstatsd_decode(i->decoder, datagram, put_record, i);
    bool due = store_pending(i->store) >= COMMIT_RECORDS || store_rows(i->store) >= COMMIT_ROWS;
    return i->failed || (due && store_commit(i->store, err) != 0) ? -1 : 0;
}

static int read_pieces(struct import *i, int fd, struct err *err) {
    char *piece = malloc(PIECE);
    struct capture *c = piece ? capture_new(i->port, take_datagram, i) : NULL;
    int failed = c ? 0 : err_set(err, 0, "out of memory");
    while (!failed) {
        ssize_t n = read(fd, piece, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            failed = err_set(err, errno, "cannot be read");
        else
            failed = n ? capture_feed(c, span_of(piece, (size_t)n), err) : capture_end(c, err);
        if (n == 0)
            break;
    }
    if (c)
        i->skipped = capture_skipped(c);
    capture_free(c);
    free(piece);
    return failed;
}

static void tell_skipped(const struct import *i, const char *path) {
    const struct capture_skipped *s = &i->skipped;
    if (s->fragments || s->cut)
        log_warning("%s: %" PRIu64 " fragments of IP and %" PRIu64
                    " datagrams that the capture has cut were skipped",
                    path, s->fragments, s->cut);
    if (s->other_ports && i->n_datagrams == 0)
        log_warning("%s: no datagram went to port %d, but %" PRIu64
                    " to others: --dogstatsd-port chooses one",
                    path, i->port, s->other_ports);
}

static int import_file(struct import *i, const char *path) {
    struct err err = {0};
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 ? err_set(&err, errno, "cannot be read") : read_pieces(i, fd, &err);
    if (fd >= 0 && !is_stdin)
        close(fd);
    if (failed)
        log_error("%s: %s", is_stdin ? "stdin" : path, err.text);
    else
        tell_skipped(i, path);
    return failed ? EXIT_CANNOT : EXIT_PASS;
}

/* A half-made recording would be taken for a whole one. */
static void remove_recording(const char *path) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    char *real = realpath(path, NULL);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char *file = NULL;
        if (asprintf(&file, "%s%s", real ? real : path, ends[i]) >= 0)
            unlink(file);
        free(file);
    }
    free(real);
}

static int import_all(struct import *i, const struct options *o) {
    struct err err = {0};
    int status = EXIT_PASS;
    for (int k = 0; k < o->n_args && status == EXIT_PASS; k++)
        status = import_file(i, o->args[k]);
    if (status == EXIT_PASS && store_commit(i->store, &err) != 0) {
        log_error("%s", err.text);
        status = EXIT_CANNOT;
    }
    return status;
}

int import_command(const struct options *o) {
    const char *path = option_text(o, OPT_DB);
    struct err err = {0};
    struct stat st;
    if (!path || strcmp(path, ":memory:") == 0) {
        log_error("statwit import needs --db FILE: the recording to make");
        return EXIT_USAGE;
    }
    if (stat(path, &st) == 0 && !(S_ISREG(st.st_mode) && st.st_size == 0)) {
        log_error("%s is there already: import makes a new recording, and changes none", path);
        return EXIT_USAGE;
    }
    struct import i = {.port = (int)option_number(o, OPT_DOGSTATSD_PORT),
                       .decoder = dogstatsd_new(&(struct dogstatsd_options){0})};
    i.store = i.decoder ? store_open(&(struct store_options){.path = path}, &err) : NULL;
    int status = i.store ? import_all(&i, o) : EXIT_CANNOT;
    if (!i.store)
        log_error("%s", err.set ? err.text : "out of memory");
    else
        store_close(i.store);
    dogstatsd_free(i.decoder);
    if (status != EXIT_PASS && i.store)
        remove_recording(path);
    else if (status == EXIT_PASS && !option_on(o, OPT_QUIET))
        fprintf(stderr, "imported %" PRIu64 " datagrams with %" PRIu64 " records into %s\n", i.n_datagrams,
                i.n_records, path);
    return status;
}
