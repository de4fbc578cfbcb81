/* Private to the DogStatsD decoder: what its parts share.
 *
 * Each family has a decoder (metric.c, event.c, check.c). It takes the line's stops in order (stops.h), reads the fields that
 * only its family has, and passes every other field to fields.c. Then `enrich` turns fields and tags into an origin and the
 * tags that remain. Nothing is copied on the way.
 */
#ifndef DECODE_DOGSTATSD_LINE_H
#define DECODE_DOGSTATSD_LINE_H

#include "decode/dogstatsd.h"
#include "decode/dogstatsd/stops.h"

/* The worst lines: "a:1|c|#,,,,…" has a tag for each byte, "a:1:1:1…|c" a value for every second. */
struct dogstatsd {
    struct dogstatsd_options options;
    record_fn *emit;
    void *arg;
    struct record metric; /* kept: what only HTTP fills stays 0, and so does the origin between lines */
    struct remarks
        remarks; /* on the line that is read; n is 0 between lines. Beside `metric`: each line looks at both */
    struct span tags[DOGSTATSD_LINE_MAX + DOGSTATSD_CONSTANT_TAGS_MAX];
    struct value values[DOGSTATSD_LINE_MAX / 2];
    char text[DOGSTATSD_LINE_MAX]; /* texts that differ from the line: unescaped, or with a field taken out */
};

enum { FIELD_LOCAL, FIELD_EXTERNAL, FIELD_CARDINALITY, FIELD_ORIGINS };

/* Fields that any family may carry; the last of each kind wins. */
struct line_fields {
    size_t n_tags;                 /* in d->tags */
    bool consumable;               /* some tag begins like one that the Agent consumes */
    unsigned given;                /* a bit for each of `of` that is set, and not empty */
    struct span of[FIELD_ORIGINS]; /* not cleared for each line */
};

/* Takes the stops of one line. Returns where the line ends: at its newline, or at the end of all bytes. */
const char *metric_decode(struct dogstatsd *d, const char *line, struct stops *stops);
/* The line goes up to `newline`, less its one '\r'. */
void event_decode(struct dogstatsd *d, struct span line, const char *newline);
void check_decode(struct dogstatsd *d, struct span line, const char *newline);

/* Notes the field when it is c:, e: or card:; any other is ignored, as the Agent does, and remarked on. */
void fields_take(struct dogstatsd *d, struct line_fields *fields, struct span field);
/* Sets the origin, which was 0. Removes from d->tags the tags that the Agent consumes, and puts the constant tags behind the
 * rest. Returns the number of tags. */
size_t enrich(struct dogstatsd *d, const struct line_fields *fields, struct origin *origin);
/* After `enrich`: the field h: of an event or a check, which goes before a tag host: unless it is empty. */
void enrich_host(struct dogstatsd *d, struct span field, struct origin *origin);

/* `at` points into the line (or at its end): where reading failed. */
void line_reject(struct dogstatsd *d, enum reason reason, struct span family, struct span line,
                 const char *at, struct span name);

/* Notes what the Agent ignores; `text` lies in the line. Apart, since few lines need it. */
__attribute__((cold, noinline)) void line_remark(struct dogstatsd *d, enum remark_kind kind,
                                                 struct span text);
/* The same about the tags noted so far, which other ones are about to replace. */
__attribute__((cold, noinline)) void line_remark_tags(struct dogstatsd *d, const struct line_fields *fields);
/* The remarks on a line that was read, for its record; NULL when there are none. The next line begins without. */
const struct remarks *line_remarks(struct dogstatsd *d, struct span line);

static inline struct span line_span(const char *p, const char *end) {
    return span_of(p, (size_t)(end - p));
}

/* Where byte c first stands in [p, end); end when it does not. */
static inline const char *line_find(const char *p, const char *end, char c) {
    const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
    return at ? at : end;
}

/* Where a part ends that began at `from` and was stopped at `at`: at a line's end, before its one '\r'. */
static inline const char *line_part_end(const char *from, char stop, const char *at) {
    return stop == '\n' && at > from && at[-1] == '\r' ? at - 1 : at;
}

static inline void add_tag(struct dogstatsd *d, struct line_fields *fields, const char *from,
                           const char *end) {
    d->tags[fields->n_tags++] = line_span(from, end);
    fields->consumable |= from < end && (*from == 'h' || *from == 'd');
}

/*   |#env:ci,host:web-1,,a|
 *     ^^^^^^ ^^^^^^^^^^  ^    commas separate: one more tag than commas, unless all is empty
 *
 * `from` is behind the '#'. Returns the tags' end.
 */
static inline const char *fields_tags(struct dogstatsd *d, struct line_fields *fields, const char *from,
                                      struct stops *stops, char *stop, const char **at) {
    if (fields->n_tags)
        line_remark_tags(d, fields);
    fields->n_tags = 0;
    fields->consumable = false;
    for (;; from = *at + 1) {
        do
            *stop = stops_next(stops, at);
        while (*stop == ':');
        if (*stop != ',')
            break;
        add_tag(d, fields, from, *at);
    }
    const char *end = line_part_end(from, *stop, *at);
    if (from < end || fields->n_tags > 0)
        add_tag(d, fields, from, end);
    return end;
}

/* The field that begins at `from`, up to the next '|' or the end of the line, as *stop and *at tell. Tags
 * have been noted. */
static inline struct span fields_next(struct dogstatsd *d, struct line_fields *fields, const char *from,
                                      struct stops *stops, char *stop, const char **at) {
    if (from < stops->end && *from == '#')
        return line_span(from, fields_tags(d, fields, from + 1, stops, stop, at));
    do
        *stop = stops_next(stops, at);
    while (*stop == ':' || *stop == ',');
    return line_span(from, line_part_end(from, *stop, *at));
}

#endif
