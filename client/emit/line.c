#include "emit/line.h"

#include "emit/number.h"
#include "emit/utf8.h"
#include <locale.h>
#include <pthread.h>
#include <wctype.h>

void line_string(struct line *line, const char *string) {
    line_put(line, string, strlen(string));
}

void line_integer(struct line *line, int64_t value) {
    char text[NUMBER_SIZE];
    line_put(line, text, number_put_integer(text, value));
}

void line_real(struct line *line, double value) {
    char text[NUMBER_SIZE];
    line_put(line, text, number_put_real(text, value));
}

/* What each ASCII byte becomes in each part; 0 ends the fast loop: NUL and what is not ASCII. */
#define SAME(c) [c] = (char)(c)
#define FOUR(c) SAME(c), SAME((c) + 1), SAME((c) + 2), SAME((c) + 3)
#define TEN(c)  FOUR(c), FOUR((c) + 4), SAME((c) + 8), SAME((c) + 9)
#define ABC(c)  TEN(c), TEN((c) + 10), FOUR((c) + 20), SAME((c) + 24), SAME((c) + 25)
static const char tag_map[128] = {TEN('0'),  ABC('A'),  ABC('a'),  SAME('_'),
                                  SAME('-'), SAME(':'), SAME('/'), SAME('.')};
#undef ABC
#undef TEN
#undef FOUR
#undef SAME

static char clean_byte(enum line_part part, unsigned char c) {
    if (part == LINE_TAG)
        return tag_map[c] ? tag_map[c] : '_';
    bool bad = c < 0x20 || c == 0x7f || c == '|' || (c == ':' && part == LINE_NAME);
    return bad ? '_' : (char)c;
}

static locale_t unicode;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void load_unicode(void) {
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* Letters and digits of other scripts stay in tags. Without the system's C.UTF-8 everything that is UTF-8
 * does. */
static bool is_word(uint32_t character) {
    pthread_once(&unicode_once, load_unicode);
    return !unicode || iswalnum_l((wint_t)character, unicode);
}

void line_clean(struct line *line, enum line_part part, const char *text) {
    size_t left = 0; /* bytes of text, counted when the first one that is not ASCII needs it */
    while (*text) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x80) {
            line_char(line, clean_byte(part, c));
            text++;
            left -= left > 0;
            continue;
        }
        if (left == 0)
            left = strlen(text);
        size_t n = utf8_bytes(text, left);
        if (n == 0 || (part == LINE_TAG && !is_word(utf8_char(text, n))))
            line_char(line, '_');
        else
            line_put(line, text, n);
        n = n ? n : 1;
        text += n;
        left -= n;
    }
}
