/* Which names the words of a question let through. */
#include "control/name_list.h"

#include "core/glob.h"
#include <strings.h>

static bool name_holds(struct span text, struct span part) {
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (strncasecmp(text.p + i, part.p, part.n) == 0)
            return true;
    return false;
}

bool name_list_wanted(const struct name_list_question *q, struct span name) {
    for (size_t i = 0; i < q->n_words; i++)
        if (glob_is_pattern(q->words[i]) ? !glob_match(q->words[i], name) : !name_holds(name, q->words[i]))
            return false;
    return true;
}
