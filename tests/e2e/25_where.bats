#!/usr/bin/env bats
# Claims about single values and fields, refused lines, one number for a script.
load helper

@test "where keeps single records before any stat looks at them" {
    start
    statwit send 'g:5|g|#env:ci' 'g:7|g|#env:ci' 'users:alice|s' 't:1:2:5|ms' '_e{6,9}:Deploy|it failed|t:error' '_sc|db|2|m:a timeout'
    run statwit expect 'gauge g where value == 5 samples == 1' 'set users where value == alice' 'timing t where value > 1 samples == 2' \
        'event "Dep*" where text == "*failed*" and alert_type == error samples == 1' 'check db where status == critical and message == "*timeout*"'
    exits 0
    run statwit expect 'gauge g{env=~"c[hi]"} where value == 6'
    exits 1
    has "2 samples matched but for 'where': the newest sample has value 7, not value == 6"
    run statwit expect 'gauge g where message == x'
    exits 2
    has 'expected a field of a gauge: value, rate, unit, interval, host, device, timestamp or source'
    run statwit expect --json 'gauge g where value == 5'
    [ "$(jq -c '.results[0].where' <<<"$output")" = '[{"field":"value","op":"==","value":5,"text":"value == 5"}]' ]
}

@test "the newest sample that 'where' left out was that of the newest series" {
    start
    statwit send 'g:1|g|#k:a' 'g:2|g|#k:b' 'g:3|g|#k:a'
    run statwit expect 'gauge g where value == 6'
    exits 1
    has "3 samples matched but for 'where': the newest sample has value 3, not value == 6"
}

@test "refused lines count: reject, --no-rejects" {
    start
    statwit send 'a:1|c' 'login:x|c'
    run statwit expect 'reject login where reason == invalid_value samples == 1'
    exits 0
    run statwit expect 'no reject *'
    exits 1
    has "1 reject matched: invalid_value 'login:x|c'"
    run statwit expect --no-rejects 'incr a'
    exits 1
    run statwit expect --no-rejects
    exits 1
    statwit reset
    run statwit expect --no-rejects
    exits 0
}

@test "run --no-rejects looks at every session" {
    cat >child <<'IN'
"$STATWIT_BIN" send --to "udp://127.0.0.1:$DD_DOGSTATSD_PORT" "$1"
IN
    export STATWIT_BIN
    run statwit run --no-rejects -- sh ./child 'login:x|c'
    exits 1
    has 'no reject *'
    run statwit run --no-rejects -- sh ./child 'login:1|c'
    exits 0
}

@test "value prints one number and nothing else" {
    start --db recorded.db
    statwit send 'g:5|g' 'g:0.1|g' 'c:1:2|c|#env:ci' '_sc|db|1'
    [ "$(statwit value 'gauge g last')" = 0.1 ]
    [ "$(statwit value 'gauge g where value > 1 last')" = 5 ]
    [ "$(statwit value 'incr c{env:c*} sum')" = 3 ]
    [ "$(statwit value 'check db status')" = warning ]
    [ "$(statwit value 'incr never.sent samples')" = 0 ]
    run statwit value 'gauge never.sent last'
    exits 1
    has 'no sample that matches was received'
    run statwit value 'gauge g last == 5'
    exits 2
    has 'expected the end behind the stat'
    run statwit value 'gauge g'
    exits 2
    has 'expected the stat whose number is asked for'
    run statwit value 'gauge g each'
    exits 2
    stop
    [ "$(statwit value --db recorded.db 'gauge g samples')" = 2 ]
}

@test "a session line chooses what is judged, over the server and of a file" {
    start --db recorded.db
    statwit session new other >other.env
    statwit send 'a:1|c'
    statwit send --session other 'a:2|c'
    printf 'session other\nincr a sum == 2\n' >claims
    run statwit expect -f claims
    exits 0
    run statwit expect -f claims --session default
    exits 1
    run statwit expect "session '*'
incr a sum == 3"
    exits 0
    printf 'session nobody\nincr a\n' >claims.nobody
    run statwit expect -f claims.nobody
    [ "$status" -ne 0 ]
    has nobody
    stop
    run statwit expect --db recorded.db -f claims.nobody
    exits 2
    has "no session is named 'nobody'"
    run statwit expect --db recorded.db "session *
incr a sum == 3"
    exits 0
}

@test "look-alikes are refused with what is meant" {
    start
    statwit send 'a:1|c'
    while IFS=@ read -r text place meant; do
        run statwit expect "$text"
        exits 2
        has "$meant"
        [ "$(tail -1 <<<"$output" | tr -d '\n' | wc -c)" -eq "$place" ] || { echo "$output"; false; }
    done <<'IN'
INCR a@1@did you mean 'incr'?
increment a@1@did you mean 'incr'?
timing t p95 < 500ms@16@did you mean 500
incr a sum = 1@12@did you mean '=='?
incr a{b=c}@9@write b:c, or "b=c" for a tag of that text
incr a{b: c}@10@write b:c
incr a{b:x|y}@10@write b:(x|y)
gauge g value == 5@9@did you mean 'where value'?
incr a sum == 1 && max == 1@17@did you mean 'and'?
not incr a@1@did you mean 'no'?
IN
}
