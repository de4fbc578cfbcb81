/* glob_match beside the textbook's table: reach[i][j] says whether the first i bytes of the pattern can match the first j of the
 * text. The input is the pattern, a NUL, the text.
 */
#include "core/glob.h"
#include "core/utf8.h"

#include <stdint.h>
#include <stdlib.h>

#define SIDE_MAX 64

static size_t character(struct span text, size_t i) {
    size_t n = utf8_length(span_from(text, i));
    return n ? n : 1;
}

static bool by_table(struct span pattern, struct span text) {
    bool reach[SIDE_MAX + 1][SIDE_MAX + 1] = {{false}};
    reach[0][0] = true;
    for (size_t i = 0; i < pattern.n; i++)
        for (size_t j = 0; j <= text.n; j++) {
            if (!reach[i][j])
                continue;
            char c = pattern.p[i];
            if (c == '*') { /* any number of whole characters from here */
                reach[i + 1][j] = true;
                for (size_t k = j; k < text.n;)
                    reach[i + 1][k += character(text, k)] = true;
            } else if (j < text.n && c == '?') {
                reach[i + 1][j + character(text, j)] = true;
            } else if (j < text.n && c == text.p[j]) {
                reach[i + 1][j + 1] = true;
            }
        }
    return reach[pattern.n][text.n];
}

/* Bytes of a pattern that are not whole characters may stop inside one of the text's, from where on `?` and `*` count
 * otherwise: such patterns are only run. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    const uint8_t *nul = n ? memchr(data, 0, n) : NULL;
    if (!nul)
        return 0;
    struct span pattern = span_of((const char *)data, (size_t)(nul - data));
    struct span text = span_of((const char *)nul + 1, n - pattern.n - 1);
    bool matches = glob_match(pattern, text);
    if (pattern.n > SIDE_MAX || text.n > SIDE_MAX || !utf8_valid(pattern))
        return 0;
    if (matches != by_table(pattern, text))
        abort();
    if (!glob_is_pattern(pattern) && matches != span_eq(pattern, text))
        abort();
    return 0;
}
