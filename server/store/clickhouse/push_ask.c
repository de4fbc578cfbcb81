/* What a push asks, and how long it goes on asking. */
#include "store/clickhouse/pushing.h"

#include "core/clock.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAUSE_MIN_NS (NS_PER_S / 20)
#define PAUSE_MAX_NS (5 * NS_PER_S)

const char *const push_tables[PUSH_TABLES] = {"series", "spellings", "samples", "records"};

void push_write_uuid(struct fleet_uuid u, char text[37]) {
    snprintf(text, 37, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64, u.high >> 32,
             u.high >> 16 & 0xffff, u.high & 0xffff, u.low >> 48, u.low & UINT64_C(0xffffffffffff));
}

/* --- patience ----------------------------------------------------------------------------------------------- */

static bool is_stopped(const struct pushing *p) {
    return p->o->stop && atomic_load(p->o->stop);
}

/* For `ns` more. */
static bool may_go_on(const struct pushing *p, int64_t ns) {
    int64_t then = clock_mono_ns() + ns;
    return !is_stopped(p) && then - p->progress_ns < p->o->patience_ns &&
           (!p->o->until_ns || then < p->o->until_ns);
}

void push_went_on(struct pushing *p) {
    p->progress_ns = clock_mono_ns();
}

/* No request may outlive patience. */
void push_bound_request(struct pushing *p) {
    int64_t left = p->o->patience_ns, until = p->o->until_ns - clock_mono_ns();
    if (p->o->until_ns && until < left)
        left = until;
    p->f.timeout_ns = left > NS_PER_MS ? left : NS_PER_MS;
}

int64_t push_first_pause(const struct pushing *p) {
    return p->o->pause_ns ? p->o->pause_ns : PAUSE_MIN_NS;
}

/* Waits longer each time; false: no more. A try that has next to no time would time out, and that would be told as the reason, not
 * what is wrong there. */
bool push_pause(struct pushing *p, int64_t *pause_ns) {
    if (!may_go_on(p, 0))
        return false;
    int64_t end = clock_mono_ns() + *pause_ns, left;
    while ((left = end - clock_mono_ns()) > 0 && may_go_on(p, 0)) {
        struct timespec t = {0, left < PAUSE_MIN_NS ? left : PAUSE_MIN_NS};
        nanosleep(&t, NULL);
    }
    *pause_ns = *pause_ns * 2 > PAUSE_MAX_NS ? PAUSE_MAX_NS : *pause_ns * 2;
    if (!may_go_on(p, PAUSE_MIN_NS))
        return false;
    p->result->tries++;
    return true;
}

/* What the engine says when it is busy or stops, or when another node of its is or does: later it may go. */
bool push_passes(int code) {
    static const int codes[] = {
        /* busy: too slow, too many queries, at work already, memory, read-only for now, too many parts, no thread, overloaded */
        159, 202, 216, 241, 242, 252, 439, 745,
        /* another node: cut off within a packet, not found, no connection free, slow, network, none at all */
        32, 33, 95, 96, 100, 102, 198, 203, 209, 210, 279,
        /* stops, or is stopped */
        236, 394,
        /* replicas, Keeper */
        225, 285, 286, 319, 999};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (code == codes[i])
            return true;
    return false;
}

enum push_outcome push_give_up(struct pushing *p, const struct err *why) {
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
    int64_t pause = push_first_pause(p);
    for (;;) {
        struct err why = {0};
        int code;
        push_bound_request(p);
        enum fleet_outcome outcome = fleet_try(&p->f, sql, names ? 1 : 0, &table, answer, &code, &why);
        if (outcome == FLEET_OK && (answer->n == 0 || answer->p[answer->n - 1] == '\n'))
            return PUSH_DONE;
        bool hopeless = outcome == FLEET_REFUSED && !push_passes(code);
        if (hopeless)
            fleet_explain(&p->f, code, &why);
        err_set(&why, 0, "%s: no answer", fleet_http_where(p->f.http));
        if (hopeless || !push_pause(p, &pause))
            return push_give_up(p, &why);
    }
}

static enum push_outcome ask_number(struct pushing *p, const char *sql, bool names, uint64_t *number) {
    struct buf answer = {.max = 65536};
    int64_t pause = push_first_pause(p);
    enum push_outcome outcome;
    while ((outcome = push_ask(p, sql, names, &answer)) == PUSH_DONE && answer.n == 0)
        if (!push_pause(p, &pause))
            outcome = push_give_up(p, &(struct err){.text = "the engine counts, but says no number"});
    if (outcome == PUSH_DONE)
        *number = strtoull(answer.p, NULL, 10);
    buf_free(&answer);
    return outcome;
}

enum push_outcome push_count_rows(struct pushing *p, const char *table, uint64_t *n) {
    char push[37], sql[400];
    bool names = strcmp(table, "series") == 0 || strcmp(table, "samples") == 0;
    push_write_uuid(p->push, push);
    snprintf(sql, sizeof sql,
             "SELECT count() FROM %s WHERE %spush = toUUID('%s') AND day = toDate(%u) FORMAT TSV", table,
             names ? "(name, type) IN (SELECT name, type FROM nam) AND " : "", push, p->day);
    return ask_number(p, sql, names, n);
}

/* An INSERT whose answer was lost may still be at work. */
enum push_outcome push_await_end(struct pushing *p, const char *id) {
    char sql[300];
    int64_t pause = push_first_pause(p);
    snprintf(sql, sizeof sql, "SELECT count() FROM system.processes WHERE query_id = '%s' FORMAT TSV", id);
    for (;;) {
        uint64_t n;
        enum push_outcome outcome = ask_number(p, sql, false, &n);
        if (outcome != PUSH_DONE || n == 0)
            return outcome;
        if (!push_pause(p, &pause))
            return push_give_up(p, &(struct err){.text = "an INSERT of this push does not end"});
    }
}

enum push_outcome push_check_counts(struct pushing *p) {
    for (int i = 0; i < PUSH_TABLES; i++) {
        uint64_t have = 0;
        enum push_outcome outcome = p->done[i] ? push_count_rows(p, push_tables[i], &have) : PUSH_DONE;
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
