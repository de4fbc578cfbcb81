#!/usr/bin/env bats
# Points in a recording (mark, --since, --until), events and checks, and how lists look for people.
# shellcheck disable=SC2154 # output: run's

load helper

@test "statwit mark parts a recording, for --since and --until" {
    start --db r.db
    statwit send -q 'step.one:1|c' '_e{3,1}:one|x' '_sc|db.one|0' 'bad.one'
    mark=$(statwit mark)
    statwit send -q 'step.one:5|c' 'step.two:1|c' '_e{3,1}:two|x' '_sc|db.two|2' 'bad.two'
    run statwit expect --since "$mark" 'incr step.one sum == 5' 'incr step.two' 'no event one' 'check db.two status == critical'
    exits 0
    run statwit expect --until "$mark" 'incr step.one sum == 1' 'no incr step.two' 'event one' 'no event two' 'no check db.two'
    exits 0
    run statwit expect --until "$mark" 'incr step.two'
    exits 1
    has 'arrived later, after the mark of `until`'
    statwit status >/dev/null
    for where in "" "--db r.db"; do
        # shellcheck disable=SC2086
        for words in ls samples events checks rejects 'export --format dogstatsd'; do
            run statwit $words $where --until "$mark"
            exits 0
            has one
            hasnt two
            run statwit $words $where --since "$mark"
            exits 0
            has two
        done
        # shellcheck disable=SC2086
        [ "$(statwit ls $where --until "$mark" --json | jq -c '[.series[] | [.name, .sum]]')" = '[["step.one",1]]' ]
    done
    [ "$(statwit mark --json | jq .mark)" -gt "$mark" ]
    stop
    run statwit expect --db r.db --until "$mark" 'incr step.one sum == 1' 'no incr step.two'
    exits 0
    run statwit export --db r.db --until "$mark" --format openmetrics
    has 'step_one_total 1'
    hasnt step_two
}

@test "--since and --until take ages, times and now" {
    start --db r.db
    statwit send -q 'a:1|c'
    at=$(statwit samples --json | jq -r '.samples[0].received_at')
    statwit send -q 'b:1|c'
    for when in 1h 2020-01-01T00:00:00Z 0 "$at"; do
        run statwit expect --since "$when" 'incr a' 'incr b'
        exits 0
    done
    run statwit expect --until "$at" 'incr a' # what came at that time came after it
    exits 2
    has 'nothing was recorded before'
    for when in now 0s 2100-01-01T00:00:00+01:00; do
        run statwit expect --until "$when" 'incr a' 'incr b'
        exits 0
        run statwit expect --since "$when" 'no any *'
        exits 0
    done
    run statwit ls --since now
    exits 0
    has 'no series'
    [ "$(statwit mark 1h)" = 0 ]
    [ "$(statwit mark now)" = "$(statwit mark)" ]
    stop
    run statwit ls --db r.db --since 1h
    has a
    run statwit expect --db r.db --until now --since "$at" 'incr a' 'incr b'
    exits 0
    [ "$(statwit mark --db r.db)" = 2 ]
}

@test "a moment that is none, lies too late or in the wrong order is refused" {
    start
    statwit send -q 'a:1|c'
    for when in yesterday 10 -5s 2026-13-01T00:00:00Z 2026-11-27 2026-11-27T10:00:00 5x ''; do
        run statwit ls --since "$when"
        [ -z "$when" ] || exits 2
    done
    run statwit ls --since yesterday
    has '--since must be a mark, an age as 10s or 5m, a time as 2026-11-27T10:00:00Z, or now'
    run statwit mark yesterday
    exits 2
    run statwit expect --until 4711 'no incr a'
    exits 2
    has 'no mark of this recording'
    run statwit ls --until 0
    exits 2
    run statwit ls --since 1 --until 1
    exits 0
    statwit send -q 'a:1|c'
    run statwit ls --since 2 --until 1
    exits 2
    has '--until lies before --since'
    run statwit samples -f --until now
    exits 2
}

