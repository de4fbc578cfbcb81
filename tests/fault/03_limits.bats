#!/usr/bin/env bats
# Too few descriptors, too little memory, no time to run, a flood next door.
load ../e2e/helper
load fault

teardown() { # a flood goes on when its story fails
    [ -z "${FLOOD-}" ] || kill -KILL "$FLOOD" 2>/dev/null || true
    end_server
    repeat_if_dropped
}

launch() { # COMMAND… that runs `serve OPTION…` in its own process, under some limit
    mkfifo ready.fifo
    "$@" >ready.fifo 2>serve.err 3>&- &
    SERVER=$!
    read -r -t 60 READY <ready.fifo || { cat serve.err; return 1; }
    STATWIT_URL=$(jq -r .http <<<"$READY")
    export STATWIT_URL
}
limited() { # LIMITS: start under `ulimit LIMITS`
    launch bash -c "ulimit $1 && exec \"\$@\"" bash "$STATWIT_BIN" serve --dogstatsd-port 0 --http-port 0 --db r.db "${@:2}"
}

@test "out of descriptors: a clear error, and what is open goes on" {
    limited '-n 64'
    local i refused=0
    for ((i = 0; i < 80; i++)); do
        curl -sS -m 60 -o body -w '%{http_code}\n' "$STATWIT_URL/recorder/v1/sessions" -d '{}' >code 2>&1 || { refused=1; break; }
        [ "$(cat code)" = 201 ] || { refused=1; break; }
    done
    cat body code
    [ "$refused" -eq 1 ]
    [ "$(cat code)" -ge 429 ]
    jq -e . body
    statwit send 'a:1|c'
    [ "$(verdict 'count a sum == 1')" = pass ]
    stop
    [ "$status" -eq 0 ]
    sound r.db
}

@test "descriptors used up by idle connections come back" {
    limited '-n 64'
    local i fds=()
    for ((i = 0; i < 70; i++)); do
        exec {fd}<>"/dev/tcp/127.0.0.1/$(http_port)" && fds+=("$fd")
    done
    kill -0 "$SERVER"
    for fd in "${fds[@]}"; do exec {fd}>&-; done
    statwit send 'a:1|c'
    eventually [ "$(verdict 'count a sum == 1')" = pass ]
}

@test "out of memory: the server says so or goes on; it does not crash" {
    limited '-v 400000' --queue-memory 16M
    local i
    seq 1 300000 | sed 's/.*/m&:1|c|#a:&/' | statwit send || true
    for ((i = 0; i < 3; i++)); do
        curl -sS -m 60 -o body -w '%{http_code}\n' "$STATWIT_URL/recorder/v1/series"
    done
    curl -sS -m 60 "$STATWIT_URL/recorder/v1/status" >s.json
    kill -0 "$SERVER"
    # Of a batch that was never decoded the loss counts datagrams, so the sum may be short, but never silent.
    if ! jq -e '.counts.received_samples == 300000' s.json; then
        jq -e '([.losses[]] | add) + .unsaved_losses > 0' s.json
        # Too little memory even to answer is an error, never a verdict.
        [[ $(verdict 'no any nothing.*') =~ ^(inconclusive|)$ ]]
    fi
    stop
    [ "$status" -eq 0 ]
    sound r.db
}

@test "frozen under load: kernel drops are counted, and verdicts that they could change are inconclusive" {
    start --db r.db --so-rcvbuf 65536
    kill -STOP "$SERVER"
    hammer flood "$(udp_port)" 400000 0 >sent
    kill -CONT "$SERVER"
    statwit send 'after:1|c'
    [ "$(verdict 'no any nothing.*')" = inconclusive ]
    [ "$(verdict 'count after sum == 2')" = inconclusive ]
    status >s.json
    jq -e '.losses.kernel_drop > 0' s.json
    # Every datagram was either read or dropped.
    local datagrams
    datagrams=$(jq '[.listeners[] | select(.transport == "udp") | .datagrams + .kernel_drops] | add' s.json)
    [ "$(jq '.losses.kernel_drop' s.json)" -eq "$(jq '[.listeners[] | .kernel_drops // 0] | add' s.json)" ]
    [ "$datagrams" -gt 0 ]
    # A fresh start without losses is conclusive again.
    curl -fsS -X POST "$STATWIT_URL/recorder/v1/reset?session=default"
    [ "$(verdict 'no any nothing.*')" = pass ]
}

@test "a backlog of one session is not waited for by another's question" {
    start --db r.db
    statwit session new quiet --json >quiet.json || { cat quiet.json; false; }
    local port before at total
    port=$(jq -r '.dogstatsd.udp' quiet.json)
    before=$(curl -fsS -X POST "$STATWIT_URL/recorder/v1/marks" | jq .mark)
    kill -STOP "$SERVER"
    hammer flood "$(udp_port)" 400000 0 >/dev/null
    printf 'q:1|c' >"/dev/udp/127.0.0.1/${port##*:}"
    kill -CONT "$SERVER"
    at=$(curl -fsS -m 60 -X POST "$STATWIT_URL/recorder/v1/marks?session=quiet" | jq .mark)
    total=$(status | jq .last_id)
    # Ids are given in the order of storing: so many records were stored until the answer.
    echo "$((at - before)) of $((total - before)) records were stored first"
    [ $(((at - before) * 2)) -lt $((total - before)) ]
    jq -n '{expect: ["count q sum == 1"], session: "quiet"}' |
        curl -fsS "$STATWIT_URL/recorder/v1/expect" -d @- | jq -e '.verdict == "pass"'
    stop
    [ "$status" -eq 0 ]
}

