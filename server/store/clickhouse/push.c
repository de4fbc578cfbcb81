#include "store/clickhouse/pushing.h"

#include "core/clock.h"
#include "core/random.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ATTEMPTS     5 /* pushes that are begun anew before it gives up */
#define PAUSE_MIN_NS (NS_PER_S / 20)
#define PAUSE_MAX_NS (5 * NS_PER_S)

const char *const push_tables[PUSH_TABLES] = {"series", "spellings", "samples", "records"};

static void write_uuid(struct fleet_uuid u, char text[37]) {
    snprintf(text, 37, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64, u.high >> 32,
             u.high >> 16 & 0xffff, u.high & 0xffff, u.low >> 48, u.low & UINT64_C(0xffffffffffff));
}

static struct fleet_uuid uuid_of(const char hex[33]) {
    char half[17] = "";
    memcpy(half, hex, 16);
    return (struct fleet_uuid){strtoull(half, NULL, 16), strtoull(hex + 16, NULL, 16)};
}

/* --- patience ----------------------------------------------------------------------------------------------- */

static bool is_stopped(const struct pushing *p) {
    return p->o->stop && atomic_load(p->o->stop);
}

static bool may_go_on(const struct pushing *p) {
    int64_t now = clock_mono_ns();
    return !is_stopped(p) && now - p->progress_ns < p->o->patience_ns &&
           (!p->o->until_ns || now < p->o->until_ns);
}

static void went_on(struct pushing *p) {
    p->progress_ns = clock_mono_ns();
}

/* No request may outlive patience. */
static void bound_request(struct pushing *p) {
    int64_t left = p->o->patience_ns, until = p->o->until_ns - clock_mono_ns();
    if (p->o->until_ns && until < left)
        left = until;
    p->f.timeout_ns = left > NS_PER_MS ? left : NS_PER_MS;
}

static int64_t first_pause(const struct pushing *p) {
    return p->o->pause_ns ? p->o->pause_ns : PAUSE_MIN_NS;
}

/* Waits longer each time; false: no more. */
static bool pause_push(struct pushing *p, int64_t *pause_ns) {
    if (!may_go_on(p))
        return false;
    int64_t end = clock_mono_ns() + *pause_ns, left;
    while ((left = end - clock_mono_ns()) > 0 && may_go_on(p)) {
        struct timespec t = {0, left < PAUSE_MIN_NS ? left : PAUSE_MIN_NS};
        nanosleep(&t, NULL);
    }
    *pause_ns = *pause_ns * 2 > PAUSE_MAX_NS ? PAUSE_MAX_NS : *pause_ns * 2;
    p->result->tries++;
    return may_go_on(p);
}

/* What the engine says when it is busy, or when another node of its is: later it may go. */
static bool passes(int code) {
    /* too slow, too many queries, network, at work already, memory, read-only for now, too many parts, no shard, replicas, Keeper */
    static const int codes[] = {159, 202, 209, 210, 216, 241, 242, 252, 279, 285, 286, 319, 999};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (code == codes[i])
            return true;
    return false;
}

static enum push_outcome give_up(struct pushing *p, const struct err *why) {
    double seconds = (double)(clock_mono_ns() - p->began_ns) / 1e9;
    if (is_stopped(p))
        err_set(p->err, 0, "%s: ended by a signal", fleet_http_where(p->f.http));
    else if (p->result->tries > 0)
        err_set(p->err, 0, "%.400s (%u tries in %.*f s)", why->text, p->result->tries + 1,
                seconds < 10 ? 1 : 0, seconds);
    else
        err_set(p->err, 0, "%s", why->text);
    return PUSH_FAILED;
}

/* --- counting ----------------------------------------------------------------------------------------------- */

enum push_outcome push_ask(struct pushing *p, const char *sql, bool names, struct buf *answer) {
    struct fleet_table table = {"nam", "name String, type UInt8", buf_view(&p->names)};
    int64_t pause = first_pause(p);
    for (;;) {
        struct err why = {0};
        int code;
        bound_request(p);
        enum fleet_outcome outcome = fleet_try(&p->f, sql, names ? 1 : 0, &table, answer, &code, &why);
        if (outcome == FLEET_OK && (answer->n == 0 || answer->p[answer->n - 1] == '\n'))
            return PUSH_DONE;
        bool hopeless = outcome == FLEET_REFUSED && !passes(code);
        if (hopeless)
            fleet_explain(&p->f, code, &why);
        err_set(&why, 0, "%s: no answer", fleet_http_where(p->f.http));
        if (hopeless || !pause_push(p, &pause))
            return give_up(p, &why);
    }
}

