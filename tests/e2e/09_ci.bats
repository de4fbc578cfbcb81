#!/usr/bin/env bats
# Many tests at once, and the surroundings of a CI job.
load helper

@test "what is sent for a session that there isn't is nobody else's, and is told" {
    start
    statwit session new gone --json >session.json
    key=$(jq -r .api_key session.json)
    statwit session new other >/dev/null
    statwit session rm gone
    post() { curl -sS -o answer -w '%{http_code}' -d '{"series":[{"metric":"late","type":"count","points":[[1,1]]}]}' "$@"; }
    [ "$(post "$STATWIT_URL/api/v1/series" -H "DD-API-KEY: $key")" = 404 ]
    grep -q 'the session of this API key has ended' answer
    [ "$(post "$STATWIT_URL/api/v1/series?test_session_token=never" -H 'DD-API-KEY: x')" = 404 ]
    grep -q "no session has the token 'never'" answer
    [ "$(post "$STATWIT_URL/intake/other" -H 'X-Datadog-Test-Session-Token: gone')" = 404 ]
    [ "$(post "$STATWIT_URL/api/v1/query?query=x&from=1&to=2" -G -H 'X-Datadog-Test-Session-Token: gone')" = 404 ]
    [ "$(curl -sS -o answer -w '%{http_code}' --data-binary 'late:1|c' -H 'X-Datadog-Test-Session-Token: gone' "$STATWIT_URL/dogstatsd/v2/proxy")" = 404 ]
    [ "$(curl -sS -o answer -w '%{http_code}' -H "DD-API-KEY: $key" "$STATWIT_URL/recorder/v1/series")" = 404 ]
    run statwit ls --session '*'
    has 'no series'
    run statwit rejects -j
    jq -c '.rejects[] | [.reason, .text, .detail]' <<<"$output" | sed 's/the request was .*kept: //' >told
    diff told - <<'END'
["unknown_session","/api/v1/series","the session of this API key has ended"]
["unknown_session","/api/v1/series","no session has the token 'never'"]
["unknown_session","/intake/other","no session has the token 'gone'"]
["unknown_session","/dogstatsd/v2/proxy","no session has the token 'gone'"]
END
    run statwit rejects
    has "the request was for a session that there isn't: nothing of it was kept"
    run statwit status
    has '4 lines (statwit rejects)'
    run statwit expect 'count late'
    exits 1
    has 'closest   rejected, unknown_session'
}

@test "run: what was sent for a session that there isn't is told" {
    # shellcheck disable=SC2016
    run statwit run -e 'no any errors' -- sh -c 'curl -sS -H "X-Datadog-Test-Session-Token: x" -d "{}" "$DD_URL/api/v1/series"'
    exits 0
    has "1 refused"
}

@test "all-covered: what a catalog declares is covered; what is in neither fails" {
    start --db kept.db
    statwit send 'a:1|c' 'b:1|c'
    run statwit expect --all-covered 'incr a'
    exits 1
    statwit catalog infer -o catalog.json
    run statwit expect --all-covered --catalog catalog.json 'incr a'
    exits 0
    run statwit expect --all-covered --catalog catalog.json
    exits 0
    run statwit run --all-covered --catalog catalog.json -e 'incr a' -- "$STATWIT_BIN" send 'a:1|c' 'b:1|c'
    exits 0
    statwit send 'c:1|c'
    run statwit expect --all-covered --catalog catalog.json 'incr a'
    exits 1
    has 'FAIL  c: is declared'
    stop
    run statwit expect --db kept.db --all-covered --catalog catalog.json 'incr a'
    exits 1
    statwit catalog infer --db kept.db -o catalog.json
    run statwit expect --db kept.db --all-covered --catalog catalog.json 'incr a'
    exits 0
}

@test "files as Windows writes them, and empty ones, which are named" {
    printf '\xef\xbb\xbf# ours\r\nincr a sum == 1\r\n' >metrics.expect
    printf '\xef\xbb\xbfmetric_name,metric_type\r\na,count\r\n' >metrics.csv
    run statwit run -e metrics.expect --catalog metrics.csv -- "$STATWIT_BIN" send 'a:1|c'
    exits 0
    : >empty
    run statwit run -e empty -- true
    exits 2
    has 'empty: expected at least one expectation'
    run statwit run --catalog empty -- true
    exits 2
    has 'empty:1:1: an empty catalog'
}

@test "run: without an environment, in a folder that can't be written, with another locale" {
    chmod 500 .
    run env -i "$STATWIT_BIN" run -e 'incr a' -- "$STATWIT_BIN" send 'a:1|c'
    chmod 700 .
    exits 0
    LC_ALL=de_DE.UTF-8 TZ=Asia/Kolkata CI=true run statwit run -e 'gauge g last == 1.5' -- "$STATWIT_BIN" send 'g:1.5|g'
    exits 0
}
