# For the teardown of stories: one that failed beside dropped packets is told again, with recorders of its own, three times at most.
# shellcheck shell=bash disable=SC2034,SC2154
repeat_if_dropped() {
    [ -n "$BATS_TEST_COMPLETED" ] || ! "$BATS_TEST_DIRNAME/../support/dropped" - "$BATS_TEST_TMPDIR" <<<"${output-}${stderr-}" ||
        BATS_TEST_RETRIES=2
}
