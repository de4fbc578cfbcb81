/* What texts are compared with: globs and regular expressions. */
#include "core/glob.h"
#include "judge/language/parse.h"

int parse_check_pattern(struct cursor *c, size_t at, struct span pattern) {
    if (pattern.n > PARSE_PATTERN_MAX && glob_is_pattern(pattern))
        return cursor_fail(c, at, "the pattern is longer than the limit of %d bytes (pattern length)",
                           PARSE_PATTERN_MAX);
    return 0;
}

int parse_glob(struct cursor *c, size_t at, struct span glob, struct text_test *test) {
    if (parse_check_pattern(c, at, glob) != 0)
        return -1;
    struct span *copy = arena_alloc(c->arena, sizeof *copy);
    if (!copy)
        return cursor_no_memory(c);
    *copy = arena_copy(c->arena, glob);
    if (!copy->p)
        return cursor_no_memory(c);
    *test = (struct text_test){.n = 1, .globs = copy};
    return 0;
}

int parse_regex(struct cursor *c, size_t at, struct span text, struct text_test *test) {
    struct pattern_error error = {0};
    test->regex_text = arena_copy(c->arena, text);
    test->regex = test->regex_text.p ? pattern_compile(c->arena, text, &error) : NULL;
    if (test->regex) {
        *c->regex_steps += pattern_size(test->regex);
        return *c->regex_steps <= PARSE_REGEX_STEPS_MAX
                   ? 0
                   : cursor_fail(
                         c, at,
                         "the regular expressions of the question unfold to more than the limit of %d steps",
                         PARSE_REGEX_STEPS_MAX);
    }
    if (!error.message[0])
        return cursor_no_memory(c);
    size_t offset = error.offset < text.n ? error.offset : text.n;
    return cursor_fail(c, at + 1 + offset, "in the regular expression: %s", error.message);
}
