/* The differences of a candidate, one mark each: a word for programs and a sentence for people.
 *
 * Received bytes stand in a sentence as text_put_shown writes them.
 * Ownership: marks_free; `list` is a new reference until it is handed on.
 * Limits: MARKS_MAX of one candidate.
 */
#ifndef REPORT_MARKS_H
#define REPORT_MARKS_H

#include "core/buf.h"
#include <jansson.h>

#define MARKS_MAX 300 /* more than the tags of one expectation */

struct marks {
    json_t *list;
    struct buf text; /* all as one sentence */
};
struct marks marks_new(void);
void marks_free(struct marks *m);

/* The text is made visible. */
void marks_add_text(struct marks *m, const char *mark, struct span text);
/* Each '%' of the format stands for the next of the words, and each '&' for one that is an expectation's own text already. */
void marks_add(struct marks *m, const char *mark, const char *format, const struct span *words);
#define MARK(m, mark, format, ...) marks_add(m, mark, format, (const struct span[]){__VA_ARGS__})
#define MARK_TEXT(m, mark, text)   marks_add(m, mark, text, NULL)

#endif
