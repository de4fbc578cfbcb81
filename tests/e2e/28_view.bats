#!/usr/bin/env bats
# Verdicts that are kept, and recordings that are only looked at.
load helper

export BIN=$STATWIT_BIN

view() { # FILE…: its address is in $address
    rm -f view.fifo
    mkfifo view.fifo
    "$STATWIT_BIN" view "$@" >view.fifo 2>view.err 3>&- &
    SERVER=$!
    read -r -t 60 address <view.fifo || { cat view.err; return 1; }
}

@test "a run that failed is looked at without changing a byte" {
    run statwit run --db r.db --expect 'incr login.attempt sum == 2' --expect 'timing t p95 < 5' -- \
        sh -c '"$BIN" send "login.attempt:1|c" "t:3|ms"'
    exits 1
    has '`statwit view r.db` shows what was recorded, and the verdicts'
    sum=$(sha256sum r.db)
    view r.db
    curl -fsS "${address}" | grep -q '<title>statwit'
    curl -fsS "${address}recorder/v1/verdicts?verdict=fail" >verdicts.json
    jq -e '.verdicts | length == 1 and .[0].kind == "expect" and .[0].report.results[0].why == "sum is 1, expected sum == 2"' verdicts.json
    [ "$(curl -fsS "${address}recorder/v1/status" | jq '.read_only')" = true ]
    curl -fsS "${address}recorder/v1/expect" -d '{"expect": ["incr login.attempt sum == 1"], "within_ms": 60000}' | jq -e '.verdict == "pass"'
    curl -fsS "${address}recorder/v1/expect" -d '{"expect": ["incr nothing"], "within_ms": 60000}' | jq -e '.verdict == "fail"'
    curl -fsS "${address}recorder/v1/lint" -d '{}' | jq -e .summary
    for change in "POST sessions" "POST reset" "DELETE sessions/default" "PUT faults" "DELETE faults"; do
        set -- $change
        [ "$(curl -s -o answer.json -w '%{http_code}' -X "$1" "${address}recorder/v1/$2" -d '{}')" -eq 403 ]
        jq -re .error answer.json | grep 'only looks'
    done
    [ "$(curl -s -o /dev/null -w '%{http_code}' -X POST "${address}api/v2/series?api_key=0" -d '{"series":[]}')" -eq 404 ]
    stop
    [ "$status" -eq 0 ]
    [ "$(sha256sum r.db)" = "$sum" ]
    [ "$(ls)" = "$(printf '%s\n' answer.json r.db verdicts.json view.err view.fifo)" ]
}

@test "no line about view when all is well, nor when nothing was kept" {
    run statwit run --db r.db --expect 'no reject *' -- true
    exits 0
    hasnt 'statwit view'
    run statwit run --expect 'incr a' -- true
    exits 1
    hasnt 'statwit view'
    run statwit run --db "it's here.db" --expect 'incr a' -- true
    has "\`statwit view 'it'\\''s here.db'\` shows"
}

@test "two recordings, side by side" {
    statwit run --db a.db -- sh -c '"$BIN" send "same:1|c" "first.thing:1|c"'
    statwit run --db b.db -- sh -c '"$BIN" send "same:2|c" "depth:5|g"'
    sums=$(sha256sum a.db b.db)
    view a.db b.db
    curl -fsS "${address}recorder/v1/sessions" | jq -e '[.sessions[].name] == ["default", "2:default"]'
    curl -fsS "${address}recorder/v1/diff" -d '{"a": {"session": "default"}, "b": {"session": "2:default"}}' |
        jq -e '(.added | map(.name)) == ["depth"] and (.removed | map(.name)) == ["first.thing"]'
    curl -fsS "${address}recorder/v1/metrics?session=2:default&name=same" | jq -e '.metrics[0].sum == 2'
    curl -fsS "${address}recorder/v1/expect" -d '{"session": "2:default", "expect": ["incr same sum == 2"]}' | jq -e '.verdict == "pass"'
    stop
    [ "$status" -eq 0 ]
    [ "$(sha256sum a.db b.db)" = "$sums" ]
}

