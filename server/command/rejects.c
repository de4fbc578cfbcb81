/* statwit rejects: what was refused, why, and where in the line. */
#include "command/commands.h"
#include "command/rows.h"
#include "command/table.h"
#include "command/when.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EXCERPT_MAX 100 /* bytes of a line that are shown around the place */

struct reject_list {
    struct when when;
    struct buf text; /* decoded */
    struct buf line;
    size_t n;
};

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

/* The line with a caret under the byte at `offset`, cut to what lies around it. */
static void show_place(struct reject_list *l, struct span text, size_t offset) {
    offset = offset < text.n ? offset : text.n;
    size_t from = offset > EXCERPT_MAX / 2 ? offset - EXCERPT_MAX / 2 : 0;
    size_t to = text.n - from > EXCERPT_MAX ? from + EXCERPT_MAX : text.n;
    while (from > 0 && from < offset && ((unsigned char)text.p[from] & 0xC0) == 0x80)
        from++;
    buf_clear(&l->line);
    size_t column = from ? 1 : 0;
    buf_str(&l->line, from ? "…" : "");
    column += text_harmless(&l->line, span_of(text.p + from, offset - from));
    text_harmless(&l->line, span_of(text.p + offset, to - offset));
    printf("    %.*s%s\n    %*s%s^%s\n", SPAN_ARG(buf_view(&l->line)), to < text.n ? "…" : "", (int)column,
           "", colour(COLOUR_RED), colour(COLOUR_OFF));
}

static void on_reject(void *arg, const json_t *row) {
    struct reject_list *l = arg;
    char at[WHEN_SIZE];
    struct span text = row_text(row, "text"), exact = row_text(row, "text_b64"),
                time = when_show(&l->when, row_text(row, "received_at"), at),
                detail = row_text(row, "detail"), source = row_text(row, "source");
    if (exact.n) {
        buf_clear(&l->text);
        decode_base64(&l->text, exact);
        text = buf_view(&l->text);
    }
    buf_clear(&l->line);
    text_harmless(&l->line, detail);
    printf("%s%.*s %.*s%s  %s%.*s%s: %.*s\n", colour(COLOUR_DIM), SPAN_ARG(time), SPAN_ARG(source),
           colour(COLOUR_OFF), colour(COLOUR_RED), SPAN_ARG(row_text(row, "reason")), colour(COLOUR_OFF),
           SPAN_ARG(buf_view(&l->line)));
    double offset = row_number(row, "offset");
    show_place(l, text, isfinite(offset) && offset >= 0 ? (size_t)offset : 0);
    l->n++;
}

int rejects_command(const struct options *o) {
    if (option_on(o, OPT_JSON))
        return rows_print_json(o, ROWS_REJECTS);
    struct reject_list l = {.text = {.max = 8 << 20}, .line = {.max = 1 << 20}};
    when_begin(&l.when, option_on(o, OPT_UTC));
    int status = rows_each(o, ROWS_REJECTS, on_reject, &l, NULL);
    buf_free(&l.text);
    buf_free(&l.line);
    if (status == EXIT_PASS && l.n == 0 && !option_on(o, OPT_QUIET))
        fprintf(stderr, "nothing was refused in session %s\n", rows_session(o));
    return status;
}
