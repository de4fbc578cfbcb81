#!/usr/bin/env bats
# Verdicts that are kept, and recordings that are only looked at.
load helper

export BIN=$STATWIT_BIN

teardown() { # two of them at a time
    end_server
    SERVER=${OTHER:-}
    end_server
    repeat_if_dropped
}

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
    # The second's ids are greater by this, whatever is asked: one rule for since, until, newest, cursor and streams.
    SECOND=$((1 << 40))
    ask() { curl -fsS "${address}recorder/v1/samples?$1"; }
    names() { jq -r '.samples[] | .session + " " + .name'; }
    for n in 1 10 3000 3001 4000; do
        [ "$(ask "session=*&newest=true&limit=$n" | names)" = "$(tail -n "$n" <<<"$all")" ]
    done
    [ "$(ask "session=*&since=1990" | names)" = "$(tail -n 3010 <<<"$all")" ]
    [ "$(ask "session=*&since=$((SECOND + 2990))" | names)" = "$(tail -n 10 <<<"$all")" ]
    [ "$(ask "session=*&since=1990&until=$((SECOND + 5))" | names)" = "$(tail -n 3010 <<<"$all" | head -n 15)" ]
    ask "session=*&until=2000" | jq -e '.samples | length == 2000'
    ask "session=2:default&until=2000" | jq -e '.samples == []'
    ask "session=default&limit=1" | jq -e '.last_id >= 2000 and .last_id < 3000 and .next == 1'
    ask "session=2:default&limit=1" | jq -e ".last_id >= $SECOND + 3000 and .next == $SECOND + 1"
    last=$(ask "session=2:default&limit=1" | jq .last_id)
    [ "$(curl -fsS -X POST "${address}recorder/v1/marks?session=2:default" | jq .mark)" = "$last" ]
    [ "$(curl -fsS -X POST "${address}recorder/v1/marks?session=2:default" -d '{"at": "1h"}' | jq .mark)" = "$SECOND" ]
    curl -fsS "${address}recorder/v1/metrics?session=2:default&name=b3000&spark=8" | jq -e ".last_id == $last and (.metrics[0].spark | add == 1)"
    curl -fsS "${address}recorder/v1/expect" -d "{\"session\": \"2:default\", \"since\": $((SECOND + 2999)), \"expect\": [\"incr b3000\", \"no incr b2999\"]}" | jq -e '.verdict == "pass"'
    [ "$(curl -s "${address}recorder/v1/stream?session=*" | jq -r .error)" = 'a stream of two recordings is about one session: their records come in no common order' ]
    for every in '' '&every_ms=100'; do
        mkfifo stream.fifo
        curl -sN "${address}recorder/v1/stream?session=2:default&since=7$every" >stream.fifo &
        read -r -t 60 line < <(grep -m 1 -o "\"name\":\"b[0-9]*\"" stream.fifo)
        kill $! 2>/dev/null || true # it may have ended with its reader
        [ -n "$line" ]
        rm stream.fifo
    done
    curl -fsS "${address}recorder/v1/samples?session=2:default&limit=1&since=$((SECOND + 2999))" | jq -e ".samples[0].id == $SECOND + 3000"
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

@test "view goes on when a recorder is killed, and others come after it" {
    start --db k.db
    statwit send one:1\|c
    statwit status >/dev/null
    recorder=$SERVER
    view k.db
    OTHER=$SERVER SERVER=$recorder
    samples() { curl -fsS "${address}recorder/v1/status" | jq .counts.samples; }
    for round in 1 2 3; do
        before=$(samples)
        curl -fsS "${address}recorder/v1/samples?limit=1" >/dev/null
        for n in 1 2 3; do # acknowledged, and kept
            curl -fsS "$STATWIT_URL/api/v1/series" -H 'DD-API-KEY: k' -d '{"series": [{"metric": "one", "type": "count", "points": [['"$(date +%s)"', 1]]}]}'
        done
        stop KILL
        [ "$(samples)" -eq $((before + 3)) ] # of a copy
        curl -fsS "${address}recorder/v1/samples?limit=1" >/dev/null
        start --db k.db
        stop # were it the last to read the log, it would remove it
        [ "$(samples)" -eq $((before + 3)) ]
        start --db k.db
        statwit send one:1\|c two:1\|c
        statwit status >/dev/null # it is committed
        for i in 1 2 3 4 5 6; do # each by whichever reader is free
            [ "$(samples)" -eq $((before + 5)) ]
            [ "$(curl -fsS "${address}recorder/v1/samples?limit=10000" | jq '.samples | length')" -eq $((before + 5)) ]
        done
    done
}

