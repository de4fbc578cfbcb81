/* Where a fleet's recordings are, and which of them are meant:
 *
 *     clickhouse://HOST[:PORT][/DATABASE][?repo=…&branch=…&since=7d&latest=1]      clickhouses:// is the same over TLS
 *
 * Ownership: the struct is the caller's and holds all its texts.
 * Errors: -1 with err: the user wrote something that is no such URL. A password in it is refused: others see a command line.
 * Limits: FLEET_TEXT bytes of each part, FLEET_WORDS words.
 */
#ifndef STORE_CLICKHOUSE_URL_H
#define STORE_CLICKHOUSE_URL_H

#include "core/err.h"
#include "core/span.h"
#include <stdint.h>

#define FLEET_TEXT  512
#define FLEET_WORDS 32
#define FLEET_KEY   80

/* A condition on a label: key is "repo", …, "host", or of label.KEY the KEY. */
struct fleet_word {
    bool other; /* label.KEY */
    char key[FLEET_KEY], glob[FLEET_TEXT];
};

struct fleet_url {
    bool tls;
    char host[256], database[65];
    int port;
    size_t n_words;
    struct fleet_word words[FLEET_WORDS];
    int64_t since, until; /* of when a recording starts, ns since 1970; 0: no bound */
    uint64_t latest;      /* of each repo, branch and job; 0: all */
    bool lossless;
    char recording[33]; /* "": any */
};

/* Whether the text is meant to be one. */
bool fleet_url_is(const char *text);
/* now_ns: what an age (since=7d) counts from. */
int fleet_url_parse(const char *text, int64_t now_ns, struct fleet_url *url, struct err *err);
/* The columns of `recordings` that are labels, in the order in which they stand there. */
#define FLEET_LABELS 7
extern const char *const fleet_labels[FLEET_LABELS]; /* repo branch commit job run host version */
int fleet_label_of(const char *word);                /* -1: none */

#endif
