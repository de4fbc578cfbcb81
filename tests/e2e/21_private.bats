#!/usr/bin/env bats
# A private recorder: nothing of the machine's gets in, and nothing of it stays behind.
load helper

# Everything a machine could have set for others: all of it wrong for a recorder of one's own.
hostile() {
    local name
    for name in $(statwit serve --help; statwit run --help); do
        [[ $name =~ ^--[a-z-]+$ ]] || continue
        name=${name#--}
        name=${name^^}
        export "STATWIT_${name//-/_}=nonsense"
    done
    # What `run` itself, not its recorder, is told by.
    unset STATWIT_EXPECT STATWIT_WITHIN STATWIT_SETTLE STATWIT_ALL_COVERED STATWIT_NO_REJECTS STATWIT_PREFIX STATWIT_IGNORE_TAGS STATWIT_AS STATWIT_PUSH STATWIT_PUSH_REQUIRED STATWIT_PUSH_TIMEOUT STATWIT_JUNIT \
        STATWIT_TAP STATWIT_JSON_FILE STATWIT_CATALOG STATWIT_STRICT STATWIT_QUIET STATWIT_LOG_LEVEL STATWIT_TIMEOUT \
        STATWIT_KILL_AFTER STATWIT_ANSWER_TIMEOUT STATWIT_HELP STATWIT_PRIVATE
    export DD_DOGSTATSD_SOCKET=/nowhere/dsd.socket DD_DOGSTATSD_STREAM_SOCKET=/nowhere/stream.socket DD_DOGSTATSD_TAGS=env:machine \
        DD_BIND_HOST=192.0.2.1 DD_DOGSTATSD_PORT=1 DD_DOGSTATSD_NON_LOCAL_TRAFFIC=true STATWIT_DB=precious.db STATWIT_HTTP_PORT=1 \
        STATWIT_TOKEN=$'not\none' STATWIT_URL=http://192.0.2.1:1 STATWIT_SESSION=other STATWIT_API_KEY=other STATWIT_CA_FILE=/nowhere/ca.pem \
        http_proxy=http://192.0.2.1:1
}

# The server's stdin is a pipe whose other end is descriptor 9 of this shell.
start_private() {
    rm -f in.fifo ready.fifo
    mkfifo in.fifo ready.fifo
    "$STATWIT_BIN" serve --private "$@" <in.fifo >ready.fifo 2>serve.err 3>&- &
    SERVER=$!
    exec 9>in.fifo
    read -r -t 60 READY <ready.fifo || { cat serve.err; return 1; }
}

@test "private: the machine's Agent settings got in" {
    hostile
    start_private --keep-datagrams
    env | grep -E '^(DD_|STATWIT_|http_proxy)' | cut -d= -f1 | grep -v STATWIT_BIN >names
    while read -r name; do unset "$name"; done <names
    STATWIT_URL=$(ready .http)
    export STATWIT_URL
    [[ $STATWIT_URL == http://127.0.0.1:* ]]
    [ "$(ready .db)" = :memory: ]
    [ "$(ready .dogstatsd.unixgram)" = null ]
    statwit send 'a:1|c'
    run statwit ls -j
    [ "$(jq -c '.series[0].tags' <<<"$output")" = '[]' ]
    [ ! -e precious.db ]
    exec 9>&-
    wait "$SERVER"
    [ "$(grep -vc "still stopping" serve.err)" -eq 0 ] # where it took more than a second
    SERVER=
}

@test "private: flags beside it win" {
    start_private --db kept.db --dogstatsd-socket "$PWD/g.sock"
    [ "$(ready .db)" = kept.db ]
    [ "$(ready .dogstatsd.unixgram)" = "$PWD/g.sock" ]
    exec 9>&-
    wait "$SERVER"
    SERVER=
    [ -e kept.db ]
    [ ! -e g.sock ]
}

@test "run: the machine's settings got into its recorder, and wiped the file of another" {
    echo precious >precious.db
    hostile
    # shellcheck disable=SC2016
    run "$STATWIT_BIN" run -e 'incr a[] sum == 1' -e 'no any b' -- sh -c '"$0" send "a:1|c" && "$0" ls -j' "$STATWIT_BIN"
    exits 0
    [ "$(cat precious.db)" = precious ]
}

@test "exit-with-stdin: a server outlived what started it" {
    # shellcheck disable=SC2016
    python3 - "$STATWIT_BIN" <<'END'
import json, os, signal, subprocess, sys
# A helper that is killed before it can end its server.
helper = subprocess.Popen([sys.executable, "-c", """
import subprocess, sys
server = subprocess.Popen([sys.argv[1], "serve", "--private"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
sys.stdout.buffer.write(server.stdout.readline()); sys.stdout.flush()
server.wait()
""", sys.argv[1]], stdout=subprocess.PIPE)
ready = json.loads(helper.stdout.readline())
assert ready["api"] == 1, ready
server = os.pidfd_open(ready["pid"])
helper.kill()
helper.wait()
import select
assert select.select([server], [], [], 60)[0], "the server is still there"
END
}

@test "exit-with-stdin: what is at its end from the start is told, not obeyed" {
    echo x >file
    for from in /dev/null file; do
        run "$STATWIT_BIN" serve --private <$from
        exits 2
        has 'needs a pipe, a socket or a terminal as stdin'
    done
    # shellcheck disable=SC2016
    run sh -c '"$0" serve --private <&-' "$STATWIT_BIN"
    exits 2
    start_private --exit-with-stdin=false
    exec 9>&-
    run statwit status --url "$(ready .http)"
    exits 0
    stop
}

@test "the number of the API is in the ready line and in status" {
    start
    [ "$(ready .api)" = 1 ]
    [ "$(statwit status -j | jq .api)" = 1 ]
}

@test "ready-file: a FIFO that nobody reads made it deaf to SIGTERM" {
    mkfifo fifo
    start --ready-file "$PWD/fifo"
    statwit status -q
    stop
    [ "$status" -eq 0 ]
    start --ready-file "$PWD/fifo"
    [ "$(timeout 60 cat fifo)" = "$READY" ]
    stop
    [ -p fifo ]
    run "$STATWIT_BIN" serve --dogstatsd-port 0 --http-port 0 --db :memory: --ready-file /dev/full </dev/null
    exits 3
    has 'cannot write /dev/full'
}

@test "a bare number was taken for seconds" {
    for option in "expect --within 500 a" "expect --settle 500 a" "status --wait 500" "serve --retention-age 500" "run --timeout 500 true" \
        "run --kill-after 500 true" "session --ttl 500 new" "fault --delay 500 http" "ls --answer-timeout 500"; do
        # shellcheck disable=SC2086
        run statwit $option
        exits 2
        has 'needs a unit: write 500ms or 500s'
    done
    STATWIT_WITHIN=2.5 run statwit expect a
    exits 2
    has 'STATWIT_WITHIN needs a unit: write 2.5ms or 2.5s'
    start
    statwit send 'a:1|c'
    run statwit expect --within 0 'incr a'
    exits 0
}
