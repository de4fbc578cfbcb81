/* Where a recording is from: which repository, branch, commit, job and run. In order of strength: --label, STATWIT_LABELS, what CI
 * systems say in their variables, git.
 *
 * Ownership: labels_free gives the texts back.
 * Threads: one; starts git where nothing else says.
 */
#ifndef COMMAND_LABELS_H
#define COMMAND_LABELS_H

#include "command/options.h"
#include "store/clickhouse/push.h"

struct labels {
    char *texts[FLEET_LABELS]; /* as fleet_labels; NULL: not known */
    char *given;               /* what STATWIT_LABELS said, taken apart */
};

/* Fills in push->labels and push->others. EXIT_USAGE once the error was printed. */
int labels_collect(const struct options *o, struct labels *l, struct push_options *push);
void labels_free(struct labels *l);
/* "https://user:secret@host/acme/shop.git" and "git@host:acme/shop.git" are "acme/shop"; in place. */
char *labels_short_repo(char *url);

#endif
