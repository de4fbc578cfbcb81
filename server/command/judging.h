/* Shared by `expect` and `run`: expectations from arguments and files, asking for a verdict, showing the
 * report.
 *
 * Ownership: the caller's struct; judging_free.
 * Threads: one.
 * Errors: printed; exit codes.
 * Limits: JUDGING_FILE_MAX bytes of one file.
 */
#ifndef COMMAND_JUDGING_H
#define COMMAND_JUDGING_H

#include "command/remote.h"
#include "judge/judge.h"
#include <stdio.h>

#define JUDGING_FILE_MAX ((size_t)8 << 20)

struct judging {
    size_t n;
    struct judge_source *sources;
    struct buf *texts;  /* of files; .p NULL where the source is an argument */
    int64_t waiting_ms; /* what their `within` lines ask the server to wait */
    bool has_no;        /* there are `no` claims among them */
    bool has_session;   /* a `session` line says what is judged */
    bool values;        /* to be set: each asks for a number */
    bool no_everywhere; /* to be set: these, and --all-covered, are about every session */
};

/* The next source: an expectation, or a file ("-": stdin). */
int judging_add_text(struct judging *j, const char *text);
int judging_add_file(struct judging *j, const char *path);
/* Reads all expectations once, so that a malformed one is reported before anything is done. */
int judging_check(struct judging *j, const struct options *o);
void judging_free(struct judging *j);

/* Whether the judge is to hold --all-covered: with --catalog, what that declares is covered as well, and verifying
 * fails what it does not declare. */
bool judging_all_covered(const struct options *o);

/* The report, as POST /recorder/v1/expect answers it; a new reference. */
int judging_ask(const struct judging *j, const struct options *o, struct remote *remote, json_t **report);
/* The same of a file (--db). */
int judging_read(const struct judging *j, const struct options *o, json_t **report);

/* Where a report is printed: stdout, or stderr when that is one of the files that the options ask for. */
FILE *judging_output(const struct options *o);
/* Prints the report there as the options say, writes the files that they ask for, and returns the verdict's exit code. */
int judging_show(const struct options *o, const json_t *report);
/* The same in two steps, for whom stdout is somebody else's, or who has more to say in the report later. */
int judging_print(const struct options *o, const json_t *report, FILE *to);
enum judging_write {
    JUDGING_FIRST, /* it will be written again: a pipe waits for that */
    JUDGING_LAST
};
/* -1 once the error was printed. */
int judging_write(const struct options *o, const json_t *report, enum judging_write when);

#endif
