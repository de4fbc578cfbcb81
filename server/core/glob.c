#include "core/glob.h"

#include "core/utf8.h"

/* Bytes of the character at text[i]: what `?` takes, and the step by which `*` grows. */
static size_t character(struct span text, size_t i) {
    size_t n = utf8_length(span_from(text, i));
    return n ? n : 1;
}

/* Where the last `*` may end next, after `end`; past the text: nowhere. What follows the `*` must stand there, which an ASCII
 * byte can only do at the start of a character. */
static size_t next_end(struct span pattern, size_t after_star, struct span text, size_t end) {
    end += character(text, end);
    char next = pattern.p[after_star];
    if (end > text.n || next == '?' || next == '*' || (unsigned char)next >= 0x80)
        return end;
    const char *found = end < text.n ? memchr(text.p + end, next, text.n - end) : NULL;
    return found ? (size_t)(found - text.p) : text.n + 1;
}

/* Only the last `*` passed is ever widened: whatever an earlier one could give up, the last one can take as
 * well. Hence no recursion, and at most pattern.n steps for each of text.n places where the last `*` may end.
 */
bool glob_match_counted(struct span pattern, struct span text, uint64_t *steps) {
    size_t p = 0, t = 0;
    size_t after_star = 0, star_end = 0; /* after_star == 0: no `*` so far */
    for (;;) {
        ++*steps;
        if (p < pattern.n && pattern.p[p] == '*') {
            after_star = ++p;
            star_end = t;
            if (p == pattern.n)
                return true;
        } else if (t == text.n) {
            return p == pattern.n;
        } else if (p < pattern.n && pattern.p[p] == '?') {
            p++;
            t += character(text, t);
        } else if (p < pattern.n && pattern.p[p] == text.p[t]) {
            p++;
            t++;
        } else if (after_star) {
            star_end = next_end(pattern, after_star, text, star_end);
            if (star_end > text.n)
                return false;
            *steps += (star_end - t) / 16 * (star_end > t);
            p = after_star;
            t = star_end;
        } else {
            return false;
        }
    }
}

bool glob_match(struct span pattern, struct span text) {
    uint64_t steps = 0;
    return glob_match_counted(pattern, text, &steps);
}

bool glob_is_pattern(struct span pattern) {
    return pattern.n && (memchr(pattern.p, '*', pattern.n) || memchr(pattern.p, '?', pattern.n));
}
