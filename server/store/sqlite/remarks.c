/* Remarks as the text that the recording keeps, and back:
 *
 *     [{"remark":"ignored_field","text":"in:tag,red","offset":13},…]
 */
#include "core/json.h"
#include "core/number.h"
#include "store/sqlite/private.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/vals.h"

#include <errno.h>

int store_remarks_json(struct buf *b, const struct remarks *r, struct span *json, struct err *err) {
    *json = (struct span){NULL, 0};
    if (!r)
        return 0;
    b->max = STORE_SCRATCH_MAX;
    buf_clear(b);
    for (size_t i = 0; i < r->n; i++) {
        const struct remark *remark = &r->list[i];
        buf_printf(b, "%s{\"remark\":\"%s\",\"text\":", i ? "," : "[", remark_word(remark->kind));
        json_put_string_raw(b, remark->text);
        buf_printf(b, ",\"offset\":%zu}", remark->offset);
    }
    buf_char(b, ']');
    *json = buf_view(b);
    return b->failed ? err_set(err, ENOMEM, "cannot record") : 0;
}

struct span store_remarks_line(const struct remarks *r) {
    struct span line = r ? r->line : (struct span){NULL, 0};
    if (line.n > REMARKS_LINE_MAX)
        line.n = REMARKS_LINE_MAX;
    return line;
}

void store_remarks_bare(struct remarks *bare, const struct remarks *r) {
    unsigned kinds = 0;
    *bare = (struct remarks){0};
    for (size_t i = 0; i < r->n; i++)
        kinds |= 1u << r->list[i].kind;
    for (int kind = 0; kind < REMARK_N; kind++)
        if (kinds >> kind & 1)
            bare->list[bare->n++] = (struct remark){.kind = (enum remark_kind)kind, .text = SPAN("")};
}

/* --- reading --------------------------------------------------------------------------------------------- */

static bool skip(struct span *s, struct span text) {
    bool found = span_starts(*s, text);
    if (found)
        *s = span_from(*s, text.n);
    return found;
}

/* A string, into t->text; its place there. */
static bool read_string(struct rows_remarks *t, struct span *s, size_t *at, size_t *n) {
    *at = t->text.n;
    size_t length = vals_unquote(*s, &t->text);
    *n = t->text.n - *at;
    *s = span_from(*s, length);
    return length > 0;
}

/* One object. The buffer has room for all of the text: its bytes do not move. */
static bool read_remark(struct rows_remarks *t, struct span *s) {
    size_t word_at, word_n, text_at, text_n;
    if (!skip(s, SPAN("{\"remark\":")) || !read_string(t, s, &word_at, &word_n) ||
        !skip(s, SPAN(",\"text\":")) || !read_string(t, s, &text_at, &text_n) ||
        !skip(s, SPAN(",\"offset\":")))
        return false;
    size_t offset = 0;
    for (; s->n > 0 && *s->p >= '0' && *s->p <= '9' && offset <= UINT32_MAX; *s = span_from(*s, 1))
        offset = offset * 10 + (size_t)(*s->p - '0');
    int kind = remark_of(span_of(t->text.p + word_at, word_n));
    if (kind < 0 || !skip(s, SPAN("}")))
        return false;
    t->remarks.list[t->remarks.n++] =
        (struct remark){(enum remark_kind)kind, span_of(t->text.p + text_at, text_n), offset};
    return true;
}

int rows_remarks(struct rows_remarks *t, struct span json, struct span line, struct err *err) {
    t->remarks.n = 0;
    buf_clear(&t->text);
    if (!json.p)
        return 0;
    t->text.max = ROWS_TEXT_MAX;
    if (!buf_reserve(&t->text, json.n + line.n))
        return err_set(err, ENOMEM, "cannot read the recording");
    struct span s = json;
    do
        if (t->remarks.n == REMARKS_MAX || !skip(&s, t->remarks.n ? SPAN(",") : SPAN("[")) ||
            !read_remark(t, &s))
            return rows_damaged(err);
    while (!span_eq(s, SPAN("]")));
    size_t at = t->text.n;
    buf_span(&t->text, line);
    t->remarks.line = line.p ? span_of(t->text.p + at, line.n) : (struct span){NULL, 0};
    return 0;
}

void rows_remarks_free(struct rows_remarks *t) {
    buf_free(&t->text);
    *t = (struct rows_remarks){0};
}
