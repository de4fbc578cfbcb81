/* Private to judge/: which findings further samples can't change, because what they are about only grows or only falls.
 *
 * Pure. This is what lets a positive claim pass in spite of a loss, and a waiting question fail early.
 */
#ifndef JUDGE_EVALUATE_SETTLE_H
#define JUDGE_EVALUATE_SETTLE_H

#include "judge/evaluate/claim.h"

enum trend { TREND_ANY, TREND_GROWS, TREND_FALLS };

enum trend settle_trend_of(const struct expectation *e, const struct tally *t, const struct clause *c);
/* Marks the finding as settled where the trend of its value allows. */
void settle_by_trend(struct finding *f, enum trend trend);
/* A number that is asked for may be another one after any loss. */
void settle_number_asked(struct finding *f);
/* After a loss: could any amount of further samples settle the clause as wanted? */
bool settle_can(const struct expectation *e, const struct tally *t, const struct clause *c, bool wanted);

#endif
