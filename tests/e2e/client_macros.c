/* What the CUnit macros say: run by 05_client.bats, which reads the output. */
#include <CUnit/Basic.h>
#include <statwit_cunit.h>

static struct statwit_session *session;

static void passes(void) {
    STATWIT_ASSERT(session, "no any *");
}

static void fails(void) {
    STATWIT_ASSERT_FATAL(session, "incr login.attempt sum == 1");
    CU_FAIL("not reached");
}

static void is_malformed(void) {
    STATWIT_ASSERT_WITHIN(session, "incr {", 10);
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
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    CU_cleanup_registry();
    statwit_session_close(session);
    statwit_recorder_close(recorder);
    return 0;
}
