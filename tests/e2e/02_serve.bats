#!/usr/bin/env bats
# serve: the ready line, the end, and everything that can stand in its way.
load helper

@test "the ready line says where everything is" {
    start --db r.db --dogstatsd-socket "$PWD/g.sock" --dogstatsd-stream-socket "$PWD/s.sock"
    [ "$(ready .ready)" = true ]
    [ "$(ready .pid)" = "$SERVER" ]
    [ "$(ready .version)" = "$(statwit --version | cut -d' ' -f2)" ]
    [ "$(ready .db)" = r.db ]
    [ "$(ready .session)" = default ]
    [ "$(ready .dogstatsd.unixgram)" = "$PWD/g.sock" ]
    [ "$(ready .dogstatsd.unixstream)" = "$PWD/s.sock" ]
    [ "$(ready .env.DD_AGENT_HOST)" = 127.0.0.1 ]
    [ "127.0.0.1:$(ready .env.DD_DOGSTATSD_PORT)" = "$(ready .dogstatsd.udp)" ]
    curl -fsS "$(ready .http)/readyz" | jq -e '.status == "ok"'
}

@test "the ready file holds the same line, is there when the line is, and goes with the server" {
    start --ready-file -
    [ "$(ready .http)" = "$STATWIT_URL" ]
    [ ! -e ./- ]
    stop
    start --ready-file ready.json
    [ "$(cat ready.json)" = "$READY" ]
    stop
    [ "$status" -eq 0 ]
    [ ! -e ready.json ]
}

@test "the queue takes an eighth of the memory, 256 MiB to 2 GiB, unless it is told" {
    queue_max() { curl -fsS "$STATWIT_URL/recorder/v1/status" | jq .queue.max_bytes; }
    start
    [ "$(queue_max)" -ge 268435456 ]
    [ "$(queue_max)" -le 2147483648 ]
    stop
    start --queue-memory 32M
    [ "$(queue_max)" -eq 33554432 ]
}

@test "stdout holds the ready line and nothing else, stderr no more than is worth saying" {
    "$STATWIT_BIN" serve --dogstatsd-port 0 --http-port 0 --db :memory: --quiet --ready-file ready.json >out 2>err 3>&- &
    SERVER=$!
    until [ -e ready.json ]; do kill -0 "$SERVER"; done
    STATWIT_URL=$(jq -r .http ready.json) statwit send 'nonsense'
    stop
    [ "$(wc -l <out)" -eq 1 ]
    [ ! -s err ]
}

@test "SIGTERM and SIGINT drain, commit and exit 0" {
    for signal in TERM INT; do
        start --db "$signal.db"
        statwit send 'a:1|c' 'b:2|g'
        stop "$signal"
        [ "$status" -eq 0 ]
        run statwit ls --db "$signal.db" --json
        [ "$(jq '.series | length' <<<"$output")" -eq 2 ]
    done
}

@test "status --wait waits for a server that is on its way, and says what to do when none comes" {
    start --ready-file ready.json
    run statwit status --wait 60s
    exits 0
    has "$(ready .dogstatsd.udp)"
    stop
    run statwit status --wait 50ms
    exits 3
    has "statwit serve"
}

@test "who cannot be reached is named, with what to do" {
    run statwit ls --url http://127.0.0.1:1
    exits 3
    has "cannot reach http://127.0.0.1:1"
    has "statwit serve"
}

@test "a port in use: a clear error, exit 3, nothing left behind" {
    start
    run statwit serve --dogstatsd-port "$(ready .env.DD_DOGSTATSD_PORT)" --http-port 0 --db :memory:
    exits 3
    has "$(ready .env.DD_DOGSTATSD_PORT)"
    has "in use"
    run statwit serve --dogstatsd-port 0 --http-port "${STATWIT_URL##*:}" --db :memory:
    exits 3
    has "in use"
}

@test "UDP and HTTP may share a number" {
    start
    port=$(ready .env.DD_DOGSTATSD_PORT)
    stop
    start --dogstatsd-port "$port" --http-port "$port" || skip "somebody else took TCP port $port"
    [ "$(ready .http)" = "http://127.0.0.1:$port" ]
    [ "$(ready .dogstatsd.udp)" = "127.0.0.1:$port" ]
}

