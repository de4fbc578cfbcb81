/* The questions about names and tags, as the control API and the command line ask them: JSON in, JSON out.
 *
 * "as": "datadog" asks about what Datadog has instead of what was sent.
 *
 *   verify    {"catalog", "session"?, "since"?, "as"?, "strict"?, "prefix"?, "ignore_tags"?}            -> findings.h
 *   lint      {"catalog"?, "session"?, "since"?, "as"?, "strict"?, "silence"?:[rule], "name"?}          -> findings.h
 *   snapshot  {"session"?, "since"?, "as"?, "counts"?, "values"?, "mask"?}                              -> {"snapshot": text}
 *             {"check": text, "file"?, "session"?, "since"?, "as"?}                                     -> snapshot_check
 *   infer     {"session"?, "since"?, "as"?, "name"?}                                                    -> {"catalog": text}
 *   diff      {"a": SIDE, "b": SIDE}; SIDE: {"session"} | {"snapshot": text, "file"?} | {"catalog"}
 *             -> diff.h with "text" and "markdown"
 *
 * "name" is a glob: the answer tells of these metrics alone. Lint compares them with all others all the same.
 *
 * A catalog is a JSON catalog itself, the text of one of either format, or [{"file","text"}…]: the first file and those
 * that it includes, by the names that its includes lead to (the includer's folder and what the include says).
 *
 * Ownership: question_free; the request is only borrowed during catalog_question_new; answers are new references.
 * Threads: one at a time.
 * Errors: a bad request is data (struct catalog_error: file, line and column where there are any).
 */
#ifndef REPORT_NAMES_H
#define REPORT_NAMES_H

#include "catalog/catalog.h"
#include "core/reader.h"

#include <jansson.h>

enum catalog_kind { ASK_VERIFY, ASK_LINT, ASK_SNAPSHOT, ASK_INFER, ASK_DIFF };

struct catalog_question;
struct catalog_question *catalog_question_new(enum catalog_kind kind, const json_t *request,
                                              struct catalog_error *error);
void catalog_question_free(struct catalog_question *q);
/* The sessions that it looks at, so that the caller can say that there is none of that name: at most 2. "default" where
 * the request names none, EVERY_SESSION where it asks for all. */
size_t catalog_question_sessions(const struct catalog_question *q, struct span sessions[2]);
/* The i-th of them was found under this name: a token is given for one, too. -1: out of memory. */
int catalog_question_found(struct catalog_question *q, size_t i, struct span session);
/* Whether it is about what Datadog has ("as":"datadog"): then the answer's reader is one of that view, of this session and since. */
bool catalog_question_as_datadog(const struct catalog_question *q, struct span *session, uint64_t *since);
/* The i-th of them begins at this mark, unless the question has a `since`; so many records are left out by that. */
void catalog_question_own_run(struct catalog_question *q, size_t i, uint64_t mark, uint64_t earlier);
/* Whether every `since` can be a mark of the recording whose newest record is last_id; else err says so. The answer asks too. */
bool catalog_question_knows_marks(const struct catalog_question *q, uint64_t last_id, struct err *err);
/* Samples lost that no recording tells of (a full disk): they count like any other loss. */
void catalog_question_unsaved(struct catalog_question *q, uint64_t n);
/* Between reader_begin and reader_end. reader may be NULL where the question has no session. NULL with err. */
json_t *catalog_question_answer(struct catalog_question *q, struct reader *reader, struct err *err);
/* Whether the answer failed because it takes more work than EFFORT_MAX: err names the limit. */
bool catalog_question_was_too_much(const struct catalog_question *q);

#endif
