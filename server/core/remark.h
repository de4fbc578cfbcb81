/* What the Agent ignores inside a line that it accepts: one list gives the enum, the word and the sentence.
 *
 * A record that stands for such a line carries its remarks; nobody is told of them but who asks. The words are
 * stored in recordings: append only. Source: schema/protocol/dogstatsd.md sections 3.4 to 3.8, 4, 5 and 6.
 */
#ifndef CORE_REMARK_H
#define CORE_REMARK_H

#include "core/span.h"

/* clang-format off */
#define REMARKS(X) \
    X(REMARK_IGNORED_FIELD, "ignored_field", \
      "no field begins like this; a '|' inside a tag or a message begins a new field") \
    X(REMARK_BLANK_FIELD, "blank_field", "a blank stands before the field, so it is not recognised") \
    X(REMARK_REPEATED_FIELD, "repeated_field", "the same field follows once more: only the last one counts") \
    X(REMARK_REPEATED_TAG, "repeated_tag", \
      "the Agent takes this tag for a field, which is given once more: this one is not used") \
    X(REMARK_IGNORED_VALUE, "ignored_value", "the field's value is not one that the Agent knows") \
    X(REMARK_EVENT_SURPLUS, "event_surplus", \
      "the event's text is longer than its header says: what follows is not part of it " \
      "(lengths are in bytes, with a line feed as the two bytes \\n)") \
    X(REMARK_EVENT_SEPARATOR, "event_separator", \
      "no '|' stands behind the event's title, so the lengths in its header are wrong: they are bytes, not characters") \
    X(REMARK_EVENT_HEADER, "event_header", "the event's header does not end in '}': its last byte is ignored") \
    X(REMARK_CHECK_PREFIX, "check_prefix", \
      "any line that begins with _sc is a service check, and the byte behind that is ignored") \
    X(REMARK_PLUS_SIGN, "plus_sign", \
      "a '+' does not make the value a change: an Agent sets the gauge to it, as if there were no sign")
/* clang-format on */

enum remark_kind {
#define X(id, word, sentence) id,
    REMARKS(X)
#undef X
        REMARK_N
};

const char *remark_word(enum remark_kind kind);
const char *remark_sentence(enum remark_kind kind);
/* -1 when the word is not in the list. */
int remark_of(struct span word);

struct remark {
    enum remark_kind kind;
    struct span text; /* what is ignored; empty: it is no longer known */
    size_t offset;    /* of its first byte in the line */
};

/* The remarks on one line. The last of so many reaches up to the end of the line. */
#define REMARKS_MAX 16
struct remarks {
    struct span
        line; /* of a stored sample: the first line that had them; cut to REMARKS_LINE_MAX when stored */
    size_t n;
    struct remark list[REMARKS_MAX];
};
#define REMARKS_LINE_MAX 8192 /* bytes */

/* What the author of the i-th one may have meant, a sentence without a full stop; NULL: nothing is known. */
const char *remark_hint(const struct remarks *r, size_t i);

#endif
