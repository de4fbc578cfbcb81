/* metadata.csv, as the integrations of Datadog ship it. */
#include "catalog/catalog.h"
#include "catalog/csv.h"
#include "core/distance.h"
#include "core/number.h"

#define COLUMNS(X)                                                                                           \
    X(COLUMN_NAME, "metric_name")                                                                            \
    X(COLUMN_TYPE, "metric_type")                                                                            \
    X(COLUMN_INTERVAL, "interval")                                                                           \
    X(COLUMN_UNIT, "unit_name")                                                                              \
    X(COLUMN_PER_UNIT, "per_unit_name")                                                                      \
    X(COLUMN_DESCRIPTION, "description")                                                                     \
    X(COLUMN_ORIENTATION, "orientation")                                                                     \
    X(COLUMN_INTEGRATION, "integration")                                                                     \
    X(COLUMN_SHORT_NAME, "short_name")                                                                       \
    X(COLUMN_CURATED, "curated_metric")                                                                      \
    X(COLUMN_SAMPLE_TAGS, "sample_tags")

enum column {
#define X(id, name) id,
    COLUMNS(X)
#undef X
        COLUMN_N
};

static const struct span column_names[] = {
#define X(id, name) [id] = {name, sizeof name - 1},
    COLUMNS(X)
#undef X
};

struct csv_catalog {
    struct catalog *catalog;
    const char *file;
    bool has_header;
    size_t n_columns;
    int place[COLUMN_N]; /* which field holds the column; -1: none */
};

static int read_header(struct csv_catalog *s, const struct csv_row *row, struct catalog_error *error) {
    for (int c = 0; c < COLUMN_N; c++)
        s->place[c] = -1;
    for (size_t i = 0; i < row->n; i++) {
        struct span name = row->fields[i];
        int c = 0;
        while (c < COLUMN_N && !span_eq(name, column_names[c]))
            c++;
        if (c == COLUMN_N) {
            struct span near = nearest_word(name, COLUMN_N, column_names);
            return catalog_fail(error, s->file, row->lines[i], row->columns[i],
                                "unknown column \"%.*s\"%s%.*s%s", SPAN_ARG(name),
                                near.p ? ": did you mean \"" : "", SPAN_ARG(near), near.p ? "\"?" : "");
        }
        if (s->place[c] >= 0)
            return catalog_fail(error, s->file, row->lines[i], row->columns[i],
                                "the column \"%.*s\" is there twice", SPAN_ARG(name));
        s->place[c] = (int)i;
    }
    for (int c = COLUMN_NAME; c <= COLUMN_TYPE; c++)
        if (s->place[c] < 0)
            return catalog_fail(error, s->file, row->line, 1, "the column \"%.*s\" is missing",
                                SPAN_ARG(column_names[c]));
    s->has_header = true;
    s->n_columns = row->n;
    return 0;
}

static struct span field_of(const struct csv_catalog *s, const struct csv_row *row, enum column c) {
    return s->place[c] < 0 ? SPAN("") : row->fields[s->place[c]];
}

static int bad_field(const struct csv_catalog *s, const struct csv_row *row, enum column c,
                     const char *expected, struct catalog_error *error) {
    size_t i = (size_t)s->place[c];
    return catalog_fail(error, s->file, row->lines[i], row->columns[i], "%.*s is \"%.*s\": expected %s",
                        SPAN_ARG(column_names[c]), SPAN_ARG(row->fields[i]), expected);
}

static int read_numbers(const struct csv_catalog *s, const struct csv_row *row, struct catalog_entry *e,
                        struct catalog_error *error) {
    int64_t n;
    struct span interval = field_of(s, row, COLUMN_INTERVAL),
                orientation = field_of(s, row, COLUMN_ORIENTATION);
    if (interval.n) {
        if (number_parse_int(interval, &n) != NUMBER_OK || n < 0)
            return bad_field(s, row, COLUMN_INTERVAL, "a number of seconds, or nothing", error);
        e->has_interval = true;
        e->interval = n;
    }
    if (orientation.n) {
        if (number_parse_int(orientation, &n) != NUMBER_OK || n < -1 || n > 1)
            return bad_field(s, row, COLUMN_ORIENTATION, "-1, 0, 1 or nothing", error);
        e->has_orientation = true;
        e->orientation = (int)n;
    }
    return 0;
}

static int read_texts(const struct csv_catalog *s, const struct csv_row *row, struct catalog_entry *e,
                      struct catalog_error *error) {
    struct {
        enum column column;
        struct span *target;
    } texts[] = {
        {COLUMN_NAME, &e->name},
        {COLUMN_UNIT, &e->unit},
        {COLUMN_PER_UNIT, &e->per_unit},
        {COLUMN_DESCRIPTION, &e->description},
        {COLUMN_CURATED, &e->curated_metric},
        {COLUMN_INTEGRATION, &e->integration},
        {COLUMN_SHORT_NAME, &e->short_name},
        {COLUMN_SAMPLE_TAGS, &e->sample_tags},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct span field = field_of(s, row, texts[i].column);
        if (field.n == 0)
            continue;
        *texts[i].target = arena_copy(&s->catalog->arena, field);
        if (!texts[i].target->p)
            return catalog_fail(error, s->file, 0, 0, "out of memory");
    }
    return 0;
}

static int read_row(void *arg, const struct csv_row *row, struct catalog_error *error) {
    struct csv_catalog *s = arg;
    if (!s->has_header)
        return read_header(s, row, error);
    if (row->n != s->n_columns)
        return catalog_fail(error, s->file, row->line, 1, "%zu fields where the header has %zu", row->n,
                            s->n_columns);
    struct catalog_entry e = {.file = s->file, .line = row->line, .column = 1};
    struct span type = field_of(s, row, COLUMN_TYPE), name = field_of(s, row, COLUMN_NAME);
    int t = metric_type_of(type);
    if (name.n == 0 || name.n > CATALOG_NAME_MAX)
        return bad_field(s, row, COLUMN_NAME, "a name of at most 4096 bytes", error);
    if (t < 0)
        return bad_field(s, row, COLUMN_TYPE, "one of" METRIC_TYPES(METRIC_SPACE_WORD), error);
    e.types = 1u << t;
    if (read_numbers(s, row, &e, error) || read_texts(s, row, &e, error))
        return -1;
    return catalog_add(s->catalog, &e)
               ? 0
               : catalog_fail(error, s->file, row->line, 1, "more than %d metrics", CATALOG_ENTRIES_MAX);
}

int catalog_read_csv(struct catalog *c, const char *file, struct span text, struct catalog_error *error) {
    struct csv_catalog s = {.catalog = c, .file = file};
    if (csv_read(text, file, read_row, &s, error))
        return -1;
    if (!s.has_header)
        return catalog_fail(error, file, 1, 1,
                            "an empty catalog: expected the header metric_name,metric_type,…");
    return 0;
}