static enum push_outcome ask_number(struct pushing *p, const char *sql, bool names, uint64_t *number) {
    struct buf answer = {.max = 65536};
    int64_t pause = first_pause(p);
    enum push_outcome outcome;
    while ((outcome = push_ask(p, sql, names, &answer)) == PUSH_DONE && answer.n == 0)
        if (!pause_push(p, &pause))
            outcome = give_up(p, &(struct err){.text = "the engine counts, but says no number"});
    if (outcome == PUSH_DONE)
        *number = strtoull(answer.p, NULL, 10);
    buf_free(&answer);
    return outcome;
}

static enum push_outcome count_rows(struct pushing *p, const char *table, uint64_t *n) {
    char push[37], sql[400];
    bool names = strcmp(table, "series") == 0 || strcmp(table, "samples") == 0;
    write_uuid(p->push, push);
    snprintf(sql, sizeof sql,
             "SELECT count() FROM %s WHERE %spush = toUUID('%s') AND day = toDate(%u) FORMAT TSV", table,
             names ? "(name, type) IN (SELECT name, type FROM nam) AND " : "", push, p->day);
    return ask_number(p, sql, names, n);
}

/* An INSERT whose answer was lost may still be at work. */
static enum push_outcome await_end(struct pushing *p, const char *id) {
    char sql[300];
    int64_t pause = first_pause(p);
    snprintf(sql, sizeof sql, "SELECT count() FROM system.processes WHERE query_id = '%s' FORMAT TSV", id);
    for (;;) {
        uint64_t n;
        enum push_outcome outcome = ask_number(p, sql, false, &n);
        if (outcome != PUSH_DONE || n == 0)
            return outcome;
        if (!pause_push(p, &pause))
            return give_up(p, &(struct err){.text = "an INSERT of this push does not end"});
    }
}

/* --- inserting ---------------------------------------------------------------------------------------------- */

/* Of `n` rows to be added to `before`, whose INSERT had no clear answer. *there: all of them have arrived. */
static enum push_outcome find_out(struct pushing *p, const char *table, const char *id, uint64_t before,
                                  uint64_t n, bool *there) {
    uint64_t have = 0;
    enum push_outcome outcome = await_end(p, id);
    if (outcome == PUSH_DONE)
        outcome = count_rows(p, table, &have);
    *there =
        have == before + n || (have > 0 && strcmp(table, "recordings") == 0); /* twice is no harm there */
    if (outcome == PUSH_DONE && !*there && have != before)
        return PUSH_AGAIN;
    return outcome;
}

static enum push_outcome insert(struct pushing *p, const char *table, unsigned block, uint64_t before) {
    char push[37], id[80];
    int64_t pause = first_pause(p);
    if (p->rows.failed) {
        err_set(p->err, 0, "out of memory");
        return PUSH_FAILED;
    }
    write_uuid(p->push, push);
    snprintf(id, sizeof id, "%s-%s-%u", push, table, block);
    for (;;) {
        struct err why = {0};
        int code;
        bool there = false;
        bound_request(p);
        enum fleet_outcome answered = fleet_insert(&p->f, table, id, buf_view(&p->rows), &code, &why);
        if (answered == FLEET_OK) {
            went_on(p);
            return PUSH_DONE;
        }
        if (answered == FLEET_REFUSED && !passes(code)) {
            fleet_explain(&p->f, code, &why);
            return give_up(p, &why);
        }
        if (!pause_push(p, &pause))
            return give_up(p, &why);
        enum push_outcome outcome =
            answered == FLEET_UNREACHABLE ? PUSH_DONE : find_out(p, table, id, before, p->n_rows, &there);
        if (outcome != PUSH_DONE || there)
            return outcome;
    }
}

static enum push_outcome send_block(struct pushing *p) {
    if (p->n_rows == 0)
        return PUSH_DONE;
    enum push_outcome outcome = insert(p, push_tables[p->table], p->block, p->done[p->table]);
    if (outcome != PUSH_DONE)
        return outcome;
    p->block++;
    p->done[p->table] += p->n_rows;
    p->result->bytes += p->rows.n;
    p->n_rows = 0;
    buf_clear(&p->rows);
    if (p->table == PUSH_SAMPLES && p->o->progress)
        p->o->progress(p->o->arg, p->done[PUSH_SAMPLES], p->total);
    return PUSH_DONE;
}

/* --- a push ------------------------------------------------------------------------------------------------- */

enum push_outcome push_check_counts(struct pushing *p) {
    for (int i = 0; i < PUSH_TABLES; i++) {
        uint64_t have = 0;
        enum push_outcome outcome = p->done[i] ? count_rows(p, push_tables[i], &have) : PUSH_DONE;
        if (outcome != PUSH_DONE)
            return outcome;
        if (have != p->done[i]) {
            err_set(p->err, 0, "%s has %" PRIu64 " rows of %s, not the %" PRIu64 " that were sent",
                    fleet_http_where(p->f.http), have, push_tables[i], p->done[i]);
            return PUSH_AGAIN;
        }
    }
    return PUSH_DONE;
}

