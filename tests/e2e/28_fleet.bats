#!/usr/bin/env bats
# A fleet's recordings, as far as no engine is needed: mistakes, and what a failed push leaves behind. The rest is `make fleet`.
load helper

NOBODY=clickhouse://127.0.0.1:1/statwit

record() { statwit run --db r.db -q -- "$STATWIT_BIN" send --to http 'a:1|c'; }

@test "a URL of recordings is refused in words" {
    run statwit ls --db 'clickhouse://h/db?brnch=main'
    exits 2
    has "did you mean 'branch'?"
    run statwit ls --db clickhouse://me:secret@h/db
    exits 2
    has STATWIT_CLICKHOUSE_PASSWORD
    hasnt secret
    run statwit serve --db "$NOBODY"
    exits 2
    has "statwit push FILE"
    run statwit replay "$NOBODY"
    exits 2
}

@test "push says what it lacks" {
    run statwit push
    exits 2
    has STATWIT_PUSH
    run statwit push --to "$NOBODY"
    exits 2
    has "needs a recording"
    record
    run statwit push r.db --to "$NOBODY?repo=shop"
    exits 2
    has "--label KEY=VALUE"
    run statwit push r.db --to "$NOBODY" --label main
    exits 2
    has "branch=main"
    run statwit push "$NOBODY" --to "$NOBODY"
    exits 2
    run statwit push r.db --to "$NOBODY" --cluster fleet
    exits 2
    has -- --init
}

@test "an engine that is down is exit code 3, after some tries" {
    record
    run statwit push r.db --to "$NOBODY" --timeout 2s
    exits 3
    has "not pushed to 127.0.0.1:1/statwit: nobody takes connections there: Connection refused ("
    has tries
    run statwit expect 'count a sum == 1' --db "$NOBODY"
    exits 3
}

@test "clickhouses:// is TLS, with --ca-file" {
    start --tls-self-signed localhost
    port=${STATWIT_URL##*:}
    run env -u STATWIT_CA_FILE "$STATWIT_BIN" ls --db "clickhouses://localhost:$port/statwit"
    exits 3
    has certificate
    run statwit ls --db "clickhouses://localhost:$port/statwit" --ca-file statwit-ca.pem
    exits 3
    has "is it the HTTP port of a ClickHouse?"
}

@test "run --push fails no build, unless it is required" {
    run statwit run --push "$NOBODY" --push-timeout 200ms -e 'count a sum == 1' -- "$STATWIT_BIN" send --to http 'a:1|c'
    exits 0
    has "warning: not pushed to 127.0.0.1:1/statwit"
    has "give --db FILE"
    run env STATWIT_PUSH=$NOBODY "$STATWIT_BIN" run --push-timeout 200ms --db kept.db -- true
    exits 0
    has "the recording is in kept.db: statwit push kept.db"
    hasnt "--to"
    run statwit run --push "$NOBODY" --push-timeout 200ms --db 'it is.db' --label 'team=a b' -- true
    has "statwit push 'it is.db' --to $NOBODY --label 'team=a b'"
    run statwit run --push "$NOBODY" --push-timeout 200ms --push-required -- true
    exits 3
    run statwit run --push "$NOBODY" --push-timeout 200ms --push-required -- false
    exits 1
    run statwit run --push-required -- true
    exits 2
}

@test "reports tell of a push, also when a pipe can be written only once" {
    start # a recorder is no ClickHouse: the first answer says so, and there is nothing to wait for
    local no_engine=clickhouse://${STATWIT_URL#http://}/statwit
    run statwit run --push "$no_engine" --push-timeout 60s -e 'no any x' --json-file r.json --junit r.xml -- true
    exits 0
    [ "$(jq -c '[.verdict, .push.ok, .push.required]' r.json)" = '["pass",false,false]' ]
    [[ $(jq -r .push.why r.json) == *"answered 405: is it the HTTP port of a ClickHouse?" ]]
    grep -q 'tests="1" failures="0" errors="0"' r.xml
    grep -q '<property name="push.why" value="[^"]*answered 405' r.xml
    mkfifo pipe
    cat pipe >piped 3>&- &
    reader=$!
    run statwit run --push "$no_engine" --push-timeout 60s --push-required -e 'no any x' --junit pipe -- true
    exits 3
    wait "$reader"
    [ "$(grep -c '<testsuites>' piped)" = 1 ]
    grep -q 'tests="2" failures="0" errors="1"' piped
    grep -q '<error type="push" message="[^"]*answered 405' piped
    run statwit run -e 'no any x' --json-file r.json -- true
    [ "$(jq .push r.json)" = null ]
}
