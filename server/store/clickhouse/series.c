/* DESIGN. Series of one identity in several recordings are one series. The engine brings them together and says of each member what
 * there is to add up; the sum is made here, recording by recording, so that it is the same number each time. Of one recording
 * every series has one member, and its numbers are the recorder's own. */
#include "core/array.h"
#include "core/glob.h"
#include "store/clickhouse/fleet.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char columns[] =
    "SELECT s.session, s.name, s.type, s.tags, s.host, s.device, s.given, min(s.min), max(s.max),"
    " argMax(s.last, (s.last_at, r.ord, s.last_id)), min(s.first_at), max(s.last_at),"
    " min(" FLEET_GID("r.ord", "s.first_id") "), max(" FLEET_GID(
        "r.ord",
        "s.last_id") "), max(s.sampled),"
                     " arraySort(groupArray((" FLEET_GID(
                         "r.ord",
                         "s.id") ", s.samples, s.count, s.sum)))"
                                 " FROM (SELECT push, session, id, name, type, tags, host, device, given, samples, count, sum, min, max, last, first_at, last_at,"
                                 " first_id, last_id, sampled FROM series WHERE push IN (SELECT push FROM sel)";
/* The same without what costs most: the members, and the newest value of each. */
static const char outline[] =
    "SELECT s.session, s.name, s.type, s.tags, s.host, s.device, s.given, min(s.min), max(s.max), max(s.sampled), sum(s.samples), count(),"
    " min(" FLEET_GID(
        "r.ord",
        "s.id") ") FROM (SELECT push, session, id, name, type, tags, host, device, given, samples, min, max, sampled"
                " FROM series WHERE push IN (SELECT push FROM sel)";
static const char grouping[] = ") AS s ALL INNER JOIN (SELECT push, ord FROM sel) AS r USING (push)"
                               " GROUP BY s.session, s.name, s.type, s.tags, s.host, s.device, s.given";

void fleet_found_free(struct fleet_found *found) {
    free(found->list);
    free(found->members);
    buf_free(&found->answer);
    arena_free(&found->spans);
}

static bool take_members(struct fleet_found *found, struct taker *t, struct fleet_series *s) {
    size_t n = take_count(t, 32);
    s->first_member = found->n_members;
    s->n_members = n;
    s->row.samples = 0;
    for (size_t i = 0; i < n; i++) {
        if (!array_room(&found->members, found->n_members, &found->cap_members, sizeof *found->members))
            return false;
        struct fleet_member *m = &found->members[found->n_members++];
        m->gid = take_u64(t);
        m->samples = take_u64(t);
        m->count = take_f64(t);
        m->sum = take_f64(t);
        s->row.samples += m->samples;
        found->seen++;
        s->row.count = i ? s->row.count + m->count : m->count;
        s->row.sum = i ? s->row.sum + m->sum : m->sum;
    }
    s->row.id = n ? found->members[s->first_member].gid : 0;
    return n > 0;
}

static bool take_outline(struct fleet_found *found, struct taker *t, struct series_row *row) {
    row->sampled = take_u8(t) != 0;
    row->samples = take_u64(t);
    found->seen += take_u64(t);
    row->id = row->first_id = row->last_id = take_u64(t);
    row->count = row->sum = row->last = (double)NAN;
    return !t->failed;
}

/* false: out of memory, or no such row. */
static bool take_series(struct fleet_found *found, struct taker *t, struct fleet_series *s) {
    *s = (struct fleet_series){0};
    struct series_row *row = &s->row;
    row->session = take_text(t);
    row->name = take_text(t);
    uint8_t type = take_u8(t);
    row->type = (enum metric_type)type;
    row->n_tags = take_count(t, 1);
    struct span *tags = arena_alloc(&found->spans, (row->n_tags + 1) * sizeof *tags);
    for (size_t i = 0; i < row->n_tags && tags; i++)
        tags[i] = take_text(t);
    row->tags = tags;
    row->host = take_text(t);
    row->device = take_text(t);
    uint8_t given = take_u8(t);
    row->host = given & 1 ? row->host : (struct span){NULL, 0};
    row->device = given & 2 ? row->device : (struct span){NULL, 0};
    row->min = take_f64(t);
    row->max = take_f64(t);
    bool known = tags && type < METRIC_N_TYPES;
    if (found->outline)
        return known && take_outline(found, t, row);
    row->last = take_f64(t);
    row->first_at = take_i64(t);
    row->last_at = take_i64(t);
    row->first_id = take_u64(t);
    row->last_id = take_u64(t);
    row->sampled = take_u8(t) != 0;
    return known && take_members(found, t, s) && !t->failed;
}

