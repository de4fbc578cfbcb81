#include "catalog/csv.h"

#include "core/utf8.h"

struct csv {
    struct span text;
    const char *file;
    size_t i, line, line_start;
    struct buf bytes; /* of the row's fields, one after another */
    size_t starts[CSV_FIELDS_MAX + 1];
    struct csv_row row;
    struct catalog_error *error;
};

static int complain(struct csv *c, const char *message) {
    return catalog_fail(c->error, c->file, c->line, c->i - c->line_start + 1, "%s", message);
}

static void new_line(struct csv *c) {
    c->line++;
    c->line_start = c->i;
}

/* One character of content, whose place is c->i. */
static int content(struct csv *c) {
    unsigned char byte = (unsigned char)c->text.p[c->i];
    if (byte == 0)
        return complain(c, "a NUL byte");
    size_t length = byte < 0x80 ? 1 : utf8_length(span_from(c->text, c->i));
    if (length == 0)
        return complain(c, "bytes that are not UTF-8");
    buf_add(&c->bytes, c->text.p + c->i, length);
    c->i += length;
    if (byte == '\n')
        new_line(c);
    return 0;
}

/*   "say ""hi"""   */
static int quoted(struct csv *c) {
    size_t line = c->line, column = c->i - c->line_start + 1;
    c->i++;
    for (;;) {
        if (c->i >= c->text.n)
            return catalog_fail(c->error, c->file, line, column, "this quote is never closed");
        if (c->text.p[c->i] == '"') {
            if (c->i + 1 >= c->text.n || c->text.p[c->i + 1] != '"')
                break;
            c->i++;
        }
        if (content(c))
            return -1;
    }
    c->i++;
    if (c->i < c->text.n && !memchr(",\r\n", c->text.p[c->i], 3))
        return complain(c, "text behind the closing quote (a quote within quotes is written \"\")");
    return 0;
}

static int field(struct csv *c) {
    if (c->row.n == CSV_FIELDS_MAX)
        return complain(c, "more than 64 fields in a row");
    c->row.lines[c->row.n] = c->line;
    c->row.columns[c->row.n] = c->i - c->line_start + 1;
    c->starts[c->row.n++] = c->bytes.n;
    if (c->i < c->text.n && c->text.p[c->i] == '"')
        return quoted(c);
    while (c->i < c->text.n && !memchr(",\r\n", c->text.p[c->i], 3)) {
        if (c->text.p[c->i] == '"')
            return complain(c, "a quote within a field that does not start with one");
        if (content(c))
            return -1;
    }
    return 0;
}

/* LF, CRLF or the end of the text. */
static int end_of_row(struct csv *c) {
    if (c->i >= c->text.n)
        return 0;
    if (c->text.p[c->i] == '\r') {
        if (c->i + 1 >= c->text.n || c->text.p[c->i + 1] != '\n')
            return complain(c, "a carriage return without a line feed");
        c->i++;
    }
    c->i++;
    new_line(c);
    return 0;
}

static int read_row(struct csv *c) {
    c->row.n = 0;
    c->row.line = c->line;
    buf_clear(&c->bytes);
    for (;;) {
        if (field(c))
            return -1;
        if (c->i >= c->text.n || c->text.p[c->i] != ',')
            break;
        c->i++;
    }
    if (end_of_row(c))
        return -1;
    if (c->bytes.failed)
        return complain(c, "out of memory");
    c->starts[c->row.n] = c->bytes.n;
    for (size_t k = 0; k < c->row.n; k++)
        c->row.fields[k] =
            span_of((c->bytes.p ? c->bytes.p : "") + c->starts[k], c->starts[k + 1] - c->starts[k]);
    return 0;
}

int csv_read(struct span text, const char *file,
             int (*row)(void *, const struct csv_row *, struct catalog_error *), void *arg,
             struct catalog_error *error) {
    struct csv c = {.text = text, .file = file, .line = 1, .error = error};
    if (span_starts(text, SPAN("\xef\xbb\xbf")))
        c.i = c.line_start = 3;
    int result = 0;
    while (result == 0 && c.i < text.n) {
        if (text.p[c.i] == '\n' || text.p[c.i] == '\r') {
            result = end_of_row(&c);
            continue;
        }
        result = read_row(&c);
        if (result == 0)
            result = row(arg, &c.row, error);
    }
    buf_free(&c.bytes);
    return result;
}

void csv_field(struct buf *out, struct span f) {
    bool quote = f.n && (f.p[0] == ' ' || f.p[f.n - 1] == ' ');
    for (size_t i = 0; i < f.n && !quote; i++)
        quote = f.p[i] == '"' || f.p[i] == ',' || f.p[i] == '\n' || f.p[i] == '\r';
    if (!quote) {
        buf_span(out, f);
        return;
    }
    buf_char(out, '"');
    for (size_t i = 0; i < f.n; i++) {
        if (f.p[i] == '"')
            buf_char(out, '"');
        buf_char(out, f.p[i]);
    }
    buf_char(out, '"');
}
