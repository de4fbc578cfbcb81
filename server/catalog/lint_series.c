/* Rules that look at one series at a time. */
#include "catalog/lint_private.h"
#include "catalog/normalize.h"
#include "catalog/text.h"
#include "core/array.h"
#include "core/number.h"
#include "judge/evaluate/match.h"

#include <math.h>
#include <stdlib.h>

#define TAGS_MAX    100
#define GROWING_MIN 5 /* samples of a gauge that show a trend */

static const struct span reserved[] = {
    {"host", 4}, {"device", 6}, {"source", 6}, {"service", 7}, {"env", 3}, {"version", 7},
};

/* The tag's number; what is to be known of it is worked out when it is new. */
static size_t tag_number(struct lint *l, struct span tag) {
    size_t known = l->tags.n, i = numbering_put(&l->tags, tag);
    if (i == NUMBERING_NONE || i < known)
        return i;
    if (!array_room(&l->of_tags, i, &l->cap_tags, sizeof *l->of_tags))
        return NUMBERING_NONE;
    struct buf normal = {0};
    struct lint_tag *t = &l->of_tags[i];
    t->normal = normalize_tag(tag, &normal);
    t->normal_text = t->normal ? arena_copy(&l->arena, buf_view(&normal)) : SPAN("");
    t->looks = looks_like(tag_value(tag));
    size_t key = numbering_put(&l->keys, tag_key(tag));
    t->key = (uint32_t)key;
    bool failed = normal.failed || !t->normal_text.p || key == NUMBERING_NONE;
    buf_free(&normal);
    return failed ? NUMBERING_NONE : i;
}

/* The values of this key of this name: how many, and whether some look like identifiers. */
static void count_values(struct lint *l, size_t name, size_t tag) {
    const struct lint_tag *t = &l->of_tags[tag];
    bool added;
    uint32_t *at = table_put(&l->pairs, (uint64_t)name << 32 | t->key, (uint32_t)l->n_by_key, &added);
    if (at && added && l->n_by_key == l->cap_by_key) {
        size_t cap = l->cap_by_key ? 2 * l->cap_by_key : 64;
        struct lint_key *grown = realloc(l->by_key, cap * sizeof *grown);
        if (grown) {
            l->by_key = grown;
            l->cap_by_key = cap;
        } else {
            at = NULL;
        }
    }
    if (!at) {
        l->failed = true;
        return;
    }
    if (added)
        l->by_key[l->n_by_key++] = (struct lint_key){.name = (uint32_t)name, .key = l->keys.list[t->key]};
    struct lint_key *k = &l->by_key[*at];
    bool new_value;
    if (!table_put(&l->seen_values, (uint64_t)name << 32 | tag, 0, &new_value)) {
        l->failed = true;
        return;
    }
    k->distinct += new_value;
    if (k->looks == LOOKS_PLAIN && t->looks != LOOKS_PLAIN) {
        k->looks = t->looks;
        k->example = tag_value(l->tags.list[tag]);
    }
}

/* `what`: of an event or a check, whose tags make no series; NULL: of a metric. */
static void check_tag(struct lint *l, size_t name, struct span raw, const char *what) {
    size_t i = tag_number(l, raw);
    if (i == NUMBERING_NONE) {
        l->failed = true;
        return;
    }
    const struct lint_tag *t = &l->of_tags[i];
    struct span tag = l->tags.list[i];
    if (t->normal & NORMAL_DROPPED)
        lint_note_of(l, LINT_TAG_DROPPED, name, tag, SPAN(""), what);
    else if (t->normal & NORMAL_REWRITTEN)
        lint_note_of(l, LINT_TAG_REWRITTEN, name, tag, t->normal_text, what);
    else if (t->normal & NORMAL_LOWERED)
        lint_note_of(l, LINT_TAG_LOWERCASED, name, tag, t->normal_text, what);
    if (t->normal & NORMAL_CUT && !(t->normal & NORMAL_DROPPED))
        lint_note_of(l, LINT_TAG_TRUNCATED, name, tag, t->normal_text, what);
    for (size_t k = 0; k < sizeof reserved / sizeof reserved[0]; k++)
        if (span_eq(l->keys.list[t->key], reserved[k]))
            lint_note_of(l, LINT_RESERVED_KEY, name, reserved[k], SPAN(""), what);
    if (!what)
        count_values(l, name, i);
}

void lint_tags(struct lint *l, size_t name, size_t n, const struct span *tags, const char *what) {
    for (size_t i = 0; i < n && !l->failed; i++)
        check_tag(l, name, tags[i], what);
}

/* --- tags beside each other ------------------------------------------------------------------------------ */

static bool has_key(struct span tag) {
    return tag.n > 1 && memchr(tag.p + 1, ':', tag.n - 1);
}

/* Sorted tags: those of one key stand together. */
static void check_several_values(struct lint *l, size_t name, const struct series_row *row) {
    for (size_t i = 1; i < row->n_tags; i++) {
        struct span before = row->tags[i - 1], tag = row->tags[i];
        if (!has_key(before) || !has_key(tag) || !span_eq(tag_key(before), tag_key(tag)))
            continue;
        struct buf values = {.max = 1 << 20};
        buf_span(&values, tag_value(before));
        buf_str(&values, " and ");
        buf_span(&values, tag_value(tag));
        lint_note(l, LINT_SEVERAL_VALUES, name, tag_key(tag), buf_view(&values));
        l->failed |= values.failed;
        buf_free(&values);
    }
}

