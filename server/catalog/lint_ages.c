/* The rule about points that Datadog's intake would drop for their age. They are in a recording only when its recorder was
 * told --timestamps any. DESIGN. One pass over the samples that came over HTTP; samples of a series stand together. */
#include "catalog/lint_private.h"

#include <inttypes.h>
#include <stdio.h>

#define NS_PER_S    1000000000LL
#define AGE_MAX_S   3600
#define AHEAD_MAX_S 600

struct age_walk {
    struct lint *lint;
    uint64_t noted; /* the series that was noted last: once is enough */
};

static int take_sample(void *arg, const struct sample_row *row) {
    struct age_walk *w = arg;
    int64_t timestamp = row->value.timestamp, received = row->received_at / NS_PER_S;
    if (!timestamp || row->series_id == w->noted ||
        (timestamp >= received - AGE_MAX_S && timestamp <= received + AHEAD_MAX_S))
        return 0;
    w->noted = row->series_id;
    size_t name = numbering_get(&w->lint->names, row->spelling->name);
    if (name == NUMBERING_NONE) /* not in the scope */
        return 0;
    char when[64];
    int64_t seconds = timestamp < received ? received - timestamp : timestamp - received;
    snprintf(when, sizeof when, "%" PRId64 " s %s", seconds, timestamp < received ? "old" : "ahead");
    lint_note(w->lint, LINT_TIMESTAMP_DROPPED, name, row->spelling->name, span_str(when));
    return w->lint->failed;
}

int lint_ages(struct lint *l, struct reader *reader, struct err *err) {
    struct age_walk walk = {.lint = l};
    struct filter filter = {.session = scope_session(&l->options->scope),
                            .since = l->options->scope.since,
                            .has_source = true,
                            .source = SOURCE_HTTP};
    l->first = true; /* each series is noted once */
    return reader->ops->samples(reader, &filter, false, take_sample, &walk, err);
}
