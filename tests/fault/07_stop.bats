#!/usr/bin/env bats
# SIGTERM while senders go on flat out. STOPS=200 for the long form of it. A sanitizer makes the recorder some 20 times slower, so that
# it needs more time for less:
#     STOPS=200 STOP_MAX_MS=30000 STOP_OPTIONS='--so-rcvbuf 4M' make VARIANT=asan fault FAULT=07_stop
load ../e2e/helper
load fault

STOPS_WANTED=${STOPS:-6}
STOP_MAX_MS=${STOP_MAX_MS:-5000}

# How long each thread of the recorder has waited for a core that others had, in WAITED, and the longest since `begin_waits`.
read_waits() {
    local at ns
    for at in "/proc/$SERVER/task"/*/schedstat; do
        read -r _ ns _ 2>/dev/null <"$at" || continue
        WAITED[$at]=$((ns / 1000000))
    done
}
begin_waits() {
    declare -gA WAITED=() WAITED_BEFORE=()
    local at
    read_waits
    for at in "${!WAITED[@]}"; do WAITED_BEFORE[$at]=${WAITED[$at]}; done
}
longest_wait() {
    local at longest=0
    for at in "${!WAITED[@]}"; do
        [ $((WAITED[$at] - ${WAITED_BEFORE[$at]:-0})) -le "$longest" ] || longest=$((WAITED[$at] - ${WAITED_BEFORE[$at]:-0}))
    done
    echo "$longest"
}
shell_wait() { # PID: how long this shell has waited for a core, in ms
    local ns
    read -r _ ns _ <"/proc/$1/schedstat"
    echo $((ns / 1000000))
}
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
flood() { # two senders
    local i
    FLOODS=()
    for i in 1 2; do
        "$HAMMER_BIN" flood "$(udp_port)" 100000000 0 >"flood$i" 2>&1 3>&- & # itself, so that $! is what floods
        FLOODS+=("$!")
    done
}
# A shell that is not yet the hammer would run what bats has for its end, on SIGTERM: a second result of the story.
end_flood() {
    kill -KILL "${FLOODS[@]}" 2>/dev/null || true
    wait "${FLOODS[@]}" || true
}
teardown() {
    end_flood 2>/dev/null
    end_server
    repeat_if_dropped
}
# What is stored by now: a question that settles waits until all that the queue holds is, and under a flood that is a lot.
busy() { [ "$(curl -fsS -m 60 "$STATWIT_URL/recorder/v1/status?settled=no" | jq .counts.received_samples)" -ge 20000 ]; }
lost() { sql r.db "SELECT coalesce(sum(n), 0) FROM losses"; }

@test "a stop under flood is clean and takes no longer than 5 s" {
    local run options begun took waited own late=0 here=$BASHPID
    local -a kinds=("" "--retention-samples 5000" "--retention-age 1s" "--max-series 50" "--queue-memory 16M" "--keep-datagrams")
    for ((run = 0; run < STOPS_WANTED; run++)); do
        options=${kinds[run % ${#kinds[@]}]}
        rm -f r.db*
        # shellcheck disable=SC2086
        start --db r.db $options ${STOP_OPTIONS-}
        flood
        eventually busy
        begin_waits
        own=$(shell_wait "$here")
        begun=$(now_ms)
        kill "$SERVER"
        while kill -0 "$SERVER" 2>/dev/null; do read_waits; sleep 0.02; done
        took=$(($(now_ms) - begun))
        own=$(($(shell_wait "$here") - own)) # it looks later then
        status=0
        wait "$SERVER" || status=$?
        SERVER=
        end_flood
        waited=$(($(longest_wait) + own))
        echo "run $run ($options): $took ms, of which it and this shell waited $waited ms for a core"
        cat serve.err
        [ "$status" -eq 0 ]
        [ "$took" -lt 1000 ] || grep -q 'still stopping' serve.err || [ $((took - waited)) -lt 1500 ]
        ! grep -qi sanitizer serve.err
        [ "$(sql r.db 'PRAGMA integrity_check')" = ok ]
        # What was received and not stored is in the file as a loss.
        if grep -q 'could not be stored in time' serve.err; then [ "$(lost)" -gt 0 ]; fi
        # What others do on this machine meanwhile does not count. Threads may wait for a core one after the other, or be held up in another way, so
        # this kind is tried again: with a recorder at fault it is late each time.
        [ $((took - waited)) -gt "$STOP_MAX_MS" ] || { late=0; continue; }
        late=$((late + 1)) run=$((run - 1))
        [ "$late" -lt 3 ]
    done
}

@test "what was sent before a stop is stored, and a claim about what was lost in one is inconclusive" {
    start --db r.db
    local i
    for ((i = 0; i < 20; i++)); do statwit send 'before:1|c'; done
    stop
    run "$STATWIT_BIN" expect --db r.db 'count before sum == 20' 'no any other'
    exits 0
    start --db r.db
    flood
    eventually busy
    stop
    end_flood
    if [ "$(lost)" -gt 0 ]; then
        run "$STATWIT_BIN" expect --db r.db 'no any other'
        exits 2 || exits 4 || { has inconclusive; }
        has inconclusive
    fi
}
