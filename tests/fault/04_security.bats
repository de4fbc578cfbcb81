#!/usr/bin/env bats
# Who may ask, what a stranger can do, what is left lying about.
load ../e2e/helper
load fault

@test "a foreign Host is refused: DNS rebinding" {
    start
    local host
    for host in evil.example evil.example:8125 127.0.0.1.evil.example 'localhost.evil.example' 'a@127.0.0.1'; do
        [ "$(code -H "Host: $host" "$STATWIT_URL/recorder/v1/status")" = 403 ] || { echo "$host: $(cat body)"; false; }
    done
    [ "$(code -H 'Host: localhost' "$STATWIT_URL/recorder/v1/status")" = 200 ]
}

@test "a foreign Origin may not change anything: cross-site requests" {
    start
    local origin
    for origin in http://evil.example null "http://127.0.0.1:1"; do
        [ "$(code -X POST -H "Origin: $origin" "$STATWIT_URL/recorder/v1/reset")" = 403 ] || { echo "$origin: $(cat body)"; false; }
        [ "$(code -H "Origin: $origin" "$STATWIT_URL/recorder/v1/sessions" -d '{}')" = 403 ]
        [ "$(code -X PUT -H "Origin: $origin" "$STATWIT_URL/recorder/v1/faults" -d '{}')" = 403 ]
    done
    [ "$(code -X POST -H "Origin: $STATWIT_URL" "$STATWIT_URL/recorder/v1/reset")" = 200 ]
}

@test "bound to all addresses it asks for a token that it made, says it once, and never in ps or the ready line" {
    start --bind 0.0.0.0 --ready-file ready.json --log-level debug --db r.db
    local token
    token=$(grep -o 'STATWIT_TOKEN=.*' serve.err | cut -d= -f2)
    [ "${#token}" -ge 32 ]
    [ "$(grep -c "$token" serve.err)" -eq 1 ]
    ! grep -q "$token" ready.json "/proc/$SERVER/cmdline" || false
    STATWIT_URL=http://127.0.0.1:$(http_port)
    [ "$(code "$STATWIT_URL/recorder/v1/status")" = 401 ]
    [ "$(code -H 'Authorization: Bearer wrong' "$STATWIT_URL/recorder/v1/status")" = 401 ]
    [ "$(code -H "Authorization: Bearer ${token%?}" "$STATWIT_URL/recorder/v1/status")" = 401 ]
    [ "$(code -H "Authorization: Bearer ${token}x" "$STATWIT_URL/recorder/v1/status")" = 401 ]
    [ "$(code -H 'Authorization: Bearer ' "$STATWIT_URL/recorder/v1/status")" = 401 ]
    [ "$(code -H "Authorization: Bearer $token" "$STATWIT_URL/recorder/v1/status")" = 200 ]
    ! grep -q "$token" body || false
    [ "$(code -H "Authorization: Bearer $token" "$STATWIT_URL/recorder/v1/nowhere")" = 404 ]
    [ "$(code -H "Authorization: Bearer $token" -H 'DD-API-KEY: k' "$STATWIT_URL/api/v1/check_run" -d '{"check":"a","host_name":"h","status":0}')" = 202 ]
    stop
    # Neither in the most talkative log nor in the recording.
    [ "$(grep -c "$token" serve.err)" -eq 1 ]
    ! grep -q "$token" r.db || false
}

@test "names of sessions, filters and paths reach no SQL, no file and no shell" {
    start --db r.db
    statwit send 'a:1|c'
    local name
    for name in "x'; DROP TABLE metric; --" '../../etc/passwd' '..' "\$(touch pwned)" . 'a b' $'new\nline'; do
        jq -n --arg n "$name" '{name: $n}' >body.json
        [ "$(code "$STATWIT_URL/recorder/v1/sessions" -d @body.json)" = 400 ] || { echo "$name: $(cat body)"; false; }
        code -G --data-urlencode "session=$name" "$STATWIT_URL/recorder/v1/series" >/dev/null
        code -G --data-urlencode "name=$name" "$STATWIT_URL/recorder/v1/series" >/dev/null
        code -G --data-urlencode "tag=$name" "$STATWIT_URL/recorder/v1/samples" >/dev/null
    done
    code --path-as-is "$STATWIT_URL/recorder/v1/../../../../etc/passwd" >/dev/null
    ! grep -q root: body || false
    [ "$(verdict 'count a sum == 1')" = pass ]
    [ ! -e pwned ]
}

