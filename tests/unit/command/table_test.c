#include "command/table.h"
#include "unit.h"
#include <math.h>
#include <unistd.h>

static void harmless_is(struct span text, const char *shown, size_t width) {
    struct buf b = {0};
    EQ_INT(text_harmless(&b, text), width);
    EQ_SPAN(buf_view(&b), span_str(shown));
    EQ_INT(text_width(buf_view(&b)), width);
    buf_free(&b);
}

static void test_harmless(void) {
    harmless_is(SPAN("plain"), "plain", 5);
    harmless_is(SPAN("a\033[2Jb"), "a\\x1b[2Jb", 9);
    harmless_is(SPAN("\0\n\t\177"), "\\x00\\x0a\\x09\\x7f", 16);
    harmless_is(SPAN("\xc2\x9b"), "\\x9b", 4);
    harmless_is(SPAN("\xff\xc3"), "\\xff\\xc3", 8);
    harmless_is(SPAN("\xe2\x80\xae"), "\\u{202e}", 8);
    harmless_is(SPAN("n\xc3\xa4me"), "n\xc3\xa4me", 4);
    harmless_is(SPAN("\xe6\xb0\xb4"), "\xe6\xb0\xb4", 2); /* wide */
    harmless_is(SPAN("e\xcc\x81"), "e\xcc\x81", 1);       /* combining */
}

/* What the calls print, which goes to stdout. */
static void printed(void (*print)(void), char *text, size_t size) {
    fflush(stdout);
    FILE *to = tmpfile();
    int kept = dup(STDOUT_FILENO);
    dup2(fileno(to), STDOUT_FILENO);
    print();
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(to);
    text[fread(text, 1, size - 1, to)] = '\0';
    fclose(to);
}

static void print_table(void) {
    static const struct column columns[] = {{.title = "NAME"},
                                            {.title = "N", .right = true},
                                            {.title = "HOST", .optional = true},
                                            {.title = "TAGS"}};
    struct text_table t;
    table_begin(&t, 4, columns);
    table_cell(&t, SPAN("\xe6\xb0\xb4"));
    table_number(&t, 12.5);
    table_cell(&t, SPAN(""));
    table_cell(&t, SPAN("a:1"));
    table_cell(&t, SPAN("longer"));
    table_number(&t, (double)NAN);
    table_cell(&t, SPAN(""));
    table_cell(&t, SPAN(""));
    table_end(&t);
}

static void test_aligned(void) {
    char text[500];
    printed(print_table, text, sizeof text);
    EQ_STR(text, "NAME       N  TAGS\n"
                 "\xe6\xb0\xb4      12.5  a:1\n"
                 "longer     -\n");
}

static void print_many(void) {
    static const struct column columns[] = {{.title = "A", .right = true}};
    struct text_table t;
    table_begin(&t, 1, columns);
    for (int i = 1; i <= 3 * TABLE_HELD; i++)
        table_number(&t, i);
    table_end(&t);
}

static void test_later_rows_come_as_they_are(void) {
    static char text[100000];
    printed(print_many, text, sizeof text);
    size_t lines = 0;
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    EQ_INT(lines, 3 * TABLE_HELD + 1);
    CU_ASSERT(strstr(text, "\n3000\n") != NULL);
}

static void print_empty(void) {
    static const struct column columns[] = {{.title = "A"}};
    struct text_table t;
    table_begin(&t, 1, columns);
    table_end(&t);
}

static void test_nothing(void) {
    char text[20];
    printed(print_empty, text, sizeof text);
    EQ_STR(text, "");
}

static void print_revealed(void) {
    static const struct column columns[] = {
        {.title = "NAME"}, {.title = "HOST", .optional = true}, {.title = "N"}};
    struct text_table t;
    table_begin(&t, 3, columns);
    table_cell(&t, SPAN("first"));
    table_cell(&t, SPAN(""));
    table_number(&t, 1);
    table_flush(&t); /* as each sample that arrives is shown */
    table_cell(&t, SPAN("second"));
    table_cell(&t, SPAN("web-1"));
    table_number(&t, 2);
    table_flush(&t);
    table_cell(&t, SPAN("third"));
    table_cell(&t, SPAN(""));
    table_number(&t, 3);
    table_end(&t);
}

static void test_a_column_is_shown_once_it_is_needed(void) {
    char text[200];
    printed(print_revealed, text, sizeof text);
    EQ_STR(text, "NAME   N\nfirst  1\nNAME   HOST   N\nsecond  web-1  2\nthird         3\n");
}

static void test_numbers_for_people(void) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "0"},
                 {5, "5"},
                 {-5, "-5"},
                 {1127.395832846671, "1127.4"},
                 {0.1 + 0.2, "0.3"},
                 {1.0 / 3, "0.333333"},
                 {-2.0 / 3, "-0.666667"},
                 {123456.789, "123457"},
                 {1234567.25, "1234567"},
                 {123456789012, "123456789012"},
                 {999999999999999, "999999999999999"},
                 {1e15, "1e+15"},
                 {1.5e300, "1.5e+300"},
                 {0.0000123456789, "1.23457e-05"},
                 {(double)NAN, "-"},
                 {(double)INFINITY, "-"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[TABLE_NUMBER_SIZE];
        table_format(cases[i].value, text);
        EQ_STR(text, cases[i].text);
    }
}

UNIT_MAIN("command/table", {"a column is shown once it is needed", test_a_column_is_shown_once_it_is_needed},
          {"numbers for people", test_numbers_for_people}, {"nothing can drive the terminal", test_harmless},
          {"aligned", test_aligned}, {"later rows come as they are", test_later_rows_come_as_they_are},
          {"nothing", test_nothing})
