/* What the CUnit macros say: run by 05_client.bats, which reads the output. */
#include <CUnit/Basic.h>
#include <statwit_cunit.h>

static struct statwit_session *session;

static void passes(void) {
    STATWIT_ASSERT(session, "no any *");
}

static void fails(void) {
    STATWIT_ASSERT_FATAL(session, "incr login.attempt where value == 1 sum == 1");
    CU_FAIL("not reached");
}

static void is_malformed(void) {
    STATWIT_ASSERT_WITHIN(session, "incr {", 10);
}

static void names_pass(void) {
    FILE *file = fopen("empty.json", "we");
    fputs("{\"metrics\": {}}", file);
    fclose(file);
    STATWIT_ASSERT_CATALOG(session, "empty.json");
    STATWIT_ASSERT_LINT(session);
}

static void names_fail(void) {
    struct statwit_options options = {0};
    statwit_session_aim(session, &options);
    struct statwit_metrics *metrics = statwit_open(&options, NULL);
    statwit_incr(metrics, "odd-name");
    statwit_close(metrics);
    STATWIT_ASSERT_CATALOG(session, "empty.json");
    STATWIT_ASSERT_LINT(session);
    STATWIT_ASSERT_SNAPSHOT(session, "none.snapshot");
}

int main(void) {
    struct statwit_recorder *recorder = statwit_recorder_start(NULL, NULL);
    session = recorder ? statwit_session_open(recorder, NULL, NULL) : NULL;
    if (!session)
        return 3;
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("macros", NULL, NULL);
    CU_add_test(suite, "passes", passes);
    CU_add_test(suite, "fails", fails);
    CU_add_test(suite, "is malformed", is_malformed);
    CU_add_test(suite, "names pass", names_pass);
    CU_add_test(suite, "names fail", names_fail);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    CU_cleanup_registry();
    statwit_session_close(session);
    statwit_recorder_close(recorder);
    return 0;
}
