/* Why something was refused: one list gives the enum, the word and the sentence.
 *
 * The words are stored in recordings and are the Agent's own classes (schema/protocol/dogstatsd.md sections 3.1, 5, 6, 7.5); "dropped" ones are
 * accepted by the Agent or the intake and then thrown away without a trace.
 */
#ifndef CORE_REASON_H
#define CORE_REASON_H

#include "core/span.h"

#define REASONS(X)                                                                                           \
    /* metric lines */                                                                                       \
    X(REASON_NO_PIPE, "no_pipe", "a metric needs a '|' between its value and its type")                      \
    X(REASON_NO_COLON, "no_colon", "a metric needs a ':' between its name and its value")                    \
    X(REASON_EMPTY_NAME, "empty_name", "the metric name is empty")                                           \
    X(REASON_EMPTY_VALUE, "empty_value", "the value between ':' and '|' is empty")                           \
    X(REASON_INVALID_TYPE, "invalid_type", "the type must be exactly one of c, g, ms, h, d, s")              \
    X(REASON_NO_VALUE_FOUND, "no_value_found", "a packed value holds only ':'")                              \
    X(REASON_INVALID_VALUE, "invalid_value", "the value is not a number")                                    \
    X(REASON_VALUE_OUT_OF_RANGE, "value_out_of_range", "the value does not fit a 64-bit float")              \
    X(REASON_INVALID_SAMPLE_RATE, "invalid_sample_rate", "the sample rate after '@' is not a number")        \
    X(REASON_INVALID_TIMESTAMP, "invalid_timestamp",                                                         \
      "the timestamp after 'T' is not a whole number of seconds")                                            \
    X(REASON_TIMESTAMP_NOT_POSITIVE, "timestamp_not_positive", "the timestamp after 'T' must be above 0")    \
    /* accepted by the Agent, then dropped */                                                                \
    X(REASON_NON_FINITE_VALUE, "non_finite_value", "NaN and infinities are accepted and then dropped")       \
    X(REASON_TIMESTAMP_UNSUPPORTED_TYPE, "timestamp_unsupported_type",                                       \
      "only counts and gauges may carry a timestamp; others are accepted and then dropped")                  \
    /* events */                                                                                             \
    X(REASON_EVENT_NO_COLON, "event_no_colon", "an event needs a ':' after its header")                      \
    X(REASON_EVENT_HEADER_INVALID, "event_header_invalid",                                                   \
      "an event starts with _e{TITLE_BYTES,TEXT_BYTES}:")                                                    \
    X(REASON_EVENT_EMPTY_TITLE, "event_empty_title", "the title of an event must not be empty")              \
    X(REASON_EVENT_TOO_SHORT, "event_too_short", "the event is shorter than the lengths in its header")      \
    /* service checks */                                                                                     \
    X(REASON_SC_FORMAT, "sc_format", "a service check is _sc|NAME|STATUS")                                   \
    X(REASON_SC_EMPTY_NAME, "sc_empty_name", "the name of a service check must not be empty")                \
    X(REASON_SC_INVALID_STATUS, "sc_invalid_status", "the status of a service check must be 0, 1, 2 or 3")   \
    /* the intake over HTTP: refused whole */                                                                \
    X(REASON_INVALID_BODY, "invalid_body", "the body cannot be read: the whole request was refused")         \
    X(REASON_UNKNOWN_SESSION, "unknown_session",                                                             \
      "the request was for a session that there isn't: nothing of it was kept")                              \
    X(REASON_SESSION_CONFLICT, "session_conflict",                                                           \
      "the path /s/NAME and the API key or the token name two sessions: nothing of it was kept")             \
    X(REASON_NO_API_KEY, "no_api_key",                                                                       \
      "the request had no API key: Datadog answers 403 and keeps nothing of it")                             \
    X(REASON_API_KEY_REFUSED, "api_key_refused",                                                             \
      "the API key is none that is accepted here: the answer was 403 and nothing was kept")                  \
    X(REASON_EVENT_TOO_OLD, "event_too_old", "an event may lie at most 18 hours in the past")                \
    X(REASON_MISSING_FIELD, "missing_field", "a required field is missing")                                  \
    /* the intake over HTTP: answered as a success, then dropped */                                          \
    X(REASON_EMPTY_SERIES, "empty_series", "the request holds no series")                                    \
    X(REASON_INVALID_FIELD, "invalid_field", "a field has a value of the wrong kind")                        \
    X(REASON_UNKNOWN_TYPE, "unknown_type", "the type is none that this endpoint knows")                      \
    X(REASON_NAME_WITHOUT_LETTER, "name_without_letter", "a metric name needs an ASCII letter")              \
    X(REASON_NAME_TOO_LONG, "name_too_long", "a metric name may have 350 bytes")                             \
    X(REASON_TOO_MANY_TAGS, "too_many_tags", "a series may have 100 tags")                                   \
    X(REASON_TAGS_TOO_LARGE, "tags_too_large", "the tags of a series may have 100 KiB together")             \
    X(REASON_TAG_TOO_LONG, "tag_too_long", "a tag is cut after 200 bytes")                                   \
    X(REASON_TOO_MANY_RESOURCES, "too_many_resources", "a series may have 500 resources")                    \
    X(REASON_HOST_TOO_LONG, "host_too_long", "a host name may have 255 bytes")                               \
    X(REASON_NO_POINTS, "no_points", "the series has no points")                                             \
    X(REASON_FLAT_POINTS, "flat_points", "points must be a list of points, not one point's numbers")         \
    X(REASON_INVALID_POINT, "invalid_point", "a point is a timestamp and a value")                           \
    X(REASON_TIMESTAMP_TOO_OLD, "timestamp_too_old", "points older than an hour are accepted and not kept")  \
    X(REASON_TIMESTAMP_TOO_NEW, "timestamp_too_new", "points more than ten minutes ahead are not kept")      \
    X(REASON_INVALID_SKETCH, "invalid_sketch", "a sketch needs a count and as many bin keys as bin counts")  \
    X(REASON_POINTS_MISSING, "points_missing", "fewer points arrived than the series announces")             \
    /* lines of any kind */                                                                                  \
    X(REASON_UNTERMINATED, "unterminated", "the last line has no newline, and one is required")              \
    /* Unix stream sockets */                                                                                \
    X(REASON_BAD_FRAME, "bad_frame",                                                                         \
      "a Unix stream is frames of a 32-bit little-endian length and so many bytes")

enum reason {
#define X(id, word, sentence) id,
    REASONS(X)
#undef X
        REASON_N
};

const char *reason_word(enum reason reason);
const char *reason_sentence(enum reason reason);
/* -1 when the word is not in the list. */
int reason_of(struct span word);

#endif