@test "view beside recordings that are made anew in one place" {
    statwit run -q --db k.db -- "$BIN" send one:1\|c
    view k.db
    ask_on() {
        while [ ! -e done ]; do
            curl -sS -o answer -w '%{http_code}\n' "${address}recorder/v1/series?session=default" >code
            cat code >>codes
            grep -qx 200 code || cat answer >>wrong
        done
    }
    ask_on &
    asker=$!
    for i in $(seq 25); do
        rm -f k.db k.db-wal k.db-shm
        statwit run -q --db k.db -- true
    done
    : >done
    wait "$asker"
    [ "$(sort -u codes)" = 200 ] || { cat wrong; return 1; }
}

@test "a recording that is moved to where another one was is read and recorded without that one's log" {
    statwit run -q --db k.db -- "$BIN" send one:1\|c
    view k.db
    OTHER=$SERVER
    lists() { # NAME: whoever reads k.db finds this one alone
        [ "$(curl -fsS "${address}recorder/v1/samples" | jq -r '[.samples[].name] | unique | join(" ")')" = "$1" ]
        [ "$(statwit export --db k.db | jq -r .name | sort -u)" = "$1" ]
    }
    start --db k.db
    statwit reset
    statwit send two:1\|c
    statwit status >/dev/null
    lists two # so the viewer keeps its log from being removed
    stop
    lists two
    moved() { # NAME N: a recording of N series takes its place; its next recorder keeps what it has
        statwit run -q --db other.db -- sh -c 'for i in $(seq '"$2"'); do echo "'"$1"':1|c|#i:$i"; done | "$BIN" send -q'
        mv other.db k.db
        lists "$1"
        start --db k.db
        statwit status >/dev/null
        stop
        [ ! -s k.db-wal ]
        lists "$1"
    }
    moved other 1
    moved large 3000
    moved small 2
    SERVER=$OTHER
    stop
}

@test "view goes on when its file is written over in place, or loses its log and index, between two recorders" {
    shows() { # NAMES: each reader of the viewer's, as a page asks for several lists at once
        local i asked=()
        for i in 1 2 3; do
            curl -fsS -o "series.$i" "${address}recorder/v1/series" &
            asked+=($!)
        done
        wait "${asked[@]}"
        for i in 1 2 3; do [ "$(jq -r '[.series[].name] | sort | join(" ")' "series.$i")" = "$1" ] || { cat "series.$i"; return 1; }; done
    }
    records() { # NAMES: a recorder that takes one sample more; what is there then
        start --db k.db
        statwit send more:1\|c
        statwit status >/dev/null
        shows "$1"
    }
    statwit run -q --db other.db -- "$BIN" send new:1\|c
    statwit run -q --db k.db -- "$BIN" send old:1\|c
    view k.db
    OTHER=$SERVER
    records 'more old'
    stop KILL
    shows 'more old'
    cp other.db k.db
    shows new
    records 'more new'
    stop
    cp other.db k.db
    shows new
    records 'more new'
    stop
    shows 'more new'
    rm -f k.db-wal k.db-shm
    records 'more new'
    stop KILL
    rm k.db-shm
    records 'more new'
    stop
    SERVER=$OTHER
    stop
}

