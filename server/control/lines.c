#include "control/lines.h"

#include "core/buf.h"
#include "decode/dogstatsd.h"
#include <stdlib.h>

#define DATAGRAM_MAX ((size_t)1 << 20)

struct lines {
    struct dogstatsd *decoder;
    struct buf datagram; /* the last one looked at */
    uint64_t after_id;   /* UINT64_MAX: none */
};

struct lines *lines_new(void) {
    static const struct dogstatsd_options options;
    struct lines *l = calloc(1, sizeof *l);
    if (l && !(l->decoder = dogstatsd_new(&options))) {
        free(l);
        return NULL;
    }
    if (l) {
        l->datagram.max = DATAGRAM_MAX;
        l->after_id = UINT64_MAX;
    }
    return l;
}

void lines_free(struct lines *l) {
    if (!l)
        return;
    dogstatsd_free(l->decoder);
    buf_free(&l->datagram);
    free(l);
}

struct line_search {
    const struct sample_row *row;
    uint64_t id; /* of the newest record so far */
    bool found;
};

static void count_ids(void *arg, const struct record *record) {
    struct line_search *s = arg;
    const struct metric *m = &record->metric, *wanted = s->row->spelling;
    uint64_t n = record->kind == RECORD_METRIC ? m->n_values : 1;
    s->found = s->found || (record->kind == RECORD_METRIC && s->row->id > s->id && s->row->id <= s->id + n &&
                            m->type == wanted->type && span_eq(m->name, wanted->name));
    s->id += n;
}

static struct span find_line(struct lines *l, const struct sample_row *row) {
    struct line_search s = {.row = row, .id = l->after_id};
    struct span rest = buf_view(&l->datagram);
    while (rest.n && s.id < row->id) {
        const char *end = memchr(rest.p, '\n', rest.n);
        struct span line = span_of(rest.p, end ? (size_t)(end - rest.p) : rest.n);
        dogstatsd_decode(l->decoder, line, count_ids, &s);
        if (s.found)
            return line;
        rest = span_from(rest, end ? line.n + 1 : line.n);
    }
    return (struct span){NULL, 0};
}

static int keep_datagram(void *arg, const struct datagram_row *row) {
    struct lines *l = arg;
    buf_clear(&l->datagram);
    buf_span(&l->datagram, row->bytes);
    l->after_id = row->after_id;
    return 1;
}

struct span lines_of(struct lines *l, struct reader *r, const struct sample_row *row) {
    struct span none = {NULL, 0}, line;
    struct err ignored = {0};
    if (row->source == SOURCE_HTTP || !r->ops->datagrams)
        return none;
    if (l->after_id < row->id && (line = find_line(l, row)).p)
        return line;
    struct filter f = {.series_id = row->id};
    l->after_id = UINT64_MAX;
    if (r->ops->datagrams(r, &f, keep_datagram, l, &ignored) != 0 || l->after_id == UINT64_MAX)
        return none;
    return find_line(l, row);
}
