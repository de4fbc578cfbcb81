/* A JSON catalog into entries: what the fields of each level mean. How they are read: json_fields.h. */
#include "catalog/json_fields.h"

#include "catalog/position.h"
#include "catalog/rules.h"
#include "core/array.h"
#include "core/pattern.h"
#include <stdlib.h>

/* --- an entry -------------------------------------------------------------------------------------------- */

static int read_type_word(struct json_reader *r, json_t *v, unsigned *types) {
    struct span word = span_of(json_string_value(v), json_string_length(v));
    int type = json_is_string(v) ? metric_type_of(word) : -1;
    if (type < 0)
        return json_complain(r, 0, "expected one of" METRIC_TYPES(METRIC_SPACE_WORD));
    *types |= 1u << type;
    return 0;
}

static int read_types(struct json_reader *r, json_t *v, void *target) {
    unsigned *types = target;
    if (!json_is_array(v))
        return read_type_word(r, v, types);
    if (json_array_size(v) == 0)
        return json_complain(r, 0, "no type at all: leave the field out where any will do");
    for (size_t i = 0; i < json_array_size(v); i++) {
        json_enter(r, i, (struct span){NULL, 0});
        if (read_type_word(r, json_array_get(v, i), types))
            return -1;
        json_leave(r);
    }
    return 0;
}

static int read_interval(struct json_reader *r, json_t *v, void *target) {
    struct catalog_entry *e = target;
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return json_complain(r, 0, "expected a number of seconds");
    e->has_interval = true;
    e->interval = json_integer_value(v);
    return 0;
}

static int read_orientation(struct json_reader *r, json_t *v, void *target) {
    struct catalog_entry *e = target;
    if (!json_is_integer(v) || json_integer_value(v) < -1 || json_integer_value(v) > 1)
        return json_complain(r, 0, "expected -1, 0 or 1");
    e->has_orientation = true;
    e->orientation = (int)json_integer_value(v);
    return 0;
}

static int read_tristate(struct json_reader *r, json_t *v, void *target) {
    if (!json_is_boolean(v))
        return json_complain(r, 0, "expected true or false, found %s", json_kind_of(v));
    *(enum catalog_tristate *)target = json_is_true(v) ? SAID_YES : SAID_NO;
    return 0;
}

static int read_deprecated(struct json_reader *r, json_t *v, void *target) {
    struct catalog_entry *e = target;
    if (!json_is_string(v) && !json_is_boolean(v))
        return json_complain(r, 0, "expected the name to use instead, or true");
    e->deprecated = !json_is_false(v);
    return json_is_string(v) ? json_read_text(r, v, &e->replacement) : 0;
}

static int read_silence(struct json_reader *r, json_t *v, void *target) {
    uint64_t *silenced = target;
    size_t n;
    struct span *names;
    if (json_read_texts(r, v, &names, &n))
        return -1;
    for (size_t i = 0; i < n; i++) {
        int rule = lint_rule_of(names[i]);
        json_enter(r, i, (struct span){NULL, 0});
        if (rule < 0)
            return json_complain(r, 0, "no lint rule is called \"%.*s\"", SPAN_ARG(names[i]));
        json_leave(r);
        *silenced |= UINT64_C(1) << rule;
    }
    return 0;
}

static int read_presence_word(struct json_reader *r, json_t *v, void *target) {
    static const char *const words[] = {"optional", "required", "forbidden"};
    for (int i = 0; json_is_string(v) && i < 3; i++) {
        if (strcmp(json_string_value(v), words[i]) == 0) {
            *(enum catalog_presence *)target = (enum catalog_presence)i;
            return 0;
        }
    }
    return json_complain(r, 0, "expected required, optional or forbidden");
}

static int read_values(struct json_reader *r, json_t *v, void *target) {
    struct catalog_tag *tag = target;
    if (json_read_texts(r, v, &tag->values, &tag->n_values))
        return -1;
    return tag->n_values ? 0
                         : json_complain(r, 0, "no value at all is allowed: write \"forbidden\" for that");
}

static int read_pattern(struct json_reader *r, json_t *v, void *target) {
    struct catalog_tag *tag = target;
    if (json_read_text(r, v, &tag->pattern_text))
        return -1;
    size_t known = r->patterns.n, i = numbering_put(&r->patterns, tag->pattern_text);
    if (i == NUMBERING_NONE || !array_room(&r->compiled, i, &r->cap_compiled, sizeof(const struct pattern *)))
        return json_no_memory(r);
    if (i == known) {
        struct pattern_error why = {0};
        r->compiled[i] = pattern_compile(&r->catalog->arena, tag->pattern_text, &why);
        if (!r->compiled[i])
            return json_complain(r, 0, "byte %zu of the pattern: %s", why.offset + 1, why.message);
        r->n_steps += pattern_size(r->compiled[i]);
    }
    if (r->n_steps > CATALOG_STEPS_MAX)
        return json_complain(r, 0, "all patterns of this file unfold to more than the limit of %d steps",
                             CATALOG_STEPS_MAX);
    tag->pattern = r->compiled[i];
    return 0;
}

