#!/usr/bin/env bats
# A file that holds several runs, sessions that have ended, a recorder that died.
load helper

ask() { curl -fsS "$STATWIT_URL/recorder/v1/$1" -d "$2"; }
verdict_since() { # SINCE EXPECTATION: what the API answers, in answer.json
    jq -n --argjson s "$1" --arg e "$2" '{since: $s, expect: [$e]} | del(.[] | nulls)' >question.json
    ask expect @question.json >answer.json
    jq -r .verdict answer.json
}

@test "a run is judged by itself, and says what it leaves out" {
    start --db r.db
    statwit send 'order.placed:1|c' 'queue.depth:5|g' '_e{1,1}:a|b'
    run statwit expect 'incr order.placed sum == 1'
    exits 0
    hasnt 'left out'
    [ "$(grep -c earlier serve.err)" -eq 0 ]
    first=$(ready .recording)
    stop
    start --db r.db
    [ "$(ready .recording)" = "$first" ]
    [ "$(ready .earlier.records)" -eq 3 ]
    grep '2 samples in 1 session of earlier runs' serve.err
    grep -- "reset --session '\*'" serve.err
    run statwit expect 'no any order.*' 'no event *'
    exits 0
    has 'left out: 3 records of earlier runs (--since 0 takes them in)'
    run statwit expect 'any order.placed'
    exits 1
    has 'arrived in an earlier run'
    [ "$(verdict_since null 'no any order.*')" = pass ]
    [ "$(jq .earlier answer.json)" -eq 3 ]
    [ "$(verdict_since 0 'no any order.*')" = fail ]
    [ "$(jq .earlier answer.json)" = null ]
    run statwit expect --since 0 'incr order.placed sum == 1'
    exits 0
    # One more: the series goes on, its numbers are this run's.
    statwit send 'order.placed:1|c'
    run statwit expect 'incr order.placed sum == 1 and samples == 1'
    exits 0
    run statwit ls
    has queue.depth # lists are of the whole file
    stop
    run statwit expect --db r.db 'incr order.placed sum == 2' # and so is a judgement of one
    exits 0
    hasnt 'left out'
}

@test "snapshot, infer, lint, verify and diff look at the run, too" {
    start --db r.db
    statwit send 'old.one:1|c' 'both:1|c' 'both:1|c' 'g:7|g' 'bad name:1|c|#user_id:1234567'
    statwit ls >/dev/null
    stop
    start --db r.db
    statwit send 'both:1|c' 'g:5|g'
    run statwit snapshot --counts --values
    exits 0
    hasnt old.one
    has 'count both[] samples == 1 and sum == 1'
    has 'gauge g[] samples == 1 and last == 5'
    has 'left out: 5 records of earlier runs (--since 0 takes them in)' # on stderr
    statwit snapshot --since 0 old.snapshot
    run statwit snapshot --since 0 --counts
    has old.one
    has 'samples == 3'
    run statwit catalog infer
    hasnt old.one
    run statwit lint --json
    [ "$(jq .earlier <<<"$output")" -eq 5 ]
    hasnt old.one
    echo '{"metrics":{"both":{"type":"count"},"g":{"type":"gauge"}}}' >c.json
    run statwit verify --catalog c.json
    exits 0
    has 'left out: 5 records'
    run statwit verify --catalog c.json --since 0
    exits 1
    ask snapshot '{}' | jq -e '.earlier == 5'
    ask infer '{"since":0}' | jq -e 'has("earlier") | not'
    jq -n '{a: {session: "default"}, b: {session: "default", since: 0}}' >diff.json
    ask diff @diff.json >diff.out
    jq -e '.earlier == 5 and (.added | length) > 0' diff.out
    run statwit diff session:default old.snapshot
    exits 1
    has 'left out: 5 records of earlier runs'
}

@test "a session of a name from an earlier run opens empty, and the old one is still there" {
    start --db r.db
    eval "$(statwit session new checkout)"
    old_key=$DD_API_KEY
    statwit send -s checkout 'order.placed:1|c'
    statwit expect -s checkout 'incr order.placed sum == 1'
    stop
    unset DD_API_KEY DD_AGENT_HOST DD_DOGSTATSD_PORT
    start --db r.db
    run statwit expect -s checkout 'no any *' # by its name, until it is given to another: of this run it has nothing
    exits 0
    has 'left out: 1 record of earlier runs'
    key=$(curl -fsS "$STATWIT_URL/recorder/v1/sessions" -d '{"name":"checkout"}' | jq -r .api_key)
    [ "$key" != "$old_key" ]
    run statwit expect -s checkout 'no any *'
    exits 0
    hasnt 'left out'
    run statwit expect -s checkout --since 0 'no any *'
    exits 0
    run statwit ls -s checkout
    hasnt order.placed
    statwit send -s checkout 'order.placed:1|c'
    run statwit expect -s checkout 'incr order.placed sum == 1'
    exits 0
    run statwit samples -s '*' --json
    [ "$(jq -r '[.samples[].session] | join(" ")' <<<"$output")" = 'checkout@2 checkout' ]
    run statwit session ls
    has checkout@2
    has ended
    # What still comes for the old one is nobody's.
    code=$(curl -sS -o body -w '%{http_code}' -H "DD-API-KEY: $old_key" "$STATWIT_URL/api/v1/series" \
        -d '{"series":[{"metric":"late","points":[[1,1]],"type":"count"}]}')
    [ "$code" = 404 ]
    grep 'has ended' body
    run statwit ls -s '*'
    hasnt late
    run statwit reset -s '*'
    has 'forgot 2 samples'
    run statwit session ls
    hasnt checkout@2
}

