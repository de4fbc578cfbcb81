#include "emit/line.h"

#include "emit/number.h"
#include "emit/utf8.h"
#include <locale.h>
#include <pthread.h>
#include <stdatomic.h>
#include <wctype.h>

void line_string(struct line *line, const char *string) {
    line_put(line, string, strlen(string));
}

void line_integer(struct line *line, int64_t value) {
    if (value >= 0 && value < 10) {
        line_char(line, (char)('0' + value));
        return;
    }
    char text[NUMBER_SIZE];
    size_t size = number_put_integer(text, value);
    line_put(line, text, size);
}

void line_real(struct line *line, double value) {
    char text[NUMBER_SIZE];
    size_t size = number_put_real(text, value);
    line_put(line, text, size);
}

/* The byte that stands for each byte, for each part of a line. 0 ends the fast loop: the NUL, and all that is not ASCII. */
static char maps[3][256];
static locale_t unicode;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool ready;

static char clean_byte(enum line_part part, int c) {
    bool word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    if (part == LINE_TAG)
        return word || strchr("_-:/.", c) ? (char)c : '_';
    bool bad = c < 0x20 || c == 0x7f || c == '|' || (c == ':' && part == LINE_NAME);
    return bad ? '_' : (char)c;
}

static void prepare(void) {
    for (int c = 1; c < 0x80; c++)
        for (enum line_part part = LINE_NAME; part <= LINE_VALUE; part++)
            maps[part][c] = clean_byte(part, c);
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    atomic_store_explicit(&ready, true, memory_order_release);
}

/* Letters and digits of other scripts stay in tags. Without the system's C.UTF-8 everything that is UTF-8 does. */
static bool is_word(uint32_t character) {
    return !unicode || iswalnum_l((wint_t)character, unicode);
}

/* One character that is not ASCII; what follows it. */
static const char *clean_character(struct line *line, enum line_part part, const char *text) {
    size_t n = utf8_bytes(text, strnlen(text, 4));
    if (n == 0 || (part == LINE_TAG && !is_word(utf8_char(text, n))))
        line_char(line, '_');
    else
        line_put(line, text, n);
    return text + (n ? n : 1);
}

void line_clean(struct line *line, enum line_part part, const char *text) {
    if (!atomic_load_explicit(&ready, memory_order_acquire))
        pthread_once(&once, prepare);
    const char *map = maps[part];
    for (;;) {
        char *at = line->at, *end = line->end;
        for (char c; at < end && (c = map[(unsigned char)*text]) != 0; text++)
            *at++ = c;
        line->at = at;
        if (!*text)
            return;
        if (at == end) {
            line->overflow = true;
            return;
        }
        text = clean_character(line, part, text);
    }
}
