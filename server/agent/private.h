/* What the files of this folder share. See agent.h for the rules of use.
 *
 * DESIGN. A context is a name, a host and a set of tags. It has a list of objects, one for each bucket that it has samples in
 * and that is not flushed: usually one or two, the newest first. An object is what the first sample of the bucket made of it (a
 * count, a gauge, …). Distributions have a list of their own, as the Agent keeps them apart. A sample costs one look into a
 * table (its series' id) and one into a short list.
 *
 * A flush collects the objects whose bucket is over, makes a row of each value that they give, sorts the rows by what the series
 * will be called, and hands each run of equal ones to the sink as a series.
 */
#ifndef AGENT_PRIVATE_H
#define AGENT_PRIVATE_H

#include "agent/agent.h"
#include "core/arena.h"
#include "core/array.h"
#include "core/table.h"

#define NO_CONTEXT UINT32_MAX

/* --- sketches (sketch.c) ---------------------------------------------------------------------------------------- */

#define SKETCH_BINS_MAX    4096
#define SKETCH_BIN_MAX     UINT32_MAX /* what one bin counts; more is a second bin with the same key */
#define SKETCH_WAITING_MAX 512        /* keys that wait to be put into bins */
#define SKETCH_WEIGHT_MAX  ((uint64_t)1 << 40)

struct agent_bin {
    int32_t key;
    uint32_t n;
};
struct agent_sketch {
    int64_t count;
    double min, max, avg, sum;
    size_t n_bins, cap_bins, n_waiting, cap_waiting;
    struct agent_bin *bins; /* by key */
    int16_t *waiting;
};

/* --- texts of a set (texts.c) ----------------------------------------------------------------------------------- */

/* Texts as 128-bit hashes: two different ones count as one with a chance of 10^-26 at a million. */
struct agent_texts {
    struct agent_text {
        uint64_t low, high; /* high is 0: free */
    } * slots;
    size_t n, cap;
};

/* --- objects ---------------------------------------------------------------------------------------------------- */

struct agent_weighted {
    double value;
    int64_t weight;
};
struct agent_histogram {
    struct agent_weighted *samples;
    size_t n, cap;
    double sum;
    int64_t count;
};

struct agent_kept { /* the samples of an object that is explained */
    struct agent_causes causes;
    struct agent_cause *list;
    size_t cap;
    struct arena texts;
};

struct agent_object {
    struct agent_object *next;         /* of its context */
    struct agent_object *next_in_list; /* of a flush, or of those that are free */
    int64_t bucket_s;
    uint64_t id;       /* of the newest sample; 0: none yet */
    int64_t newest_ns; /* its arrival */
    uint32_t context;
    enum metric_type type; /* of the first sample */
    struct agent_kept *kept;
    union {
        double number; /* count: the sum; gauge: the newest */
        struct agent_texts texts;
        struct agent_histogram histogram;
        struct agent_sketch sketch;
    };
};

struct agent_context {
    uint64_t hash;
    uint32_t next;   /* with the same place in the index; or of those that are free */
    uint32_t serial; /* tells this one from the one that had its place before */
    bool used;
    bool tracked; /* false: it has expired, but some of its objects are not flushed */
    bool explained;
    enum metric_type type; /* of the first sample since it is tracked */
    int64_t last_seen_s;
    char *key; /* its name, host and tags: what they point into */
    size_t n_key, n_bytes, n_tags;
    struct span name, host;
    struct span *tags;
    struct agent_object *objects, *sketches;
};

struct agent_bucket {
    int64_t start_s;
};

struct agent_timed { /* a sample with a timestamp */
    struct agent_timed *next;
    struct agent_series series;
    struct agent_point point;
    struct agent_causes causes;
    struct agent_cause cause;
};

/* A value of an object on its way out. */
struct agent_row {
    struct agent_object *object;
    uint16_t suffix;
    bool is_rate;
    double value;
};

struct agent {
    struct agent_options options;
    char hostname[256];
    char explain[512];
    size_t n_suffixes;
    struct span suffixes[1 + AGENT_N_AGGREGATES + AGENT_PERCENTILES_MAX]; /* "", ".max", …, ".95percentile" */
    char suffix_texts[AGENT_PERCENTILES_MAX][16];

    struct agent_context *contexts;
    size_t n_contexts, cap_contexts, n_used; /* n_contexts: places ever used */
    uint32_t free_context;
    uint32_t *index; /* hash to the first context; a power of two */
    size_t n_index;
    struct table series; /* a series' id to a place in aliases */
    struct agent_alias {
        uint32_t context, serial;
    } * aliases;
    size_t n_aliases, cap_aliases;

    struct agent_bucket *buckets; /* by start, those of metrics: their number is part of the rules */
    size_t n_buckets, cap_buckets;
    size_t n_objects, n_sketches; /* not flushed */
    int64_t newest_bucket_s;
    struct agent_object *free_objects;
    int64_t last_cutoff_s;

    struct arena timed_arena;
    struct agent_timed *timed, **timed_end;
    size_t timed_bytes;

    struct buf key; /* scratch: of the context that is looked for */
    struct span *tags;
    size_t cap_tags;
    struct agent_bin *bins; /* scratch of the sketches */
    size_t cap_bins;
    struct agent_row *rows;
    size_t n_rows, cap_rows;
    size_t bytes; /* held */
};

/* memory.c. Says that n more bytes are held; -1 with err past the limit. */
int agent_charge(struct agent *a, size_t n, struct err *err);
int agent_no_memory(struct err *err);
/* Room for one more, as array_room, and charged. */
int agent_room(struct agent *a, void *array, size_t n, size_t *cap, size_t size, struct err *err);
/* One row more for the flush. */
int agent_row_add(struct agent *a, struct agent_object *o, size_t suffix, bool is_rate, double value,
                  struct err *err);

/* context.c. The place of the sample's context, which is tracked from now on, and seen at that time. -1 with err. */
int agent_track(struct agent *a, const struct agent_sample *s, uint32_t *context, struct err *err);
/* Whether the name, or one that it gets on its way, is asked for. */
bool agent_is_explained(const struct agent *a, struct span name);
/* Forgets those that were not seen for too long. */
void agent_expire(struct agent *a, int64_t now_s);
void agent_context_free(struct agent *a, uint32_t context);
/* The sample's tags sorted, each once, in a->tags. */
int agent_sort_tags(struct agent *a, const struct agent_sample *s, size_t *n_tags, struct err *err);

/* object.c. The object of a context in a bucket; made, of this type, when there is none. NULL with err. */
struct agent_object *agent_object_of(struct agent *a, uint32_t context, int64_t bucket_s,
                                     enum metric_type type, struct err *err);
int agent_object_add(struct agent *a, struct agent_object *o, const struct agent_sample *s, struct err *err);
/* Frees what it holds, and keeps the struct for the next one. It is in no list any more. */
void agent_object_free(struct agent *a, struct agent_object *o);
int agent_bucket_touch(struct agent *a, int64_t start_s, struct agent_bucket **bucket, struct err *err);

int agent_histogram_add(struct agent *a, struct agent_histogram *h, double value, double rate,
                        struct err *err);
/* Makes rows of it. */
int agent_histogram_rows(struct agent *a, struct agent_object *o, struct err *err);

int agent_sketch_add(struct agent *a, struct agent_sketch *s, double value, double rate, struct err *err);
/* Puts what waits into bins. */
int agent_sketch_settle(struct agent *a, struct agent_sketch *s, struct err *err);
int32_t agent_sketch_key(double value);

int agent_texts_add(struct agent *a, struct agent_texts *t, struct span text, struct err *err);

#endif