@test "a session that ends may be kept" {
    start --db r.db
    eval "$(statwit session new one)"
    statwit session new two >/dev/null
    statwit send -s one 'alpha:1|c' 'alpha:1|c'
    statwit send -s two 'beta:1|c'
    run statwit session rm --keep one
    exits 0
    run statwit session rm two
    exits 0
    run statwit session ls
    has one
    has ended
    hasnt two
    run statwit samples -s '*'
    has alpha
    hasnt beta
    run statwit expect -s one 'incr alpha sum == 2'
    exits 0
    run statwit expect -s one --within 300s 'incr alpha sum == 3' # nothing comes any more
    exits 1
    run statwit expect -s two 'incr alpha'
    exits 2
    # A straggler's datagram and POST are in no other session.
    code=$(curl -sS -o /dev/null -w '%{http_code}' -H "DD-API-KEY: $DD_API_KEY" "$STATWIT_URL/api/v1/series" -d '{"series":[]}')
    [ "$code" = 404 ]
    run curl -sS -o body -w '%{http_code}' -X DELETE "$STATWIT_URL/recorder/v1/sessions/one?keep=maybe"
    [ "$output" = 400 ]
    curl -fsS -X DELETE "$STATWIT_URL/recorder/v1/sessions/one?keep=1" | jq -e '.ended == "one"'
    stop
    run statwit expect --db r.db -s one 'incr alpha sum == 2'
    exits 0
    start --db r.db
    run statwit session rm one
    exits 0
    run statwit ls -s '*'
    hasnt alpha
}

@test "whose a sample is follows its session's name" {
    start
    statwit session new one >/dev/null
    statwit send -s one 'alpha:1|c'
    whose() { curl -fsS "$STATWIT_URL/recorder/v1/samples?session=*" | jq -r '.samples[] | .session + " " + .name' | tr '\n' ' '; }
    [ "$(whose)" = 'one alpha ' ]
    statwit session rm --keep one
    statwit session new one >/dev/null
    statwit send -s one 'beta:1|c'
    [[ "$(whose)" =~ ^one@[0-9]+\ alpha\ one\ beta\ $ ]]
}

@test "a recorder that died: no claim that missing records could change is made" {
    start --db r.db
    statwit send 'a:1|c'
    statwit expect 'incr a sum == 1'
    cp r.db copy.db # without its log
    stop KILL
    for file in r.db copy.db; do
        run statwit expect --db $file 'no any errors.*'
        exits 4
        has 'ended without a clean stop'
        run statwit expect --db $file 'incr a sum == 17'
        exits 4
    done
    run statwit expect --db r.db 'incr a samples >= 1'
    exits 0
    run statwit lint --db r.db
    exits 4
    start --db r.db
    run statwit expect 'no any errors.*' # this run is complete
    exits 0
    run statwit expect --since 0 'no any errors.*'
    exits 4
    has 'ended without a clean stop'
    run statwit status
    has '1 before this one; 1 of them did not end cleanly; 1 sample in 1 session are left'
    has '1 recorder that ended without a clean stop'
    statwit status --json | jq -e '.losses.unclean_end == 1 and [.runs[].ended_cleanly] == [false, false]
        and .runs[0].ended_at == null and (.recording | length) == 32 and .earlier.samples == 1'
    stop
    run statwit expect --db r.db 'no any errors.*'
    exits 4
    start --db r.db
    statwit reset
    run statwit expect --since 0 'no any errors.*' # forgotten, with what it concerned
    exits 0
    stop
    run statwit expect --db r.db 'no any errors.*'
    exits 0
    [ "$(sqlite3 r.db "SELECT group_concat(ended_cleanly, '') FROM runs")" = 011 ]
}

@test "run empties its file: it is another recording" {
    start --db r.db
    statwit send 'old:1|c'
    statwit ls >/dev/null
    first=$(ready .recording)
    stop KILL
    run statwit run --db r.db -e 'no any old' -e 'incr new sum == 1' -- "$STATWIT_BIN" send 'new:1|c'
    exits 0
    run statwit expect --db r.db 'no any old'
    exits 0
    [ "$(sqlite3 r.db 'SELECT count(*) FROM runs')" -eq 1 ]
    start --db r.db
    [ "$(ready .recording)" != "$first" ]
}

