/* The first look at a recording, and every look after it.
 *
 * Summaries first; samples only of the series that some expectation can't judge by its summary, or their values alone where quantiles are
 * asked for. Those are
 * read series by series when they are few, else all in one go. A series that is looked at whole has its count and sum from its
 * summary all the same: a claim about it must have one number, whatever else is asked beside it.
 */
#include "judge/evaluate/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Reading everything in one go is cheaper than many look-ups from this share of all samples on. */
#define SHARE_FOR_ONE_GO 4

struct start {
    struct judge *judge;
    uint64_t all_samples, wanted_samples; /* of the series looked at; of those whose samples are to be read */
    bool by_values;                       /* the reader gives values alone */
    bool no_memory;
};

/* The values of one series under way. */
struct start_values {
    struct start *start;
    struct witness *witness;
    struct bag_hints hints;
};

static int take_series(void *arg, const struct series_row *row) {
    struct start *start = arg;
    struct judge *j = start->judge;
    struct witness *w;
    start->all_samples += row->samples;
    if (judge_add_series(j, row, &w) != 0) {
        start->no_memory = true;
        return 1;
    }
    if (!w || row->last_id <= j->since || (j->until && row->first_id > j->until) || row->samples == 0)
        return 0;
    bool whole = row->first_id > j->since && (!j->until || row->last_id <= j->until);
    bool summary_will_do =
        whole ? !witness_needs_samples(w, row) : w->claims.n == 0 && !w->sifted && !w->telemetry;
    w->by_values = whole && !summary_will_do && start->by_values && witness_needs_values(w, row);
    if (whole || summary_will_do) {
        if (witness_take_series(w, row, !summary_will_do && !w->by_values) != 0)
            start->no_memory = true;
        judge_note_present(j, w);
    }
    w->reading = !summary_will_do && !w->by_values;
    start->wanted_samples += w->reading ? row->samples : 0;
    return start->no_memory;
}

static int take_sample(void *arg, const struct sample_row *row) {
    struct start *start = arg;
    struct judge *j = start->judge;
    uint32_t place;
    if (!index_find(&j->by_series, row->series_id, &place) || !j->witnesses[place].reading)
        return 0;
    if (judge_read_sample(j, &j->witnesses[place], row) != 0) {
        start->no_memory = true;
        return 1;
    }
    return 0;
}

static int take_values(void *arg, const struct numbers_row *row) {
    struct start_values *values = arg;
    if (judge_read_values(values->start->judge, values->witness, row, &values->hints) != 0)
        values->start->no_memory = true;
    return values->start->no_memory;
}

static int read_values(struct start *start, struct reader *reader, struct err *err) {
    struct judge *j = start->judge;
    struct start_values *values = NULL;
    int result = 0;
    for (size_t i = 0; i < j->n_witnesses && result == 0 && !start->no_memory; i++) {
        struct witness *w = &j->witnesses[i];
        if (!w->by_values)
            continue;
        if (!values && !(values = calloc(1, sizeof *values)))
            return err_set(err, ENOMEM, "out of memory while judging");
        values->start = start;
        values->witness = w;
        values->hints.tried = values->hints.hits = 0;
        result = reader->ops->numbers(reader, w->id, take_values, values, err);
    }
    free(values);
    return result;
}

static int take_event(void *arg, const struct event_row *row) {
    return judge_add_event(((struct start *)arg)->judge, row) != 0;
}

static int take_check(void *arg, const struct check_row *row) {
    return judge_add_check(((struct start *)arg)->judge, row) != 0;
}

static int take_reject(void *arg, const struct reject_row *row) {
    return judge_add_reject(((struct start *)arg)->judge, row) != 0;
}

static int take_loss(void *arg, const struct loss_row *row) {
    struct start *start = arg;
    if (judge_add_loss(start->judge, row) != 0)
        start->no_memory = true;
    return start->no_memory;
}

static bool is_read(void *arg, uint64_t series_id) {
    const struct judge *j = arg;
    uint32_t place;
    return index_find(&j->by_series, series_id, &place) && j->witnesses[place].reading;
}

static int read_samples(struct start *start, struct reader *reader, struct err *err) {
    struct judge *j = start->judge;
    struct filter filter = {.session = judge_reads(j),
                            .since = j->since,
                            .until = j->until,
                            .n_names = j->n_matter,
                            .names = j->matter};
    if (start->wanted_samples == 0)
        return 0;
    if (reader->ops->far) {
        filter.wants_series = is_read;
        filter.wants_arg = j;
        return reader->ops->samples(reader, &filter, false, take_sample, start, err);
    }
    if (start->wanted_samples * SHARE_FOR_ONE_GO > start->all_samples)
        return reader->ops->samples(reader, &filter, false, take_sample, start, err);
    filter.n_names = 0;
    for (size_t i = 0; i < j->n_witnesses && !start->no_memory; i++) {
        filter.series_id = j->witnesses[i].id;
        if (j->witnesses[i].reading &&
            reader->ops->samples(reader, &filter, false, take_sample, start, err) != 0)
            return -1;
    }
    return 0;
}

bool judge_within_limits(const struct judge *j, struct err *err) {
    if (j->steps > j->limits.steps)
        err_set(err, 0,
                "more than the limit of %" PRIu64
                " pattern steps: ask with fewer wildcards or of fewer series",
                j->limits.steps);
    else if (j->n_links > j->limits.links)
        err_set(err, 0,
                "more than the limit of %" PRIu64
                " pairs of an expectation and a series: ask for less at once",
                j->limits.links);
    else if (j->n_sifted > j->limits.sifted)
        err_set(err, 0,
                "more than the limit of %" PRIu64
                " pairs of an expectation with conditions and a series: ask for less at once",
                j->limits.sifted);
    else if (j->n_values >= j->limits.values)
        err_set(err, 0,
                "more than %" PRIu64
                " samples to keep for quantiles and distinct values: ask for less at once",
                j->limits.values);
    else if (j->n_looks > j->limits.looks)
        err_set(err, 0,
                "more than the limit of %" PRIu64
                " pairs of a sample kept and an expectation about it: ask for less at once",
                j->limits.looks);
    else
        return true;
    return false;
}

