/* A recorder without HTTP, in this process: store, pipeline and ingest on free ports, for tests of the layers.
 *
 * Errors: a failed assertion, then exit: nothing after it could work.
 */
#ifndef SUPPORT_RIG_H
#define SUPPORT_RIG_H

#include "ingest/ingest.h"

struct rig {
    struct store *store;
    struct pipeline *pipeline;
    struct ingest *ingest;
    struct ingest_session at; /* the default session */
    char directory[64];       /* private, removed by rig_stop */
    char unixgram[96], unixstream[96];
};

/* All transports. path NULL: ":memory:". */
void rig_start(struct rig *rig, const char *path, size_t queue_memory);
/* With --so-rcvbuf as given. */
void rig_start_narrow(struct rig *rig, size_t so_rcvbuf);
void rig_stop(struct rig *rig);

/* Whether it waits for what other processes send over loopback, and tells what the kernel dropped of it: at first it does. Drops are
 * those of any program of this machine, make verdicts inconclusive and are work to explain. Who sends over Unix sockets alone, which
 * lose nothing, need not hear of them. Nothing is asked of it meanwhile. */
void rig_hear_drops(struct rig *rig, bool hears);

/* A connected socket to a session over one of the transports. */
int rig_connect(const struct ingest_addresses *at, enum source source);
/* One datagram, or one frame. */
void rig_send(int fd, enum source source, const void *bytes, size_t n);

/* The barrier, then what is recorded in a session ("" : all) under a name (glob). */
struct rig_seen {
    uint64_t samples, rejects, events, checks;
    double sum, last;
};
struct rig_seen rig_ask(struct rig *rig, const char *session, const char *name);
/* Lost so far, of one kind: of a session's own, "" : of what is nobody's, as what the kernel drops on the way to the sockets. */
uint64_t rig_lost(struct rig *rig, const char *session, enum loss loss);

#endif
