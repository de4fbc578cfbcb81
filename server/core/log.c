#include "core/log.h"

#include "core/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX 2048 /* bytes of a line before its control characters are written out; the rest is cut */

static const struct {
    const char *word;
    const char *colour;
} levels[] = {
    [LOG_ERROR] = {"error", "\033[1;31m"},
    [LOG_WARNING] = {"warning", "\033[1;33m"},
    [LOG_INFO] = {"info", "\033[1m"},
    [LOG_DEBUG] = {"debug", "\033[2m"},
};
#define N_LEVELS (sizeof levels / sizeof levels[0])

static enum log_level max_level = LOG_INFO;

void log_set_level(enum log_level level) {
    max_level = level;
}

int log_level_of(const char *word) {
    for (size_t i = 0; i < N_LEVELS; i++)
        if (strcmp(word, levels[i].word) == 0)
            return (int)i;
    return -1;
}

static bool coloured(void) {
    const char *no_color = getenv("NO_COLOR");
    return !(no_color && no_color[0]) && isatty(STDERR_FILENO);
}

/* Bytes that are not UTF-8 an 8-bit terminal could take for the controls U+0080 to U+009F, of which one starts a command. */
static bool harmless(struct span character) {
    return character.n && utf8_visible(utf8_decode(character, character.n));
}

/* Returns the length written: at most four times text.n. */
static size_t neutralise(struct span text, char *out) {
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < text.n;) {
        struct span character = span_of(text.p + i, utf8_length(span_from(text, i)));
        size_t n = character.n ? character.n : 1;
        if (harmless(character)) {
            memcpy(out + at, character.p, n);
            at += n;
        } else {
            for (size_t k = 0; k < n; k++) {
                unsigned char byte = (unsigned char)text.p[i + k];
                memcpy(out + at, (char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]}, 4);
                at += 4;
            }
        }
        i += n;
    }
    return at;
}

void log_line(enum log_level level, const char *format, ...) {
    if (level > max_level)
        return;
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0)
        return;
    size_t length = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;

    char line[64 + 4 * TEXT_MAX];
    bool colour = coloured();
    int head = snprintf(line, 64, "%sstatwit: %s:%s ", colour ? levels[level].colour : "", levels[level].word,
                        colour ? "\033[0m" : "");
    size_t end = (size_t)head + neutralise(span_of(text, length), line + head);
    line[end++] = '\n';
    /* Nobody to tell when stderr itself is gone. */
    if (write(STDERR_FILENO, line, end) < 0)
        return;
}
