/* Expectations as CUnit assertions.
 *
 *     STATWIT_ASSERT(session, "incr login.attempt{instance:failure} sum == 1");
 *     STATWIT_ASSERT_WITHIN(session, "timing events.latency p95 < 500", 2000);
 *     STATWIT_ASSERT_CATALOG(session, "metrics.json");       what was recorded is what the catalog declares
 *     STATWIT_ASSERT_LINT(session);                          Datadog would keep all of it as it is
 *     STATWIT_ASSERT_SNAPSHOT(session, "login.snapshot");    the same series; STATWIT_UPDATE=1 writes the file
 *
 * A failure prints the recorder's report on stderr, with file and line, and is one of CUnit's assertions.
 * That of an inconclusive verdict (something was lost on the way, so that nobody can know) says INCONCLUSIVE;
 * that of a malformed expectation or an unreachable recorder says NO VERDICT. The _FATAL ones end the test
 * function.
 *
 * Threads: that of the test. Source: statwit.h; needs CUnit, which the library itself does not. C++: from C++11 on.
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

static inline void statwit_cunit_take(enum statwit_verdict verdict, const char *what, const char *of,
                                      CU_BOOL fatal, const char *file, int line) {
    static const char *const words[] = {"", "", "INCONCLUSIVE: ", "NO VERDICT: "};
    char condition[512];
    snprintf(condition, sizeof condition, "%s%s%s%s", words[verdict], what, *what && *of ? " " : "", of);
    CU_assertImplementation(verdict == STATWIT_PASS, (unsigned)line, condition, file, "", fatal);
}

static inline void statwit_cunit_check(struct statwit_session *session, const char *expectations,
                                       int within_ms, CU_BOOL fatal, const char *file, int line) {
    statwit_cunit_take(statwit_verify(session, expectations, within_ms, file, line), "", expectations, fatal,
                       file, line);
}

#define STATWIT_ASSERT_CATALOG(session, catalog)                                                             \
    STATWIT_CUNIT_NAMES_("catalog", statwit_verify_catalog(session, catalog, NULL, &report_, &error_),       \
                         catalog)
#define STATWIT_ASSERT_LINT(session)                                                                         \
    STATWIT_CUNIT_NAMES_("lint", statwit_lint(session, NULL, &report_, &error_), "")
#define STATWIT_ASSERT_SNAPSHOT(session, snapshot)                                                           \
    STATWIT_CUNIT_NAMES_("snapshot", statwit_snapshot_check(session, snapshot, NULL, &report_, &error_),     \
                         snapshot)

#define STATWIT_CUNIT_NAMES_(what, question, of)                                                             \
    do {                                                                                                     \
        struct statwit_report report_;                                                                       \
        struct statwit_error error_ = {STATWIT_OK, 0, ""};                                                   \
        (void)question;                                                                                      \
        statwit_cunit_take(statwit_report_show(&report_, &error_, what, __FILE__, __LINE__), what, of,       \
                           CU_FALSE, __FILE__, __LINE__);                                                    \
        statwit_report_free(&report_);                                                                       \
    } while (0)

#endif
