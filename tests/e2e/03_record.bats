#!/usr/bin/env bats
# What is sent is recorded, and each way of looking at it shows it.
load helper

@test "every transport" {
    start --dogstatsd-socket "$PWD/g.sock" --dogstatsd-stream-socket "$PWD/s.sock"
    for way in udp unixgram unixstream http; do
        statwit send --to $way "by.$way:1|c"
    done
    statwit send --to "udp://$(ready .dogstatsd.udp)" by.address:1\|c
    statwit send --to "unixgram://$PWD/g.sock" by.path:1\|c
    run statwit samples --json
    exits 0
    [ "$(jq -r '.samples[] | "\(.name) \(.source)"' <<<"$output")" = "by.udp udp
by.unixgram unixgram
by.unixstream unixstream
by.http http
by.address udp
by.path unixgram" ]
}

@test "what an Agent ignores is noted whatever way a line comes" {
    start
    for way in udp http; do
        statwit send --to $way "by.$way:1|c|in:tag" "_e{1,1}:$way|x|zz" "_sc|by.$way|0|zz"
    done
    run statwit rejects --remarks
    exits 0
    has "by.udp:1|c|in:tag"
    has "by.http:1|c|in:tag"
    has "_sc|by.http|0|zz"
}

@test "send finds its way through the variables that Datadog's clients read" {
    start --dogstatsd-socket "$PWD/g.sock"
    url=$STATWIT_URL
    unset STATWIT_URL
    DD_AGENT_HOST=127.0.0.1 DD_DOGSTATSD_PORT=$(ready .env.DD_DOGSTATSD_PORT) statwit send by.port:1\|c
    DD_DOGSTATSD_SOCKET=$PWD/g.sock statwit send by.socket:1\|c
    DD_DOGSTATSD_URL=udp://$(ready .dogstatsd.udp) statwit send by.url:1\|c
    run statwit ls --url "$url"
    has by.port
    has by.socket
    has by.url
}

@test "send to nobody is an error" {
    run statwit send --to udp://127.0.0.1:1 a:1\|c
    exits 3
    has "127.0.0.1:1"
    run statwit send --to unixgram:///nowhere.sock a:1\|c
    exits 3
    run statwit send --to carrier-pigeon a:1\|c
    exits 2
}

@test "send takes stdin, a line each" {
    start
    printf 'a:1|c\n\nb:2|g\nc:3|ms' | statwit send
    run statwit ls --json
    [ "$(jq '.series | length' <<<"$output")" -eq 3 ]
}

@test "50,000 lines arrive, all of them" {
    start
    seq 1 50000 | sed 's/.*/n:&|g/' | statwit send --to http
    run statwit expect 'gauge n samples == 50000 and min == 1 and max == 50000'
    exits 0
}

@test "ls: a table for people, JSON for programs, globs and filters" {
    start
    statwit send 'login.attempt:1|c|#instance:failure' 'login.attempt:2|c|#instance:failure' 'events.latency:125|ms' 'u:bob|s'
    run statwit ls
    exits 0
    [ "${lines[0]}" = 'NAME            TYPE    TAGS              SAMPLES  SUM  AVG  P95  LAST' ]
    [ "${lines[1]}" = 'events.latency  timing                          1  125  125  125   125' ]
    [ "${lines[2]}" = 'login.attempt   count   instance:failure        2    3               2' ]
    [ "${lines[3]}" = 'u               set                             1                    -' ]
    run statwit ls 'login.*' --json
    [ "$(jq -r '.series[0] | "\(.name) \(.type) \(.samples) \(.sum)"' <<<"$output")" = 'login.attempt count 2 3' ]
    run statwit ls --type timing
    has events.latency
    hasnt login
    run statwit ls --tag instance:failure
    hasnt events
    run statwit ls --type nonsense
    exits 2
    run statwit ls 'nothing.*'
    exits 0
    has "no series of that name"
    run statwit ls -q 'nothing.*'
    [ "$output" = '' ]
}

@test "samples: newest last, --limit takes the newest" {
    start
    for i in 1 2 3; do statwit send "n:$i|g"; done
    run statwit samples --json
    [ "$(jq -c '[.samples[].value]' <<<"$output")" = '[1,2,3]' ]
    run statwit samples --json -n 2
    [ "$(jq -c '[.samples[].value]' <<<"$output")" = '[2,3]' ]
    run statwit samples 'n'
    [ "${#lines[@]}" -eq 4 ]
}

@test "samples -f follows" {
    start
    statwit send 'before:1|c'
    mkfifo follow.fifo
    "$STATWIT_BIN" samples -f >follow.fifo 3>&- &
    follower=$!
    exec 5<follow.fifo
    read -r -t 60 _ <&5
    read -r -t 60 line <&5
    [[ $line == *before* ]]
    statwit send 'after:1|c|#x:y'
    read -r -t 60 line <&5
    [[ $line == *after*x:y ]]
    exec 5<&-
    kill "$follower"
    wait "$follower" || true
}

@test "samples -f says when the server has ended" {
    start
    statwit send 'a:1|c'
    mkfifo follow.fifo
    "$STATWIT_BIN" samples -f >follow.fifo 2>follow.err 3>&- &
    follower=$!
    exec 5<follow.fifo
    read -r -t 60 _ <&5
    read -r -t 60 _ <&5
    statwit send 'a:2|c'
    read -r -t 60 _ <&5 # it follows
    stop
    wait "$follower" || true
    exec 5<&-
    run cat follow.err
    has 'the server has ended'
}

@test "rejects: the reason, and a caret under the place" {
    start
    statwit send 'login.attempt:x|c'
    run statwit rejects
    exits 0
    has invalid_value
    has "    login.attempt:x|c"
    has "                  ^"
    run statwit rejects --json
    [ "$(jq -r '.rejects[0].reason' <<<"$output")" = invalid_value ]
    run statwit reset
    has "1 reject"
    run statwit rejects
    has "nothing was refused"
}

@test "rejects --remarks: what is ignored inside a line that is taken, with a caret" {
    start --db r.db
    statwit send 'gt:1|g|#pipe|in:tag,red' 'gt:2|g|#pipe|in:tag,red' 'fine:1|c' '_e{5,4}:title|text extra|t:fatal' '_sc|n|0|m:a | b'
    run statwit rejects
    has "nothing was refused"
    for from in "" "--db r.db"; do
        # shellcheck disable=SC2086
        run statwit rejects --remarks $from
        exits 0
        has "(2 records) ignored_field"
        has "    gt:1|g|#pipe|in:tag,red"
        has "                 ^"
        has event_surplus
        has ignored_value
        # shellcheck disable=SC2086
        output=$(statwit rejects --remarks --json $from 2>/dev/null)
        [ "$(jq -r '.remarks[0] | "\(.remark) \(.text) \(.offset) \(.line) \(.records)"' <<<"$output")" = \
            'ignored_field in:tag,red 13 gt:1|g|#pipe|in:tag,red 2' ]
        [ "$(jq -r '[.remarks[].family] | unique | join(" ")' <<<"$output")" = 'event metric service_check' ]
    done
    run statwit samples
    has IGNORED
    has in:tag,red
    run statwit reset
    run statwit rejects --remarks
    has "nothing was ignored"
}

@test "what was received cannot drive the terminal" {
    start
    printf 'evil\033]0;owned\007:1|c|#\302\233x,\342\200\256y|\033[2J\nbad\033[2J' | statwit send
    for command in ls samples rejects "rejects --remarks"; do
        # shellcheck disable=SC2086
        run statwit $command
        exits 0
        hasnt $'\033'
        hasnt $'\007'
        hasnt $'\302\233'
        hasnt $'\342\200\256'
    done
    run statwit ls
    has 'evil\x1b]0;owned\x07'
}

@test "export in every format, replay of what was exported" {
    start
    statwit send 'a:1|c|@0.5|#x:1' 'b:2.5|g' '_e{5,4}:title|text|#e:1' '_sc|app.ok|0|#s:1' 'bad'
    run statwit export
    [ "$(jq -r .kind <<<"$output" | sort | tr '\n' ' ')" = 'event reject sample sample service_check ' ]
    run statwit export --format csv
    has 'name,type,value'
    run statwit export --format openmetrics
    has '# EOF'
    statwit export --format dogstatsd -o lines.txt
    [ "$(wc -l <lines.txt)" -eq 4 ]
    statwit session new copy >/dev/null
    run statwit replay lines.txt --session copy
    exits 0
    diff <(statwit export --format dogstatsd) <(statwit export --format dogstatsd --session copy)
    run statwit replay lines.txt --to udp --session copy -q
    exits 0
    run statwit expect --session copy 'gauge b samples == 2'
    exits 0
}

@test "a file says the same as the server that wrote it" {
    start --db r.db
    statwit send 'a:1|c|#x:1,y' 'a:2|c|#y,x:1' 'b:1:2:3|ms|@0.5' 'u:bob|s' 'bad' $'n\303\244me:1|g'
    statwit session new other >/dev/null
    statwit send --session other 'elsewhere:1|c'
    for question in ls samples rejects 'ls --json' 'samples --json' 'rejects --json' 'samples -n 2' 'ls --type count' 'ls --tag x:1' \
        'ls --session other' 'ls --session *' 'ls --since 2 --json' 'export' 'export --format csv' 'export --format dogstatsd' 'export --format openmetrics'; do
        # shellcheck disable=SC2086
        diff <(set -f; statwit $question 2>&1) <(set -f; statwit $question --db r.db 2>&1 | grep -v '^statwit: info: r.db is being recorded by') || { echo "$question"; false; }
    done
    run statwit ls --db r.db --session nobody
    exits 2
    has nobody
    stop
    run statwit replay r.db
    exits 3
    start
    statwit replay r.db
    statwit expect 'incr a sum == 3' 'timing b samples == 3' 'set u distinct == 1'
}

@test "a file that is still being recorded says so" {
    start --db live.db
    statwit send 'x:1|c'
    statwit ls >/dev/null
    statwit ls --db live.db >out 2>err
    grep -q x out
    grep -q "live.db is being recorded by process $SERVER: " err
    statwit expect --db live.db 'incr x' 2>err
    grep -q "live.db is being recorded by process $SERVER: " err
    run statwit expect --db live.db 'no any y'
    exits 4
    grep -q 'process .* is recording' <<<"$output"
    run statwit verify --db live.db --catalog <(echo '{"metrics": {"x": {"type": "count"}}}')
    exits 4
    stop
    statwit expect --db live.db 'no any y'
    statwit ls --db live.db >out 2>err
    grep -q x out
    [ ! -s err ]
}

@test "the file is for any SQLite tool" {
    start --db r.db
    statwit send 'login.attempt:1|c|#instance:failure'
    stop
    [ "$(sqlite3 r.db "SELECT name, type, value, tags FROM samples WHERE name = 'login.attempt'")" = \
        'login.attempt|count|1|["instance:failure"]' ] || sqlite3 r.db 'SELECT name, type, value, tags FROM samples'
}

@test "reset forgets, in one session only" {
    start
    statwit session new other >/dev/null
    statwit send 'a:1|c'
    statwit send --session other 'b:1|c'
    run statwit reset
    exits 0
    has "forgot 1 sample"
    run statwit ls
    has "no series"
    run statwit ls --session other
    has b
    run statwit reset --session nobody
    exits 2
}

@test "status: listeners, counts, losses; JSON" {
    start
    statwit send 'a:1:2|c' 'bad'
    run statwit status
    exits 0
    has '2 samples in 1 series'
    has '1 line '
    has nothing
    run statwit status --json
    [ "$(jq .counts.samples <<<"$output")" -eq 2 ]
}

@test "fault: add, list, clear" {
    start
    run statwit fault
    has "no faults"
    run statwit fault http --path '/api/v1/series' --status 503 --times 1
    exits 0
    has status=503
    run statwit fault dogstatsd --drop 0.5 --seed 7
    exits 0
    has drop=0.5
    has status=503
    [ "$(curl -s -o /dev/null -w '%{http_code}' -H 'DD-API-KEY: k' -d '{"series":[]}' "$STATWIT_URL/api/v1/series")" = 503 ]
    run statwit fault clear
    has "no faults"
    run statwit fault http
    exits 2
    run statwit fault dogstatsd
    exits 2
}

@test "fault: what it drops is a loss that the verdict tells" {
    start
    statwit send 'kept:1|c'
    statwit fault dogstatsd --drop 1
    statwit send 'errors.x:1|c'
    run statwit expect 'no any errors.*'
    exits 4
    has "1 datagrams dropped on purpose (statwit fault)"
    run statwit expect 'incr kept' # more could only make it truer; told all the same
    exits 0
    has "dropped on purpose"
    run statwit status --json
    [ "$(jq .losses.injected <<<"$output")" -eq 1 ]
    statwit fault clear
    statwit reset
    run statwit expect 'no any errors.*'
    exits 0
    hasnt "on purpose"
}

@test "constant tags, as the Agent adds them" {
    DD_DOGSTATSD_TAGS='env:ci team:web' start
    statwit send 'a:1|c|#x:1' 'b:1|c' 'c:1|c|#host:h'
    run statwit samples --json
    [ "$(jq -c '[.samples[].tags]' <<<"$output")" = '[["x:1","env:ci","team:web"],["env:ci","team:web"],["env:ci","team:web"]]' ]
    stop
    STATWIT_DOGSTATSD_TAGS=env:cd,y DD_DOGSTATSD_TAGS=env:ci start
    statwit send 'a:1|c'
    run statwit expect 'incr a[env:cd,y]'
    exits 0
    curl -fsS --data-binary 'proxied:1|c' "$STATWIT_URL/dogstatsd/v2/proxy"
    run statwit expect 'incr proxied[env:cd,y]'
    exits 0
}
