/* Names and tags as text: what JSON can carry, and how series are shown. */
#ifndef CATALOG_TEXT_H
#define CATALOG_TEXT_H

#include "catalog/memory.h"
#include "core/reader.h"

/* The bytes in the arena, where NUL and what is not UTF-8 have become U+FFFD; {NULL, 0} stays that, and is
 * what running out of memory gives too. */
struct span text_clean(struct arena *a, struct span s);
/* Whether text_clean would change nothing. */
bool text_is_clean(struct span s);

/* A tag is cut at its first colon; a tag without one has an empty value. */
struct span tag_key(struct span tag);
struct span tag_value(struct span tag);

/* "count login.attempt{env:ci,instance:failure}", cut to what a line holds. */
#define TEXT_SERIES_SIZE 320
void text_series(const struct series_row *row, char text[TEXT_SERIES_SIZE]);

/* The last segment of what an aggregating client or the Agent makes of a histogram: the part before it in
 * *base. False when the name does not end in .avg .min .max .median .sum .count or .NNpercentile. */
bool name_is_aggregate(struct span name, struct span *base, struct span *what);

#endif
