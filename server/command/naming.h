/* Shared by the commands about names and tags: catalogs and snapshots from files, one question for a server or a file.
 *
 * Threads: one.
 * Errors: printed; functions return the exit code, EXIT_PASS when all is well.
 * Limits: those of catalog/catalog.h and catalog/snapshot.h.
 */
#ifndef COMMAND_NAMING_H
#define COMMAND_NAMING_H

#include "agent/agent.h"
#include "command/remote.h"
#include "report/names.h"

/* The catalogs and all that they include, read and checked, as [{"file","text"}…] for a question; a new reference. */
int naming_catalogs(size_t n, const char *const *paths, json_t **files);
/* Answers a question from the server, or from the recording of --db. The fields "session" and "since" are added from the
 * options. `remote` may be NULL: then one is opened. */
int naming_ask(const struct options *o, enum catalog_kind kind, json_t *question, struct remote *remote,
               json_t **answer);
/* Whether something was lost of what the answer is about, more than a doubt; of one side ("a", "b") of a diff, or of all. */
bool naming_lost(const json_t *answer, const char *side);
/* Verifies against the catalogs of --catalog, with --strict, --prefix and --ignore-tags. */
int naming_verify(const struct options *o, struct remote *remote, json_t **answer);
/* A report without expectations, for naming_extend. */
json_t *naming_empty_report(void);
/* --catalog of expect and run: judges against it too and adds its results to the report. Nothing when it is not given. */
int naming_extend(const struct options *o, struct remote *remote, json_t *report);
/* Reads --catalog, so that a mistake in a catalog is reported before anything is done. */
int naming_check(const struct options *o);

/* --histogram-aggregates and --histogram-percentiles, for what Datadog has. */
int naming_histograms(const struct options *o, struct agent_histogram_options *histograms);
/* EXIT_USAGE when they are given for a server, which has its own. */
int naming_no_histograms(const struct options *o);

/* A whole file, at most max bytes; "-" is stdin. */
int naming_read(const char *path, size_t max, struct buf *text);
/* Replaces the file at once, or not at all; NULL or "-" is stdout. */
int naming_write(const char *path, struct span text);
void naming_print_error(const struct catalog_error *e);

#endif
