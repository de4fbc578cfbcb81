#!/usr/bin/env bats
# What the tests themselves stand on.
load helper

SUPPORT=$BATS_TEST_DIRNAME/../support

@test "what failed beside dropped packets is run again, twice at most, and nothing else is" {
    local says
    for says in 'the kernel dropped 3 packets on their way to the sockets' '1 datagram (on the way to the sockets: net.core.netdev_max_backlog)'; do
        # shellcheck disable=SC2016 # for sh
        run "$SUPPORT/again" sh -c 'echo "$0"; echo x >>tries; [ "$(wc -l <tries)" -eq 3 ]' "$says"
        exits 0
        [ "$(wc -l <tries)" -eq 3 ]
        rm tries
        run "$SUPPORT/again" sh -c 'echo "$0"; echo x >>tries; exit 7' "$says"
        exits 7
        [ "$(wc -l <tries)" -eq 3 ]
        rm tries
    done
    run "$SUPPORT/again" sh -c 'echo a claim failed; echo x >>tries; exit 7'
    exits 7
    [ "$(wc -l <tries)" -eq 1 ]
}

@test "dropped packets are seen in a log and in a recording" {
    start --db r.db
    stop
    run "$SUPPORT/dropped" "$BATS_TEST_TMPDIR"
    exits 1
    sqlite3 r.db "INSERT INTO loss (id, at, session_id, loss, n, detail) VALUES (1000, 1, NULL, 0, 3, 'on the way to the sockets: x')"
    run "$SUPPORT/dropped" "$BATS_TEST_TMPDIR"
    exits 0
    rm r.db
    echo 'packets may be missing (packets still waited on their way to the sockets)' >serve.err
    run "$SUPPORT/dropped" "$BATS_TEST_TMPDIR"
    exits 0
    rm serve.err
}
