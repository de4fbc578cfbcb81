/* Small pieces of text for reports: received bytes made harmless, numbers, series in one line. */
#ifndef JUDGE_LANGUAGE_TEXT_H
#define JUDGE_LANGUAGE_TEXT_H

#include "core/buf.h"
#include "judge/language/expectation.h"
#include <jansson.h>

/* A JSON string; bytes that are not UTF-8 become U+FFFD. */
json_t *text_json(struct span s);
json_t *text_json_buf(const struct buf *b);
/* A JSON number; null when it is not finite. */
json_t *text_json_number(double value);
/* For a terminal: what utf8_visible does not let pass, and bytes that are not UTF-8, as \xNN; at most `max` bytes, then "...". */
void text_put_visible(struct buf *b, struct span s, size_t max);
/* A name or tag as an expectation would spell it: in quotes when it is empty or holds blanks, quotes, brackets or (a tag) commas;
 * what is not visible as \xNN. At most `max` bytes, then "...". */
void text_put_shown(struct buf *b, struct span s, bool tag, size_t max);
void text_put_number(struct buf *b, double value);
/* "ok", "warning", "critical", "unknown" */
const char *text_status(double status);
/* {a:1,b} ; nothing for no tags and no host */
void text_put_tags(struct buf *b, size_t n, const struct span *tags, struct span host, struct span device);
/* A name or a tag as an expectation spells it, in quotes where it must be. What no expectation can hold, or what would drive a
 * terminal, becomes '?', which matches it. */
void text_put_word(struct buf *b, struct span word);
/* count login.attempt{env:ci,"a b"}: an expectation that the series fulfils. */
void text_put_series(struct buf *b, enum metric_type type, struct span name, size_t n,
                     const struct span *tags);
/* "3 samples", "1 sample" */
void text_put_plural(struct buf *b, uint64_t n, const char *word);

#endif
