/* The catalog: which metrics a program means to emit, with type, unit and tags.
 *
 * Two formats: Datadog's metadata.csv as integrations ship it, and JSON (schema/catalog.schema.json;
 * statwit-catalog(5)) that can say more and include other files of both formats.
 *
 *     catalog_load -> catalog_find, by name -> verify.h, lint.h
 *     catalog_read -> catalog_write                     (fmt, convert: one document, includes left alone)
 *
 * Ownership: a catalog owns all its strings; catalog_free gives everything back.
 * Threads: a loaded catalog is read-only: any number of threads.
 * Errors: NULL and struct catalog_error with file, line, column and JSON path.
 * Limits: CATALOG_* below.
 * Source: fixtures/catalog (the columns of real metadata.csv files).
 */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include "catalog/error.h"
#include "catalog/memory.h"
#include "core/err.h"
#include "core/metric.h"

#include <stdint.h>

#define CATALOG_FILE_MAX    (32u << 20) /* bytes of one file */
#define CATALOG_FILES_MAX   256         /* with all includes */
#define CATALOG_DEPTH_MAX   16          /* includes within includes */
#define CATALOG_ENTRIES_MAX 500000
#define CATALOG_NAME_MAX    4096    /* bytes of a name or glob */
#define CATALOG_STEPS_MAX   4000000 /* that the different patterns of one file unfold to; some 200 MB */

enum catalog_presence { TAG_OPTIONAL, TAG_REQUIRED, TAG_FORBIDDEN };

/* Spans with p == NULL were not given. */
struct catalog_tag {
    struct span key;
    enum catalog_presence presence;
    size_t n_values;
    struct span *values; /* allowed ones, globs; with n_values == 0 and no pattern: any */
    struct span pattern_text;
    const struct pattern *pattern;
    uint64_t max_values; /* 0: any number */
    struct span description, comment;
};

struct catalog_range {
    bool given; /* then missing bounds are -Inf and +Inf */
    double min, max;
};

enum catalog_tristate { UNSAID, SAID_NO, SAID_YES };

struct catalog_entry {
    struct span name; /* holds a `*` or `?`: a family */
    bool family;
    unsigned types; /* bit 1u << enum metric_type; 0: any */
    struct span unit, per_unit, description, integration, short_name, curated_metric, sample_tags, owner,
        comment;
    bool has_interval, has_orientation;
    int64_t interval;
    int orientation; /* -1, 0, 1 */
    size_t n_tags;
    struct catalog_tag *tags;
    enum catalog_tristate other_tags; /* UNSAID: allowed unless the entry lists tags */
    struct catalog_range sample_rate, value;
    uint64_t max_series; /* 0: any number */
    bool deprecated;
    struct span replacement;
    uint64_t silenced; /* bit 1 << enum lint_rule */
    const char *file;  /* "" when read from memory without a name */
    size_t line, column;
};

struct catalog {
    struct arena arena;
    size_t n_entries, cap_entries;
    struct catalog_entry *entries; /* in the order of the files */
    size_t n_tags;
    struct catalog_tag *tags; /* of every metric; an entry's own of the same key wins */
    uint64_t silenced;
    struct span comment;
    size_t n_includes; /* as written, of the document itself */
    struct span *includes;
    size_t *include_lines, *include_columns; /* where each is written */
    struct catalog_index *index;
};

/* Reads a file for an include. Returns bytes that catalog_load frees, or NULL with err. Refuse more than
 * CATALOG_FILE_MAX bytes. `path` is the includer's folder + what the include says, without "./" and "a/..".
 */
typedef char *catalog_open_fn(void *arg, const char *path, size_t *n, struct err *err);
/* From the file system; arg unused. */
char *catalog_open_file(void *arg, const char *path, size_t *n, struct err *err);
/* Where an include leads: dir/of/base.json + ../x.csv = dir/x.csv. base NULL: the path alone, in that form. Followed by a
 * NUL; p == NULL: out of memory. */
struct span catalog_path(struct arena *arena, const char *base, struct span path);

/* All files and what they include, as one. The same name twice: what one leaves open the other may say; if
 * they contradict each other, it is an error that names both places. */
struct catalog *catalog_load(size_t n, const char *const *paths, catalog_open_fn *open, void *arg,
                             struct catalog_error *error);
/* One document, its includes not followed. Text that starts with { is JSON, all else CSV. */
struct catalog *catalog_read(const char *file, struct span text, struct catalog_error *error);
void catalog_free(struct catalog *c);

/* The entry for a name: the exact one, else the family with the most literal bytes, else NULL. Needs
 * catalog_load. */
const struct catalog_entry *catalog_find(const struct catalog *c, struct span name);
/* The same; adds the steps it took, for those who bound the work of many look-ups. */
const struct catalog_entry *catalog_find_counted(const struct catalog *c, struct span name, uint64_t *steps);
bool catalog_other_tags(const struct catalog_entry *entry);
/* Whether a series of this type is what was declared. A count and a rate are one to Datadog. */
bool catalog_type_fits(const struct catalog_entry *entry, enum metric_type type);
/* "count", "count or gauge", "any" */
void catalog_types_print(const struct catalog_entry *entry, const char *between, struct buf *out);

enum catalog_format { CATALOG_JSON, CATALOG_CSV };
/* The canonical text. CSV leaves out what it has no column for: returns how many entries lost something.
 * `sorted`: entries in order of their names, else as they were. */
size_t catalog_write(const struct catalog *c, enum catalog_format format, bool sorted, struct buf *out);

/* --- for the parts that build catalogs ------------------------------------------------------------------- */

/* Adds a copy of the struct (its spans must already be in the arena). NULL when full or out of memory. */
struct catalog_entry *catalog_add(struct catalog *c, const struct catalog_entry *entry);
/* One more document of either format; `includes` becomes what it includes. `file` must live as long as the
 * catalog. */
int catalog_read_text(struct catalog *c, const char *file, struct span text, struct catalog_error *error);
int catalog_read_json(struct catalog *c, const char *file, struct span text, struct catalog_error *error);
int catalog_read_csv(struct catalog *c, const char *file, struct span text, struct catalog_error *error);
/* Merges entries of the same name, then makes catalog_find work. */
int catalog_finish(struct catalog *c, struct catalog_error *error);

#endif
