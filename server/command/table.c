#include "command/table.h"

#include "core/number.h"
#include "core/utf8.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define HELD_MAX    ((size_t)64 << 20)
#define LEAST_GIVEN 8   /* columns that a cut column keeps */
#define WIDTH_MAX   100 /* one huge cell doesn't move all the others: it sticks out */

bool colour_wanted(void) {
    static int wanted = -1;
    if (wanted < 0) {
        const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
        wanted = isatty(STDOUT_FILENO) && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
    }
    return wanted;
}

const char *colour(const char *sequence) {
    return sequence && colour_wanted() ? sequence : "";
}

size_t terminal_width(void) {
    struct winsize size;
    if (!isatty(STDOUT_FILENO))
        return 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* wcwidth knows nothing in the C locale. Numbers keep their points: only the character type is set. */
static int columns_of(uint32_t character) {
    static bool ready;
    if (!ready) {
        setlocale(LC_CTYPE, "C.UTF-8");
        ready = true;
    }
    int width = wcwidth((wchar_t)character);
    return width < 0 ? 1 : width;
}

bool text_on_github(void) {
    const char *on = getenv("GITHUB_ACTIONS");
    return on && on[0] && strcmp(on, "false") != 0;
}

void text_guard(struct buf *b, struct span text, bool *started) {
    for (size_t i = 0; i < text.n; i++) {
        struct span rest = span_from(text, i);
        char c = text.p[i];
        bool ends = c == '\n' || (c == '\r' && rest.n > 1 && rest.p[1] == '\n');
        if (c == '\r' && !ends) { /* the runner ends a line here, too */
            buf_str(b, "\\x0d");
            *started = true;
            continue;
        }
        if ((!*started && c == ':' && (rest.n == 1 || rest.p[1] == ':')) || span_starts(rest, SPAN("##[")))
            buf_printf(b, "\\x%02x", (unsigned char)c);
        else
            buf_char(b, c);
        *started = !ends && (*started || (c != ' ' && c != '\t' && c != '\r'));
    }
}

/* Cells may stand first in their line. */
static size_t defuse(struct buf *b, struct span text) {
    size_t blanks = 0;
    while (blanks < text.n && text.p[blanks] == ' ')
        blanks++;
    if (!text_on_github() || !span_starts(span_from(text, blanks), SPAN("::")))
        return 0;
    buf_printf(b, "%*s\\x3a", (int)blanks, "");
    return blanks + 1;
}

size_t text_harmless(struct buf *b, struct span text) {
    size_t skipped = defuse(b, text), width = skipped ? skipped + 3 : 0;
    text = span_from(text, skipped);
    bool github = text_on_github();
    for (size_t i = 0; i < text.n;) {
        struct span rest = span_from(text, i);
        size_t n = utf8_length(rest);
        if (n == 0) {
            buf_printf(b, "\\x%02x", (unsigned char)text.p[i]);
            width += 4;
            i++;
            continue;
        }
        uint32_t c = utf8_decode(rest, n);
        size_t before = b->n;
        if (utf8_visible(c) && !(github && span_starts(rest, SPAN("##[")))) {
            buf_add(b, rest.p, n);
            width += (size_t)columns_of(c);
        } else {
            buf_printf(b, c < 0x100 ? "\\x%02x" : "\\u{%x}", c);
            width += b->n - before;
        }
        i += n;
    }
    return width;
}

static bool is_pipe(FILE *to) {
    struct stat st;
    return fstat(fileno(to), &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static bool write_guarded(FILE *to, struct span bytes) {
    static bool started; /* the command's whole output is one text, however many pieces it comes in */
    struct buf text = {0};
    text_guard(&text, bytes, &started);
    bool written = !text.failed && fwrite(text.p ? text.p : "", 1, text.n, to) == text.n;
    buf_free(&text);
    return written;
}

enum reader { ANYBODY, TERMINAL, GITHUB };

static enum reader who_reads(FILE *to) {
    return isatty(fileno(to)) ? TERMINAL : text_on_github() && is_pipe(to) ? GITHUB : ANYBODY;
}

/* Of the standard output, which an export writes to line by line, that is found out once. */
static enum reader reader_of(FILE *to) {
    static bool known;
    static enum reader of_stdout;
    if (to != stdout)
        return who_reads(to);
    if (!known)
        of_stdout = who_reads(to);
    known = true;
    return of_stdout;
}

bool text_write(FILE *to, struct span bytes) {
    struct buf line = {0};
    enum reader reader = reader_of(to);
    if (reader == GITHUB)
        return write_guarded(to, bytes);
    if (reader == ANYBODY)
        return fwrite(bytes.p, 1, bytes.n, to) == bytes.n;
    bool written = true;
    for (size_t from = 0, i = 0; written && i <= bytes.n; i++) {
        if (i < bytes.n && bytes.p[i] != '\n' && bytes.p[i] != '\t')
            continue;
        text_harmless(&line, span_of(bytes.p + from, i - from));
        if (i < bytes.n)
            buf_char(&line, bytes.p[i]);
        written = !line.failed && fwrite(line.p ? line.p : "", 1, line.n, to) == line.n;
        buf_clear(&line);
        from = i + 1;
    }
    buf_free(&line);
    return written;
}

void text_quoted(struct buf *b, const char *text) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-+=:@";
    if (text[0] && text[strspn(text, plain)] == '\0') {
        buf_str(b, text);
        return;
    }
    buf_char(b, '\'');
    for (const char *at = text; *at; at++)
        if (*at == '\'')
            buf_str(b, "'\\''");
        else
            buf_char(b, *at);
    buf_char(b, '\'');
}

size_t text_width(struct span text) {
    size_t width = 0;
    for (size_t i = 0, n; i < text.n; i += n) {
        n = utf8_length(span_from(text, i));
        width += n ? (size_t)columns_of(utf8_decode(span_from(text, i), n)) : 1;
        n = n ? n : 1;
    }
    return width;
}

/* How many bytes of harmless text fit into `width` columns. */
static size_t fitting(struct span text, size_t width) {
    size_t taken = 0, i = 0;
    while (i < text.n) {
        size_t n = utf8_length(span_from(text, i));
        size_t columns = n ? (size_t)columns_of(utf8_decode(span_from(text, i), n)) : 1;
        if (taken + columns > width)
            break;
        taken += columns;
        i += n ? n : 1;
    }
    return i;
}

void table_begin(struct text_table *t, size_t n_columns, const struct column *columns) {
    *t = (struct text_table){.n_columns = n_columns, .columns = columns, .text = {.max = HELD_MAX}};
}

static void print_cell(const struct text_table *t, size_t c, struct span text, const char *sequence,
                       size_t *blanks) {
    size_t width = text_width(text), room = t->width[c];
    bool cut = width > room && terminal_width() > 0 && t->columns[c].gives && !t->wide;
    if (cut) {
        text.n = fitting(text, room - 1);
        width = text_width(text) + 1;
    }
    size_t pad = width < room ? room - width : 0;
    *blanks += t->columns[c].right ? pad : 0;
    if (text.n) { /* blanks are printed when something follows */
        printf("%*s%s%.*s%s%s", (int)*blanks, "", colour(sequence), SPAN_ARG(text), cut ? "…" : "",
               sequence ? colour(COLOUR_OFF) : "");
        *blanks = 0;
    }
    *blanks += (t->columns[c].right ? 0 : pad) + 2;
}

static void print_row(const struct text_table *t, const char **at, bool title) {
    size_t blanks = 0;
    for (size_t c = 0; c < t->n_columns; c++) {
        struct span text = title ? span_str(t->columns[c].title) : span_str(*at);
        if (!title)
            *at += text.n + 1;
        if (t->shown[c])
            print_cell(t, c, text, title ? COLOUR_BOLD : t->columns[c].colour, &blanks);
    }
    putchar('\n');
}

/* Narrows the widest column that gives, down to the next, until the table fits. */
static void fit(struct text_table *t) {
    size_t total = 0, window = terminal_width();
    for (size_t c = 0; c < t->n_columns; c++)
        total += t->shown[c] ? t->width[c] + 2 : 0;
    total -= 2;
    while (window && total > window && !t->wide) {
        size_t widest = t->n_columns;
        for (size_t c = 0; c < t->n_columns; c++)
            if (t->shown[c] && t->columns[c].gives && t->width[c] > LEAST_GIVEN &&
                (widest == t->n_columns || t->width[c] > t->width[widest]))
                widest = c;
        if (widest == t->n_columns)
            break;
        t->width[widest]--;
        total--;
    }
    for (size_t c = t->n_columns; c-- > 0 && t->follows && total < window;)
        if (t->shown[c] && t->columns[c].gives) {
            t->width[c] += window - total;
            break;
        }
}

/* Takes the columns' widths from the rows held, then makes them fit. */
static void measure(struct text_table *t) {
    const char *at = t->text.p;
    for (size_t c = 0; c < t->n_columns; c++)
        t->width[c] = t->columns[c].least;
    for (size_t i = 0; i < t->n_rows * t->n_columns; i++) {
        struct span cell = span_str(at);
        size_t c = i % t->n_columns, width = text_width(cell);
        t->width[c] = width > t->width[c] ? width : t->width[c];
        at += cell.n + 1;
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        size_t title = t->headless ? 0 : text_width(span_str(t->columns[c].title));
        t->shown[c] = !t->columns[c].optional || t->width[c] > t->columns[c].least;
        t->width[c] = title > t->width[c] ? title : t->width[c];
        t->width[c] = t->width[c] < WIDTH_MAX ? t->width[c] : WIDTH_MAX;
    }
    fit(t);
}

/* A later row fills a column that was left out: it is shown from here on, under a new line of titles. */
static void reveal(struct text_table *t, const char *at) {
    bool more = false;
    for (size_t c = 0; c < t->n_columns; c++) {
        struct span cell = span_str(at);
        at += cell.n + 1;
        if (t->shown[c] || cell.n == 0)
            continue;
        size_t width = text_width(cell), title = text_width(span_str(t->columns[c].title));
        t->shown[c] = more = true;
        t->width[c] = width > title ? width : title;
        t->width[c] = t->width[c] < WIDTH_MAX ? t->width[c] : WIDTH_MAX;
    }
    if (!more)
        return;
    fit(t);
    if (!t->headless)
        print_row(t, NULL, true);
}

void table_flush(struct text_table *t) {
    const char *at = t->text.p;
    if (!t->begun && t->n_rows) {
        measure(t);
        if (!t->headless)
            print_row(t, NULL, true);
        t->begun = true;
    }
    for (size_t i = 0; i < t->n_rows; i++) {
        reveal(t, at);
        print_row(t, &at, false);
    }
    buf_clear(&t->text);
    t->n_rows = 0;
}

void table_cell(struct text_table *t, struct span text) {
    text_harmless(&t->text, text);
    buf_char(&t->text, '\0');
    if (++t->n_cells % t->n_columns)
        return;
    t->n_rows++;
    if (t->begun || t->n_rows == TABLE_HELD || t->text.n > HELD_MAX / 2)
        table_flush(t);
}

#define WHOLE_MAX 1e15 /* every whole number below is a double of its own */

void table_format(double value, char text[TABLE_NUMBER_SIZE]) {
    if (!isfinite(value))
        snprintf(text, TABLE_NUMBER_SIZE, "-");
    else if (fabs(value) < WHOLE_MAX && (value == trunc(value) || fabs(value) >= 1e6))
        snprintf(text, TABLE_NUMBER_SIZE, "%.0f", value == 0 ? 0.0 : value);
    else
        snprintf(text, TABLE_NUMBER_SIZE, "%.6g", value);
}

void table_number(struct text_table *t, double value) {
    char text[TABLE_NUMBER_SIZE];
    table_format(value, text);
    table_cell(t, span_str(text));
}

void table_end(struct text_table *t) {
    table_flush(t);
    buf_free(&t->text);
}