static bool is_asked_for(const struct filter *f, const struct fleet_series *s) {
    return (!f->series_id || s->row.id == f->series_id) && s->row.id > f->after_series &&
           (!f->sampled || s->row.sampled) && fleet_name_matches(f, s->row.name) &&
           fleet_tags_match(f, s->row.n_tags, s->row.tags);
}

/* Keeps only series of which a spelling has remarks. */
static int keep_remarked(struct fleet_reader *r, struct fleet_found *found, struct err *err) {
    struct fleet_spelled spelled = {0};
    if (fleet_spell(r, found, 0, found->n, &spelled, err) != 0)
        return -1;
    size_t n = 0, at = 0;
    for (size_t i = 0; i < found->n; i++) {
        bool remarked = false;
        for (; at < spelled.n && spelled.list[at].series == &found->list[i]; at++)
            remarked = remarked || spelled.list[at].remarks.n > 0;
        if (remarked)
            found->list[n++] = found->list[i];
    }
    found->n = n;
    fleet_spelled_free(&spelled);
    return 0;
}

static int take_found(struct fleet_reader *r, const struct filter *f, struct fleet_found *found,
                      struct err *err) {
    struct taker t = {found->answer.p, found->answer.p + found->answer.n, false};
    uint64_t expected = 0;
    while (take_more(&t)) {
        if (!array_room(&found->list, found->n, &found->cap, sizeof *found->list))
            return err_set(err, 0, "out of memory");
        if (!take_series(found, &t, &found->list[found->n]))
            return fleet_damaged(r, err);
        size_t before = found->list[found->n].first_member;
        if (is_asked_for(f, &found->list[found->n]))
            found->n++;
        else
            found->n_members = before;
    }
    if (t.failed)
        return fleet_damaged(r, err);
    for (size_t i = 0; i < r->n; i++)
        expected += r->list[i].n_series;
    if (!f->name.p && !f->n_names && !f->has_type && !f->session.p && !f->series_id &&
        found->seen != expected)
        return err_set(err, 0, "%s gave %" PRIu64 " of %" PRIu64 " series", fleet_http_where(r->f.http),
                       found->seen, expected);
    return 0;
}

void fleet_series_conditions(const struct filter *f, const struct fleet_names *names, struct buf *sql) {
    if (!names->all)
        buf_str(sql, " AND name IN (SELECT name FROM nam)");
    if (f->has_type)
        buf_printf(sql, " AND type = %d", (int)f->type);
    if (f->session.p) {
        buf_str(sql, " AND session = ");
        sql_text(sql, f->session);
    }
}

int fleet_find(struct fleet_reader *r, const struct filter *f, struct fleet_found *found, struct err *err) {
    struct buf sql = {.max = 65536};
    struct fleet_names names;
    *found = (struct fleet_found){0};
    int failed = fleet_names(r, f, &names, err);
    bool of_requests = f->method.p || f->status_to;
    if (!failed && ((!names.all && names.n == 0) || of_requests)) {
        buf_free(&names.rows);
        return 0;
    }
    found->outline = f->outline && !f->since && !f->remarked;
    buf_str(&sql, found->outline ? outline : columns);
    fleet_series_conditions(f, &names, &sql);
    buf_str(&sql, grouping);
    buf_str(&sql, " ORDER BY min(" FLEET_GID("r.ord", "s.id") ") FORMAT RowBinary");
    const struct fleet_table tables[] = {{"sel", FLEET_SEL, buf_view(&r->sel)},
                                         {"nam", "name String", buf_view(&names.rows)}};
    if (!failed)
        failed = fleet_ask(&r->f, sql.p, names.all ? 1 : 2, tables, &found->answer, err);
    if (!failed)
        failed = take_found(r, f, found, err);
    if (!failed && f->remarked)
        failed = keep_remarked(r, found, err);
    buf_free(&sql);
    buf_free(&names.rows);
    if (failed)
        fleet_found_free(found);
    return failed;
}

/* All but the newest, and those within whose rows this was asked. */
static void drop_older(struct fleet_reader *r) {
    for (struct fleet_found **at = &r->found->outer; *at;) {
        struct fleet_found *older = *at;
        if (older->busy) {
            at = &older->outer;
            continue;
        }
        *at = older->outer;
        fleet_found_free(older);
        free(older);
    }
}

/* Who is called may ask for samples of a series by its id: what was found stays at hand. */
int fleet_series(struct reader *reader, const struct filter *f, int (*row)(void *, const struct series_row *),
                 void *arg, struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    struct fleet_found *found = malloc(sizeof *found);
    if (!found)
        return err_set(err, 0, "out of memory");
    if (fleet_find(r, f, found, err) != 0) {
        free(found);
        return -1;
    }
    found->outer = r->found;
    found->busy = true;
    r->found = found;
    uint64_t n = f->limit && f->limit < found->n ? f->limit : found->n;
    size_t from = f->newest ? found->n - (size_t)n : 0;
    for (size_t i = from; i < from + n; i++)
        if (row(arg, &found->list[i].row) != 0)
            break;
    found->busy = false;
    drop_older(r);
    return 0;
}

