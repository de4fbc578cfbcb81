/* Inconclusive is never a pass: `client_ways WAY EXPECTATIONS CATALOG` writes a claim in a way of client/contract/ways.json, after a loss.
 * It exits with 1 and says why unless that passed, and with 99 when it does not know the way. Run by 05_client.bats, from C and from C++. */
#include <CUnit/Basic.h>
#include <statwit_cunit.h>
#include <stdlib.h>
#include <string.h>

static struct statwit_session *session;
static const char *way, *expectations, *catalog;

static int is(const char *name) {
    return !strcmp(way, name);
}

/* As the server of the environment: `statwit fault` takes the session from there. */
static int lose_x(void) {
    struct statwit_options options;
    struct statwit_call call;
    memset(&options, 0, sizeof options);
    memset(&call, 0, sizeof call);
    if (statwit_session_export(session, NULL) || system("statwit fault dogstatsd --drop 1 -q"))
        return -1;
    statwit_session_aim(session, &options);
    struct statwit_metrics *metrics = statwit_open(&options, NULL);
    statwit_emit_incr(metrics, "x", &call);
    statwit_close(metrics);
    return 0;
}

#ifdef __cplusplus
#include <statwit.hpp>

static void test(void) {
    statwit::recorder same(statwit_session_variable(session, "STATWIT_URL"));
    statwit::session other(same);
    session = other.get();
    CU_ASSERT_FATAL(!lose_x());
    try {
        if (is("claim"))
            other.expect(expectations);
        else if (is("wait"))
            other.expect(expectations, 1);
        else if (is("caught failure")) {
            try {
                other.expect(expectations);
            } catch (const statwit::failed &) {
            }
        } else if (is("catalog"))
            STATWIT_ASSERT_CATALOG(session, catalog);
        else if (is("lint"))
            STATWIT_ASSERT_LINT(session);
        else
            exit(99);
    } catch (const statwit::inconclusive &why) {
        fprintf(stderr, "%s\n", why.what());
        CU_FAIL("inconclusive");
    }
}
#else
static void test(void) {
    CU_ASSERT_FATAL(!lose_x());
    if (is("claim"))
        STATWIT_ASSERT(session, expectations);
    else if (is("wait"))
        STATWIT_ASSERT_WITHIN(session, expectations, 1);
    else if (is("claim that aborts"))
        statwit_assert(session, expectations);
    else if (is("wait that aborts"))
        statwit_assert_within(session, expectations, 1);
    else if (is("report")) {
        struct statwit_report report;
        CU_ASSERT_FATAL(!statwit_expect(session, expectations, NULL, &report, NULL));
        fprintf(stderr, "%s\n", report.verdict == STATWIT_INCONCLUSIVE ? "inconclusive" : "");
        CU_ASSERT(report.verdict == STATWIT_PASS);
        statwit_report_free(&report);
    } else if (is("catalog"))
        STATWIT_ASSERT_CATALOG(session, catalog);
    else if (is("lint"))
        STATWIT_ASSERT_LINT(session);
    else
        exit(99);
}
#endif

int main(int argc, char **argv) {
    struct statwit_recorder *recorder = statwit_recorder_start(NULL, NULL);
    session = recorder ? statwit_session_open(recorder, NULL, NULL) : NULL;
    if (!session || argc != 4)
        return 3;
    struct statwit_session *opened = session;
    way = argv[1], expectations = argv[2], catalog = argv[3];
    CU_initialize_registry();
    CU_add_test(CU_add_suite("ways", NULL, NULL), way, test);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    const unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    statwit_session_close(opened);
    statwit_recorder_close(recorder);
    return failures != 0;
}