@test "a recording that is moved to where one lay whose recorder was killed: that one's log is left out and put aside, with a word" {
    start --db k.db
    statwit send old:1\|c
    statwit status >/dev/null
    stop KILL
    statwit run -q --db other.db -- "$BIN" send new:1\|c
    mv other.db k.db
    statwit export --db k.db >out 2>err
    [ "$(jq -r .name out)" = new ]
    grep -q 'k.db has a log beside it that does not follow it' err
    start --db k.db
    grep -q 'k.db: the log beside it does not follow it' serve.err
    [ -s k.db-wal.1 ]
    stop
    [ "$(statwit export --db k.db | jq -r .name)" = new ]
}

replaced_in() { # QUERY: other.db takes the place of k.db while the answer is sent, which is more than the system holds
    view k.db
    mkfifo answer.fifo
    curl -sSN -o answer.fifo "${address}recorder/v1/$1" 2>/dev/null &
    client=$!
    exec 8<answer.fifo
    head -c 1000 <&8 >answer
    mv other.db k.db
    cat <&8 >>answer
    exec 8<&-
    status=0
    wait $client || status=$?
    [ "$status" -eq 18 ] # it was not all
    grep -q older answer
    [ "$(grep -c newer answer)" -eq 0 ]
    grep -q 'was cut short: another recording is in the place of the one that it is of' view.err
    curl -fsS "${address}recorder/v1/$1" >answer # another question is of the file that is there
    grep -q newer answer
    [ "$(grep -c older answer)" -eq 0 ]
    stop
}

@test "a long list is of one file, or cut short: also where a copy, which has the same name, takes its place" {
    long=$(printf '%0400d' 0)
    statwit run -q --db k.db -- sh -c 'seq 30000 | sed "s/.*/older:1|c|#long:'"$long"',i:&/" | "$BIN" send -q'
    cp k.db other.db
    start --db other.db
    statwit reset
    seq 30000 | sed "s/.*/newer:1|c|#long:$long,i:&/" | "$BIN" send -q
    stop
    replaced_in 'series?limit=100000'
}

@test "a long flush is of one file, or cut short" {
    long=$(printf '%0400d' 0)
    for name in older newer; do
        seq 30000 | awk -v name="$name" -v long="$long" '{printf "%d.000\t%s:1|c|#long:%s,i:%d\n", 1700000000 + int($1 / 30) * 15, name, long, $1 % 30}' >"$name.txt"
        statwit import -q "$name.txt" --db "$name.db"
    done
    mv older.db k.db
    mv newer.db other.db
    replaced_in 'flush?format=json'
}

# Descriptor 8 is a stream: there comes a line with this text. Adds 1 to `soon` unless it took as long as with the next keepalive, which comes after
# 15 s: where nothing is seen earlier, none of several is soon; where a process is held up, not all are late.
comes() { # TEXT
    local began=$SECONDS
    while read -r -t 60 line <&8; do
        [[ $line == *"$1"* ]] || continue
        [ $((SECONDS - began)) -ge 10 ] || soon=$((soon + 1))
        return 0
    done
    return 1
}

@test "a stream on view ends when a copy of its file, which has the same name, takes its place" {
    statwit run -q --db k.db -- "$BIN" send one:1\|c
    view k.db
    for every in '' '?every_ms=100'; do
        soon=0
        for _ in 1 2 3; do
            mkfifo stream.fifo
            curl -sN "${address}recorder/v1/stream$every" >stream.fifo &
            exec 8<stream.fifo
            read -r -t 60 line <&8 # it has begun
            cp k.db other.db
            mv other.db k.db
            comes 'another recording is in the place of this one'
            exec 8<&-
            wait $! || true
            rm stream.fifo
            [ "$soon" -eq 0 ] || break
        done
        [ "$soon" -gt 0 ]
    done
}