static const struct fleet_series *look_up(const struct fleet_found *found, uint64_t id) {
    size_t low = 0, high = found->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (found->list[middle].row.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < found->n && found->list[low].row.id == id ? &found->list[low] : NULL;
}

const struct fleet_series *fleet_known(const struct fleet_reader *r, uint64_t id,
                                       const struct fleet_found **found) {
    const struct fleet_series *s = NULL;
    for (const struct fleet_found *known = r->found; known && !s; known = known->outer)
        if (!known->outline) {
            s = look_up(known, id);
            *found = known;
        }
    return s;
}

/* Adds a copy that stands alone. */
static bool copy_series(const struct fleet_found *from, const struct fleet_series *s,
                        struct fleet_found *found) {
    for (size_t i = 0; i < s->n_members; i++) {
        if (!array_room(&found->members, found->n_members, &found->cap_members, sizeof *found->members))
            return false;
        found->members[found->n_members++] = from->members[s->first_member + i];
    }
    if (!array_room(&found->list, found->n, &found->cap, sizeof *found->list))
        return false;
    struct fleet_series *copy = &found->list[found->n++];
    *copy = *s;
    copy->first_member = found->n_members - s->n_members;
    struct series_row *row = &copy->row;
    row->tags = arena_copy_list(&found->spans, row->n_tags, row->tags);
    row->name = arena_copy(&found->spans, row->name);
    row->session = arena_copy(&found->spans, row->session);
    row->host = arena_copy(&found->spans, row->host);
    row->device = arena_copy(&found->spans, row->device);
    return !found->spans.failed;
}

/* The name of the series that has this id in its first recording; p == NULL: there is none. */
static int find_name(struct fleet_reader *r, uint64_t id, struct buf *answer, struct span *name,
                     struct err *err) {
    char sql[200];
    *name = (struct span){NULL, 0};
    if (id >> FLEET_ID_BITS >= r->n)
        return 0;
    struct fleet_table sel = {"sel", FLEET_SEL, span_of(r->sel.p + (id >> FLEET_ID_BITS) * 20, 20)};
    snprintf(sql, sizeof sql,
             "SELECT DISTINCT name FROM series WHERE push IN (SELECT push FROM sel) AND id = %" PRIu64
             " FORMAT RowBinary",
             id & ((UINT64_C(1) << FLEET_ID_BITS) - 1));
    if (fleet_ask(&r->f, sql, 1, &sel, answer, err) != 0)
        return -1;
    struct taker t = {answer->p, answer->p + answer->n, false};
    if (take_more(&t))
        *name = take_text(&t);
    return t.failed ? fleet_damaged(r, err) : 0;
}

/* That one alone, of which nothing was found before. */
static int find_alone(struct fleet_reader *r, uint64_t id, struct fleet_found *found, struct err *err) {
    struct buf answer = {0};
    struct filter f = {.series_id = id};
    struct span name;
    int failed = find_name(r, id, &answer, &name, err);
    if (!failed && name.p && !glob_is_pattern(name)) {
        f.n_names = 1;
        f.names = &name;
    }
    if (!failed && name.p)
        failed = fleet_find(r, &f, found, err);
    buf_free(&answer);
    return failed;
}

int fleet_find_on(struct fleet_reader *r, uint64_t id, uint64_t samples, struct fleet_found *found,
                  struct err *err) {
    *found = (struct fleet_found){0};
    for (const struct fleet_found *known = r->found; known && found->n == 0; known = known->outer) {
        if (known->outline)
            continue;
        const struct fleet_series *s = look_up(known, id), *end = known->list + known->n;
        for (uint64_t n = 0; s && s < end && (found->n == 0 || n + s->row.samples <= samples); s++) {
            n += s->row.samples;
            if (!copy_series(known, s, found)) {
                fleet_found_free(found);
                return err_set(err, 0, "out of memory");
            }
        }
    }
    return found->n ? 0 : find_alone(r, id, found, err);
}

int fleet_find_one(struct fleet_reader *r, uint64_t id, struct fleet_found *found, struct err *err) {
    return fleet_find_on(r, id, 0, found, err);
}

int fleet_find_for(struct fleet_reader *r, const struct filter *f, struct fleet_found *found,
                   struct err *err) {
    bool alone = f->series_id && !f->name.p && !f->n_names && !f->session.p && !f->has_type && !f->n_tags &&
                 !f->sampled && !f->remarked;
    return alone ? fleet_find_one(r, f->series_id, found, err) : fleet_find(r, f, found, err);
}
