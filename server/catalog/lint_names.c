/* Rules that need all series of a name, or all names and keys. */
#include "catalog/lint_private.h"
#include "catalog/normalize.h"
#include "catalog/text.h"
#include "core/number.h"
#include "judge/evaluate/match.h"

#include <math.h>
#include <stdlib.h>

/* --- names ----------------------------------------------------------------------------------------------- */

static void check_spelling(struct lint *l, size_t i, struct numbering *normals, struct table *first) {
    struct span name = l->names.list[i];
    struct buf normal = {0};
    unsigned how = normalize_name(name, &normal);
    if (how & NORMAL_CUT)
        lint_note(l, LINT_NAME_TOO_LONG, i, name, SPAN(""));
    else if (how & NORMAL_DROPPED)
        lint_note(l, LINT_NAME_DROPPED, i, name, SPAN(""));
    else if (how)
        lint_note(l, LINT_NAME_REWRITTEN, i, name, buf_view(&normal));
    if (!(how & NORMAL_DROPPED)) {
        size_t number = numbering_put(normals, buf_view(&normal));
        bool added = false;
        uint32_t *other = number == NUMBERING_NONE ? NULL : table_put(first, number, (uint32_t)i, &added);
        if (other && !added)
            lint_note(l, LINT_NAME_COLLISION, i, l->names.list[*other], buf_view(&normal));
        l->failed |= !other;
    }
    l->failed |= normal.failed;
    buf_free(&normal);
}

static void check_types(struct lint *l, size_t i) {
    unsigned types = l->of_names[i].types;
    if ((types & (types - 1)) == 0)
        return;
    struct catalog_entry e = {.types = types};
    struct buf words = {0};
    catalog_types_print(&e, ", ", &words);
    lint_note(l, LINT_MIXED_TYPES, i, l->names.list[i], buf_view(&words));
    buf_free(&words);
}

enum unit {
    UNIT_NONE,
    UNIT_MILLISECONDS,
    UNIT_OTHER_TIME,
    UNIT_DURATION,
    UNIT_BYTES,
    UNIT_SHARE,
    UNIT_TOTAL
};

/* What the last word of a name promises: api.response_time, db.query.ms, cache.hit_ratio, … */
static enum unit unit_of(struct span name, struct span *word) {
    static const struct {
        const char *word;
        enum unit unit;
    } units[] = {
        {"ms", UNIT_MILLISECONDS},
        {"msec", UNIT_MILLISECONDS},
        {"millis", UNIT_MILLISECONDS},
        {"millisecond", UNIT_MILLISECONDS},
        {"milliseconds", UNIT_MILLISECONDS},
        {"s", UNIT_OTHER_TIME},
        {"sec", UNIT_OTHER_TIME},
        {"secs", UNIT_OTHER_TIME},
        {"second", UNIT_OTHER_TIME},
        {"seconds", UNIT_OTHER_TIME},
        {"us", UNIT_OTHER_TIME},
        {"usec", UNIT_OTHER_TIME},
        {"microseconds", UNIT_OTHER_TIME},
        {"ns", UNIT_OTHER_TIME},
        {"nsec", UNIT_OTHER_TIME},
        {"nanoseconds", UNIT_OTHER_TIME},
        {"minutes", UNIT_OTHER_TIME},
        {"hours", UNIT_OTHER_TIME},
        {"duration", UNIT_DURATION},
        {"latency", UNIT_DURATION},
        {"elapsed", UNIT_DURATION},
        {"bytes", UNIT_BYTES},
        {"byte", UNIT_BYTES},
        {"kb", UNIT_BYTES},
        {"mb", UNIT_BYTES},
        {"percent", UNIT_SHARE},
        {"pct", UNIT_SHARE},
        {"percentage", UNIT_SHARE},
        {"ratio", UNIT_SHARE},
        {"total", UNIT_TOTAL},
        {"count", UNIT_TOTAL},
    };
    size_t from = name.n;
    while (from > 0 && name.p[from - 1] != '.' && name.p[from - 1] != '_' && name.p[from - 1] != '-')
        from--;
    *word = span_from(name, from);
    for (size_t i = 0; from > 0 && i < sizeof units / sizeof units[0]; i++)
        if (span_eq(*word, span_str(units[i].word)))
            return units[i].unit;
    return UNIT_NONE;
}

