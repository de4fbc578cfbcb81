#include "catalog/infer.h"

#include "catalog/looks.h"
#include "catalog/numbering.h"
#include "catalog/text.h"
#include "core/array.h"
#include "core/pattern.h"
#include "judge/evaluate/match.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

struct infer_key {
    uint32_t name;
    struct span key;
    uint64_t series, last_series; /* that have it; the last one of them */
    uint64_t samples;             /* of those series */
    bool is_tag;                  /* of some series; else only a field, which need not be declared */
    unsigned looks;               /* bit 1u << enum looks */
    struct table values;          /* all, by hash */
    size_t n_listed;
    struct span listed[INFER_VALUES_MAX];
};

struct infer_name {
    unsigned types;
    uint64_t series, samples;
};

struct infer {
    const struct scope *scope;
    struct catalog *catalog; /* its arena holds all text */
    struct numbering names, keys;
    size_t cap_names;
    struct infer_name *of_names;
    struct table pairs;
    size_t n_by_key, cap_by_key;
    struct infer_key **by_key;
    const struct pattern *patterns[LOOKS_N]; /* NULL: not compiled yet */
    bool failed, too_many;
};

static struct infer_key *key_of(struct infer *in, size_t name, struct span key) {
    size_t number = numbering_put(&in->keys, key);
    bool added;
    uint32_t *at = number == NUMBERING_NONE
                       ? NULL
                       : table_put(&in->pairs, (uint64_t)name << 32 | number, (uint32_t)in->n_by_key, &added);
    if (!at)
        return NULL;
    if (!added)
        return in->by_key[*at];
    if (!array_room(&in->by_key, in->n_by_key, &in->cap_by_key, sizeof *in->by_key))
        return NULL;
    struct infer_key *k = memory_take(&in->catalog->arena, sizeof *k);
    if (!k)
        return NULL;
    k->name = (uint32_t)name;
    k->key = in->keys.list[number];
    in->by_key[in->n_by_key++] = k;
    return k;
}

/* is_tag: else the host or device of the series, which verify looks at like a tag of that key. */
static int take_value(struct infer *in, size_t name, const struct series_row *row, struct span key,
                      struct span value, bool is_tag) {
    struct arena *arena = &in->catalog->arena;
    if (!text_is_clean(key))
        key = text_clean(arena, key);
    struct infer_key *k = key_of(in, name, key);
    if (!k)
        return -1;
    k->is_tag |= is_tag;
    if (k->last_series != row->id) {
        k->series++;
        k->samples += row->samples;
    }
    k->last_series = row->id;
    if (!text_is_clean(value))
        value = text_clean(arena, value);
    bool added;
    if (!value.p || !table_put(&k->values, XXH3_64bits(value.n ? value.p : "", value.n), 0, &added))
        return -1;
    if (!added)
        return 0;
    k->looks |= 1u << looks_like(value);
    if (k->n_listed < INFER_VALUES_MAX)
        k->listed[k->n_listed++] = arena_copy(arena, value);
    return 0;
}

static size_t take_name(struct infer *in, struct span name) {
    if (!text_is_clean(name))
        name = text_clean(&in->catalog->arena, name);
    if (!name.p)
        return NUMBERING_NONE;
    struct buf family = {0}; /* of a name that no catalog can hold */
    if (name.n > CATALOG_NAME_MAX) {
        size_t n = CATALOG_NAME_MAX / 2;
        while (n && ((unsigned char)name.p[n] & 0xc0) == 0x80) /* at the start of a character */
            n--;
        buf_add(&family, name.p, n);
        buf_char(&family, '*');
        name = buf_view(&family);
    }
    size_t known = in->names.n, i = family.failed ? NUMBERING_NONE : numbering_put(&in->names, name);
    buf_free(&family);
    if (i == NUMBERING_NONE || i < known)
        return i;
    if (!array_room(&in->of_names, i, &in->cap_names, sizeof *in->of_names))
        return NUMBERING_NONE;
    in->of_names[i] = (struct infer_name){0};
    return i;
}

static int take_series(void *arg, const struct series_row *row) {
    struct infer *in = arg;
    if (!scope_holds(in->scope, row) || span_starts(row->name, TELEMETRY))
        return 0;
    size_t name = take_name(in, row->name);
    in->failed |= name == NUMBERING_NONE;
    for (size_t i = 0; i < row->n_tags && !in->failed; i++)
        in->failed = take_value(in, name, row, tag_key(row->tags[i]), tag_value(row->tags[i]), true) != 0;
    if (row->host.p && !in->failed)
        in->failed = take_value(in, name, row, SPAN("host"), row->host, false) != 0;
    if (row->device.p && !in->failed)
        in->failed = take_value(in, name, row, SPAN("device"), row->device, false) != 0;
    if (in->failed)
        return 1;
    in->of_names[name].types |= 1u << row->type;
    in->of_names[name].series++;
    in->of_names[name].samples += row->samples;
    return 0;
}

/* --- the catalog -------------------------------------------------------------------------------------------------- */

