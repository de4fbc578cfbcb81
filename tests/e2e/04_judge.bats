#!/usr/bin/env bats
# expect, run, session: what a test does with all this.
load helper

@test "pass, fail, malformed: 0, 1, 2" {
    start
    statwit send 'login.attempt:1|c|#instance:failure'
    run statwit expect 'incr login.attempt{instance:failure} sum == 1'
    exits 0
    has pass
    run statwit expect 'incr login.attempt sum == 2'
    exits 1
    has FAIL
    run statwit expect 'incr login.attempt sum =='
    exits 2
    has '^'
    run statwit expect
    exits 2
    run statwit expect --url http://127.0.0.1:1 'any x'
    exits 3
}

@test "a malformed line of a file is told with its file, line and a caret" {
    printf '# claims\nincr ok\nincr broken sum >=\n' >claims
    start
    run statwit expect -f claims
    exits 2
    has claims:3
    has '^'
}

@test "files, stdin, prefix lines, --prefix" {
    start
    statwit send 'sentry.a:1|c' 'sentry.b:2|g|#env:ci'
    printf 'prefix sentry.\nincr a sum == 1\n' >claims
    run statwit expect -f claims
    exits 0
    printf 'incr a\ngauge b[] last == 2\n' | run statwit expect --prefix sentry. --ignore-tags env -f -
    exits 0
}

@test "a lost datagram makes a claim of absence inconclusive: 4" {
    start --so-rcvbuf 4K
    kill -STOP "$SERVER"
    head -c 1400 /dev/zero | tr '\0' x >name
    for _ in $(seq 200); do
        printf '%s:1|c\n' "$(cat name)"
    done | statwit send --to "udp://$(ready .dogstatsd.udp)"
    kill -CONT "$SERVER"
    run statwit status --json
    [ "$(jq .losses.kernel_drop <<<"$output")" -gt 0 ]
    run statwit expect 'no any never.sent'
    exits 4
    run statwit expect "incr $(cat name) count >= 1"
    exits 0
}

@test "--within waits for what comes, and no longer than it must" {
    start
    "$STATWIT_BIN" expect --within 60s 'incr late sum == 1' >verdict 2>&1 3>&- &
    asker=$!
    statwit send 'early:1|c'
    statwit send 'late:1|c'
    wait "$asker"
    grep -q pass verdict
    run statwit expect --within 60s 'no any early'
    exits 1
    "$STATWIT_BIN" expect --within 60s 'incr open sum == 0' >verdict 2>&1 3>&- &
    asker=$!
    statwit send 'open:1|c'
    statwit send 'open:-1|c'
    wait "$asker"
    grep -q pass verdict
}

@test "--all-covered" {
    start
    statwit send 'a:1|c' 'b:1|c'
    run statwit expect --all-covered 'incr a'
    exits 1
    has b
    run statwit expect --all-covered 'incr a' 'incr b'
    exits 0
}

@test "--since a mark" {
    start
    statwit send 'a:1|c'
    mark=$(curl -fsS -X POST "$STATWIT_URL/recorder/v1/marks" | jq .mark)
    run statwit expect --since "$mark" 'no incr a'
    exits 0
    statwit send 'a:5|c'
    run statwit expect --since "$mark" 'incr a sum == 5'
    exits 0
    run statwit ls --since "$mark" --json
    [ "$(jq .series[0].sum <<<"$output")" = 5 ]
    run statwit expect --since 4711 'no incr a' # a mark of another server: everything would be before it
    exits 2
    has '4711 is no mark of this recording'
}

@test "reports: JSON, JUnit, TAP, GitHub" {
    start
    statwit send 'a:1|c'
    printf 'incr a\nincr b\n' >claims
    run statwit expect -f claims --json
    exits 1
    [ "$(jq -r .verdict <<<"$output")" = fail ]
    [ "$(jq -r .results[0].verdict <<<"$output")" = pass ]
    run statwit expect -f claims --junit report.xml --tap
    exits 1
    has 'TAP version 13'
    has '1..2'
    grep -q '<testsuite' report.xml
    python3 -c 'import sys, xml.etree.ElementTree as e; e.parse("report.xml")'
    GITHUB_ACTIONS=true run statwit expect -f claims
    has '::error'
    has 'file=claims,line=2'
    run statwit expect -q 'incr a'
    [ "$output" = '' ]
}