/* NULL: no contradiction. */
static const char *contradiction(enum unit unit, enum metric_type type) {
    bool counts = metric_is(type, METRIC_TOTAL | METRIC_TEXT);
    if (metric_is(type, METRIC_MILLISECONDS) && unit == UNIT_OTHER_TIME)
        return "a timing is in milliseconds";
    if (metric_is(type, METRIC_MILLISECONDS) &&
        (unit == UNIT_BYTES || unit == UNIT_SHARE || unit == UNIT_TOTAL))
        return "a timing is a duration";
    if (counts && (unit == UNIT_MILLISECONDS || unit == UNIT_OTHER_TIME || unit == UNIT_DURATION))
        return "a duration is a timing, histogram or distribution";
    if (counts && unit == UNIT_SHARE)
        return "a share cannot be added up";
    if (metric_is(type, METRIC_TEXT) && unit == UNIT_BYTES)
        return "a set counts different values";
    return NULL;
}

static void check_unit(struct lint *l, size_t i) {
    struct span word;
    enum unit unit = unit_of(l->names.list[i], &word);
    for (int type = 0; unit != UNIT_NONE && type < METRIC_N_TYPES; type++) {
        const char *why =
            l->of_names[i].types >> type & 1 ? contradiction(unit, (enum metric_type)type) : NULL;
        if (why)
            lint_note(l, LINT_UNIT_TYPE, i, word, span_str(why));
    }
}

static void note_number(struct lint *l, enum lint_rule rule, size_t i, double value) {
    char number[NUMBER_SIZE];
    number_format(value, number);
    lint_note(l, rule, i, l->names.list[i], span_str(number));
}

/* Values of a quarter or 1.5 are no milliseconds that somebody would measure; whole ones may be. */
#define SECONDS_MAX 10.0

static void check_values(struct lint *l, size_t i) {
    const struct lint_name *n = &l->of_names[i];
    if (n->least_count < 0)
        note_number(l, LINT_NEGATIVE_COUNT, i, n->least_count);
    if (n->measured && n->min == 0 && n->max == 0)
        note_number(l, LINT_CONSTANT_ZERO, i, 0);
    bool fractions = n->max != floor(n->max) || n->min != floor(n->min);
    if (n->measured && n->types & metric_types_that_are(METRIC_MILLISECONDS) && n->min >= 0 && n->max > 0 &&
        n->max < SECONDS_MAX && fractions)
        note_number(l, LINT_SECONDS_TIMING, i, n->max);
    if (n->gauges && n->growing == n->gauges)
        lint_note(l, LINT_GROWING_GAUGE, i, l->names.list[i], SPAN(""));
}

void lint_names(struct lint *l) {
    struct numbering normals = {0};
    struct table first = {0};
    for (size_t i = 0; i < l->names.n && !l->failed; i++) {
        if (l->of_names[i].types == 0 || span_starts(l->names.list[i], TELEMETRY))
            continue; /* an event, a check, what was only refused */
        check_spelling(l, i, &normals, &first);
        check_types(l, i);
        check_unit(l, i);
        check_values(l, i);
    }
    numbering_free(&normals);
    table_free(&first);
}

/* --- keys ------------------------------------------------------------------------------------------------ */

static void check_identifiers(struct lint *l, const struct lint_key *k) {
    if (k->looks == LOOKS_PLAIN)
        return;
    struct buf text = {0};
    buf_printf(&text, "%s (%.*s): %llu different value%s in this recording", looks_word(k->looks),
               (int)(k->example.n < 80 ? k->example.n : 80), k->example.p, (unsigned long long)k->distinct,
               k->distinct == 1 ? "" : "s");
    lint_note(l, LINT_IDENTIFIER_TAG, k->name, k->key, buf_view(&text));
    l->failed |= text.failed;
    buf_free(&text);
}

/* userId, user-id, USER_ID: userid */
static size_t fold(struct span key, char *out, size_t cap) {
    size_t n = 0;
    for (size_t i = 0; i < key.n && n < cap; i++) {
        char c = key.p[i];
        if (c != '_' && c != '-' && c != '.')
            out[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return n;
}

struct spelling {
    struct numbering folded;
    struct table first; /* folded to the key that came first */
};

static void check_key_spelling(struct lint *l, const struct lint_key *k, struct spelling *s) {
    char text[256];
    size_t n = fold(k->key, text, sizeof text), number = numbering_put(&s->folded, span_of(text, n));
    size_t key = numbering_get(&l->keys, k->key);
    bool added;
    uint32_t *other = number == NUMBERING_NONE ? NULL : table_put(&s->first, number, (uint32_t)key, &added);
    l->failed |= !other;
    if (other && n && *other != key)
        lint_note(l, LINT_KEY_SPELLING, k->name, k->key, l->keys.list[*other]);
}

void lint_keys(struct lint *l) {
    struct spelling spelling = {0};
    for (size_t i = 0; i < l->n_by_key && !l->failed; i++) {
        check_identifiers(l, &l->by_key[i]);
        check_key_spelling(l, &l->by_key[i], &spelling);
    }
    numbering_free(&spelling.folded);
    table_free(&spelling.first);
}