@test "a long list of two recordings has each row once, page after page" {
    statwit run --db a.db -- sh -c 'seq 2000 | sed "s/.*/a&:1|c/" | "$BIN" send --to http'
    statwit run --db b.db -- sh -c 'seq 3000 | sed "s/.*/b&:1|c/" | "$BIN" send --to http'
    view a.db b.db
    all="$(seq 2000 | sed 's/^/default a/'; seq 3000 | sed 's/^/2:default b/')"
    curl -fsS "${address}recorder/v1/export?session=*" | jq -r '.session + " " + .name' >exported
    [ "$(cat exported)" = "$all" ]
    cursor=0
    while [ "$cursor" != null ]; do
        curl -fsS "${address}recorder/v1/samples?session=*&limit=900&cursor=$cursor" >page.json
        jq -r '.samples[] | .session + " " + .name' page.json >>listed
        cursor=$(jq .next page.json)
    done
    [ "$(cat listed)" = "$all" ]
    [ "$(curl -fsS "${address}recorder/v1/samples?session=2:default&limit=1&since=2999" | jq '.samples[0].id')" = 3000 ]
}

@test "view follows a file: recorded into again, killed, another in its place" {
    post() { curl -fsS -X POST "$1/api/v1/series" -H 'DD-API-KEY: k' -d "{\"series\": [{\"metric\": \"m\", \"points\": [[$(date +%s), 1]]}]}" >/dev/null; }
    samples() { curl -fsS "${address}recorder/v1/samples" | jq '.samples | length'; }
    record() { # SIGNAL: three more, and the recorder ends so
        start --db k.db
        local n
        for n in 1 2 3; do post "$STATWIT_URL"; done
        [ -z "${VIEWER:-}" ] || samples >/dev/null # while it records, too
        stop "$1"
    }
    record KILL
    view k.db # a copy, as it was killed with points that were kept
    VIEWER=$SERVER
    [ "$(samples)" = 3 ]
    for signal in TERM KILL TERM; do record $signal; done
    [ "$(samples)" = 12 ]
    record KILL
    [ "$(samples)" = 15 ]
    rm k.db k.db-*
    statwit run -q --db k.db -- "$BIN" send 'one:1|c'
    [ "$(samples)" = 1 ]
    SERVER=$VIEWER
    stop
}

@test "what cannot be viewed" {
    run statwit view nowhere.db
    exits 3
    has 'nowhere.db'
    echo text >text.db
    run statwit view text.db
    exits 3
    has 'text.db'
    run statwit view
    exits 2
    run statwit view a b c
    exits 2
}

@test "--open starts the browser on the page" {
    statwit run --db r.db -- "$STATWIT_BIN" send 'a:1|c'
    printf '#!/bin/sh\necho "$1" >opened\n' >browser
    chmod +x browser
    mkfifo opened
    BROWSER=$PWD/browser view r.db --open
    read -r -t 60 shown <opened
    [ "$shown" = "$address" ]
}

@test "the same question is kept once, a page's and a value's not at all" {
    start
    statwit send 'a:1|c'
    for i in 1 2 3; do run statwit expect 'incr a sum == 2'; done
    run statwit value 'incr a sum'
    curl -fsS "$STATWIT_URL/recorder/v1/expect" -d '{"expect": ["incr a"], "keep": false}'
    curl -fsS "$STATWIT_URL/recorder/v1/verdicts" >verdicts.json
    jq -e '.verdicts | length == 1 and .[0].asked == 3 and .[0].verdict == "fail" and .[0].session == "default"' verdicts.json
    curl -fsS "$STATWIT_URL/recorder/v1/verdicts?since=$(jq .last_id verdicts.json)" | jq -e '.verdicts == []'
    curl -fsS "$STATWIT_URL/recorder/v1/status" | jq -e '.verdicts == {"kept": 1, "failed": 1, "last_id": 3}'
    [ "$(curl -s "$STATWIT_URL/recorder/v1/verdicts?verdict=good" | jq -r .error)" = "verdict must be pass, fail or inconclusive, not 'good'" ]
}

@test "a report that is too long keeps what failed" {
    start
    statwit send 'a:1|c'
    { for i in $(seq 2000); do echo "incr a sum <= $i"; done; for i in $(seq 2 2000); do echo "incr a sum == $i"; done; } >many.expect
    run statwit expect -f many.expect
    exits 1
    curl -fsS "$STATWIT_URL/recorder/v1/verdicts" >verdicts.json
    [ "$(stat -c %s verdicts.json)" -lt 70000 ]
    jq -e '.verdicts[0].report | .verdict == "fail" and .omitted + (.results | length) == 3999 and (.results | map(.verdict) | unique) == ["fail"] and (.results | length) > 20' verdicts.json
}
