/* Catalogs as text, always the same for the same catalog. */
#include "catalog/catalog.h"
#include "catalog/csv.h"
#include "catalog/rules.h"
#include "core/json.h"

#include <math.h>
#include <stdlib.h>

/* A JSON text with two blanks for each level; `first` says whether a comma is needed. */
struct writer {
    struct buf *out;
    size_t level;
    bool first;
};

static void next_line(struct writer *w) {
    if (!w->first)
        buf_char(w->out, ',');
    buf_char(w->out, '\n');
    for (size_t i = 0; i < w->level; i++)
        buf_str(w->out, "  ");
    w->first = false;
}

static void put_key(struct writer *w, struct span key) {
    next_line(w);
    json_put_string(w->out, key);
    buf_str(w->out, ": ");
}

static void put_open(struct writer *w) {
    buf_char(w->out, '{');
    w->level++;
    w->first = true;
}

static void put_close(struct writer *w) {
    w->level--;
    if (!w->first) {
        buf_char(w->out, '\n');
        for (size_t i = 0; i < w->level; i++)
            buf_str(w->out, "  ");
    }
    buf_char(w->out, '}');
    w->first = false;
}

static void put_text(struct writer *w, const char *key, struct span text) {
    if (!text.p)
        return;
    put_key(w, span_str(key));
    json_put_string(w->out, text);
}

static void put_integer(struct writer *w, const char *key, int64_t n) {
    put_key(w, span_str(key));
    buf_printf(w->out, "%lld", (long long)n);
}

static void put_size(struct writer *w, const char *key, uint64_t n) {
    if (n)
        put_integer(w, key, (int64_t)n);
}

static void put_texts(struct writer *w, const char *key, size_t n, const struct span *list) {
    if (n == 0)
        return;
    put_key(w, span_str(key));
    buf_char(w->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_str(w->out, ", ");
        json_put_string(w->out, list[i]);
    }
    buf_char(w->out, ']');
}

static void put_range(struct writer *w, const char *key, const struct catalog_range *range) {
    if (!range->given)
        return;
    put_key(w, span_str(key));
    buf_char(w->out, '{');
    if (isfinite(range->min)) {
        buf_str(w->out, "\"min\": ");
        json_put_number(w->out, range->min);
    }
    if (isfinite(range->max)) {
        buf_str(w->out, isfinite(range->min) ? ", \"max\": " : "\"max\": ");
        json_put_number(w->out, range->max);
    }
    buf_char(w->out, '}');
}

static void put_silence(struct writer *w, uint64_t silenced) {
    struct span names[LINT_N];
    size_t n = 0;
    for (int rule = 0; rule < LINT_N; rule++)
        if (silenced >> rule & 1)
            names[n++] = span_str(lint_rule_info((enum lint_rule)rule)->name);
    put_texts(w, "silence", n, names);
}

static void put_types(struct writer *w, const struct catalog_entry *e) {
    if (e->types == 0)
        return;
    bool several = (e->types & (e->types - 1)) != 0;
    put_key(w, SPAN("type"));
    buf_str(w->out, several ? "[\"" : "\"");
    catalog_types_print(e, "\", \"", w->out);
    buf_str(w->out, several ? "\"]" : "\"");
}

static void put_tags(struct writer *w, size_t n, const struct catalog_tag *tags) {
    static const char *const presence[] = {"optional", "required", "forbidden"};
    put_key(w, SPAN("tags"));
    put_open(w);
    for (size_t i = 0; i < n; i++) {
        const struct catalog_tag *t = &tags[i];
        put_key(w, t->key);
        if (!t->n_values && !t->pattern && !t->max_values && !t->description.p && !t->comment.p) {
            json_put_string(w->out, span_str(presence[t->presence]));
            continue;
        }
        put_open(w);
        put_text(w, "presence", span_str(presence[t->presence]));
        put_texts(w, "values", t->n_values, t->values);
        put_text(w, "pattern", t->pattern_text);
        put_size(w, "max_values", t->max_values);
        put_text(w, "description", t->description);
        put_text(w, "comment", t->comment);
        put_close(w);
    }
    put_close(w);
}

