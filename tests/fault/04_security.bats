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
    start --bind 0.0.0.0 --ready-file ready.json
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

@test "escape sequences in what was received never reach the terminal" {
    start
    printf 'evil\e]0;owned\a\e[2J:1|c|#t\e[31m:v\ev' | statwit send
    printf 'bad\e[2J line' | statwit send
    local what
    for what in ls samples rejects status; do
        script -qec "'$STATWIT_BIN' $what" /dev/null </dev/null >shown
        ! grep -qP '\e\]0|\e\[2J|\a|\ev' shown || { echo "$what:"; cat -v shown; false; }
    done
    script -qec "'$STATWIT_BIN' expect 'incr evil'" /dev/null </dev/null >shown || true
    ! grep -qP '\e\]0|\e\[2J|\a' shown || { cat -v shown; false; }
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