@test "the API takes until, and marks of other times" {
    start
    statwit send -q 'a:1|c' 'b:1|c'
    [ "$(curl -s "$STATWIT_URL/recorder/v1/series?until=1" | jq -c '[.series[].name]')" = '["a"]' ]
    [ "$(curl -s "$STATWIT_URL/recorder/v1/samples?until=1&newest=true&limit=5" | jq -c '[.samples[].name]')" = '["a"]' ]
    [ "$(curl -s "$STATWIT_URL/recorder/v1/marks" -d '{"at":"1h"}')" = '{"mark":0}' ]
    [ "$(curl -s "$STATWIT_URL/recorder/v1/marks" -d '{"at":"now"}')" = '{"mark":2}' ]
    curl -s "$STATWIT_URL/recorder/v1/marks" -d '{"at":"soon"}' | grep -q 'at must be a mark'
    [ "$(curl -s "$STATWIT_URL/recorder/v1/expect" -d '{"expect":["no incr b"],"until":1,"within_ms":60000}' | jq -r .verdict)" = pass ]
    [ "$(curl -s "$STATWIT_URL/recorder/v1/expect" -d '{"expect":["incr b"],"until":1,"within_ms":60000}' | jq -r .verdict)" = fail ]
    for query in 'series?until=0' 'series?until=x' 'series?until=99' 'samples?since=2&until=1' 'stream?until=1' 'series?p95=true&since=1'; do
        [ "$(curl -s -o answer -w '%{http_code}' "$STATWIT_URL/recorder/v1/$query")" = 400 ]
    done
}

@test "events and checks: tables, JSON, filters, from a server and a file" {
    start --db r.db
    statwit send -q '_e{6,4}:Deploy|done|t:success|#env:ci' '_e{8,4}:Rollback|why?|t:error|p:low|#env:prod' \
        '_sc|db.ok|2|#env:ci|m:gone' '_sc|cache.ok|0'
    statwit status >/dev/null
    for where in "" "--db r.db"; do
        # shellcheck disable=SC2086
        {
            run statwit events $where
            exits 0
            has PRIORITY
            [[ $output =~ error\ +low\ +Rollback\ +why\?\ +env:prod ]]
            run statwit events $where 'Dep*' --tag env:ci
            has Deploy
            hasnt Rollback
            title=$(statwit events $where -n 1 --json | jq -r '.events[].title')
            [ "$title" = Rollback ]
            run statwit checks $where
            exits 0
            [[ $output =~ critical\ +db.ok\ +gone\ +env:ci ]]
            [ "$(statwit checks $where --json | jq -c '[.service_checks[].name]')" = '["db.ok","cache.ok"]' ]
            run statwit checks $where nothing
            exits 0
            has 'no service checks of that name'
        }
    done
    run statwit events -n 99999
    exits 2
}

@test "ls is sorted by name, or as it is asked to be, with averages and percentiles of what is pooled" {
    start
    statwit send -q 'c:1|c' 'b:10:20:30.123456789:40|ms' 'a:7|g' 'b:1|ms|#x:1' 'd:2:4|c'
    run statwit ls
    exits 0
    [ "$(awk 'NR > 1 {print $1}' <<<"$output" | tr '\n' ' ')" = 'a b b c d ' ]
    [[ $output =~ AVG\ +P95\ +LAST ]]
    [[ $output =~ b\ +timing\ +4\ +100.123\ +25.0309\ +40\ +40 ]]
    run statwit ls --sort samples
    [ "$(awk 'NR > 1 {print $1}' <<<"$output" | tr '\n' ' ')" = 'b d a b c ' ]
    run statwit ls --sort p95
    [ "$(awk 'NR > 1 {print $1}' <<<"$output" | tr '\n' ' ')" = 'b b a c d ' ]
    run statwit ls --sort arrival
    [ "$(awk 'NR > 1 {print $1}' <<<"$output" | tr '\n' ' ')" = 'c b a b d ' ]
    run statwit ls --wide
    has COUNT
    has MIN
    has NEWEST
    run statwit ls --sort size
    exits 2
    statwit ls --json | jq -e '[.series[] | select(.name == "b").sum] | contains([100.123456789])' # exact for programs
}

@test "times are local, with the date where it is not today's; --utc" {
    start
    statwit send -q 'a:1|c' bad
    at=$(statwit samples --json | jq -r '.samples[0].received_at')
    run statwit samples --utc
    has "${at:11:15}Z"
    TZ=Pacific/Kiritimati run statwit samples # 14 hours ahead of UTC
    has "$(TZ=Pacific/Kiritimati date -d "$at" +%H:%M:%S)"
    TZ=Pacific/Kiritimati run statwit rejects
    has "$(TZ=Pacific/Kiritimati date -d "$at" +%H:%M)"
    hasnt "$(date -u -d "$at" +%Y-)"
}
