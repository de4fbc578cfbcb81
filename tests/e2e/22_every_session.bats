#!/usr/bin/env bats
# --session '*': every session as one, on a server and in a file; and what `run` judges where.
load helper

# Three sessions: default, t1, and t2, which ends.
fill() {
    statwit send 'a:1|c' 'g:1|g'
    (eval "$(statwit session new t1)" && statwit send 'a:2|c' 'a:0.5|c' 'errors.boom:1|c|#user:7' 'odd-name:1|c')
    (eval "$(statwit session new t2)" && statwit send 'a:4|c' 'g:3|g' && statwit expect -q 'gauge g')
}

# What each judging command says about every session; the options follow.
judge_all() {
    run statwit expect "$@" -s '*' 'no any errors.*'
    exits 1
    has 'in session t1'
    run statwit expect "$@" -s '*' 'incr a sum == 7.5 and samples == 4 and first == 1 and last == 4' 'gauge g last == 3' \
        'incr a median == 1'
    exits 0
    run statwit verify "$@" -s '*' --catalog catalog.json
    exits 1
    has 'errors.boom: is declared'
    run statwit lint "$@" -s '*' --strict
    exits 1
    has 'odd-name'
    run statwit snapshot "$@" -s '*'
    exits 0
    has 'count errors.boom[user:7]'
    run statwit catalog infer "$@" -s '*'
    exits 0
    has errors.boom
}

catalog() { echo '{"metrics":{"a":{"type":"count","tags":{}},"g":{"type":"gauge","tags":{}}}}' >catalog.json; }

@test "every session was no session: '*' judged nothing and passed" {
    catalog
    start --db r.db
    fill
    judge_all
    stop
    judge_all --db r.db
}

@test "the same series in two sessions is one series" {
    start --db r.db
    fill
    ask() {
        run statwit expect "$@" -s '*' 'incr a series == 1' 'any * series == 4' 'no incr a series > 1'
        exits 0
        echo '{"metrics":{"a":{"type":"count","max_series":1},"*":{}}}' >one.json
        run statwit verify "$@" -s '*' --catalog one.json
        exits 0
    }
    ask
    stop
    ask --db r.db
}

@test "diff takes every session too" {
    start --db r.db
    fill
    run statwit diff session:default 'session:*'
    exits 1
    has errors.boom
    stop
    cp r.db s.db
    run statwit diff r.db s.db -s '*'
    exits 0
    run statwit diff r.db s.db -s none
    exits 2
    has "no session is named 'none'"
}

@test "an unknown session is an error on servers and files alike" {
    catalog
    start --db r.db
    fill
    each() {
        for session in none ''; do
            for command in "expect a" lint snapshot "catalog infer" "verify --catalog catalog.json" ls samples rejects export; do
                # shellcheck disable=SC2086
                run statwit ${command/ a/ incr\ a} "$@" -s "$session"
                exits 2
            done
        done
    }
    each
    stop
    each --db r.db
}

@test "the API takes it as well, and a question about every session waits for what comes in anywhere" {
    start
    statwit session new t1 --json >t1.json
    statwit expect --within 300s -s '*' 'incr late sum == 1' >report &
    asked=$!
    until [ "$(curl -sS "$STATWIT_URL/metrics" | sed -n 's/^statwit_questions_total //p')" -gt 0 ]; do :; done
    statwit send --session t1 'late:1|c'
    wait "$asked"
    curl -sS "$STATWIT_URL/recorder/v1/lint" -d '{"session":"*"}' | jq -e '.verdict == "pass"'
    curl -sS "$STATWIT_URL/recorder/v1/diff" -d '{"a":{"session":"*"},"b":{"session":"t1"}}' | jq -e .same
    statwit session rm t1
    run statwit expect -s '*' 'no any late'
    exits 0
}