@test "a stop beside another program that is in the middle of reading: what came last is in the log, and that is told" {
    start --db r.db
    statwit send 'before:1|c'
    statwit status >/dev/null
    mkfifo begun.fifo ends.fifo
    python3 -c '
import sqlite3
import sys
db = sqlite3.connect("file:r.db?mode=ro", uri=True)
db.execute("BEGIN")
db.execute("SELECT count(*) FROM session").fetchall()
print("begun", flush=True)
sys.stdin.read()' <ends.fifo >begun.fifo 3>&- &
    reader=$!
    exec 8>ends.fifo # it ends when this shell closes that
    read -r -t 60 <begun.fifo
    statwit send 'last:1|c'
    statwit status >/dev/null
    stop
    exits 0
    grep -q 'r.db: another program still reads it, so what came last stays in r.db-wal: keep the two together' serve.err
    [ -s r.db-wal ]
    [ "$(statwit export --db r.db | jq -r .name | xargs)" = 'before last' ]
    exec 8>&-
    wait "$reader"
    start --db r.db
    stop
    [ ! -s r.db-wal ]
    [ "$(statwit export --db r.db | jq -r .name | xargs)" = 'before last' ]
    ! grep -q 'keep the two together' serve.err
}

@test "a new recording takes nothing from the log of one that was deleted or moved" {
    start --db r.db
    post() { curl -fsS -X POST "$STATWIT_URL/api/v1/series" -H 'DD-API-KEY: k' -d "{\"series\": [{\"metric\": \"$1\", \"points\": [[$(date +%s), 1]]}]}"; }
    for name in old old older; do post $name; done
    statwit expect 'any old' 'any older'
    rm r.db
    # One that cannot start leaves the other one, which goes on, as it is.
    run statwit serve --dogstatsd-port "$(ready .env.DD_DOGSTATSD_PORT)" --http-port 0 --db r.db
    exits 3
    run statwit expect 'gauge old samples == 2' 'gauge older'
    exits 0
    post older
    run statwit expect 'gauge older samples == 2'
    exits 0
    stop KILL
    [ -s r.db-wal.1 ] # its log, which it went on with
    rm -f r.db
    printf 'of another recording' >r.db-wal
    start --db r.db
    grep -q '/r.db-wal.2 now' serve.err
    [ "$(cat r.db-wal.2)" = 'of another recording' ]
    [ "$(ready .earlier.records)" -eq 0 ]
    post new
    run statwit ls
    has new
    hasnt old
    stop
    [ "$(sqlite3 r.db 'PRAGMA integrity_check')" = ok ]
    run statwit ls --db r.db
    has new
    hasnt old
}

@test "a link leads to all of a recording, its log too" {
    mkdir real
    ln -s real/r.db link.db # to what is not there yet
    start --db link.db
    for i in 1 2; do
        curl -fsS -X POST "$STATWIT_URL/api/v1/series" -H 'DD-API-KEY: k' -d "{\"series\": [{\"metric\": \"m\", \"points\": [[$(date +%s), $i]]}]}"
    done
    stop KILL
    [ "$(ls)" = "$(printf 'link.db\nready.fifo\nreal\nserve.err')" ]
    for path in real/r.db link.db "$PWD/link.db"; do
        run statwit ls --db $path
        exits 0
        has m
        run statwit expect --db $path 'gauge m samples >= 2'
        exits 0
    done
}

@test "a limit of the file's size is a full disk, not the end" {
    ulimit -S -f 1500 # KiB
    start --db r.db
    ulimit -S -f unlimited
    # shellcheck disable=SC2016  # jq's
    jq -n '{series: [range(5000) | {metric: "m\(.)", points: [[now | floor, 1]], tags: ["padding:\("x" * 150)"]}]}' >body.json
    status=202
    for i in 1 2 3 4; do
        [ "$status" = 202 ] || break
        status=$(curl -sS -o answer -w '%{http_code}' -X POST "$STATWIT_URL/api/v1/series" -H 'DD-API-KEY: k' -d @body.json)
    done
    [ "$status" = 503 ]
    run statwit expect 'no any other'
    exits 4
    has lost
}

@test "an import that meets a limit of the file's size leaves nothing behind, by a link neither" {
    seq 20000 | sed 's/.*/1700000000.25\tlong.enough.to.fill.it.soon.&:1|c/' >lines.txt
    ln -s real.db link.db
    run bash -c 'ulimit -f 1000; "$0" import --db link.db lines.txt' "$STATWIT_BIN"
    exits 3
    has 'cannot write the recording'
    [ ! -e real.db ] && [ ! -e real.db-wal ]
}

@test "run counts what it could not write, and does not say that nothing came" {
    {
        echo 'import os, socket'
        echo 'to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)'
        echo 'for i in range(10000):'
        echo '    to.sendto(b"much.too.long.for.it.%d:1|c|#some:%d" % (i, i), ("127.0.0.1", int(os.environ["DD_DOGSTATSD_PORT"])))'
    } >send.py
    run bash -c 'ulimit -f 600; exec "$0" run --db full.db -- python3 send.py' "$STATWIT_BIN"
    exits 0
    has 'the recording lost '
    hasnt '; 0 refused, 0 lost'
    run bash -c 'ulimit -f 600; exec "$0" run --db fuller.db --expect "count other" -- python3 send.py' "$STATWIT_BIN"
    exits 4
    has 'records that could not be written to the database'
    hasnt 'nothing at all'
}