@test "judging a file needs no server" {
    start --db r.db
    statwit send 'a:1|c'
    stop
    unset STATWIT_URL
    run statwit expect --db r.db 'incr a sum == 1'
    exits 0
    run statwit expect --db r.db 'incr a sum == 2'
    exits 1
    run statwit expect --db r.db --session nobody 'incr a'
    exits 2
}

@test "a session: its environment, its own view, gone when removed" {
    start
    statwit session new checkout --unix >env
    (
        # shellcheck disable=SC1091
        . ./env
        statwit send 'by.port:1|c'
        statwit send --to unixgram 'by.socket:1|c'
        statwit expect 'incr by.port' 'incr by.socket'
    )
    run statwit ls
    has "no series"
    run statwit session ls
    has checkout
    run statwit session new checkout
    exits 2
    has checkout
    run statwit session rm checkout
    exits 0
    run statwit ls --session checkout
    exits 2
    run statwit session rm checkout
    exits 2
    run statwit session frob
    exits 2
}

@test "run: the command sees a recorder, and the verdict is the exit code" {
    run statwit run -e 'incr a sum == 1' -- "$STATWIT_BIN" send 'a:1|c'
    exits 0
    has pass
    run statwit run --expect 'incr a sum == 2' -- "$STATWIT_BIN" send 'a:1|c'
    exits 1
    printf 'incr a\n' >claims
    run statwit run --expect claims "$STATWIT_BIN" send 'a:1|c'
    exits 0
    run statwit run -- true
    exits 0
}

@test "run: the command's own exit code wins, and the verdict is still written" {
    run statwit run -e 'incr a' --junit report.xml --json-file report.json -- sh -c "'$STATWIT_BIN' send 'a:1|c'; exit 7"
    exits 7
    has pass
    [ "$(jq -r .verdict report.json)" = pass ]
    grep -q testsuite report.xml
    run statwit run -- sh -c 'kill -KILL $$'
    exits 137
}

@test "reports: what reorders or hides a line's text is written out" {
    start
    turned=$'\u202e' mark=$'\u200f' arabic=$'\u061c' none=$'\u200b'
    statwit send "a${turned}b:1|c|#t:${mark}x,u:${arabic}y,v:${none}z" "bad${mark}line"
    for more in '' --tap '--junit -'; do
        # shellcheck disable=SC2086
        run statwit expect 'no any *' --all-covered --no-rejects $more
        exits 1
        has 'x8fx'
        has 'x9cy'
        has 'x8bz'
        for character in "$turned" "$mark" "$arabic" "$none"; do hasnt "$character"; done
    done
    run statwit value "incr a${turned}b last last" # the excerpt of what is malformed
    exits 2
    hasnt "$turned"
    run statwit ls --session "a${turned}b"
    has "no session is named 'a\xe2\x80\xaeb'"
    run statwit ls
    hasnt "$arabic"
}

@test "reports: - is stdout, never a file of that name" {
    start --db r.db
    statwit send 'a:1|c'
    statwit expect 'incr a' 'incr b' --junit - >out 2>err && false
    python3 -c 'import xml.etree.ElementTree as e; assert e.parse("out").getroot().tag.startswith("testsuite")'
    grep -q 'incr b' err
    [ ! -e ./- ]
    statwit expect 'incr a' --json --junit - >out 2>err
    grep -q '</testsuite>' out
    [ "$(jq -r .verdict err)" = pass ]
    statwit export -o - | grep -q '"a"'
    statwit flush -o - | grep -q ' a'
    run sh -c "'$STATWIT_BIN' expect 'incr a' --junit - >/dev/full"
    exits 3
    has 'cannot write the report to stdout'
    stop
    statwit run -e 'incr a' --json-file - -- sh -c "'$STATWIT_BIN' send 'a:1|c'; echo theirs" >out 2>err
    [ "$(head -n 1 out)" = theirs ]
    [ "$(tail -n +2 out | jq -r .verdict)" = pass ]
    run statwit run -e 'incr a' --json-file - --junit - -- touch was.run
    exits 2
    [ ! -e was.run ]
    [ ! -e ./- ]
}

