/* Judging in tests: one expectation against a recording in memory, in both ways a judge can come to know it.
 *
 * Each check runs twice: started after everything was recorded, and started on nothing and fed record by
 * record. Both must agree, or the first check that sees a difference fails.
 */
#ifndef SUPPORT_JUDGING_H
#define SUPPORT_JUDGING_H

#include "fake_reader.h"
#include "judge/judge.h"

/* Aborts when the expectation is malformed. */
struct judge *judging_parse(const char *text, const struct judge_options *options);
/* A judge that knows what the recording holds: by judge_start, or by being fed. */
struct judge *judging_start(const char *text, const struct judge_options *options, struct fake *f);
struct judge *judging_feed(const char *text, const struct judge_options *options, struct fake *f);

/* All of a recording to a judge that was started on nothing; 0, or what the first feeding that failed returned. */
int judging_feed_all(struct judge *j, struct fake *f);

/* -1: the two ways disagree (told on stderr). */
int judging_verdict(struct fake *f, const char *text, const struct judge_options *options);
int judging_final(struct fake *f, const char *text);
/* The first result of the report; json_decref it. */
json_t *judging_result(struct fake *f, const char *text, const struct judge_options *options);
/* The first result's string under the key, in static memory. */
const char *judging_text(struct fake *f, const char *text, const char *key);

/* The verdict on the recording `f`. */
#define PASSES(f, text)       EQ_STR(judging_word(judging_verdict(f, text, NULL)), "pass")
#define FAILS(f, text)        EQ_STR(judging_word(judging_verdict(f, text, NULL)), "fail")
#define INCONCLUSIVE(f, text) EQ_STR(judging_word(judging_verdict(f, text, NULL)), "inconclusive")
const char *judging_word(int verdict);

#endif
