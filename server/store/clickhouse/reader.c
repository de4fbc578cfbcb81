#include "core/clock.h"
#include "store/clickhouse/fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* All that was read. */
static void forget(struct fleet_reader *r) {
    r->n = r->n_lossy = 0;
    buf_clear(&r->sel);
    arena_reset(&r->texts);
    free(r->all_names);
    r->all_names = NULL;
    r->n_names = 0;
    r->has_names = false;
    if (r->ahead)
        fleet_ahead_free(r->ahead);
    while (r->found) {
        struct fleet_found *outer = r->found->outer;
        fleet_found_free(r->found);
        free(r->found);
        r->found = outer;
    }
}

/* --- small operations --------------------------------------------------------------------------------------- */

static int begin_reading(struct reader *reader, struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    bool usage;
    if (r->selected) {
        r->selected = false;
        return 0;
    }
    forget(r);
    return fleet_select(r, &usage, err);
}

static void end_reading(struct reader *reader) {
    (void)reader;
}

static int last_id(struct reader *reader, uint64_t *id, struct err *err) {
    (void)err;
    struct fleet_reader *r = (struct fleet_reader *)reader;
    *id = (uint64_t)(r->n - 1) << FLEET_ID_BITS | r->list[r->n - 1].last_id;
    return 0;
}

static int first_at(struct reader *reader, int64_t wall_ns, uint64_t *id, struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    static const char *const tables[] = {"samples", "records"};
    struct fleet_table sel = {"sel", FLEET_SEL, buf_view(&r->sel)};
    struct buf answer = {0};
    int failed = 0;
    *id = 0;
    for (size_t i = 0; i < 2 && !failed; i++) {
        char sql[600];
        snprintf(
            sql, sizeof sql,
            "SELECT count(), min(" FLEET_GID(
                "r.ord",
                "s.id") ") FROM (SELECT push, id FROM %s WHERE push IN (SELECT push FROM sel)"
                        " AND at >= %" PRId64
                        "%s) AS s ALL INNER JOIN (SELECT push, ord FROM sel) AS r USING (push) FORMAT RowBinary",
            tables[i], wall_ns, i ? " AND kind < 5 AND id < 9223372036854775807" : "");
        failed = fleet_ask(&r->f, sql, 1, &sel, &answer, err);
        struct taker t = {answer.p, answer.p + answer.n, false};
        uint64_t n = failed ? 0 : take_u64(&t), first = failed ? 0 : take_u64(&t);
        if (!failed && t.failed)
            failed = fleet_damaged(r, err);
        if (n > 0 && (*id == 0 || first < *id))
            *id = first;
    }
    buf_free(&answer);
    return failed;
}

static int recording(struct reader *reader, char name[RECORDING_NAME_SIZE], struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    if (r->n != 1)
        return err_set(err, 0, "%zu recordings are meant, not one", r->n);
    snprintf(name, RECORDING_NAME_SIZE, "%016" PRIx64 "%016" PRIx64, r->list[0].name.high,
             r->list[0].name.low);
    return 0;
}

/* Datagrams and bodies that were kept stay in the recording's file. */
static int no_payloads(struct reader *reader, const struct filter *f,
                       int (*row)(void *, const struct payload_row *), void *arg, struct err *err) {
    (void)reader, (void)f, (void)row, (void)arg, (void)err;
    return 0;
}

static int no_posted(struct reader *reader, struct span session, bool payloads,
                     int (*row)(void *, const struct posted_row *), void *arg, struct err *err) {
    (void)reader, (void)session, (void)payloads, (void)row, (void)arg, (void)err;
    return 0;
}

static int no_datagrams(struct reader *reader, const struct filter *f,
                        int (*row)(void *, const struct datagram_row *), void *arg, struct err *err) {
    (void)reader, (void)f, (void)row, (void)arg, (void)err;
    return 0;
}

static const char *note(struct reader *reader) {
    const struct fleet_reader *r = (const struct fleet_reader *)reader;
    return r->note[0] ? r->note : NULL;
}

static void close_reader(struct reader *reader) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    forget(r);
    free(r->ahead);
    free(r->list);
    buf_free(&r->sel);
    buf_free(&r->names);
    arena_free(&r->texts);
    fleet_close(&r->f);
    free(r);
}

static const struct reader_ops ops = {
    .far = true,
    .close = close_reader,
    .note = note,
    .begin = begin_reading,
    .end = end_reading,
    .series = fleet_series,
    .emitters = fleet_emitters,
    .names = fleet_each_name,
    .ranked = fleet_ranked,
    .distinct = fleet_distinct,
    .values = fleet_values,
    .tallies = fleet_tallies,
    .samples = fleet_samples,
    .points = fleet_points,
    .spellings = fleet_spellings,
    .cadence = fleet_cadence,
    .events = fleet_events,
    .checks = fleet_checks,
    .rejects = fleet_rejects,
    .requests = fleet_requests,
    .payloads = no_payloads,
    .posted = no_posted,
    .datagrams = no_datagrams,
    .losses = fleet_losses,
    .large = fleet_large,
    .sessions = fleet_sessions,
    .session_id = fleet_session_id,
    .runs = fleet_runs,
    .last_id = last_id,
    .first_at = first_at,
    .recording = recording,
};

/* --- opening ------------------------------------------------------------------------------------------------ */

static void make_note(struct fleet_reader *r) {
    uint64_t lossy = 0;
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        lossy += r->list[i].lost > 0;
    if (r->n > 1)
        n = (size_t)snprintf(r->note, sizeof r->note, "holds %zu such recordings", r->n);
    if (r->n > 1 && lossy)
        n += (size_t)snprintf(r->note + n, sizeof r->note - n, ", %" PRIu64 " of them with losses", lossy);
    if (r->n_lossy)
        snprintf(r->note + n, sizeof r->note - n, "%s%zu with losses left out", n ? "; " : "holds ",
                 r->n_lossy);
}

struct reader *clickhouse_reader_open(const char *text, const char *ca_file, int64_t timeout_ns, bool *usage,
                                      struct err *err) {
    struct fleet_reader *r = calloc(1, sizeof *r);
    int code;
    *usage = false;
    if (!r)
        return err_set(err, 0, "out of memory"), NULL;
    r->reader.ops = &ops;
    r->names.max = FLEET_ANSWER_MAX;
    if (fleet_url_parse(text, clock_wall_ns(), &r->url, err) != 0)
        *usage = true;
    else if (fleet_open(&r->f, &r->url, ca_file, timeout_ns, err) == 0 &&
             fleet_greet(&r->f, &code, err) == FLEET_OK && fleet_select(r, usage, err) == 0) {
        r->selected = true;
        make_note(r);
        return &r->reader;
    }
    close_reader(&r->reader);
    return NULL;
}