@test "run: what cannot start" {
    run statwit run -- /nonexistent/command
    exits 3
    has /nonexistent/command
    run statwit run
    exits 2
    run statwit run -e 'incr a sum ==' -- sh -c 'touch was.run'
    exits 2
    [ ! -e was.run ]
    run statwit run -e nofile.expect -- true
    exits 2
    has nofile.expect
}

@test "run: a script that does not say what runs it is run by sh" {
    printf 'echo "$0 $1"\n' >script
    chmod +x script
    [ "$(statwit run -q -- ./script arg)" = "./script arg" ]
    [ "$(PATH=/nowhere:$PWD:$PATH statwit run -q -- script arg)" = "$PWD/script arg" ]
    chmod -x script
    run statwit run -- ./script
    exits 3
    has "cannot run ./script: Permission denied"
}

@test "run: the command has the signals that we were started with, and a group of its own" {
    # The last digits: those of the C library itself (32 and 33) are not a command's business.
    signals='grep -E "^Sig(Blk|Ign)" /proc/self/status | sed "s/:.*\(.......\)$/ \1/"'
    for at_first in default ignore; do
        env "--$at_first-signal=PIPE" "$STATWIT_BIN" run -q -- sh -c "$signals; ps -o pgid= -p \$\$; echo \$\$" >got
        env "--$at_first-signal=PIPE" sh -c "$signals" >want
        diff <(head -n 2 got) want
        [ "$(sed -n 3p got | tr -d ' ')" = "$(sed -n 4p got)" ]
    done
}

@test "run: what a start costs is counted: threads, descriptors, touched pages" {
    case $(readlink -f "$STATWIT_BIN") in */asan/* | */tsan/*) skip 'a sanitizer has threads and pages of its own' ;; esac
    statwit run -q -- sh -c 'sed -n "s/^Threads:[^0-9]*//p" /proc/$PPID/status
        ls /proc/$PPID/fd | wc -l
        cut -d" " -f10 /proc/$PPID/stat' >cost
    { read -r threads && read -r descriptors && read -r faults; } <cost
    echo "$threads threads, $descriptors descriptors, $faults page faults"
    [ "$threads" -le 9 ]
    [ "$descriptors" -le 44 ]
    [ "$faults" -gt 0 ] && [ "$faults" -le 600 ]
}

@test "run: input and output stay the command's own" {
    [ "$(echo in | statwit run -q -- sh -c 'cat; echo err >&2' 2>err)" = in ]
    [ "$(cat err)" = err ]
}