bool judge_is_mark(uint64_t since, uint64_t last_id, struct err *err) {
    if (since <= last_id)
        return true;
    err_set(err, 0,
            "%" PRIu64 " is no mark of this recording, whose newest record is %" PRIu64
            ": marks of another one mean nothing here",
            since, last_id);
    return false;
}

bool judge_knows_mark(const struct judge *j, uint64_t last_id, struct err *err) {
    return judge_is_mark(j->since, last_id, err) && judge_is_mark(j->until, last_id, err);
}

int judge_start(struct judge *j, struct reader *reader, struct err *err) {
    struct start start = {.judge = j, .by_values = reader->ops->numbers && !reader->ops->far};
    struct filter of_session = {.session = judge_reads(j), .n_names = j->n_matter, .names = j->matter},
                  recent = {.session = of_session.session, .since = j->since, .until = j->until},
                  named = recent, later = {.session = of_session.session, .since = j->since};
    named.name = j->n_named == 1 ? j->named[0] : span_of(NULL, 0);
    named.n_names = j->n_named;
    named.names = j->named;
    if (reader->ops->last_id(reader, &j->started, err) != 0 || !judge_knows_mark(j, j->started, err) ||
        reader->ops->series(reader, &of_session, take_series, &start, err) != 0 ||
        (!start.no_memory && read_values(&start, reader, err) != 0) ||
        (!start.no_memory && judge_ask_told(j, reader, &start.wanted_samples, err) != 0) ||
        (!start.no_memory && read_samples(&start, reader, err) != 0) ||
        (j->asks_events && reader->ops->events(reader, &named, take_event, &start, err) != 0) ||
        (j->asks_checks && reader->ops->checks(reader, &named, take_check, &start, err) != 0) ||
        (j->asks_rejects && reader->ops->rejects(reader, &recent, take_reject, &start, err) != 0) ||
        /* What is noted as lost after `until` may have come before. */
        reader->ops->losses(reader, &later, take_loss, &start, err) != 0)
        return -1;
    j->newest = j->until ? j->until : j->started;
    if (!judge_within_limits(j, err))
        return -1;
    return start.no_memory ? err_set(err, 0, "out of memory while judging") : 0;
}

/* --- what comes later: of any session, and after the mark, since judge_start saw one that is later --------- */

static bool is_new(struct judge *j, uint64_t id) {
    if (j->until)
        return false;
    if (id > j->newest)
        j->newest = id;
    return id > j->started;
}

int judge_take_series(struct judge *j, const struct series_row *row) {
    struct witness *w;
    bool known;
    if (judge_renew_series(j, row, &known) != 0)
        return -1;
    return known ? 0 : judge_add_series(j, row, &w);
}

int judge_take_sample(struct judge *j, const struct sample_row *row) {
    uint32_t place;
    if (!is_new(j, row->id) || !index_find(&j->by_series, row->series_id, &place))
        return 0;
    return judge_add_sample(j, &j->witnesses[place], row);
}

int judge_take_event(struct judge *j, const struct event_row *row) {
    return is_new(j, row->id) && judge_sees(j, row->session) ? judge_add_event(j, row) : 0;
}

int judge_take_check(struct judge *j, const struct check_row *row) {
    return is_new(j, row->id) && judge_sees(j, row->session) ? judge_add_check(j, row) : 0;
}

int judge_take_reject(struct judge *j, const struct reject_row *row) {
    return is_new(j, row->id) && judge_sees(j, row->session) ? judge_add_reject(j, row) : 0;
}

int judge_take_loss(struct judge *j, const struct loss_row *row) {
    return row->id > j->since ? judge_add_loss(j, row) : 0;
}

#define TAKER(kind)                                                                                          \
    static int take_new_##kind(void *taker, const struct kind##_row *row) {                                  \
        return judge_take_##kind(taker, row);                                                                \
    }
TAKER(series)
TAKER(sample)
TAKER(event)
TAKER(check)
TAKER(reject)
TAKER(loss)

static struct taker_wants wants(const void *taker) {
    const struct judge *j = taker;
    return (struct taker_wants){.all_series = j->all_covered,
                                .n_names = j->n_matter,
                                .names = j->matter,
                                .events = j->asks_events,
                                .checks = j->asks_checks,
                                .rejects = j->asks_rejects};
}

static bool follows(const void *taker, uint64_t series_id) {
    const struct judge *j = taker;
    uint32_t place;
    return index_find(&j->by_series, series_id, &place);
}

/* A sifted witness has the id of another one. */
static size_t followed(const void *taker, size_t at, uint64_t *series_id) {
    const struct judge *j = taker;
    uint32_t place;
    for (; at < j->n_witnesses; at++) {
        *series_id = j->witnesses[at].id;
        if (index_find(&j->by_series, *series_id, &place) && place == at)
            return at + 1;
    }
    return 0;
}

static void seen(void *taker, uint64_t id) {
    struct judge *j = taker;
    if (!j->until && id > j->newest)
        j->newest = id;
}

const struct record_taker judge_takes = {
    .series = take_new_series,
    .sample = take_new_sample,
    .event = take_new_event,
    .check = take_new_check,
    .reject = take_new_reject,
    .loss = take_new_loss,
    .wants = wants,
    .follows = follows,
    .followed = followed,
    .seen = seen,
};
