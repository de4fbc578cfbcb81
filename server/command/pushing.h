/* Pushing a recording, for `push` and for `run --push`.
 *
 * Threads: one at a time. Errors: printed; exit codes.
 */
#ifndef COMMAND_PUSHING_H
#define COMMAND_PUSHING_H

#include "command/options.h"
#include "store/clickhouse/push.h"
#include <jansson.h>

#define PUSHING_PLACE 400

/* host:8123/statwit */
const char *pushing_place(const struct fleet_url *url, char place[PUSHING_PLACE]);
/* Why it failed, for a sentence that names the place. */
const char *pushing_why(const struct push_options *push, const struct err *err);
/* Fills in push->url. EXIT_USAGE once the error was printed: it is no URL to push to. */
int pushing_target(const char *to, struct push_options *push);
/* A bar on stderr, when that is a terminal which wants one. */
void pushing_show_progress(const struct options *o, struct push_options *push);
/* A line for people, or --json's. */
void pushing_tell(const struct options *o, const struct push_options *push, const struct push_result *result);

/* After a verdict: the reader's recording goes to where --push says, in the time that --push-timeout gives. What fails is a warning, and an
 * error (EXIT_CANNOT) only with --push-required. `kept`: the file that holds the recording, NULL: none does.
 * *told: what a report says of it, a new reference; NULL: nothing was tried. */
int pushing_after(const struct options *o, struct reader *from, const char *kept, const atomic_bool *stop,
                  json_t **told);
/* EXIT_USAGE once the error was printed: --push is no URL. */
int pushing_check(const struct options *o);

#endif
