#include "report/marks.h"

#include "judge/language/text.h"

#define WORD_MAX 80 /* bytes of a name or tag in a sentence */
#define TEXT_MAX 65536

struct marks marks_new(void) {
    return (struct marks){json_array(), {.max = TEXT_MAX}};
}

void marks_free(struct marks *m) {
    buf_free(&m->text);
}

static void put_mark(struct marks *m, const char *mark, const struct buf *text) {
    buf_str(&m->text, m->text.n ? "; " : "");
    buf_span(&m->text, buf_view(text));
    json_array_append_new(m->list, json_pack("{s:s, s:o}", "mark", mark, "text", text_json_buf(text)));
}

void marks_add_text(struct marks *m, const char *mark, struct span text) {
    struct buf shown = {.max = TEXT_MAX};
    text_put_visible(&shown, text, TEXT_MAX);
    put_mark(m, mark, &shown);
    buf_free(&shown);
}

void marks_add(struct marks *m, const char *mark, const char *format, const struct span *words) {
    struct buf text = {.max = TEXT_MAX};
    for (; *format; format++)
        if (*format == '%')
            text_put_shown(&text, *words++, true, WORD_MAX);
        else if (*format == '&')
            text_put_visible(&text, *words++, WORD_MAX);
        else
            buf_char(&text, *format);
    put_mark(m, mark, &text);
    buf_free(&text);
}