@test "a chart that is kept is not told of another file, also where that has the same name" {
    statwit run -q --db k.db -- true
    cp k.db other.db
    for file in k other; do # both go on
        start --db $file.db
        "$STATWIT_BIN" send "one:${#file}|c"
        stop
    done
    view k.db
    sum() { curl -fsS "${address}recorder/v1/timeline?name=one" | jq -c .sum; }
    [ "$(sum)" = '[1]' ]
    mv other.db k.db
    [ "$(sum)" = '[5]' ]
    stop
}

@test "view beside a recorder: what the status says is what the lists hold, and what was committed" {
    start --db k.db --keep-datagrams
    OTHER=$SERVER url=$STATWIT_URL
    view k.db
    VIEWER=$SERVER
    ask() { curl -fsS "${address}recorder/v1/$1"; }
    same() { # its counts are those of its lists, and of the recorder
        ask status >viewed.json
        curl -fsS "$url/recorder/v1/status" >recorded.json
        for name in samples series events service_checks rejects datagrams; do
            [ "$(jq .counts.$name viewed.json)" = "$(jq .counts.$name recorded.json)" ]
            [ "$(jq .counts.$name viewed.json)" = "$(ask "$name?session=*" | jq ".$name | length")" ]
        done
        jq -e --slurpfile r recorded.json '.recording == $r[0].recording and .last_id == $r[0].last_id and .verdicts == $r[0].verdicts' viewed.json
        jq -e '.losses.unwritten == 1 and .db.bytes > 0' viewed.json
    }
    [ "$(curl -s "${address}recorder/v1/datagrams" | jq -r .error)" = 'this recording holds no datagrams: it was made without --keep-datagrams' ]
    for n in 1 2 3; do
        "$STATWIT_BIN" send --url "$url" "m$n:1|c" "t:$n|ms" '_e{1,1}:a|b' '_sc|up|0' 'bad'
        "$STATWIT_BIN" expect --url "$url" "incr m$n sum == 2" || true
        "$STATWIT_BIN" send --url "$url" 'later:1|c' # the verdict is written with it
        "$STATWIT_BIN" status --url "$url" >/dev/null
        same
        [ "$(ask verdicts | jq '[.verdicts[].report.results[0].expectation] | length')" -eq "$n" ]
    done
    SERVER=$OTHER OTHER=$VIEWER
    stop
    ask status | jq -e '.losses.unwritten == 0 and .losses.unclean_end == 0'
    sum=$(ask status | jq -r .recording)
    [ "$(ask 'timeline?name=later' | jq .read)" = 3 ]
    rm k.db # another one in its place has none of its counts and verdicts
    statwit run -q --db k.db --expect 'incr later sum == 2' -- "$BIN" send 'later:1|c' || true
    [ "$(ask 'timeline?name=later' | jq .read)" = 1 ]
    ask status >viewed.json
    jq -e --arg was "$sum" '.counts.samples == 1 and .counts.events == 0 and .counts.datagrams == 0 and .verdicts.kept == 1 and .recording != $was' viewed.json
    [ "$(ask verdicts | jq -r '.verdicts[].report.results[0].why')" = 'sum is 1, expected sum == 2' ]
}

@test "a stream on view tells what a recorder commits, within about a second" {
    start --db k.db
    OTHER=$SERVER url=$STATWIT_URL
    view k.db
    VIEWER=$SERVER
    mkfifo stream.fifo
    curl -sN "${address}recorder/v1/stream" >stream.fifo &
    client=$!
    exec 8<stream.fifo
    read -r -t 60 line <&8 # the comment at its beginning
    soon=0
    for n in 1 2 3; do
        "$STATWIT_BIN" send --url "$url" "m$n:1|c"
        "$STATWIT_BIN" status --url "$url" >/dev/null
        comes "\"m$n\""
    done
    [ "$soon" -gt 0 ]
    SERVER=$OTHER OTHER=$VIEWER
    stop
    rm k.db
    statwit run -q --db k.db -- "$BIN" send 'one:1|c'
    comes 'another recording is in the place of this one: its ids begin anew'
    exec 8<&-
    wait "$client" || true
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
