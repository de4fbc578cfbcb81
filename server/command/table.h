/* Text for people: aligned tables, colour where there is a terminal that wants it, and nothing in them that
 * could drive the terminal.
 *
 * Ownership: the caller's struct; table_end prints what is left and frees.
 * Threads: one.
 * Limits: the first TABLE_HELD rows decide the columns' widths; later ones are printed as they come. An optional column that one of
 * those fills is shown from there on, under a new line of titles. On a terminal a table is never wider than it: the column marked
 * `gives` is cut with an ellipsis.
 */
#ifndef COMMAND_TABLE_H
#define COMMAND_TABLE_H

#include "core/buf.h"
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16
#define TABLE_HELD        1000

struct column {
    const char *title;
    bool right;    /* numbers */
    bool optional; /* left out when empty in all rows held */
    bool gives;    /* cut when the terminal is too narrow */
    size_t least;  /* its width at least */
    const char *colour;
};

struct text_table {
    size_t n_columns;
    const struct column *columns;
    /* Set before the first row: */
    bool wide;     /* nothing is cut */
    bool headless; /* no line of titles */
    bool follows;  /* rows go on for ever: later ones may need the room that is left */
    /* private: */
    bool begun;
    size_t n_cells, n_rows;
    struct buf text; /* the cells that are held, each ended by a NUL */
    size_t width[TABLE_COLUMNS_MAX];
    bool shown[TABLE_COLUMNS_MAX];
};

void table_begin(struct text_table *t, size_t n_columns, const struct column *columns);
/* The next cell, row by row; made harmless. */
void table_cell(struct text_table *t, struct span text);
/* "-" when not finite. People get six digits, but all of a whole number below 10^15; programs read JSON. */
void table_number(struct text_table *t, double value);
#define TABLE_NUMBER_SIZE 32
void table_format(double value, char text[TABLE_NUMBER_SIZE]);
/* Prints the rows held so far. */
void table_flush(struct text_table *t);
void table_end(struct text_table *t);

/* Appends the text with control characters (and what reverses or hides text) as \xNN or \u{…}; returns the
 * columns that it takes. */
size_t text_harmless(struct buf *b, struct span text);
/* Writes bytes that hold what was received, in whatever format: to a terminal harmless but for newlines and tabs; into a pipe
 * under GITHUB_ACTIONS without what the runner takes for a command; else as they are. False when they cannot be written. */
bool text_write(FILE *to, struct span bytes);
/* Whether the output is read by a runner of GitHub Actions: at the start of a line, after blanks, "::" starts a command there,
 * and "##[" does anywhere. */
bool text_on_github(void);
/* Appends the text so that no line of it is a command; *started: whether something but blanks was written on this line. */
void text_guard(struct buf *b, struct span text, bool *started);
/* Appends what a shell reads as that text, with quotes where it needs them. */
void text_quoted(struct buf *b, const char *text);
/* Columns of harmless text. */
size_t text_width(struct span text);

/* Whether stdout wants colour; "" or the sequence. */
bool colour_wanted(void);
const char *colour(const char *sequence);
#define COLOUR_BOLD   "\033[1m"
#define COLOUR_DIM    "\033[2m"
#define COLOUR_RED    "\033[31m"
#define COLOUR_GREEN  "\033[32m"
#define COLOUR_YELLOW "\033[33m"
#define COLOUR_CYAN   "\033[36m"
#define COLOUR_OFF    "\033[0m"

/* Columns of the terminal on stdout; 0: it is none. */
size_t terminal_width(void);

#endif
