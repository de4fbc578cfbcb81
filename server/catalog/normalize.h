/* Metric names and tags as Datadog's backend rewrites them.
 *
 * The backend is not public: this follows its documentation and the best public algorithm; the Agent does
 * none of it. Ownership: the result is appended to the caller's buf. Threads: any. Limits: NORMAL_MAX
 * characters for a name and for a tag. Source: schema/protocol/dogstatsd.md section 9;
 * fixtures/catalog/normalization_cases.jsonl.
 */
#ifndef CATALOG_NORMALIZE_H
#define CATALOG_NORMALIZE_H

#include "core/buf.h"

#define NORMAL_MAX 200

enum normal {
    NORMAL_SAME = 0,
    NORMAL_LOWERED = 1,   /* capitals became small letters */
    NORMAL_CUT = 2,       /* longer than NORMAL_MAX characters */
    NORMAL_REWRITTEN = 4, /* characters were replaced or left out */
    NORMAL_DROPPED = 8,   /* nothing usable is left */
};

/* Returns a set of enum normal. A name longer than NORMAL_MAX is NORMAL_CUT | NORMAL_DROPPED: what happens to
 * it is not documented. With NORMAL_DROPPED nothing is appended. */
unsigned normalize_name(struct span raw, struct buf *out);
/* One tag, `key:value` or `key`. `host:` and `device:` keep their case. */
unsigned normalize_tag(struct span raw, struct buf *out);

#endif
