#include "core/array.h"
#include "core/glob.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/vals.h"
#include <errno.h>
#include <stdlib.h>

int rows_tags(struct rows_tags *t, struct span json, struct err *err) {
    t->n = 0;
    t->text.max = ROWS_TEXT_MAX;
    buf_clear(&t->text);
    if (!buf_reserve(&t->text, json.n)) /* no tag is longer unquoted: the bytes will not move */
        return err_set(err, ENOMEM, "cannot read the recording");
    if (json.n < 2 || json.p[0] != '[' || json.p[json.n - 1] != ']')
        return rows_damaged(err);
    for (size_t at = 1; at < json.n - 1;) {
        size_t start = t->text.n, n = vals_unquote(span_from(json, at), &t->text);
        if (n == 0)
            return rows_damaged(err);
        if (!array_room(&t->tags, t->n, &t->cap, sizeof *t->tags))
            return err_set(err, ENOMEM, "cannot read the recording");
        t->tags[t->n++] = span_of(t->text.p + start, t->text.n - start);
        at += n;
        if (at < json.n - 1 && json.p[at++] != ',')
            return rows_damaged(err);
    }
    return 0;
}

void rows_tags_free(struct rows_tags *t) {
    free(t->tags);
    buf_free(&t->text);
    *t = (struct rows_tags){0};
}

static void condition(struct rows_where *w, const char *text) {
    buf_str(&w->sql, w->sql.n ? " AND " : " WHERE ");
    buf_str(&w->sql, text);
}

static void number_condition(struct rows_where *w, const char *column, const char *op, uint64_t number) {
    condition(w, column);
    buf_printf(&w->sql, " %s ?%d", op, w->n + 1);
    w->numbers[w->n++] = (int64_t)number;
}

static void text_condition(struct rows_where *w, const char *column, const char *op, struct span text) {
    condition(w, column);
    buf_printf(&w->sql, " %s ?%d", op, w->n + 1);
    w->texts[w->n++] = text;
}

/* A name without wildcards is looked up, one with a fixed beginning is looked up by that. */
static void name_condition(struct rows_where *w, const char *column, struct span name) {
    if (!glob_is_pattern(name)) {
        text_condition(w, column, "=", name);
        return;
    }
    size_t n = 0;
    while (n < name.n && name.p[n] != '*' && name.p[n] != '?')
        n++;
    if (n == 0 || n > sizeof w->bound || (unsigned char)name.p[n - 1] == 0xff)
        return;
    memcpy(w->bound, name.p, n);
    w->bound[n - 1] = (char)((unsigned char)w->bound[n - 1] + 1);
    text_condition(w, column, ">=", span_of(name.p, n));
    text_condition(w, column, "<", span_of(w->bound, n));
}

void rows_where(struct rows_where *w, const struct filter *f, const struct rows_columns *c) {
    *w = (struct rows_where){.sql.max = 4096};
    w->nothing = (f->name.p && !c->name) || (f->has_type && !c->type) || (f->n_tags > 0 && !c->has_tags) ||
                 (f->has_source && !c->source) || (f->series_id && !c->series_id) ||
                 (f->remarked && !c->remarks) || (f->sampled && !c->sampled) || (f->method.p && !c->method) ||
                 (f->status_to && !c->status);
    if (w->nothing)
        return;
    if (f->since && !c->all_ids)
        number_condition(w, c->id, ">", f->since);
    if (f->until && !c->all_ids)
        number_condition(w, c->id, "<=", f->until);
    if (f->name.p)
        name_condition(w, c->name, f->name);
    if (f->session.p) {
        bool by_name = f->name.p && !glob_is_pattern(f->name); /* the better index then, */
        condition(w, by_name && !(c->has_names && f->has_type) ? "+"
                                                               : ""); /* unless there is one of all three */
        buf_printf(&w->sql, "%s = (SELECT id FROM session WHERE name = ?%d)", c->session_id, w->n + 1);
        w->texts[w->n++] = f->session;
    }
    if (f->method.p)
        text_condition(w, c->method, "=", f->method);
    if (f->status_to) {
        number_condition(w, c->status, ">=", (uint64_t)f->status_from);
        number_condition(w, c->status, "<=", (uint64_t)f->status_to);
    }
    if (f->has_type)
        number_condition(w, c->type, "=", (uint64_t)f->type);
    if (f->has_source)
        number_condition(w, c->source, "=", (uint64_t)f->source);
    if (f->series_id)
        number_condition(w, c->series_id, "=", f->series_id);
    if (f->remarked) {
        condition(w, c->remarks);
        buf_str(&w->sql, " IS NOT NULL");
    }
    if (f->sampled)
        number_condition(w, c->sampled, "=", 1);
    if (f->after_series && c->series_id)
        number_condition(w, c->series_id, ">", f->after_series);
}

void rows_where_bind(const struct rows_where *w, sqlite3_stmt *stmt) {
    for (int i = 0; i < w->n; i++) {
        if (w->texts[i].p)
            db_bind_span(stmt, i + 1, w->texts[i]);
        else
            sqlite3_bind_int64(stmt, i + 1, w->numbers[i]);
    }
}

#define NAMES_TRIED 16 /* of more names that matter, those who asked try each */

bool rows_name_matches(const struct filter *f, struct span name) {
    bool matters = f->n_names == 0 || f->n_names > NAMES_TRIED;
    for (size_t i = 0; i < f->n_names && !matters; i++)
        matters = glob_match(f->names[i], name);
    return matters && (!f->name.p || !glob_is_pattern(f->name) || glob_match(f->name, name));
}

bool rows_tags_match(const struct filter *f, const struct rows_tags *tags) {
    for (size_t i = 0; i < f->n_tags; i++) {
        bool found = false;
        for (size_t j = 0; j < tags->n && !found; j++)
            found = span_eq(f->tags[i], tags->tags[j]) || glob_match(f->tags[i], tags->tags[j]);
        if (!found)
            return false;
    }
    return true;
}

int rows_one_type(struct rows *r, struct filter *f, struct err *err) {
    if (!f->name.p || glob_is_pattern(f->name) || !f->session.p || f->has_type)
        return 0;
    sqlite3_stmt *stmt = rows_statement(
        r,
        "SELECT (SELECT min(type) FROM metric INDEXED BY metric_name WHERE name = ?1 AND session_id = s.id),"
        " (SELECT max(type) FROM metric INDEXED BY metric_name WHERE name = ?1 AND session_id = s.id)"
        " FROM session s WHERE s.name = ?2",
        err);
    if (!stmt)
        return -1;
    db_bind_span(stmt, 1, f->name);
    db_bind_span(stmt, 2, f->session);
    int got = db_row(r->db, stmt, err), low = -1, high = -1;
    if (got == 1 && sqlite3_column_type(stmt, 0) != SQLITE_NULL) {
        low = sqlite3_column_int(stmt, 0);
        high = sqlite3_column_int(stmt, 1);
    }
    rows_done(r, stmt);
    f->has_type = low >= 0 && low == high && low < METRIC_N_TYPES;
    f->type = f->has_type ? (enum metric_type)low : f->type;
    return got < 0 ? -1 : 0;
}
