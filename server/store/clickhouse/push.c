#include "store/clickhouse/pushing.h"

#include "core/clock.h"
#include "core/random.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ATTEMPTS 5 /* pushes that are begun anew before it gives up */

static struct fleet_uuid uuid_of(const char hex[33]) {
    char half[17] = "";
    memcpy(half, hex, 16);
    return (struct fleet_uuid){strtoull(half, NULL, 16), strtoull(hex + 16, NULL, 16)};
}

/* --- inserting ---------------------------------------------------------------------------------------------- */

/* Of `n` rows to be added to `before`, whose INSERT had no clear answer. *there: all of them have arrived. */
static enum push_outcome find_out(struct pushing *p, const char *table, const char *id, uint64_t before,
                                  uint64_t n, bool *there) {
    uint64_t have = 0;
    enum push_outcome outcome = push_await_end(p, id);
    if (outcome == PUSH_DONE)
        outcome = push_count_rows(p, table, &have);
    *there =
        have == before + n || (have > 0 && strcmp(table, "recordings") == 0); /* twice is no harm there */
    if (outcome == PUSH_DONE && !*there && have != before)
        return PUSH_AGAIN;
    return outcome;
}

static enum push_outcome insert(struct pushing *p, const char *table, unsigned block, uint64_t before) {
    char push[37], id[80];
    int64_t pause = push_first_pause(p);
    if (p->rows.failed) {
        err_set(p->err, 0, "out of memory");
        return PUSH_FAILED;
    }
    push_write_uuid(p->push, push);
    snprintf(id, sizeof id, "%s-%s-%u", push, table, block);
    for (;;) {
        struct err why = {0};
        int code;
        bool there = false;
        push_bound_request(p);
        enum fleet_outcome answered = fleet_insert(&p->f, table, id, buf_view(&p->rows), &code, &why);
        if (answered == FLEET_OK) {
            push_went_on(p);
            return PUSH_DONE;
        }
        if (answered == FLEET_REFUSED && !push_passes(code)) {
            fleet_explain(&p->f, code, &why);
            return push_give_up(p, &why);
        }
        if (!push_pause(p, &pause))
            return push_give_up(p, &why);
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
    int64_t pause = push_first_pause(p);
    for (;;) {
        struct err why = {0};
        int code = 0;
        push_bound_request(p);
        enum fleet_outcome outcome = p->o->init ? fleet_create(&p->f, p->o->cluster, &code, &why) : FLEET_OK;
        if (outcome == FLEET_OK)
            outcome = fleet_greet(&p->f, &code, &why);
        if (outcome == FLEET_OK) {
            push_went_on(p);
            return PUSH_DONE;
        }
        if ((outcome == FLEET_REFUSED && !push_passes(code)) || !push_pause(p, &pause))
            return push_give_up(p, &why);
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
    push_went_on(p);
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
