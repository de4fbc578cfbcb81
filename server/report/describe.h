/* The sentences of an answer: `observed` and `why`. */
#ifndef REPORT_DESCRIBE_H
#define REPORT_DESCRIBE_H

#include "core/buf.h"
#include "judge/evaluate/private.h"

/* "sum 2, p95 612.5"; "nothing" when no sample matched. */
void describe_observed(const struct claim *claim, const struct answer *a, struct buf *b);
/* One or a few sentences. */
void describe_why(const struct judge *j, const struct claim *claim, const struct answer *a, struct buf *b);
/* "that is 1000 times the expected value: another unit?", when it is; else nothing. */
void describe_unit(const struct finding *f, struct buf *b);
/* "12 datagrams that the kernel dropped …, 3 that a client says it dropped (…)" */
void describe_losses(const struct judge *j, enum loss_kind kind, struct buf *b);

#endif