@test "a flood of one session: another one is answered all the same, and exactly" {
    start --db r.db
    statwit session new quiet --json >quiet.json || { cat quiet.json; false; }
    local port i
    port=$(jq -r '.dogstatsd.udp' quiet.json)
    "$HAMMER_BIN" flood "$(udp_port)" 2000000000 0 >/dev/null 3>&- & # it ends by itself after minutes
    FLOOD=$!
    for ((i = 1; i <= 5; i++)); do
        printf 'q:1|c' >"/dev/udp/127.0.0.1/${port##*:}"
        jq -n --arg e "count q sum == $i" '{expect: [$e], session: "quiet"}' |
            curl -fsS -m 60 "$STATWIT_URL/recorder/v1/expect" -d @- >answer.json
        echo "# waited $(jq .waited_ms answer.json) ms" >&3
        jq -e '.verdict == "pass"' answer.json || { cat answer.json; false; }
    done
    kill -KILL "$FLOOD"
    wait "$FLOOD" || true
    FLOOD=
    stop
    [ "$status" -eq 0 ]
}

# Threads are counted by user, and not for root: as one of its own.
apart() { # THREADS COMMAND…
    local n=$1 user=$((60000 + $$ % 4000))
    shift
    exec setpriv --reuid "$user" --regid "$user" --clear-groups prlimit --nproc="$n" "$@"
}
here() { # the binary where another user reaches it
    [ "$(id -u)" -eq 0 ] || skip 'needs root to run as a user of its own'
    cp "$STATWIT_BIN" statwit
    chmod 711 . statwit
}

@test "too few threads to start: exit 3, with the reason" {
    here
    local n
    for n in 1 2 3 4 5 6 7 8; do
        run apart "$n" ./statwit serve --http-port 0 --dogstatsd-port 0 --db :memory:
        exits 3
        has 'no more threads or processes are allowed here'
    done
    run apart 1 ./statwit serve --http-port 0 --dogstatsd-port 0 --db :memory: --tls-self-signed localhost
    exits 3
    has 'no more threads or processes are allowed here'
}

@test "no thread can be started any more: what runs goes on" {
    here
    launch apart 1000 ./statwit serve --http-port 0 --dogstatsd-port 0 --db :memory:
    (apart 1000 prlimit --pid "$SERVER" --nproc=1:1)
    local i waiting=()
    for ((i = 0; i < 20; i++)); do
        curl -fsS -m 60 "$STATWIT_URL/recorder/v1/expect" -d '{"expect":["incr late sum == 1"],"within_ms":50000}' >"late$i.json" 3>&- &
        waiting+=("$!")
    done
    [ "$(code -H 'DD-API-KEY: k' "$STATWIT_URL/api/v1/check_run" -d '{"check":"app.ok","host_name":"h","status":0}')" = 202 ]
    [ "$(code "$STATWIT_URL/recorder/v1/sessions" -d '{"name":"s"}')" = 201 ]
    statwit send 'late:1|c'
    for i in "${waiting[@]}"; do wait "$i"; done
    [ "$(jq -rs 'map(.verdict) | unique[]' late*.json)" = pass ]
    stop
    [ "$status" -eq 0 ]
}

@test "run without a process left for its command: exit 3, with the reason" {
    here
    run apart 9 ./statwit run -- true
    exits 3
    has 'cannot start true: no more threads or processes are allowed here'
}

@test "a clock that jumps back, or ahead: nothing is lost, ids say what came first, no session ends early" {
    ldd "$STATWIT_BIN" >/dev/null 2>&1 || skip 'a static binary takes no other clock'
    LD_PRELOAD=$CLOCK_SHIFT CLOCK_BACK_IF=$PWD/back CLOCK_AHEAD_IF=$PWD/ahead start --db r.db
    curl -fsS "$STATWIT_URL/recorder/v1/sessions" -d '{"name":"s","ttl_s":3600}'
    statwit send 'a:1|g'
    [ "$(verdict 'gauge a last == 1')" = pass ]
    touch back
    statwit send 'a:2|g'
    [ "$(verdict 'gauge a last == 2 and samples == 2')" = pass ]
    rm back
    touch ahead
    statwit send 'a:3|g'
    [ "$(verdict 'gauge a last == 3 and samples == 3')" = pass ]
    status | jq -e '.sessions == 2 and ([.losses[]] | add) == 0'
    stop
    [ "$status" -eq 0 ]
    sound r.db
    # It did jump: the second is the oldest by its time.
    [ "$(sql r.db "SELECT group_concat(CAST(value AS INTEGER)) FROM (SELECT value FROM samples ORDER BY received_at)")" = 2,1,3 ]
}
