/* SQL does equality; globs are matched here, against all names that there are. */
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
    if (fleet_ask(&r->f,
                  "SELECT DISTINCT name FROM series WHERE push IN (SELECT push FROM sel) FORMAT RowBinary", 1,
                  &sel, &r->names, err) != 0)
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

static bool any_glob(const struct filter *f) {
    bool glob = f->name.p && glob_is_pattern(f->name);
    if (!f->name.p)
        for (size_t i = 0; i < f->n_names && !glob; i++)
            glob = glob_is_pattern(f->names[i]);
    return glob;
}

static void add_name(struct fleet_names *names, struct span name) {
    put_text(&names->rows, name);
    names->n++;
}

int fleet_names(struct fleet_reader *r, const struct filter *f, struct fleet_names *names, struct err *err) {
    *names = (struct fleet_names){.all = !f->name.p && f->n_names == 0};
    if (names->all)
        return 0;
    if (!any_glob(f)) {
        for (size_t i = 0; i < f->n_names && !f->name.p; i++)
            add_name(names, f->names[i]);
        if (f->name.p)
            add_name(names, f->name);
    } else {
        if (load_names(r, err) != 0)
            return -1;
        for (size_t i = 0; i < r->n_names; i++)
            if (fleet_name_matches(f, r->all_names[i]))
                add_name(names, r->all_names[i]);
        names->all = names->n == r->n_names && names->n > 0;
    }
    return names->rows.failed ? err_set(err, 0, "out of memory") : 0;
}
