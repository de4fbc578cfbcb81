/* Expectations as CUnit assertions.
 *
 *     STATWIT_ASSERT(session, "incr login.attempt{instance:failure} sum == 1");
 *     STATWIT_ASSERT_WITHIN(session, "timing events.latency p95 < 500", 2000);
 *
 * A failure prints the recorder's report on stderr, with file and line, and is one of CUnit's assertions.
 * That of an inconclusive verdict (something was lost on the way, so that nobody can know) says INCONCLUSIVE;
 * that of a malformed expectation or an unreachable recorder says NO VERDICT. The _FATAL ones end the test
 * function.
 *
 * Threads: that of the test. Source: statwit.h; needs CUnit, which the library itself does not.
 */
#ifndef STATWIT_CUNIT_H
#define STATWIT_CUNIT_H

#include <CUnit/CUnit.h>
#include <statwit.h>
#include <stdio.h>

#define STATWIT_ASSERT(session, expectations)            STATWIT_CUNIT_(session, expectations, 0, CU_FALSE)
#define STATWIT_ASSERT_WITHIN(session, expectations, ms) STATWIT_CUNIT_(session, expectations, ms, CU_FALSE)
#define STATWIT_ASSERT_FATAL(session, expectations)      STATWIT_CUNIT_(session, expectations, 0, CU_TRUE)
#define STATWIT_ASSERT_WITHIN_FATAL(session, expectations, ms)                                               \
    STATWIT_CUNIT_(session, expectations, ms, CU_TRUE)

#define STATWIT_CUNIT_(session, expectations, ms, fatal)                                                     \
    statwit_cunit_check(session, expectations, ms, fatal, __FILE__, __LINE__)

static inline void statwit_cunit_check(struct statwit_session *session, const char *expectations,
                                       int within_ms, CU_BOOL fatal, const char *file, int line) {
    static const char *const words[] = {"", "", "INCONCLUSIVE: ", "NO VERDICT: "};
    char condition[512];
    enum statwit_verdict verdict = statwit_verify(session, expectations, within_ms, file, line);
    snprintf(condition, sizeof condition, "%s%s", words[verdict], expectations);
    CU_assertImplementation(verdict == STATWIT_PASS, (unsigned)line, condition, file, "", fatal);
}

#endif
