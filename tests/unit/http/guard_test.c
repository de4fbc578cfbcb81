#include "http/guard.h"

#include "unit.h"

static bool host(const char *name, const char *bound, bool loopback) {
    return guard_host(span_str(name), span_str(bound), loopback);
}

static void test_host_on_loopback(void) {
    static const char *const ours[] = {
        "localhost",      "localhost:8125", "LOCALHOST", "localhost.", "app.localhost", "127.0.0.1",
        "127.0.0.1:8125", "127.9.9.9:80",   "[::1]",     "[::1]:8125", "::1",           NULL};
    static const char *const foreign[] = {"",
                                          "evil.example",
                                          "evil.example:8125",
                                          "localhost.evil.example",
                                          "127.0.0.1.evil.example",
                                          "192.168.0.1",
                                          "[::2]:8125",
                                          "[::1",
                                          ":8125",
                                          "statwit",
                                          "0x7f.1",
                                          "localhost:8125@evil.example"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        CU_ASSERT_TRUE(host(ours[i], "127.0.0.1", true));
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (host(foreign[i], "127.0.0.1", true))
            fprintf(stderr, "taken: %s\n", foreign[i]);
        CU_ASSERT_FALSE(host(foreign[i], "127.0.0.1", true));
    }
}

static void test_host_elsewhere(void) {
    CU_ASSERT_TRUE(host("statwit:8125", "0.0.0.0", false));
    CU_ASSERT_TRUE(host("10.1.2.3", "0.0.0.0", false));
    CU_ASSERT_TRUE(host("[fe80::1]:80", "::", false));
    CU_ASSERT_TRUE(host("ci.example.org:80", "ci.example.org", false));
    CU_ASSERT_TRUE(host("localhost", "0.0.0.0", false));
    CU_ASSERT_FALSE(host("evil.example", "0.0.0.0", false));
}

/* A container that asked its host for statwit got a 403. */
static void test_host_in_containers(void) {
    CU_ASSERT_TRUE(host("host.docker.internal:8125", "0.0.0.0", false));
    CU_ASSERT_TRUE(host("host.containers.internal", "::", false));
    CU_ASSERT_FALSE(host("host.docker.internal", "127.0.0.1", true));
    CU_ASSERT_FALSE(host("statwit.ns.svc.cluster.local", "0.0.0.0", false));
}

static void test_allowed(void) {
    static const char *const globs[] = {"*.svc.Cluster.local", "one.example, two.example"};
    static const char *const good[] = {"statwit.ns.svc.cluster.local:8125", "A.SVC.CLUSTER.LOCAL.",
                                       "one.example", "two.example:1"};
    static const char *const bad[] = {"",
                                      ":8125",
                                      "svc.cluster.local",
                                      "three.example",
                                      "one.example.evil",
                                      "one.example:x",
                                      "one.example,"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT_TRUE(guard_allowed(span_str(good[i]), 2, globs));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_FALSE(guard_allowed(span_str(bad[i]), 2, globs));
    CU_ASSERT_FALSE(guard_allowed(span_str(good[0]), 0, NULL));
    CU_ASSERT_FALSE(guard_allowed((struct span){NULL, 0}, 2, globs));
}

static void test_origin(void) {
    CU_ASSERT_TRUE(guard_origin((struct span){NULL, 0}, SPAN("localhost:8125")));
    CU_ASSERT_TRUE(guard_origin(SPAN("http://localhost:8125"), SPAN("localhost:8125")));
    CU_ASSERT_FALSE(guard_origin(SPAN("http://localhost:3000"), SPAN("localhost:8125")));
    CU_ASSERT_FALSE(guard_origin(SPAN("https://evil.example"), SPAN("localhost:8125")));
    CU_ASSERT_FALSE(guard_origin(SPAN("null"), SPAN("localhost:8125")));
    CU_ASSERT_FALSE(guard_origin(SPAN(""), SPAN("localhost:8125")));
    CU_ASSERT_FALSE(guard_origin(SPAN("http://"), SPAN("localhost:8125")));
    CU_ASSERT_FALSE(guard_origin(SPAN("http://localhost:8125"), (struct span){NULL, 0}));
}

static void test_token(void) {
    struct span token = SPAN("s3cret");
    CU_ASSERT_TRUE(guard_token(SPAN("Bearer s3cret"), token));
    CU_ASSERT_TRUE(guard_token(SPAN("bearer s3cret"), token));
    CU_ASSERT_FALSE(guard_token((struct span){NULL, 0}, token));
    CU_ASSERT_FALSE(guard_token(SPAN("Bearer "), token));
    CU_ASSERT_FALSE(guard_token(SPAN("Bearer s3cre"), token));
    CU_ASSERT_FALSE(guard_token(SPAN("Bearer s3crets"), token));
    CU_ASSERT_FALSE(guard_token(SPAN("Bearer s3crets3cret"), token));
    CU_ASSERT_FALSE(guard_token(SPAN("Basic s3cret"), token));
    CU_ASSERT_FALSE(guard_token(SPAN("Bearer "), SPAN("")));
}

UNIT_MAIN("http/guard", {"host on loopback", test_host_on_loopback}, {"host elsewhere", test_host_elsewhere},
          {"host in containers", test_host_in_containers}, {"--allow-host", test_allowed},
          {"origin", test_origin}, {"token", test_token})
