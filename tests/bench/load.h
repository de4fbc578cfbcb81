/* A load generator: DogStatsD datagrams, or v1 series bodies over HTTP, as fast as one sender can offer them; and recordings that
 * are filled without a sender.
 *
 * Threads: one load belongs to one thread. Errors: prints what failed and exits, as a benchmark may.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum load_transport { LOAD_UDP, LOAD_UNIXGRAM, LOAD_UNIXSTREAM, LOAD_HTTP };

struct load {
    enum load_transport transport;
    int port;           /* on 127.0.0.1: of UDP, or of HTTP */
    const char *path;   /* of the Unix socket */
    size_t payload;     /* bytes of a datagram or body, at most; 0: one sample each */
    size_t n_series;    /* distinct series, cycled through */
    size_t n_tags;      /* on each; 0: two */
    uint64_t n_samples; /* in all */
    double rate;        /* samples a second; 0: flat out */
    /* Filled in: */
    uint64_t sent_samples, sent_datagrams;
    int64_t took_ns;
};

/* Sends it all; over HTTP each body once the one before it was answered 202. Values are 12.345 and the like; some 70 bytes a sample
 * with two tags. */
void load_send(struct load *load);

/* What a recording is filled with. */
struct load_series {
    size_t n_series, n_per_name; /* so many series have one name: a tag "shard" tells them apart */
    size_t n_lines;              /* samples of each series */
    bool by_turns;               /* counts and timings; else counts */
    bool commits;                /* after each line of all series; else once */
    const char *name;            /* with one %zu: the number of the name */
};
struct store;
void load_store(struct store *s, const struct load_series *of);

#endif
