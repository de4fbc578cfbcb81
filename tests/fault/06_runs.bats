#!/usr/bin/env bats
# A recorder that dies right after something was sent to it: what it had not written is missing, and no verdict is wrong.
load ../e2e/helper
load fault

# Nothing that may be missing is claimed not to be there, and nothing is claimed to be less than it was.
no_false_verdict() { # OPTION…: which recording
    run statwit expect "$@" 'no any errors.*'
    [ "$status" -ne 0 ] || { echo "false pass: $output"; return 1; }
    run statwit expect "$@" 'incr errors.x sum == 3'
    [ "$status" -ne 1 ] || { echo "false fail: $output"; return 1; }
    run statwit expect "$@" 'incr errors.x samples <= 2'
    [ "$status" -ne 0 ] || { echo "false pass: $output"; return 1; }
}

@test "kill -9 right after a send, then --db, then serve on it again: never a false verdict" {
    local run
    for ((run = 0; run < KILLS_WANTED; run++)); do
        rm -f r.db*
        start --db r.db
        exec 4>/dev/udp/127.0.0.1/"$(udp_port)"
        printf 'errors.x:1|c' >&4
        printf 'errors.x:1|c' >&4
        printf 'errors.x:1|c' >&4
        sleep 0.000$((RANDOM % 20)) # at one moment or another of what the recorder does with them
        stop KILL
        exec 4>&-
        no_false_verdict --db r.db
        start --db r.db
        no_false_verdict --since 0
        run statwit expect 'no any errors.*' # of this run
        exits 0
        stop
        no_false_verdict --db r.db
    done
}

@test "a disk so full that the loss cannot be written either: the file tells that it is not complete" {
    mkdir small
    mount -t tmpfs -o size=3000k none small 2>/dev/null || skip "needs root to mount a small disk"
    MOUNTED=$PWD/small
    start --db small/r.db
    statwit send 'before:1|c'
    [ "$(verdict 'count before sum == 1')" = pass ]
    dd if=/dev/zero of=small/filler bs=1k 2>/dev/null || true
    for i in {1..200}; do printf '_e{5,1000}:title|%01000d\n' "$i"; done | statwit send -q
    # At once: the first answer tells, in words and in numbers.
    statwit status >status.txt
    grep -E 'lost +[1-9][0-9]* records that could not be written' status.txt
    status | jq -e '.losses.disk_full > 0 and .losses.disk_full == .unsaved_losses'
    curl -fsS "$STATWIT_URL/metrics" | grep -E 'statwit_losses\{kind="disk_full"\} [1-9]'
    stop
    [ "$status" -eq 0 ]
    rm small/filler
    run statwit expect --db small/r.db 'no event *'
    exits 4
    has 'ended without a clean stop'
}

teardown() {
    end_server
    [ -z "$MOUNTED" ] || umount -l "$MOUNTED"
    MOUNTED=
    repeat_if_dropped
}