# A suite whose tests have a session each.
suite() {
    cat >suite.sh <<'END'
"$1" send 'a:1|c'
eval "$("$1" session new t1)"
"$1" send 'errors.boom:1|c' 'a:2|c'
END
    run statwit run "$@" -- bash suite.sh "$STATWIT_BIN"
}

@test "run: what tests sent in sessions of their own was judged by nothing, and nothing said so" {
    catalog
    suite -e 'no any errors.*'
    exits 1
    has 'in session t1'
    suite --catalog catalog.json
    exits 1
    has 'errors.boom: is declared'
    suite --all-covered -e 'incr a'
    exits 1
    has 'count errors.boom'
    suite --all-covered -e 'incr a' -e 'incr errors.*'
    hasnt 'no expectation covers'
    suite -e 'incr a sum == 1'
    exits 0
    has "2 samples in 1 other session were not judged"
    suite -e 'incr a sum == 1' -e 'no any nothing'
    exits 0
    hasnt 'not judged'
    run statwit run -e 'incr a' -- "$STATWIT_BIN" send 'a:1|c'
    hasnt 'not judged'
}

@test "run: --session says what is judged" {
    suite -s t1 -e 'incr a sum == 2' -e 'no incr a sum > 2'
    exits 0
    has "1 sample in 1 other session was not judged"
    suite -s '*' -e 'incr a sum == 3'
    exits 0
    hasnt 'not judged'
    suite -s none -e 'incr a'
    exits 2
    STATWIT_SESSION=none suite -e 'incr a'
    exits 0
}

@test "session: a label says whose it is, also when the session has ended" {
    start --db labels.db
    statwit session new t1 --label 'tests/test_x.py::test_y[é z]' >/dev/null
    statwit session new t2 >/dev/null
    statwit send --session t1 'a:1|c'
    run statwit expect --session t2 'incr a'
    exits 1
    has 'Records arrived in session t1 (tests/test_x.py::test_y[é z]).'
    statwit session rm --keep t1
    run statwit session ls
    has 'LABEL'
    has 'tests/test_x.py::test_y[é z]'
    run statwit session ls --json
    [ "$(jq -c '.sessions|map([.name,.label])' <<<"$output")" = '[["default",null],["t2",null],["t1","tests/test_x.py::test_y[é z]"]]' ]
    run curl -s "$STATWIT_URL/recorder/v1/sessions" -d "{\"label\":\"$(printf 'x%.0s' $(seq 1025))\"}"
    has 'a label has at most 1024 bytes, this one has 1025'
    run statwit session new --label $'\xff'
    exits 2
    run statwit session new $'\xff' # it had a name that was made up
    exits 2
    stop
    [ "$(sqlite3 labels.db "SELECT label FROM sessions WHERE name = 't1'")" = 'tests/test_x.py::test_y[é z]' ]
}

@test "session: a token of --auto-sessions that is no name is taken for one" {
    start --db tokens.db --auto-sessions
    token='tests/test_x.py::test_y[é z]'
    curl -fsS "$STATWIT_URL/dogstatsd/v2/proxy" -H "X-Datadog-Test-Session-Token: $token" -d 'a:1|c'
    statwit expect --session "$token" 'incr a sum == 1'
    [ "$(statwit ls --session "$token" --json | jq -r .series[0].name)" = a ]
    statwit mark --session "$token" >/dev/null
    run statwit ls --session 'test_x[1]'
    exits 2
    has "no session is named 'test_x[1]'"
    statwit session rm --keep "$token" # still in the recording
    statwit expect --session "$token" 'incr a sum == 1'
    stop
    unset STATWIT_URL
    statwit expect --db tokens.db --session "$token" 'incr a sum == 1'
    statwit ls --db tokens.db --session "$token" --since 1h | grep -qw a
    statwit catalog infer --db tokens.db --session "$token" | grep -q '"a"'
    run statwit ls --db tokens.db --session 'test_x[1]'
    exits 2
}
