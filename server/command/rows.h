/* The rows of a recording, of a server (--url) or of a file (--db), with the same filters and in the same
 * JSON: so each command has one way to show them.
 *
 * Threads: one.
 * Errors: printed; functions return the exit code.
 */
#ifndef COMMAND_ROWS_H
#define COMMAND_ROWS_H

#include "command/remote.h"
#include "control/listing.h"

#define ROWS_NEWEST_MAX 10000 /* rows a server gives from the end */

enum rows_kind { ROWS_SERIES, ROWS_SAMPLES, ROWS_EVENTS, ROWS_CHECKS, ROWS_REJECTS, ROWS_DATAGRAMS };

/* Whether the command is to read a file: --db, unless --url was given in a stronger way. */
bool rows_from_file(const struct options *o);
/* Hands the text of each row of the file that the options' filters let through to take, phase after phase. *last_id (may be NULL): of
 * the newest record that it holds. */
int rows_in_file(const struct options *o, size_t n_phases, const struct listing_phase *phases,
                 void (*take)(void *arg, struct span text, uint64_t id), void *arg, uint64_t *last_id);
/* The filter of the options. tags: room for OPTION_LIST_MAX. */
int rows_filter(const struct options *o, struct span *tags, struct filter *filter);
/* The recording of --db, a file or a fleet's URL; close it with reader_close. NULL after the error was printed: *status is the exit code. */
struct reader *rows_open_file(const struct options *o, int *status);
/* Whether it holds several recordings, which have no mark in common. */
bool rows_are_several(struct reader *reader);
/* --session may be the token of --auto-sessions that a session of the file was made for: then it becomes that one's name. A server
 * is asked as it is. */
int rows_name_session(struct options *o);
/* EXIT_USAGE with err when the recording has no session of that name. Between reader_begin and reader_end. */
int rows_find_session(struct reader *r, const struct options *o, struct span name, struct err *err);
/* EXIT_USAGE with err when --since or --until is beyond the newest record. */
int rows_find_mark(struct reader *r, const struct options *o, struct err *err);
/* The session's name: "default" unless --session says otherwise; with --by, all. */
const char *rows_session(const struct options *o);

/* Calls row(arg, object) for each that the options' filters let through. *last_id (may be NULL): the newest
 * sample or reject delivered, 0 when there was none. */
int rows_each(const struct options *o, enum rows_kind kind, void (*row)(void *arg, const json_t *row),
              void *arg, uint64_t *last_id);
/* Prints {"series":[…]}, {"samples":[…]} and so on, as the control API answers it. */
int rows_print_json(const struct options *o, enum rows_kind kind);

/* Starts /recorder/v1/LIST with the filters of the options, but for since and limit. */
void rows_path(struct buf *path, const struct options *o, const char *list);

/* "1 sample", "2 samples" of a field that counts, in text of ROW_COUNT_SIZE bytes, which it returns. */
#define ROW_COUNT_SIZE 64
const char *row_count(const json_t *row, const char *field, const char *one, char text[ROW_COUNT_SIZE]);
/* A field as text: {"", 0} when it is null or missing. */
struct span row_text(const json_t *row, const char *field);
/* NaN when it is null or missing. */
double row_number(const json_t *row, const char *field);
/* "a:1,b" */
void row_tags(const json_t *row, struct buf *text);

#endif