@test "escape sequences in what was received never reach the terminal: tables, reports, exports, JSON, snapshots, logs" {
    start --db r.db --log-level debug
    # ESC, BEL, and the C1 controls as UTF-8 and as single bytes.
    printf '%b' 'evil\e]0;owned\a\e[2J:1|c|#t\e[31m:v\e[1m,c1\xc2\x9b2J:\x9b31m\n_e{8,9}:ti\e[2Jtl|te\xc2\x9bxt\a\x9b|#a\e[2J\n_sc|ch\e[2Jk|0|m:m\e[2J\n' |
        statwit send
    printf 'bad\e[2J line\xc2\x9b' | statwit send
    [ "$(code -H 'DD-API-KEY: k' "$STATWIT_URL/api/v2/series" \
        -d '{"series":[{"metric":"web","type":1,"points":[{"timestamp":1,"value":1}],"tags":["a\u009b2J:b\u001b[2J"],"unit":"u\u001b[2J"}]}')" = 202 ]
    code "$STATWIT_URL/%1b%5b2J%c2%9b" -H $'User-Agent: \xc2\x9b2J' >/dev/null
    statwit ls --json | jq -e '[.series[] | select(.name | contains("\u001b"))] | length == 1'
    echo '{"metrics":{"ev*":{"type":"gauge"}}}' >c.json
    statwit snapshot s.snap
    sed 's/"evil/"devil/' s.snap >other.snap
    local what
    for what in ls 'ls --json' samples 'samples --json' rejects 'rejects --json' status 'status --json' 'session ls' lint 'lint --json' \
        'verify --catalog c.json' 'verify --json --catalog c.json' 'catalog infer' snapshot 'snapshot --check other.snap' \
        'diff r.db c.json' 'diff --json r.db c.json' 'diff --markdown r.db c.json' 'export --format jsonl' 'export --format csv' \
        'export --format dogstatsd' 'export --format openmetrics' 'export --format dogstatsd --db r.db' 'export --format openmetrics --db r.db' \
        'samples --json --db r.db' 'expect --all-covered' 'expect --all-covered --json' 'expect --all-covered --tap' 'expect "incr evi"'; do
        script -qec "'$STATWIT_BIN' $what" /dev/null </dev/null >shown || true
        [ -s shown ]
        ! LC_ALL=C grep -qaP '\e\]0|\e\[2J|\e\[1m,|\a|\xc2[\x80-\x9f]|[^\x80-\xff]\x9b' shown || { echo "$what:"; cat -v shown; false; }
    done
    ! LC_ALL=C grep -aP '\e|\a|\x9b' serve.err || false
    # Elsewhere an export is exact.
    statwit export --format dogstatsd >exact
    grep -q $'^evil\e]0;owned\a\e\[2J:1|c' exact
}

@test "the recording is for its owner alone, and nobody else reads its sockets" {
    umask 000
    start --db r.db --dogstatsd-socket "$PWD/g.sock" --dogstatsd-stream-socket "$PWD/s.sock"
    statwit send 'a:1|c'
    [ "$(verdict 'count a sum == 1')" = pass ]
    local file
    for file in r.db*; do [ "$(stat -c %a "$file")" = 600 ] || { stat -c '%a %n' "$file"; false; }; done
    # As the Agent's: others may send, nobody may read.
    for file in g.sock s.sock; do [ "$(stat -c %a "$file")" = 722 ] || { stat -c '%a %n' "$file"; false; }; done
}

@test "slow and endless requests don't keep others from being answered" {
    start
    local i fd fds=()
    for ((i = 0; i < 100; i++)); do
        exec {fd}<>"/dev/tcp/127.0.0.1/$(http_port)"
        printf 'POST /api/v2/series HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{' >&"$fd"
        fds+=("$fd")
    done
    [ "$(code "$STATWIT_URL/healthz")" = 200 ]
    statwit send 'a:1|c'
    [ "$(verdict 'count a sum == 1')" = pass ]
    for fd in "${fds[@]}"; do exec {fd}>&-; done
}

@test "a flood of headers is refused, and costs no memory" {
    start
    local before after
    before=$(awk '/VmRSS/ {print $2}' "/proc/$SERVER/status")
    seq 1 20000 | sed 's/.*/X-Header-&: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/' >headers
    local answered
    answered=$(code -H @headers "$STATWIT_URL/healthz" || true)
    [ "$answered" = 431 ] || [ "$answered" = 000 ] || [ "$answered" = 413 ]
    [ "$(code "$STATWIT_URL/healthz")" = 200 ]
    after=$(awk '/VmRSS/ {print $2}' "/proc/$SERVER/status")
    [ $((after - before)) -lt 20000 ]
}
