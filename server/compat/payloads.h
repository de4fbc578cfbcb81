/* What is common to the two forms of GET /fakeintake/payloads.
 *
 * Source: schema/protocol/fakeintake.md.
 */
#ifndef COMPAT_PAYLOADS_H
#define COMPAT_PAYLOADS_H

#include "core/reader.h"
#include "http/server.h"

#define PAYLOADS_PLAIN_MAX ((size_t)64 << 20) /* bytes of one body after decompression, where it is parsed */
#define PAYLOADS_JSON_MAX                                                                                    \
    ((size_t)256 << 20) /* bytes of one answer with parsed bodies, and of one body in base64 */

/* {"timestamp":…,"api_key":…, : how both forms begin. */
void payloads_put_head(struct buf *b, int64_t received_at, struct span api_key);
/* The content encoding, or where there is none, and for flares, the content type. */
struct span payloads_encoding(const struct payload_row *row);

/* Whether the bodies of the endpoint can be given as JSON. */
bool parsed_knows(struct span endpoint);
/* Adds the parsed body: a list. -1 with `why`, a sentence: it is not what the endpoint takes. */
int parsed_put(struct buf *b, const struct payload_row *row, char why[240]);

/* ?dogstatsd=1: what came over DogStatsD as bodies of /api/v2/series. */
struct synthesis {
    struct buf *page;    /* where payloads go */
    struct buf series;   /* of the payload being made */
    size_t n;            /* series in it */
    int64_t received_at; /* of its first */
    bool any;            /* a payload stands on the page, or stood on an earlier one */
    uint64_t cursor;     /* the last sample taken */
};
#define SYNTHESIS_SERIES 1000 /* in one payload */
/* A row callback of samples; 1 once SYNTHESIS_SERIES are there: the payload is complete then. */
int synthesis_take(void *synthesis, const struct sample_row *row);
/* Writes the payload that is begun, if one is. */
void synthesis_finish(struct synthesis *s);

#endif