static void put_entry(struct writer *w, const struct catalog_entry *e) {
    put_key(w, e->name);
    put_open(w);
    put_types(w, e);
    put_text(w, "unit", e->unit);
    put_text(w, "per_unit", e->per_unit);
    put_text(w, "description", e->description);
    if (e->has_orientation)
        put_integer(w, "orientation", e->orientation);
    if (e->has_interval)
        put_integer(w, "interval", e->interval);
    put_text(w, "integration", e->integration);
    put_text(w, "short_name", e->short_name);
    put_text(w, "curated_metric", e->curated_metric);
    put_text(w, "sample_tags", e->sample_tags);
    if (e->n_tags || e->other_tags == SAID_NO)
        put_tags(w, e->n_tags, e->tags);
    if (e->other_tags == SAID_YES) {
        put_key(w, SPAN("other_tags"));
        buf_str(w->out, "true");
    }
    put_range(w, "sample_rate", &e->sample_rate);
    put_range(w, "value", &e->value);
    put_size(w, "max_series", e->max_series);
    if (e->deprecated && !e->replacement.p) {
        put_key(w, SPAN("deprecated"));
        buf_str(w->out, "true");
    }
    put_text(w, "deprecated", e->replacement);
    put_text(w, "owner", e->owner);
    put_silence(w, e->silenced);
    put_text(w, "comment", e->comment);
    put_close(w);
}

static void write_json(const struct catalog *c, const struct catalog_entry *const *entries, struct buf *out) {
    struct writer w = {.out = out};
    put_open(&w);
    put_text(&w, "comment", c->comment);
    put_texts(&w, "include", c->n_includes, c->includes);
    if (c->n_tags)
        put_tags(&w, c->n_tags, c->tags);
    put_silence(&w, c->silenced);
    put_key(&w, SPAN("metrics"));
    put_open(&w);
    for (size_t i = 0; i < c->n_entries; i++)
        put_entry(&w, entries[i]);
    put_close(&w);
    put_close(&w);
    buf_char(out, '\n');
}

/* --- metadata.csv ---------------------------------------------------------------------------------------- */

static bool csv_loses(const struct catalog_entry *e) {
    return (e->types & (e->types - 1)) != 0 || e->types == 0 || e->n_tags || e->other_tags != UNSAID ||
           e->sample_rate.given || e->value.given || e->max_series || e->deprecated || e->owner.p ||
           e->silenced || e->comment.p;
}

static void csv_number(struct buf *out, bool given, int64_t n) {
    if (given)
        buf_printf(out, "%lld", (long long)n);
    buf_char(out, ',');
}

static void csv_text(struct buf *out, struct span text) {
    csv_field(out, text);
    buf_char(out, ',');
}

static size_t write_csv(const struct catalog *c, const struct catalog_entry *const *entries,
                        struct buf *out) {
    size_t lost = 0;
    bool samples = false;
    for (size_t i = 0; i < c->n_entries; i++)
        samples |= entries[i]->sample_tags.p != NULL;
    buf_str(out,
            "metric_name,metric_type,interval,unit_name,per_unit_name,description,orientation,integration,"
            "short_name,curated_metric");
    buf_str(out, samples ? ",sample_tags\n" : "\n");
    for (size_t i = 0; i < c->n_entries; i++) {
        const struct catalog_entry *e = entries[i];
        lost += csv_loses(e);
        int type = e->types ? __builtin_ctz(e->types) : METRIC_GAUGE;
        csv_text(out, e->name);
        csv_text(out, span_str(metric_word((enum metric_type)type)));
        csv_number(out, e->has_interval, e->interval);
        csv_text(out, e->unit);
        csv_text(out, e->per_unit);
        csv_text(out, e->description);
        csv_number(out, e->has_orientation, e->orientation);
        csv_text(out, e->integration);
        csv_text(out, e->short_name);
        csv_field(out, e->curated_metric);
        if (samples) {
            buf_char(out, ',');
            csv_field(out, e->sample_tags);
        }
        buf_char(out, '\n');
    }
    return lost;
}

static int by_name(const void *a, const void *b) {
    const struct catalog_entry *const *x = a, *const *y = b;
    return span_cmp((*x)->name, (*y)->name);
}

size_t catalog_write(const struct catalog *c, enum catalog_format format, bool sorted, struct buf *out) {
    const struct catalog_entry **entries = malloc((c->n_entries + 1) * sizeof *entries);
    size_t lost = 0;
    if (!entries) {
        out->failed = true;
        return 0;
    }
    for (size_t i = 0; i < c->n_entries; i++)
        entries[i] = &c->entries[i];
    if (sorted && c->n_entries)
        qsort(entries, c->n_entries, sizeof(const struct catalog_entry *), by_name);
    if (format == CATALOG_JSON)
        write_json(c, entries, out);
    else
        lost = write_csv(c, entries, out);
    free(entries);
    return lost;
}
