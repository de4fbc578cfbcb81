/* SQL does equality and order; globs are matched here. Names are asked for by the texts that the globs begin with, which the engine finds
 * by its index; only where a glob begins with a wildcard, all names that there are. */
#include "core/array.h"
#include "core/glob.h"
#include "store/clickhouse/fleet.h"

#include <stdlib.h>

bool fleet_name_matches(const struct filter *f, struct span name) {
    bool matters = f->n_names == 0;
    for (size_t i = 0; i < f->n_names && !matters; i++)
        matters = glob_match(f->names[i], name);
    return matters &&
           (!f->name.p || (glob_is_pattern(f->name) ? glob_match(f->name, name) : span_eq(f->name, name)));
}

bool fleet_tags_match(const struct filter *f, size_t n, const struct span *tags) {
    for (size_t i = 0; i < f->n_tags; i++) {
        bool found = false;
        for (size_t j = 0; j < n && !found; j++)
            found = span_eq(f->tags[i], tags[j]) || glob_match(f->tags[i], tags[j]);
        if (!found)
            return false;
    }
    return true;
}

/* All names of the selection. */
static int load_names(struct fleet_reader *r, struct err *err) {
    if (r->has_names)
        return 0;
    struct fleet_table sel = {"sel", FLEET_SEL, buf_view(&r->sel)};
    size_t cap = 0;
    if (fleet_ask(
            &r->f,
            "SELECT DISTINCT name FROM series WHERE push IN (SELECT push FROM sel) ORDER BY name FORMAT RowBinary",
            1, &sel, &r->names, err) != 0)
        return -1;
    struct taker t = {r->names.p, r->names.p + r->names.n, false};
    while (take_more(&t)) {
        if (!array_room(&r->all_names, r->n_names, &cap, sizeof *r->all_names))
            return err_set(err, 0, "out of memory");
        r->all_names[r->n_names++] = take_text(&t);
    }
    r->has_names = true;
    return t.failed ? fleet_damaged(r, err) : 0;
}

static void add_name(struct fleet_names *names, struct span name) {
    put_text(&names->rows, name);
    names->n++;
}

#define RANGES_MAX 200

static size_t beginning_of(struct span glob) {
    size_t n = 0;
    while (n < glob.n && glob.p[n] != '*' && glob.p[n] != '?')
        n++;
    return n;
}

/* Appends the condition that a name begins so. */
static void add_range(struct buf *sql, struct span beginning) {
    char after[256];
    size_t n = beginning.n;
    buf_str(sql, " OR (name >= ");
    sql_text(sql, beginning);
    while (n > 0 && (unsigned char)beginning.p[n - 1] == 255)
        n--;
    if (n > 0) {
        memcpy(after, beginning.p, n);
        after[n - 1]++;
        buf_str(sql, " AND name < ");
        sql_text(sql, span_of(after, n));
    }
    buf_char(sql, ')');
}

/* The condition for all globs of a filter; false when one may be any name, or when they are too many. */
static bool make_ranges(const struct filter *f, struct buf *sql) {
    size_t n = f->name.p ? 1 : f->n_names;
    const struct span *globs = f->name.p ? &f->name : f->names;
    if (n > RANGES_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t least = beginning_of(globs[i]);
        if (least == 0 || least > 255)
            return false;
        add_range(sql, span_of(globs[i].p, least));
    }
    return !sql->failed;
}

/* The names of the ranges that the filter matches. */
static int find_in_ranges(struct fleet_reader *r, const struct filter *f, const struct buf *ranges,
                          struct fleet_names *names, struct err *err) {
    struct fleet_table sel = {"sel", FLEET_SEL, buf_view(&r->sel)};
    struct buf sql = {.max = 1 << 19}, answer = {0};
    buf_str(&sql, "SELECT DISTINCT name FROM series WHERE push IN (SELECT push FROM sel) AND (0");
    buf_span(&sql, buf_view(ranges));
    buf_str(&sql, ") FORMAT RowBinary");
    int failed =
        sql.failed ? err_set(err, 0, "out of memory") : fleet_ask(&r->f, sql.p, 1, &sel, &answer, err);
    struct taker t = {answer.p, answer.p + answer.n, false};
    while (!failed && take_more(&t)) {
        struct span name = take_text(&t);
        if (!t.failed && fleet_name_matches(f, name))
            add_name(names, name);
    }
    if (!failed && t.failed)
        failed = fleet_damaged(r, err);
    buf_free(&sql);
    buf_free(&answer);
    return failed;
}

int fleet_each_name(struct reader *reader, int (*row)(void *, struct span name), void *arg, struct err *err) {
    struct fleet_reader *r = (struct fleet_reader *)reader;
    if (load_names(r, err) != 0)
        return -1;
    for (size_t i = 0; i < r->n_names; i++)
        if (row(arg, r->all_names[i]) != 0)
            break;
    return 0;
}

static bool any_glob(const struct filter *f) {
    bool glob = f->name.p && glob_is_pattern(f->name);
    if (!f->name.p)
        for (size_t i = 0; i < f->n_names && !glob; i++)
            glob = glob_is_pattern(f->names[i]);
    return glob;
}

/* Those of all names that the filter matches. */
static int find_in_all(struct fleet_reader *r, const struct filter *f, struct fleet_names *names,
                       struct err *err) {
    if (load_names(r, err) != 0)
        return -1;
    for (size_t i = 0; i < r->n_names; i++)
        if (fleet_name_matches(f, r->all_names[i]))
            add_name(names, r->all_names[i]);
    names->all = names->n == r->n_names && names->n > 0;
    return 0;
}

int fleet_names(struct fleet_reader *r, const struct filter *f, struct fleet_names *names, struct err *err) {
    struct buf ranges = {.max = 1 << 18};
    int failed = 0;
    *names = (struct fleet_names){.all = !f->name.p && f->n_names == 0};
    if (names->all)
        return 0;
    if (!any_glob(f)) {
        for (size_t i = 0; i < f->n_names && !f->name.p; i++)
            add_name(names, f->names[i]);
        if (f->name.p)
            add_name(names, f->name);
    } else if (!r->has_names && make_ranges(f, &ranges))
        failed = find_in_ranges(r, f, &ranges, names, err);
    else
        failed = find_in_all(r, f, names, err);
    buf_free(&ranges);
    return !failed && names->rows.failed ? err_set(err, 0, "out of memory") : failed;
}