static struct span print(struct infer *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

static struct span print(struct infer *in, const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct span copy = arena_copy(&in->catalog->arena, span_str(text));
    in->failed |= !copy.p;
    return copy;
}

/* "1 sample", "3 samples" */
#define COUNTED(n, word) (unsigned long long)(n), (n) == 1 ? word : word "s"

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* A list of values is a claim that there are no others: not after a few samples. */
static void generalise(struct infer *in, struct infer_key *k, struct catalog_tag *tag) {
    size_t n = k->values.n;
    int looks = __builtin_ctz(k->looks);
    bool alike = k->looks == 1u << looks;
    if (alike && looks != LOOKS_PLAIN) {
        struct pattern_error why;
        tag->pattern_text = span_str(looks_pattern((enum looks)looks));
        if (!in->patterns[looks])
            in->patterns[looks] = pattern_compile(&in->catalog->arena, tag->pattern_text, &why);
        tag->pattern = in->patterns[looks];
        in->failed |= !tag->pattern;
        tag->comment =
            print(in, "guessed: each of the %llu different %s looks like an identifier", COUNTED(n, "value"));
    } else if (n > INFER_VALUES_MAX || !alike) {
        tag->comment =
            print(in, "guessed: any value will do, %llu different ones were seen", (unsigned long long)n);
    } else if (k->samples < INFER_SAMPLES_MIN) {
        tag->comment = print(in, "guessed: any value will do, as there %s only %llu %s",
                             k->samples == 1 ? "was" : "were", COUNTED(k->samples, "sample"));
    } else {
        qsort(k->listed, k->n_listed, sizeof *k->listed, by_bytes);
        tag->n_values = k->n_listed;
        tag->values = k->listed;
        tag->comment =
            print(in, "guessed: no other value was seen in %llu %s", COUNTED(k->samples, "sample"));
    }
}

static int by_name_and_key(const void *a, const void *b) {
    const struct infer_key *const *x = a, *const *y = b;
    if ((*x)->name != (*y)->name)
        return (*x)->name < (*y)->name ? -1 : 1;
    return span_cmp((*x)->key, (*y)->key);
}

static int add_entry(struct infer *in, size_t name, size_t first_key, size_t n_keys) {
    struct catalog *c = in->catalog;
    const struct infer_name *known = &in->of_names[name];
    struct catalog_entry e = {.name = arena_copy(&c->arena, in->names.list[name]),
                              .types = known->types,
                              .file = "",
                              .other_tags = SAID_NO};
    e.tags = memory_take(&c->arena, n_keys * sizeof *e.tags);
    if (!e.name.p || !e.tags)
        return -1;
    for (size_t i = 0; i < n_keys; i++) {
        struct infer_key *k = in->by_key[first_key + i];
        if (!k->is_tag)
            continue;
        struct catalog_tag *tag = &e.tags[e.n_tags++];
        tag->key = arena_copy(&c->arena, k->key);
        tag->presence = k->series == known->series ? TAG_REQUIRED : TAG_OPTIONAL;
        generalise(in, k, tag);
    }
    if (known->types & (known->types - 1))
        e.comment = SPAN("guessed: sent as several types; one of them is probably a mistake");
    else
        e.comment = print(in, "guessed from %llu %s of %llu series", COUNTED(known->samples, "sample"),
                          (unsigned long long)known->series);
    if (c->n_entries == CATALOG_ENTRIES_MAX) {
        in->too_many = true;
        return -1;
    }
    return catalog_add(c, &e) ? 0 : -1;
}

static int add_entries(struct infer *in) {
    if (in->n_by_key)
        qsort(in->by_key, in->n_by_key, sizeof(struct infer_key *), by_name_and_key);
    size_t key = 0;
    for (size_t i = 0; i < in->names.n; i++) {
        size_t first = key;
        while (key < in->n_by_key && in->by_key[key]->name == i)
            key++;
        if (add_entry(in, i, first, key - first))
            return -1;
    }
    return 0;
}

static int by_entry(const void *a, const void *b) {
    return span_cmp(((const struct catalog_entry *)a)->name, ((const struct catalog_entry *)b)->name);
}

struct catalog *catalog_infer(const struct scope *scope, struct reader *reader, struct err *err) {
    struct infer in = {.scope = scope, .catalog = calloc(1, sizeof *in.catalog)};
    struct filter filter = {
        .session = scope_session(scope), .name = scope->name, .outline = scope->since == 0};
    struct catalog_error wrong = {0};
    int failed = in.catalog ? reader->ops->series(reader, &filter, take_series, &in, err) : -1;
    if (!failed && !in.failed)
        failed = add_entries(&in);
    if (!failed && !in.failed && in.catalog->n_entries)
        qsort(in.catalog->entries, in.catalog->n_entries, sizeof *in.catalog->entries, by_entry);
    if (!failed && !in.failed)
        failed = catalog_finish(in.catalog, &wrong);
    for (size_t i = 0; i < in.n_by_key; i++)
        table_free(&in.by_key[i]->values);
    numbering_free(&in.names);
    numbering_free(&in.keys);
    table_free(&in.pairs);
    free(in.of_names);
    free(in.by_key);
    if (!failed && !in.failed)
        return in.catalog;
    catalog_free(in.catalog);
    if (in.too_many)
        err_set(err, 0, "more metrics than a catalog can hold: %d", CATALOG_ENTRIES_MAX);
    err_set(err, 0, "%s", wrong.set ? wrong.message : "out of memory");
    return NULL;
}