static int read_tag(struct json_reader *r, json_t *v, struct catalog_tag *tag) {
    static const struct json_field fields[] = {
        {"presence", read_presence_word, offsetof(struct catalog_tag, presence)},
        {"values", read_values, 0},
        {"pattern", read_pattern, 0},
        {"max_values", json_read_size, offsetof(struct catalog_tag, max_values)},
        {"description", json_read_text, offsetof(struct catalog_tag, description)},
        {"comment", json_read_text, offsetof(struct catalog_tag, comment)},
    };
    if (json_is_string(v))
        return read_presence_word(r, v, &tag->presence);
    if (json_read_fields(r, v, fields, sizeof fields / sizeof fields[0], tag))
        return -1;
    if (tag->n_values && tag->pattern)
        return json_complain(r, 0, "values and pattern contradict each other: give one of them");
    if (tag->presence == TAG_FORBIDDEN && (tag->n_values || tag->pattern || tag->max_values))
        return json_complain(r, 0, "a forbidden tag cannot have rules for its values");
    return 0;
}

struct tag_list {
    size_t n;
    struct catalog_tag *tags;
};

static int read_tags(struct json_reader *r, json_t *v, struct tag_list *list) {
    if (!json_is_object(v))
        return json_complain(r, 0, "expected an object with a member for each tag key, found %s",
                             json_kind_of(v));
    list->tags = memory_take(&r->catalog->arena, (json_object_size(v) + 1) * sizeof *list->tags);
    if (!list->tags)
        return json_no_memory(r);
    for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it)) {
        struct span key = span_of(json_object_iter_key(it), json_object_iter_key_len(it));
        struct catalog_tag *tag = &list->tags[list->n];
        json_enter(r, list->n++, key);
        tag->key = arena_copy(&r->catalog->arena, key);
        if (!tag->key.p)
            return json_no_memory(r);
        if (memchr(key.p, ':', key.n))
            return json_complain(
                r, 0, "a tag key ends at the first colon: write {\"key\": {\"values\": [\"value\"]}}");
        if (read_tag(r, json_object_iter_value(it), tag))
            return -1;
        json_leave(r);
    }
    return 0;
}

static int read_entry_tags(struct json_reader *r, json_t *v, void *target) {
    struct catalog_entry *e = target;
    struct tag_list list = {0};
    if (read_tags(r, v, &list))
        return -1;
    e->n_tags = list.n;
    e->tags = list.tags;
    if (e->other_tags == UNSAID)
        e->other_tags = SAID_NO;
    return 0;
}