static enum push_outcome make_visible(struct pushing *p) {
    push_row_of_recording(p, clock_wall_ns());
    return insert(p, "recordings", p->block, 0);
}

static enum push_outcome push_once(struct pushing *p) {
    char hex[33];
    if (random_hex(hex, 32) != 0) {
        err_set(p->err, 0, "no random numbers");
        return PUSH_FAILED;
    }
    p->push = (struct fleet_uuid){p->content, uuid_of(hex).low};
    p->block = 0;
    memset(p->done, 0, sizeof p->done);
    enum push_outcome outcome = PUSH_DONE;
    for (int i = 0; i < PUSH_TABLES && outcome == PUSH_DONE; i++)
        outcome = push_rows(p, (enum push_table)i);
    if (outcome == PUSH_DONE)
        outcome = push_check_counts(p);
    return outcome == PUSH_DONE ? make_visible(p) : outcome;
}

static enum push_outcome push_until_done(struct pushing *p) {
    struct err *err = p->err, last = {0};
    enum push_outcome outcome = PUSH_AGAIN;
    for (int i = 0; i < ATTEMPTS && outcome == PUSH_AGAIN; i++) {
        last = (struct err){0};
        p->err = &last;
        outcome = push_once(p);
        p->result->tries += outcome == PUSH_AGAIN;
    }
    p->err = err;
    if (outcome != PUSH_DONE)
        err_set(err, 0, "%s", last.set ? last.text : "the engine keeps a part of what it was sent");
    return outcome;
}

static enum push_outcome greet(struct pushing *p) {
    int64_t pause = first_pause(p);
    for (;;) {
        struct err why = {0};
        int code = 0;
        bound_request(p);
        enum fleet_outcome outcome = p->o->init ? fleet_create(&p->f, p->o->cluster, &code, &why) : FLEET_OK;
        if (outcome == FLEET_OK)
            outcome = fleet_greet(&p->f, &code, &why);
        if (outcome == FLEET_OK) {
            went_on(p);
            return PUSH_DONE;
        }
        if ((outcome == FLEET_REFUSED && !passes(code)) || !pause_push(p, &pause))
            return give_up(p, &why);
    }
}

/* Between the reader's begin and end. */
static int push_recording(struct pushing *p) {
    char name[RECORDING_NAME_SIZE];
    if (!p->from->ops->recording)
        return err_set(p->err, 0, "this is no single recording");
    if (p->from->ops->recording(p->from, name, p->err) != 0 || push_survey(p) != 0)
        return -1;
    p->recording = uuid_of(name);
    memcpy(p->result->recording, name, sizeof name);
    went_on(p);
    if (push_hash(p) != 0 || push_look_up(p, &p->result->known) != PUSH_DONE)
        return -1;
    if (!p->result->known && push_until_done(p) != PUSH_DONE)
        return -1;
    p->result->samples = p->done[PUSH_SAMPLES];
    p->result->series = p->done[PUSH_SERIES];
    p->result->records = p->done[PUSH_RECORDS];
    return 0;
}

int push_run(struct reader *from, const struct push_options *o, struct push_result *result, struct err *err) {
    int64_t began = clock_mono_ns();
    *result = (struct push_result){0};
    struct pushing p = {.o = o,
                        .result = result,
                        .from = from,
                        .err = err,
                        .progress_ns = began,
                        .began_ns = began,
                        .send = send_block};
    if (fleet_open(&p.f, &o->url, o->ca_file, o->patience_ns, err) != 0)
        return -1;
    if (o->stop)
        fleet_http_stop_when(p.f.http, o->stop);
    int failed = greet(&p) != PUSH_DONE || from->ops->begin(from, err) != 0;
    if (!failed) {
        failed = push_recording(&p);
        from->ops->end(from);
    }
    fleet_close(&p.f);
    buf_free(&p.rows);
    buf_free(&p.names);
    table_free(&p.seen);
    result->took_ns = clock_mono_ns() - began;
    return failed ? -1 : 0;
}

int push_init(const struct push_options *o, struct err *err) {
    struct push_result result = {0};
    struct push_options init = *o;
    init.init = true;
    struct pushing p = {.o = &init,
                        .result = &result,
                        .err = err,
                        .progress_ns = clock_mono_ns(),
                        .began_ns = clock_mono_ns()};
    if (fleet_open(&p.f, &o->url, o->ca_file, o->patience_ns, err) != 0)
        return -1;
    int failed = greet(&p) != PUSH_DONE;
    fleet_close(&p.f);
    return failed ? -1 : 0;
}
