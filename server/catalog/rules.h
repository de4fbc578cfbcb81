/* The rules of lint: one list gives the enum, the name, the severity, what a clean recording shows, the sentence of a
 * finding, and why it matters.
 *
 * In the sentence of a finding stand for what the note says of it (lint_private.h):
 *   %s %d    the subject, the detail
 *   %S %D    the same, cut to what a line can show; an empty subject is an empty tag
 *   %n       how many bytes the subject has
 *
 * The names are in catalogs ("silence") and in people's CI: append only.
 */
#ifndef CATALOG_RULES_H
#define CATALOG_RULES_H

#include "core/span.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };
const char *severity_word(enum severity severity); /* "error", "warning", "note" */

#define LINT_RULES(X)                                                                                                      \
    X(LINT_NAME_DROPPED, "name-dropped", SEVERITY_ERROR, "every name has a normal form",                                   \
      "%S is dropped: nothing of it is allowed",                                                                           \
      "A metric name needs an ASCII letter to start with. Where there is none, nothing is left of the name and "           \
      "the metric never appears in Datadog.")                                                                              \
    X(LINT_NAME_TOO_LONG, "name-too-long", SEVERITY_ERROR, "names have at most 200 characters",                            \
      "%n characters, at most 200 are allowed",                                                                            \
      "Datadog takes metric names of up to 200 characters. What it does with a longer one is not documented: "             \
      "don't rely on finding it.")                                                                                         \
    X(LINT_NAME_REWRITTEN, "name-rewritten", SEVERITY_ERROR, "names are stored as they were sent",                         \
      "%S is stored as %D",                                                                                                \
      "Datadog keeps ASCII letters, digits, '_' and '.' in a metric name, and a letter first. Anything else "              \
      "becomes '_' or goes, so a dashboard or monitor that uses the name in the code finds nothing.")                      \
    X(LINT_NAME_COLLISION, "name-collision", SEVERITY_ERROR, "different names stay different",                             \
      "%S is stored under the same name, %D",                                                                              \
      "Two names in the code have the same normal form: Datadog mixes both into one metric.")                              \
    X(LINT_MIXED_TYPES, "mixed-types", SEVERITY_ERROR, "one name has one type", "sent as %d",                              \
      "A metric has one type in Datadog. With several, values overwrite each other, and the Agent feeds later "            \
      "samples of a flush window into whatever type came first.")                                                          \
    X(LINT_TAG_REWRITTEN, "tag-rewritten", SEVERITY_ERROR, "tags are stored as they were sent",                            \
      "%S is stored as %D",                                                                                                \
      "Datadog keeps letters, digits and '_ - : . /' in tags, and a letter first. Runs of anything else become "           \
      "one '_', so a query for the tag in the code finds nothing.")                                                        \
    X(LINT_TAG_LOWERCASED, "tag-lowercased", SEVERITY_WARNING, "tags are in lower case",                                   \
      "%S is stored as %D",                                                                                                \
      "Datadog turns tags to lower case (but for host and device): env:Prod and env:prod are one tag there, and "          \
      "queries have to use the small letters.")                                                                            \
    X(LINT_TAG_TRUNCATED, "tag-truncated", SEVERITY_ERROR, "tags have at most 200 characters",                             \
      "%S is cut after 200 characters",                                                                                    \
      "Datadog cuts a tag after 200 characters. Values that differ only behind that become one.")                          \
    X(LINT_TAG_DROPPED, "tag-dropped", SEVERITY_ERROR, "every tag has a normal form",                                      \
      "%S is dropped: nothing of it is allowed",                                                                           \
      "Nothing usable is left of this tag (it is empty, or holds no letter), so Datadog drops it. An empty tag is "        \
      "often a trailing comma in the client.")                                                                             \
    X(LINT_TOO_MANY_TAGS, "too-many-tags", SEVERITY_ERROR, "a series has at most 100 tags",                                \
      "%d tags, at most 100 are kept",                                                                                     \
      "Datadog keeps at most 100 tags for a metric point; which ones survive is not documented.")                          \
    X(LINT_IDENTIFIER_TAG, "identifier-tag", SEVERITY_WARNING, "no tag holds an identifier", "%S holds %D",                \
      "UUIDs, long numbers, hashes, e-mail addresses and timestamps as tag values make a new time series for each "        \
      "value, and each is billed as a custom metric. Put such things into logs or traces.")                                \
    X(LINT_KEY_SPELLING, "key-spelling", SEVERITY_WARNING, "a tag key has one spelling",                                   \
      "%S is also spelled %D",                                                                                             \
      "userId, user-id and user_id are different tag keys: a query by one of them misses the others.")                     \
    X(LINT_RESERVED_KEY, "reserved-key", SEVERITY_NOTE, "reserved tag keys keep their meaning",                            \
      "%S has a meaning of its own in Datadog",                                                                            \
      "host, device, source, service, env and version have a meaning of their own in Datadog, and the Agent or the "       \
      "host may already set them: a metric can then carry two values of one key.")                                         \
    X(LINT_UNIT_TYPE, "unit-type", SEVERITY_WARNING, "the unit in a name agrees with the type",                            \
      "the name ends in %s, but %d",                                                                                       \
      "A name that ends in a unit promises how to read the values: a duration is not a count, a timing is in "             \
      "milliseconds and not in seconds or bytes, a percentage cannot be counted.")                                         \
    X(LINT_GROWING_GAUGE, "growing-gauge", SEVERITY_WARNING, "gauges go up and down",                                      \
      "it only grew: a running total should be a count",                                                                   \
      "Every series of this gauge only grew, over five samples or more. That is a running total: send the differences as " \
      "a count, or a restart will look like a drop.")                                                                      \
    X(LINT_NEGATIVE_COUNT, "negative-count", SEVERITY_WARNING, "counts are not negative", "a value of %d",                 \
      "A count says how often something happened. Negative values are accepted but make the sum meaningless; a value "     \
      "that goes down belongs in a gauge.")                                                                                \
    X(LINT_SECONDS_TIMING, "seconds-timing", SEVERITY_WARNING, "timings are in milliseconds",                              \
      "no value is above %d: these look like seconds, a timing is in milliseconds",                                        \
      "All values of this timing are small fractions. DogStatsD timings are milliseconds: 0.25 means a quarter of "        \
      "a millisecond, not of a second.")                                                                                   \
    X(LINT_CONSTANT_ZERO, "constant-zero", SEVERITY_WARNING, "histograms hold something other than 0",                     \
      "every value is 0",                                                                                                  \
      "Every value of this histogram, timing or distribution was 0: usually a measurement that is truncated to a whole "   \
      "number, or never made.")                                                                                            \
    X(LINT_DATAGRAM_1432, "datagram-over-1432", SEVERITY_WARNING, "datagrams fit one network packet",                      \
      "one metric alone is longer than 1,432 bytes",                                                                       \
      "Over UDP a datagram of more than 1,432 bytes is split into several packets; if one is lost, all of it is. "         \
      "Clients keep below that by default.")                                                                               \
    X(LINT_DATAGRAM_8192, "datagram-over-8192", SEVERITY_ERROR, "datagrams fit the Agent's buffer",                        \
      "one metric alone is longer than the 8,192 bytes that an Agent reads",                                               \
      "A default Agent reads 8,192 bytes of a datagram and cuts off the rest without a word: the metrics at its end are "  \
      "lost or changed.")                                                                                                  \
    X(LINT_CLIENT_DROPS, "client-drops", SEVERITY_ERROR, "clients drop nothing",                                           \
      "the client reports %d dropped",                                                                                     \
      "The client's own telemetry (datadog.dogstatsd.client.*) reports metrics that it dropped before they were sent: "    \
      "its buffer was too small, or the socket did not keep up.")                                                          \
    X(LINT_SAMPLE_RATE, "sample-rate", SEVERITY_ERROR, "sample rates are above 0 and at most 1",                           \
      "the rate %s: a value is divided by it, and counts so many times",                                                   \
      "The Agent divides a count by its sample rate and does not look whether that makes sense: @2 halves "                \
      "it, @0 makes it infinite, @-1 takes it away, and one NaN makes the sum NaN.")                                       \
    X(LINT_RATE_IGNORED, "rate-ignored", SEVERITY_WARNING, "gauges and sets have no sample rate",                          \
      "the rate %s means nothing to a %d",                                                                                 \
      "The Agent reads the sample rate of a gauge or a set and ignores it. A client that sends only some of "              \
      "them loses values that nothing makes up for.")                                                                      \
    X(LINT_TIMESTAMP_RANGE, "timestamp-range", SEVERITY_ERROR, "timestamps are near the time of arrival",                  \
      "the timestamp %d: %s",                                                                                              \
      "Datadog keeps points of the last hour and up to ten minutes ahead, and refuses an event that is more "              \
      "than 18 hours old. The Agent sends others on without a word, and the intake answers 202 and keeps nothing "         \
      "of them. A recorder with --timestamps any keeps them, for tests with a frozen clock. A timestamp is in "            \
      "seconds: milliseconds lie in the far future.")                                                                      \
    X(LINT_IGNORED_PART, "ignored-part", SEVERITY_ERROR, "nothing inside a line is ignored",                               \
      "'%S' is ignored: %d",                                                                                               \
      "The Agent takes the line and ignores a part of it: a field that it does not know, the first of two "                \
      "fields of one kind, what stands behind a '|' inside a tag or a message, an event's surplus. statwit "               \
      "rejects --remarks shows the place.")                                                                                \
    X(LINT_GAUGE_SIGN, "gauge-sign", SEVERITY_WARNING, "gauges are set, not changed", "'%S' is ignored: %d",               \
      "In Etsy's statsd '+4' raises a gauge by 4 and '-4' lowers it. An Agent takes the number as the "                    \
      "gauge's value.")                                                                                                    \
    X(LINT_SEVERAL_VALUES, "several-values", SEVERITY_WARNING, "a tag key has one value",                                  \
      "%S has the values %D",                                                                                              \
      "Datadog keeps all values of a key, so the metric is counted under each of them. Usually a client "                  \
      "added a tag to one that was already there.")                                                                        \
    X(LINT_COMMA_IN_VALUE, "comma-in-value", SEVERITY_NOTE, "no tag value holds a comma",                                  \
      "%S stands beside %D: a comma inside a value separates tags",                                                        \
      "A comma separates tags: k:v1,v2 is the tag k:v1 and the tag v2. A tag without a key that looks like "               \
      "the value of another one is likely the rest of a value.")                                                           \
    X(LINT_EVENT_TOO_LONG, "event-too-long", SEVERITY_WARNING, "events fit their limits", "%S has %D",                     \
      "Datadog documents 4,000 characters for the text of an event and 100 for its aggregation key. An Agent cuts "        \
      "neither: it sends the whole, and Datadog shows what it keeps.")                                                     \
    X(LINT_REFUSED, "refused", SEVERITY_ERROR, "nothing is refused", "%d (%s)",                                            \
      "An Agent or Datadog drops what it cannot read, and the sender is not told. statwit rejects shows "                  \
      "each with the place.")

enum lint_rule {
#define X(id, name, severity, claim, found, why) id,
    LINT_RULES(X)
#undef X
        LINT_N
};

struct lint_rule_info {
    const char *name;
    enum severity severity;
    const char *claim;       /* what holds in a clean recording */
    const char *found;       /* the sentence of a finding, with %s and its like */
    const char *explanation; /* sentences, for lint --explain */
};
const struct lint_rule_info *lint_rule_info(enum lint_rule rule);
int lint_rule_of(struct span name); /* -1: unknown */

#endif