#define TEXT(field)                                                                                          \
    { #field, json_read_text, offsetof(struct catalog_entry, field) }
static const struct json_field entry_fields[] = {
    {"type", read_types, offsetof(struct catalog_entry, types)},
    TEXT(unit),
    TEXT(per_unit),
    TEXT(description),
    {"orientation", read_orientation, 0},
    {"interval", read_interval, 0},
    TEXT(integration),
    TEXT(short_name),
    TEXT(curated_metric),
    TEXT(sample_tags),
    {"tags", read_entry_tags, 0},
    {"other_tags", read_tristate, offsetof(struct catalog_entry, other_tags)},
    {"sample_rate", json_read_range, offsetof(struct catalog_entry, sample_rate)},
    {"value", json_read_range, offsetof(struct catalog_entry, value)},
    {"max_series", json_read_size, offsetof(struct catalog_entry, max_series)},
    {"deprecated", read_deprecated, 0},
    TEXT(owner),
    {"silence", read_silence, offsetof(struct catalog_entry, silenced)},
    TEXT(comment),
};

static int read_entry(struct json_reader *r, struct span name, json_t *v, size_t line, size_t column) {
    struct catalog_entry e = {.file = r->file, .line = line, .column = column};
    if (name.n == 0)
        return json_complain(r, 0, "a metric needs a name");
    if (name.n > CATALOG_NAME_MAX)
        return json_complain(r, 0, "a name of more than %d bytes", CATALOG_NAME_MAX);
    e.name = arena_copy(&r->catalog->arena, name);
    if (!e.name.p)
        return json_no_memory(r);
    if (json_read_fields(r, v, entry_fields, sizeof entry_fields / sizeof entry_fields[0], &e))
        return -1;
    if (e.sample_rate.given && (e.sample_rate.min > 1 || e.sample_rate.max <= 0))
        return json_complain(r, 0, "a sample rate is above 0 and at most 1");
    if (e.replacement.p && span_eq(e.replacement, e.name))
        return json_complain(r, 0, "a metric cannot replace itself");
    return catalog_add(r->catalog, &e)
               ? 0
               : catalog_fail(r->error, r->file, line, column, "more than %d metrics", CATALOG_ENTRIES_MAX);
}

/* --- the document ---------------------------------------------------------------------------------------- */

static int read_metrics(struct json_reader *r, json_t *v, void *target) {
    (void)target;
    if (!json_is_object(v))
        return json_complain(r, 0, "expected an object with a member for each metric, found %s",
                             json_kind_of(v));
    size_t n = json_object_size(v);
    size_t *offsets = calloc(n + 1, sizeof *offsets);
    if (!offsets)
        return json_no_memory(r);
    position_children(r->text, position_find(r->text, 1, &r->way[0].ordinal), n, offsets);
    struct position_line line = {1, 0, 0};
    int result = 0;
    size_t k = 0;
    for (void *it = json_object_iter(v); it && result == 0; it = json_object_iter_next(v, it)) {
        struct span name = span_of(json_object_iter_key(it), json_object_iter_key_len(it));
        size_t column = position_column(&line, r->text, offsets[k]);
        json_enter(r, k++, name);
        result = read_entry(r, name, json_object_iter_value(it), line.line, column);
        if (result == 0)
            json_leave(r);
    }
    free(offsets);
    return result;
}

static int read_top_tags(struct json_reader *r, json_t *v, void *target) {
    struct catalog *c = target;
    struct tag_list list = {0};
    if (read_tags(r, v, &list))
        return -1;
    struct catalog_tag *all = memory_take(&c->arena, (c->n_tags + list.n + 1) * sizeof *all);
    if (!all)
        return json_no_memory(r);
    if (c->n_tags)
        memcpy(all, c->tags, c->n_tags * sizeof *all);
    if (list.n)
        memcpy(all + c->n_tags, list.tags, list.n * sizeof *all);
    c->tags = all;
    c->n_tags += list.n;
    return 0;
}

static int read_includes(struct json_reader *r, json_t *v, void *target) {
    struct catalog *c = target;
    if (json_array_size(v) > CATALOG_FILES_MAX)
        return json_complain(r, 0, "more than %d includes", CATALOG_FILES_MAX);
    if (json_read_texts(r, v, &c->includes, &c->n_includes))
        return -1;
    size_t n = c->n_includes;
    c->include_lines = memory_take(&c->arena, (n + 1) * sizeof *c->include_lines);
    c->include_columns = memory_take(&c->arena, (n + 1) * sizeof *c->include_columns);
    if (!c->include_lines || !c->include_columns)
        return json_no_memory(r);
    size_t *offsets = c->include_columns;
    struct position_line line = {1, 0, 0};
    position_children(r->text, position_find(r->text, 1, &r->way[0].ordinal), n, offsets);
    for (size_t i = 0; i < n; i++) {
        c->include_columns[i] = position_column(&line, r->text, offsets[i]);
        c->include_lines[i] = line.line;
    }
    return 0;
}

static const struct json_field top_fields[] = {
    {"$schema", json_read_nothing, 0},
    {"comment", json_read_text, offsetof(struct catalog, comment)},
    {"include", read_includes, 0},
    {"tags", read_top_tags, 0},
    {"silence", read_silence, offsetof(struct catalog, silenced)},
    {"metrics", read_metrics, 0},
};

int catalog_read_json(struct catalog *c, const char *file, struct span text, struct catalog_error *error) {
    if (span_starts(text, SPAN("\xef\xbb\xbf")))
        text = span_from(text, 3);
    json_error_t why;
    json_t *document = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!document)
        return catalog_fail(error, file, why.line > 0 ? (size_t)why.line : 0,
                            why.column > 0 ? (size_t)why.column : 0, "%s", why.text);
    struct json_reader r = {.catalog = c, .file = file, .text = text, .error = error};
    c->n_includes = 0;
    int result = json_read_fields(&r, document, top_fields, sizeof top_fields / sizeof top_fields[0], c);
    if (result == 0 && !json_object_get(document, "metrics") && !json_object_get(document, "include"))
        result = json_complain(&r, 0, "a catalog has \"metrics\", or at least \"include\"");
    json_decref(document);
    numbering_free(&r.patterns);
    free(r.compiled);
    return result;
}
