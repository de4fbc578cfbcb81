/* A shop counts its logins; its test asks a recorder whether it did.
 *
 *     cc -o shop_test shop_test.c $(pkg-config --cflags --libs statwit) && ./shop_test
 *
 * `statwit` must be on PATH (or named by STATWIT_BIN). Prints "shop: ok".
 */
#include <statwit.h>
#include <stdio.h>
#include <string.h>

/* ---- the program under test ---- */

static struct statwit_metrics *metrics;

static bool shop_login(const char *user, const char *password) {
    statwit_timer(timer, metrics, "login.duration", .tags = STATWIT_TAGS({"method", "password"}));
    bool welcome = strcmp(user, password) != 0;
    if (!welcome)
        statwit_timer_fail(&timer);
    statwit_incr(metrics, "login.attempt", .instance = welcome ? "success" : "failure");
    return welcome;
}

/* ---- its test ---- */

int main(void) {
    struct statwit_error error;
    struct statwit_recorder *recorder = statwit_recorder_start(NULL, &error);
    struct statwit_session *session = recorder ? statwit_session_open(recorder, NULL, &error) : NULL;
    if (!session) {
        fprintf(stderr, "shop: %s\n", error.text);
        statwit_recorder_close(recorder);
        return 1;
    }
    struct statwit_options options = {.prefix = "shop."};
    statwit_session_aim(session, &options);
    metrics = statwit_open(&options, &error);

    shop_login("ann", "secret");
    shop_login("bob", "bob");
    statwit_flush(metrics, 1000);

    statwit_assert(session, "incr shop.login.attempt{instance:success} sum == 1\n"
                            "incr shop.login.attempt{instance:failure} sum == 1\n"
                            "timing shop.login.duration{method:password,result:*} samples == 2\n"
                            "no any shop.error*");

    statwit_close(metrics);
    statwit_session_close(session);
    statwit_recorder_close(recorder);
    puts("shop: ok");
    return 0;
}
