/* Private to api/: the hosts of a session, with what is known of each.
 *
 * A host has the tags of its series and those that clients set (host_tags.c). Hosts that are only tagged or muted are none.
 * Ownership: hosts_free. Errors: -1 with err.
 */
#ifndef API_HOSTS_H
#define API_HOSTS_H

#include "api/changes.h"
#include "api/names.h"

#define HOSTS_TERMS_MAX 64

struct host {
    struct span name;
    size_t id;
    int64_t last_at;
    uint64_t terms; /* which terms of the filter a tag of it holds */
    bool muted;
    int64_t mute_end; /* 0: for ever */
};

struct hosts {
    struct arena arena;
    struct host *list; /* by name */
    size_t n, cap;
    size_t n_terms;
    struct span terms[HOSTS_TERMS_MAX]; /* as given: for names */
    struct span tags[HOSTS_TERMS_MAX];  /* the same as normalized globs: for tags */
};

/* host_gather.c */
int hosts_gather(struct read *r, struct hosts *hosts, double from_s, struct err *err);
struct host *hosts_find(const struct hosts *hosts, struct span name);
void hosts_free(struct hosts *hosts);

/* host_tags.c: {"HOST":{"SOURCE":["TAG",…]}} as clients set them. New reference. */
json_t *host_tags_set(struct read *r, struct err *err);
/* host_mute.c: marks those that are muted. */
int hosts_mute(struct read *r, struct hosts *hosts, struct err *err);

#endif
