#include "core/utf8.h"
#include "judge/language/parse.h"

#include <stdarg.h>
#include <stdio.h>

#define EXCERPT_COLUMNS 72
#define EXCERPT_BEFORE  48 /* of those, at most so many before the caret */

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Appends what stands for the character at s (itself, or '?' when it would not print), in *n bytes of the
 * input. */
static size_t put_printable(char *out, struct span s, size_t *n) {
    size_t length = utf8_length(s);
    *n = length ? length : 1;
    if (!length || !utf8_visible(utf8_decode(s, length))) {
        *out = s.p[0] == '\t' ? ' ' : '?';
        return 1;
    }
    memcpy(out, s.p, length);
    return length;
}

/* The line around the place, and a caret under it. Columns are counted in characters, or the caret would
 * stand too far right of anything that is not ASCII. */
static void write_excerpt(struct judge_error *error, struct span line, size_t at) {
    size_t start = 0;
    if (line.n > EXCERPT_COLUMNS && at > EXCERPT_BEFORE) {
        start = at - EXCERPT_BEFORE;
        while (start < at && ((unsigned char)line.p[start] & 0xc0) == 0x80)
            start++;
    }
    char *out = error->excerpt;
    size_t caret = 0, columns = 0;
    bool cut = start > 0;
    if (cut) {
        memcpy(out, "...", 3);
        out += 3;
        caret = 3;
    }
    size_t i = start;
    for (; i < line.n && columns < EXCERPT_COLUMNS && (size_t)(out - error->excerpt) < 200; columns++) {
        size_t n;
        if (i < at)
            caret++;
        out += put_printable(out, span_from(line, i), &n);
        i += n;
    }
    if (i < line.n) {
        memcpy(out, "...", 3);
        out += 3;
    }
    *out++ = '\n';
    memset(out, ' ', caret);
    out += caret;
    memcpy(out, "^", 2);
}

int cursor_fail(struct cursor *c, size_t at, const char *format, ...) {
    struct judge_error *error = c->error;
    memset(error, 0, sizeof *error);
    error->file = c->file;
    error->line = c->line_number;
    error->column = at + 1;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    write_excerpt(error, c->line, at);
    return -1;
}

int cursor_no_memory(struct cursor *c) {
    return cursor_fail(c, 0, "out of memory");
}

void cursor_skip_blanks(struct cursor *c) {
    while (c->at < c->line.n && is_blank(c->line.p[c->at]))
        c->at++;
}

bool cursor_at_end(struct cursor *c) {
    size_t i = c->at;
    while (i < c->line.n && is_blank(c->line.p[i]))
        i++;
    bool end = i == c->line.n || (c->line.p[i] == '#' && (i == 0 || is_blank(c->line.p[i - 1])));
    if (end)
        c->at = c->line.n;
    return end;
}

struct span cursor_word(struct cursor *c) {
    size_t start = c->at;
    while (c->at < c->line.n && !is_blank(c->line.p[c->at]))
        c->at++;
    return span_of(c->line.p + start, c->at - start);
}

int cursor_quoted(struct cursor *c, struct span *text) {
    size_t start = c->at++;
    char *out = arena_alloc(c->arena, c->line.n - start);
    if (!out)
        return cursor_no_memory(c);
    size_t n = 0;
    for (; c->at < c->line.n; c->at++) {
        char byte = c->line.p[c->at];
        if (byte == '"') {
            c->at++;
            *text = span_of(out, n);
            return 0;
        }
        char next = c->at + 1 < c->line.n ? c->line.p[c->at + 1] : '\0';
        if (byte == '\\' && (next == '"' || next == '\\')) {
            byte = next;
            c->at++;
        }
        out[n++] = byte;
    }
    return cursor_fail(c, c->line.n, "expected '\"' to close the text that starts at column %zu", start + 1);
}

/* At most 40 bytes of the word, printable. */
static void put_word(char *out, size_t size, const char *before, struct span word, const char *after) {
    char shown[48];
    size_t at = 0;
    for (size_t i = 0, n; i < word.n; i += n) {
        if (at > 36) {
            memcpy(shown + at, "...", 3);
            at += 3;
            break;
        }
        at += put_printable(shown + at, span_from(word, i), &n);
    }
    snprintf(out, size, "%s%.*s%s", before, (int)at, shown, after);
}

const char *cursor_found(const struct cursor *c, char text[FOUND_SIZE]) {
    struct cursor copy = *c;
    if (cursor_at_end(&copy))
        return "found the end";
    copy = *c;
    cursor_skip_blanks(&copy);
    put_word(text, FOUND_SIZE, "found '", cursor_word(&copy), "'");
    return text;
}

const char *cursor_suggest(struct span word, size_t n, const struct span *words, char text[SUGGESTION_SIZE]) {
    struct span nearest = word_meant(word, n, words);
    if (!nearest.p)
        return "";
    put_word(text, SUGGESTION_SIZE, "; did you mean '", nearest, "'?");
    return text;
}