@test "a stale socket file is replaced and removed in the end; another file is refused and kept" {
    start --dogstatsd-socket "$PWD/g.sock"
    kill -KILL "$SERVER"
    wait "$SERVER" || true
    [ -S g.sock ]
    start --dogstatsd-socket "$PWD/g.sock"
    statwit send --to unixgram 'a:1|c'
    run statwit ls
    has a
    stop
    [ ! -e g.sock ]
    echo precious >file
    run statwit serve --dogstatsd-port 0 --http-port 0 --db :memory: --dogstatsd-socket "$PWD/file"
    exits 3
    has "$PWD/file"
    [ "$(cat file)" = precious ]
}

@test "a socket that another server listens on is refused" {
    start --dogstatsd-socket "$PWD/g.sock"
    run statwit serve --dogstatsd-port 0 --http-port 0 --db :memory: --dogstatsd-socket "$PWD/g.sock"
    exits 3
    has g.sock
    statwit send --to unixgram 'still.here:1|c'
    run statwit ls
    has still.here
}

@test "a path that cannot be written" {
    run statwit serve --dogstatsd-port 0 --http-port 0 --db /nonexistent/folder/r.db
    exits 3
    has /nonexistent/folder/r.db
    run statwit serve --dogstatsd-port 0 --http-port 0 --db :memory: --ready-file /nonexistent/ready.json
    exits 3
    has /nonexistent/ready.json
}

@test "a second server on the same file is refused and disturbs nothing" {
    start --db r.db
    statwit send 'a:1|c'
    run statwit serve --dogstatsd-port 0 --http-port 0 --db r.db
    exits 3
    has r.db
    statwit send 'a:1|c'
    run statwit expect 'incr a sum == 2'
    exits 0
}

@test "a foreign file is refused and left as it was" {
    sqlite3 foreign.db 'CREATE TABLE t (x); INSERT INTO t VALUES (1)'
    echo 'no database at all, but a letter to a friend, long enough to be read' >text.db
    cp foreign.db foreign.copy
    cp text.db text.copy
    for file in foreign text; do
        run statwit serve --dogstatsd-port 0 --http-port 0 --db $file.db
        exits 3
        has $file.db
        cmp $file.db $file.copy
        run statwit ls --db $file.db
        exits 3
        has $file.db
        cmp $file.db $file.copy
    done
    run statwit ls --db nowhere.db
    exits 3
    [ ! -e nowhere.db ]
}

@test "kill -9 loses nothing that a question has seen" {
    start --db r.db
    statwit send 'a:1|c' 'b:2|g' 'c:3|ms'
    run statwit expect 'incr a sum == 1'
    exits 0
    kill -KILL "$SERVER"
    wait "$SERVER" || true
    run statwit ls --db r.db
    has a
    has b
    has c
    start --db r.db
    statwit send 'a:1|c'
    run statwit expect --since 0 'incr a samples >= 2' 'gauge b'
    exits 0
    [ "$(sqlite3 r.db 'PRAGMA integrity_check')" = ok ]
}

@test "bound to more than this host it makes a token, prints it once, and asks for it" {
    start --bind 0.0.0.0
    token=$(sed -n 's/.*STATWIT_TOKEN=//p' serve.err)
    [ "${#token}" -eq 32 ]
    [[ $READY != *"$token"* ]]
    port=${STATWIT_URL##*:}
    export STATWIT_URL=http://127.0.0.1:$port
    run statwit ls
    exits 3
    has STATWIT_TOKEN
    STATWIT_TOKEN=$token run statwit ls
    exits 0
    STATWIT_TOKEN=wrong run statwit ls
    exits 3
}

@test "--no-token says in plain words what that means" {
    DD_DOGSTATSD_NON_LOCAL_TRAFFIC=true start --no-token
    grep -q -- --no-token serve.err
    STATWIT_URL=http://127.0.0.1:${STATWIT_URL##*:} run statwit ls
    exits 0
}

@test "a token that was given is asked for on this host too" {
    STATWIT_TOKEN=secret start
    [ ! -s serve.err ]
    run statwit status
    exits 3
    STATWIT_TOKEN=secret run statwit status
    exits 0
}

@test "IPv6" {
    [ -e /proc/net/if_inet6 ] && grep -q '^0*1 ' /proc/net/if_inet6 || skip "no IPv6 here"
    start --bind ::1
    [[ $(ready .http) == http://\[::1\]:* ]]
    statwit send 'six:1|c'
    run statwit ls
    has six
}