@test "run: only addresses in the environment, and none that leads elsewhere" {
    DD_DOGSTATSD_SOCKET=/other.sock DD_AGENT_HOST=other.example DD_SERVICE=mine run statwit run -q -- sh -c "env | grep -E \"^(DD_|STATSD_)\""
    hasnt other
    has DD_SERVICE=mine
    has DD_AGENT_HOST=127.0.0.1
    has DD_DOGSTATSD_PORT=
    has STATSD_ADDR=127.0.0.1:
    run statwit run -q --socket -- sh -c 'test -S "$DD_DOGSTATSD_SOCKET" && echo "$DD_DOGSTATSD_SOCKET" "$DD_DOGSTATSD_URL"'
    exits 0
    [[ $output =~ ^(/tmp/statwit-[A-Za-z0-9]+)/dogstatsd.sock\ unix:// ]]
    [ ! -e "${BASH_REMATCH[1]}" ]
    run statwit run --socket -e 'incr a' -- sh -c "'$STATWIT_BIN' send --to unixgram://\$DD_DOGSTATSD_SOCKET 'a:1|c'"
    exits 0
}

@test "run inside run" {
    run statwit run -e 'incr outer' -e 'no incr inner' -- sh -c \
        "'$STATWIT_BIN' send 'outer:1|c'; '$STATWIT_BIN' run -e 'incr inner' -- '$STATWIT_BIN' send 'inner:1|c'"
    exits 0
}

@test "run --timeout ends a command, also one that will not listen" {
    run statwit run --timeout 50ms -e 'incr a' -- sh -c "'$STATWIT_BIN' send 'a:1|c'; sleep 1000"
    exits 124
    run statwit run --timeout 50ms --kill-after 50ms -- sh -c "trap '' TERM; while :; do sleep 1000; done"
    exits 124
}

@test "run passes signals on" {
    mkfifo up
    "$STATWIT_BIN" run -q -- sh -c 'trap "exit 42" TERM; echo >up; while :; do sleep 0.01; done' 3>&- &
    runner=$!
    read -r -t 60 _ <up
    kill -TERM "$runner"
    status=0
    wait "$runner" || status=$?
    [ "$status" -eq 42 ]
}

@test "run: SIGTERM and SIGHUP end a command that was stopped, too" {
    for signal in TERM HUP; do
        # shellcheck disable=SC2016  # for sh
        env --default-signal=HUP "$STATWIT_BIN" run -q -- sh -c 'echo $$ >pid; kill -STOP $$; sleep 1000' 3>&- &
        runner=$!
        until [ -s pid ] && grep -q '^State:.*stopped' "/proc/$(cat pid)/status"; do sleep 0.01; done
        kill -"$signal" "$runner"
        for _ in $(seq 6000); do kill -0 "$runner" 2>/dev/null || break; sleep 0.01; done
        kill -KILL "$(cat pid)" 2>/dev/null || true # what could not end
        status=0
        wait "$runner" || status=$?
        exits "$((128 + $(kill -l $signal)))"
        rm pid
    done
}

@test "run does not wait for what the command leaves behind" {
    mkfifo up
    run statwit run -- sh -c 'setsid sh -c "echo \$\$ >up; exec sleep 1000" >/dev/null 2>&1 3>&- & read -r pid <up; echo "$pid" >pid'
    exits 0
    kill "$(cat pid)"
}

@test "run --db keeps the recording" {
    statwit run -q --db kept.db -- "$STATWIT_BIN" send 'a:1|c'
    run statwit ls --db kept.db
    has a
}

@test "run --db: what an earlier run recorded is no answer in this one" {
    # shellcheck disable=SC2016
    local both='"$0" send "a:1|c" && eval "$("$0" session new s)" && "$0" send b:1\|c && "$0" expect "incr b samples == 1"'
    for _ in 1 2; do
        run statwit run --db kept.db -e 'incr a samples == 1' -- sh -c "$both" "$STATWIT_BIN"
        exits 0
    done
    run statwit run --db kept.db -e 'incr a' -- true
    exits 1
    run statwit ls --db kept.db --session '*' -j
    [ "$(jq '.series | length' <<<"$output")" -eq 0 ]
}

@test "run --bind: the token that others need is known to run and to its command" {
    # shellcheck disable=SC2016
    STATWIT_TOKEN=old run statwit run --bind 0.0.0.0 -e 'incr a' -- \
        sh -c '"$0" send "a:1|c" && "$0" expect "incr a" && curl -sS -o /dev/null -w "%{http_code}" "$STATWIT_URL/recorder/v1/status"' \
        "$STATWIT_BIN"
    exits 0
    has "pass  incr a"
    has 401
}

@test "run: a loss makes the verdict inconclusive: 4, and every report says so" {
    head -c 1400 /dev/zero | tr '\0' x >name
    for _ in $(seq 400); do printf '%s:1|c\n' "$(cat name)"; done >lines
    printf 'no any never.sent\nincr x* count >= 1\n' >claims
    GITHUB_ACTIONS=true run statwit run --so-rcvbuf 4K --expect claims --tap --junit report.xml --json-file report.json -- sh -c \
        "kill -STOP \$PPID; '$STATWIT_BIN' send --to udp://\$STATSD_ADDR <lines; kill -CONT \$PPID"
    exits 4
    has 'not ok 1 - no any never.sent'
    has 'ok 2 - incr x* count >= 1'
    has 'file=claims,line=1'
    has inconclusive
    [ "$(jq -r '.verdict, .results[0].verdict, .results[1].verdict, .losses[0].loss' report.json | tr '\n' ' ')" = 'inconclusive inconclusive pass kernel_drop ' ]
    grep -q '<testsuite.* tests="2" failures="0" errors="1"' report.xml
    run statwit run --so-rcvbuf 4K -e 'no any never.sent' -- sh -c \
        "kill -STOP \$PPID; '$STATWIT_BIN' send --to udp://\$STATSD_ADDR <lines; kill -CONT \$PPID; exit 9"
    exits 9 # the command's own comes first
}

@test "what no claim covers is a failure in every report" {
    GITHUB_ACTIONS=true run statwit run --all-covered -e 'incr b' --tap --junit report.xml --json-file report.json -- "$STATWIT_BIN" send 'a:1|c' 'b:1|c'
    exits 1
    has 'ok 1 - incr b'
    has 'not ok 2 - every series is covered'
    has '::error title=statwit::no expectation covers a'
    grep -q 'tests="2" failures="1"' report.xml
    [ "$(jq -c '[.verdict, .n_uncovered, .uncovered[0].name]' report.json)" = '["fail",1,"a"]' ]
}

@test "the claims of the documentation" {
    start
    statwit send 'login.attempt:1|c|#instance:failure' 'tasks.app_store_connect.refreshed:42|g' 'events.latency:120|ms|#from_relay:True,env:ci-7' \
        'users.unique:a|s' 'users.unique:b|s' 'users.unique:c|s' 'http.hits:1|c|#code:200,env:ci' 'http.hits:1|c|#env:ci,code:200' \
        '_e{15,1}:Deploy finished|x|#env:ci' '_sc|app.ok|1|#env:ci' '_sc|app.ok|0|#env:ci'
    for _ in $(seq 100); do echo 'sampled.hits:1|c|@0.1'; done | statwit send
    cat >claims <<'END'
incr login.attempt{instance:failure} sum == 1
gauge tasks.app_store_connect.refreshed last == 42
timing events.latency{from_relay:True} count >= 1 and p95 < 500
timing events.*{!canary,env:ci-*} each >= 0
set users.unique distinct == 3
incr http.hits[code:200,env:ci] samples == 2     # [] : exactly these tags; {} : at least these
no any errors.*                                  # never
any http.request series <= 50                    # cardinality budget
incr sampled.hits sum ~ 1000                     # ~ : approximately; knows about sampling
event "Deploy finished"{env:ci}
check app.ok{env:ci} status == ok
END
    run statwit expect -f claims
    exits 0
    has '11 expectations: 11 passed'
    printf 'no incr sampled.hits sum ~ 1000\nincr sampled.hits sum ~ 100\nincr http.hits[code:200]\ncheck app.ok status == warning\nno check app.ok status == warning\n' >wrong
    run statwit expect -f wrong
    exits 1
    has '5 expectations: 0 passed, 5 failed'
}

@test "a session that ends: who waits for it and who follows it is told" {
    start
    statwit session new brief >env
    "$STATWIT_BIN" expect --session brief --within 600s 'incr never' >asked 2>&1 3>&- &
    asker=$!
    "$STATWIT_BIN" samples -f --session brief >followed 2>&1 3>&- &
    follower=$!
    statwit session new other --ttl 1s >env # an ended session is not the end of the others
    "$STATWIT_BIN" expect --session other --within 600s 'incr never' >other 2>&1 3>&- &
    other=$!
    statwit session rm brief
    status=0; wait "$asker" || status=$?
    [ "$status" -eq 2 ]
    grep -Eq "session 'brief' has ended|no session is named 'brief'" asked
    status=0; wait "$follower" || status=$?
    grep -Eq "session 'brief' has ended|no session is named 'brief'" followed
    status=0; wait "$other" || status=$?
    [ "$status" -eq 2 ]
    grep -Eq "session 'other' has ended|no session is named 'other'" other
}

@test "a session over HTTP: by its key, by the header, by the query" {
    start
    statwit session new mine --json >mine
    point() { jq -nc --arg name "$1" '{series: [{metric: $name, type: 1, points: [{timestamp: (now | floor), value: 1}]}]}'; }
    post() { curl -fsS -H 'Content-Type: application/json' -d "$(point "$1")" "${@:3}" "$STATWIT_URL$2" >answer; }
    post by.key /api/v2/series -H "DD-API-KEY: $(jq -r .api_key mine)"
    post by.header /api/v2/series -H 'X-Datadog-Test-Session-Token: mine' -H 'DD-API-KEY: k'
    post by.query '/api/v2/series?test_session_token=mine' -H 'DD-API-KEY: k'
    post by.nobody /api/v2/series -H 'DD-API-KEY: 0123456789abcdef0123456789abcdef'
    run statwit expect --session mine --all-covered 'any by.key' 'any by.header' 'any by.query'
    exits 0
    run statwit expect --all-covered 'any by.nobody'
    exits 0
    run curl -fsS "$STATWIT_URL/recorder/v1/series?test_session_token=mine"
    [ "$(jq '.series | length' <<<"$output")" = 3 ]
    [ "$(curl -fsS -H 'X-Datadog-Test-Session-Token: mine' -d '{"expect":["any by.key"]}' "$STATWIT_URL/recorder/v1/expect" | jq -r .verdict)" = pass ]
}

@test "a list is followed by its cursor to the end, also while more comes" {
    start
    statwit send 'n:1:2:3:4:5|g'
    cursor= seen=
    for _ in 1 2 3 4 5 6; do
        answer=$(curl -fsS "$STATWIT_URL/recorder/v1/samples?limit=2${cursor:+&cursor=$cursor}")
        seen+=$(jq -r '[.samples[].value] | map(tostring) | join("")' <<<"$answer")
        cursor=$(jq -r '.next // empty' <<<"$answer")
        [ -n "$cursor" ] || break
        [ "$seen" != 12 ] || statwit send 'n:6|g'
    done
    [ "$seen" = 123456 ]
}

@test "a session exported and replayed is the same session" {
    start
    statwit session new first >/dev/null
    statwit session new second >/dev/null
    statwit send --session first 'a:1:2|c|@0.5|#x:1,y' 'g:7|g|#host:web' 'u:bob|s' 't:3|ms' '_e{1,1}:a|b|#k:v' '_sc|c|1|m:bad' 'elsewhere:1|c'
    statwit export --session first --format dogstatsd >lines
    statwit send --session second <lines
    diff <(statwit snapshot --session first) <(statwit snapshot --session second)
    diff lines <(statwit export --session second --format dogstatsd)
    run statwit ls
    has 'no series'
}

@test "100,000 claims; one that is too long" {
    start
    seq -f 'incr n%g sum == 1' 100000 >claims
    seq -f 'n%g:1|c' 1 100 | statwit send
    run bash -c "'$STATWIT_BIN' expect -f claims --json | jq -c '[.verdict, (.results | length), ([.results[] | select(.verdict == \"pass\")] | length)]'"
    [ "$output" = '["fail",100000,100]' ]
    echo 'incr one.more' >>claims
    run statwit expect -f claims
    exits 2
    has 'the limit of 100000'
    { printf 'incr '; head -c 1048576 /dev/zero | tr '\0' a; } >long
    run statwit expect -f long
    exits 2
    has 'expectation length'
    statwit expect 'incr n1'
}