/* "v12" is "a0", "text/html" "a/a": what the parts of one list have in common. Plain words have nothing. */
#define SHAPE_MAX 16
static size_t shape_of(struct span s, char shape[SHAPE_MAX]) {
    size_t n = 0;
    bool plain = true;
    for (size_t i = 0; i < s.n && n < SHAPE_MAX; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
        char kind = (char)(letter ? 'a' : c >= '0' && c <= '9' ? '0' : c);
        plain &= letter || c == '_' || c == '-';
        if (n == 0 || shape[n - 1] != kind)
            shape[n++] = kind;
    }
    return plain ? 0 : n;
}

/* A tag without a key that looks like the value of another one, or that begins with a blank as after "a, b". */
static void check_commas(struct lint *l, size_t name, const struct series_row *row) {
    for (size_t i = 0; i < row->n_tags && row->n_tags <= TAGS_MAX; i++) {
        char shape[SHAPE_MAX], other[SHAPE_MAX];
        struct span tag = row->tags[i];
        size_t n = has_key(tag) ? 0 : shape_of(tag, shape);
        bool blank = tag.n > 0 && *tag.p == ' ';
        for (size_t k = 0; (n > 0 || blank) && k < row->n_tags; k++) {
            if (k == i || !has_key(row->tags[k]))
                continue;
            size_t m = shape_of(tag_value(row->tags[k]), other);
            if (!blank && (m != n || memcmp(shape, other, n) != 0))
                continue;
            lint_note(l, LINT_COMMA_IN_VALUE, name, tag, row->tags[k]);
            break;
        }
    }
}

/* The shortest line that says this: longer than a datagram, it cannot be sent without being cut. */
static uint64_t line_bytes(const struct series_row *row) {
    uint64_t n = row->name.n + 5;
    for (size_t i = 0; i < row->n_tags; i++)
        n += row->tags[i].n + 1;
    return n;
}

static int take_any(void *arg, const struct sample_row *row) {
    (void)row;
    *(bool *)arg = true;
    return 1;
}

/* Whether the gauge fell within what is looked at: its last fall did, and what it fell from lies there too. */
static bool fell(struct lint *l, const struct series_row *row) {
    uint64_t since = l->options->scope.since;
    if (row->fell_id <= since || row->fell_id <= row->first_id)
        return false;
    if (since < row->first_id)
        return true;
    struct filter before = {.series_id = row->id, .since = since, .until = row->fell_id - 1, .limit = 1};
    bool any = false;
    struct err ignored = {0};
    l->failed |= l->reader->ops->samples(l->reader, &before, true, take_any, &any, &ignored) != 0;
    return any;
}

static void check_numbers(struct lint *l, size_t name, const struct series_row *row) {
    struct lint_name *n = &l->of_names[name];
    if (metric_is(row->type, METRIC_POOLED)) {
        n->min = n->measured ? fmin(n->min, row->min) : row->min;
        n->max = n->measured ? fmax(n->max, row->max) : row->max;
        n->measured = true;
    }
    if (metric_is(row->type, METRIC_COUNTED))
        n->least_count = fmin(n->least_count, row->min);
    if (!metric_is(row->type, METRIC_LEVEL))
        return;
    n->gauges++;
    bool added;
    if (row->samples >= GROWING_MIN && row->last == row->max && row->max > row->min &&
        !lint_silent(l, LINT_GROWING_GAUGE, name)) {
        n->growing += !row->fall_known || !fell(l, row);
        if (!row->fall_known)
            l->failed |= !table_put(&l->gauges, row->id, (uint32_t)name, &added);
    }
}

void lint_series(struct lint *l, size_t name, const struct series_row *row) {
    struct lint_name *n = &l->of_names[name];
    n->series += l->first;
    n->samples += row->samples;
    n->types |= 1u << row->type;
    if (match_tells_drops(row->name, row->type)) {
        char number[NUMBER_SIZE];
        number_format(row->sum, number);
        if (row->sum > 0)
            lint_note(l, LINT_CLIENT_DROPS, name, row->name, span_str(number));
    }
    if (span_starts(row->name, TELEMETRY))
        return;
    for (size_t i = 0; i < row->n_tags; i++)
        check_tag(l, name, row->tags[i], NULL);
    check_several_values(l, name, row);
    check_commas(l, name, row);
    if (row->n_tags > TAGS_MAX) {
        char number[NUMBER_SIZE];
        number_format((double)row->n_tags, number);
        lint_note(l, LINT_TOO_MANY_TAGS, name, row->name, span_str(number));
    }
    uint64_t bytes = line_bytes(row);
    if (bytes > n->largest_line)
        n->largest_line = bytes;
    if (bytes > DATAGRAM_AGENT_MAX)
        lint_note(l, LINT_DATAGRAM_8192, name, row->name, SPAN(""));
    else if (bytes > DATAGRAM_PACKET_MAX)
        lint_note(l, LINT_DATAGRAM_1432, name, row->name, SPAN(""));
    check_numbers(l, name, row);
}
