/* Which hosts the series of a session name. */
#include "api/hosts.h"

#include "core/array.h"
#include "core/glob.h"
#include <stdlib.h>

static int take_series(void *arg, const struct series_row *row, const struct query_series *series) {
    struct hosts *hosts = arg;
    if (row->host.n == 0)
        return 0;
    struct host *h = hosts->n ? &hosts->list[hosts->n - 1] : NULL;
    if (!h || !span_eq(h->name, row->host)) {
        if (!array_room(&hosts->list, hosts->n, &hosts->cap, sizeof *h)) {
            hosts->arena.failed = true;
            return 1;
        }
        h = &hosts->list[hosts->n++];
        *h = (struct host){.name = arena_copy(&hosts->arena, row->host)};
    }
    h->last_at = row->last_at > h->last_at ? row->last_at : h->last_at;
    for (size_t t = 0; t < hosts->n_terms; t++)
        for (size_t i = 0; i < series->n_tags && !(h->terms >> t & 1); i++)
            h->terms |= (uint64_t)glob_match(hosts->tags[t], series->tags[i]) << t;
    return hosts->arena.failed;
}

static int compare_hosts(const void *a, const void *b) {
    return span_cmp(((const struct host *)a)->name, ((const struct host *)b)->name);
}

int hosts_gather(struct read *r, struct hosts *hosts, double from_s, struct err *err) {
    struct names_filter filter = {.from_s = from_s, .without_tags = hosts->n_terms == 0};
    hosts->arena.max = NAMES_MEMORY_MAX;
    int failed = names_each(r, &filter, take_series, hosts, err);
    if (hosts->arena.failed)
        return err_set(err, 0, "more than 256 MiB of hosts");
    if (hosts->n)
        qsort(hosts->list, hosts->n, sizeof *hosts->list, compare_hosts);
    size_t n = 0;
    for (size_t i = 0; i < hosts->n; i++) {
        struct host *h = &hosts->list[i], *last = n ? &hosts->list[n - 1] : NULL;
        if (last && span_eq(last->name, h->name)) {
            last->last_at = h->last_at > last->last_at ? h->last_at : last->last_at;
            last->terms |= h->terms;
        } else {
            hosts->list[n++] = *h;
            hosts->list[n - 1].id = n;
        }
    }
    hosts->n = n;
    return failed;
}

struct host *hosts_find(const struct hosts *hosts, struct span name) {
    struct host wanted = {.name = name};
    return hosts->n ? bsearch(&wanted, hosts->list, hosts->n, sizeof wanted, compare_hosts) : NULL;
}

void hosts_free(struct hosts *hosts) {
    arena_free(&hosts->arena);
    free(hosts->list);
}
