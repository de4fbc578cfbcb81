#include "command/place.h"

#include "command/rows.h"
#include "command/table.h"
#include <math.h>
#include <stdio.h>

#define EXCERPT_MAX 100 /* bytes of a line that are shown around the place */

static int digit(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void decode_base64(struct buf *b, struct span s) {
    unsigned bits = 0;
    int n = 0;
    for (size_t i = 0; i < s.n && digit(s.p[i]) >= 0; i++) {
        bits = bits << 6 | (unsigned)digit(s.p[i]);
        n += 6;
        if (n >= 8) {
            n -= 8;
            buf_char(b, (char)(bits >> n & 0xFF));
        }
    }
}

struct span place_bytes(const json_t *row, const char *field, struct buf *decoded) {
    char name[64];
    snprintf(name, sizeof name, "%s_b64", field);
    struct span exact = row_text(row, name);
    if (exact.n == 0)
        return row_text(row, field);
    buf_clear(decoded);
    decode_base64(decoded, exact);
    return buf_view(decoded);
}

void place_head(const json_t *row) {
    struct span time = row_text(row, "received_at"), source = row_text(row, "source");
    printf("%s%.*s %.*s%s  ", colour(COLOUR_DIM), time.n < 26 ? (int)time.n : 15,
           time.n < 26 ? time.p : time.p + 11, SPAN_ARG(source), colour(COLOUR_OFF));
}

static void show_line(struct buf *b, struct span text, size_t offset) {
    offset = offset < text.n ? offset : text.n;
    size_t from = offset > EXCERPT_MAX / 2 ? offset - EXCERPT_MAX / 2 : 0;
    size_t to = text.n - from > EXCERPT_MAX ? from + EXCERPT_MAX : text.n;
    while (from > 0 && from < offset && ((unsigned char)text.p[from] & 0xC0) == 0x80)
        from++;
    buf_clear(b);
    size_t column = from ? 1 : 0;
    buf_str(b, from ? "…" : "");
    column += text_harmless(b, span_of(text.p + from, offset - from));
    text_harmless(b, span_of(text.p + offset, to - offset));
    printf("    %.*s%s\n    %*s%s^%s\n", SPAN_ARG(buf_view(b)), to < text.n ? "…" : "", (int)column, "",
           colour(COLOUR_RED), colour(COLOUR_OFF));
}

void place_show(const struct place *p) {
    struct buf b = {.max = 1 << 20};
    text_harmless(&b, p->detail);
    printf("%s%.*s%s: %.*s\n", colour(COLOUR_RED), SPAN_ARG(p->word), colour(COLOUR_OFF),
           SPAN_ARG(buf_view(&b)));
    if (p->line.n)
        show_line(&b, p->line, isfinite(p->offset) && p->offset >= 0 ? (size_t)p->offset : 0);
    buf_free(&b);
}
