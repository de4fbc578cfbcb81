#!/usr/bin/env bats
# verify, lint, catalog, snapshot, diff: names and tags.
load helper

record() { statwit send 'login.attempt:1|c|#instance:failure' 'login.attempt:1|c|#instance:success' 'tasks.depth:3:1|g'; }

@test "an inferred catalog verifies; a look-alike is told" {
    start
    record
    run statwit catalog infer -o c.json
    exits 0
    run statwit verify --catalog c.json --strict
    exits 0
    statwit send 'login.atempt:1|c'
    run statwit verify --catalog c.json
    exits 1
    has 'one letter from login.attempt'
    run statwit expect --catalog c.json 'incr login.attempt sum == 2'
    exits 1
    GITHUB_ACTIONS=true run statwit verify --catalog c.json --junit report.xml
    has '::error file=c.json,line='
    grep -q '<failure' report.xml
}

@test "run --catalog; never seen warns, or fails when strict" {
    printf 'metric_name,metric_type\na,count\nb,gauge\n' >metadata.csv
    run statwit run --catalog metadata.csv -- "$STATWIT_BIN" send 'a:1|c'
    exits 0
    has 'never seen'
    run statwit run --catalog metadata.csv --strict -- "$STATWIT_BIN" send 'a:1|c'
    exits 1
    run statwit run --catalog metadata.csv --db tests.db -- "$STATWIT_BIN" send 'a:1|g'
    exits 1
    has 'sent as a gauge'
    run statwit verify --db tests.db --catalog metadata.csv
    exits 1
    run statwit verify --db tests.db --catalog metadata.csv --since 4711 # of another recording: all would be before it
    exits 3
    has '4711 is no mark of this recording'
}

@test "a malformed catalog: the place, 2, nothing written" {
    start
    printf 'metric_name,metric_type\na,"b\n' >bad.csv
    run statwit verify --catalog bad.csv
    exits 2
    has 'bad.csv:2:3:'
    run statwit catalog merge bad.csv -o out.json
    exits 2
    [ ! -e out.json ]
    run statwit catalog fmt --write bad.csv
    exits 2
    [ "$(wc -l <bad.csv)" -eq 2 ]
    # file, what printf makes it, the place and the words of the error
    while IFS=$'\t' read -r file text place; do
        printf "$text" >"$file"
        run statwit verify --catalog "$file"
        exits 2
        has "$place"
    done <<'BAD'
quote.csv	metric_name,metric_type\n"a,count\n	quote.csv:2:1: this quote is never closed
after.csv	metric_name,metric_type\r\na,"co"unt\r\n	after.csv:2:7: text behind the closing quote
column.csv	\xef\xbb\xbfmetric_name,metric_typ\na,count\n	column.csv:1:13: unknown column "metric_typ": did you mean "metric_type"
fields.csv	metric_name,metric_type\na,count,b\n	fields.csv:2:1: 3 fields where the header has 2
nul.csv	metric_name,metric_type\na,co\0unt\n	nul.csv:2:5: a NUL byte
empty.csv		empty.csv:1:1: an empty catalog
twice.csv	metric_name,metric_type\na,count\na,gauge\n	twice.csv:3:1: a contradicts twice.csv:2:1 about its type
comma.json	{"metrics":{},\n}	comma.json:2:1: string or '}' expected
twice.json	{"metrics":{"a":{},\n "a":{}}}	twice.json:2:
open.json	{"metrics":{\n"a":{"tags":{"k":{"pattern":"(a+"}}}}}	open.json:2:19: byte 1 of the pattern: '(' without ')'
blow.json	{"metrics":{\n"a":{"tags":{"k":{"pattern":"((a{1,999}){1,999}){1,999}"}}}}}	blow.json:2:19: byte 
range.json	{"metrics":{\n"a":{"value":{"min":5,"max":1}}}}	range.json:2:6: min is above max
rate.json	{"metrics":{\n"a":{"sample_rate":{"min":2}}}}	rate.json:2:1: a sample rate is above 0 and at most 1
BAD
    printf '# statwit snapshot 1\n=======\n' >torn
    run statwit diff torn torn
    exits 2
    has 'torn:2:1: a merge conflict'
    run statwit snapshot --update torn
    exits 2
    [ "$(wc -l <torn)" -eq 2 ]
    truncate -s 100M huge.json
    run statwit verify --catalog huge.json
    exits 2
    has 'at most'
    run statwit verify
    exits 2
}

@test "lint tells what Datadog rewrites; rules can be explained and silenced" {
    start
    statwit send 'Bad-Name:1|g|#Env:PROD'
    run statwit lint
    exits 1
    has 'Bad-Name is stored as Bad_Name'
    has 'Env:PROD is stored as env:prod'
    run statwit lint --silence name-rewritten
    exits 0
    run statwit lint --silence name-rewritten --strict
    exits 1
    run statwit lint --explain name-rewriten
    exits 2
    has 'did you mean name-rewritten'
    run statwit lint --explain all
    exits 0
    has identifier-tag
    while read -r rule _; do
        run statwit lint --explain "$rule"
        exits 0
        has "$rule ("
        run statwit lint --silence "$rule"
        [ "$status" -lt 2 ]
    done < <(statwit lint --explain all)
}

@test "lint tells of datagrams that are too large, from a server, a file and after a reset" {
    start --db large.db
    printf 'many.lines:1|c\n%.0s' {1..600} >packed
    cat packed >"/dev/udp/127.0.0.1/$(ready .dogstatsd.udp | cut -d: -f2)"
    head -n 100 packed >"/dev/udp/127.0.0.1/$(ready .dogstatsd.udp | cut -d: -f2)"
    run statwit lint
    exits 1
    has 'datagram-over-8192: datagrams as received'
    has 'the largest has 9000 bytes'
    has 'datagram-over-1432: datagrams as received'
    has 'the largest has 1500 bytes'
    run statwit lint --since "$(curl -s -X POST "$STATWIT_URL/recorder/v1/marks" -d '{}' | jq .mark)"
    exits 0
    hasnt 'datagram-over'
    stop
    run statwit lint --db large.db
    exits 1
    has 'the largest has 9000 bytes'
    run statwit lint --db large.db --silence datagram-over-8192 --silence datagram-over-1432
    exits 0
    [ "$(sqlite3 large.db 'SELECT over, n, largest FROM large_datagrams')" = $'1432|1|1500\n8192|1|9000' ]
    start --db large.db
    statwit reset >reset.out
    run statwit lint
    exits 0
    hasnt 'datagram-over'
}

@test "a snapshot is written, checked, updated, and never written in CI" {
    start
    record
    CI=1 run statwit snapshot a.metrics
    exits 2
    [ ! -e a.metrics ]
    run statwit snapshot a.metrics --counts
    exits 0
    run statwit snapshot --check a.metrics
    exits 0
    statwit send 'new:1|c'
    CI=true run statwit snapshot --check a.metrics
    exits 1
    has '+ count new[] samples == 1'
    run statwit snapshot --update a.metrics
    exits 0
    run statwit snapshot --check a.metrics
    exits 0
    printf '<<<<<<< HEAD\n' >>a.metrics
    run statwit snapshot --check a.metrics
    exits 2
    has 'merge conflict'
}

@test "diff: sessions, recordings, snapshots, catalogs" {
    start
    record
    statwit snapshot a.metrics
    run statwit diff a.metrics session:default
    exits 0
    statwit run -q --db b.db -- "$STATWIT_BIN" send 'login.atempt:1|c|#instance:failure' 'tasks.depth:1|c'
    run statwit diff a.metrics b.db
    exits 1
    has 'login.attempt -> login.atempt'
    has 'type gauge -> count'
    run statwit diff a.metrics b.db --markdown
    has '| `login.attempt` | `login.atempt` |'
    statwit catalog infer -o c.json
    run statwit diff c.json a.metrics
    exits 0
}

@test "diff said that nothing changed though series were lost; a snapshot and a catalog lacked them in silence" {
    start --max-series 1 --db loss.db
    statwit send 'a:1|c' 'gone:1|c'
    printf '# statwit snapshot 1\ncount a[]\n' >a.metrics
    printf '# statwit snapshot 1\ncount a[]\ncount gone[]\n' >both.metrics
    printf '# statwit snapshot 1\n' >none.metrics
    run statwit diff a.metrics session:default
    exits 4
    has 'lost, so that it is not in here: 1 samples of series beyond --max-series'
    run statwit diff both.metrics session:default # what is missing may be what was lost
    exits 4
    run statwit diff none.metrics session:default # this is certain
    exits 1
    run statwit diff --markdown a.metrics session:default
    has 'Something was lost: what changed may be missing here'
    run statwit snapshot
    exits 0
    has 'lost, so that it is not in here: 1 samples'
    run statwit catalog infer -o inferred.json
    exits 0
    has 'lost, so that it is not in here: 1 samples'
    stop
    run statwit diff loss.db a.metrics --json
    exits 4
    [ "$(sed -n 's/^{/{/p' <<<"$output" | jq -c '[.same, .losses[0].loss, .losses[0].side]')" = '[true,"series_limit","a"]' ]
    run statwit diff a.metrics a.metrics
    exits 0
}

@test "lint that found nothing after a loss was green in JUnit and TAP" {
    start --max-series 1
    statwit send 'a:1|c' 'gone:1|c'
    run statwit lint --tap --junit report.xml
    exits 4
    has '1..1'
    has 'not ok 1 - nothing was lost'
    grep -q 'tests="1" failures="0" errors="1"' report.xml
}

@test "catalogs are converted and tidied" {
    printf 'metric_name,metric_type\nb,gauge\na,count\n' >m.csv
    run statwit catalog convert m.csv -o m.json
    exits 0
    run statwit catalog convert m.json
    exits 0
    has 'b,gauge,,,,,,,,'
    run statwit catalog fmt --check m.csv
    exits 1
    run statwit catalog fmt --write m.csv
    exits 0
    run statwit catalog fmt --check m.csv m.json
    exits 1
    printf '{"include":["other.json"],"metrics":{}}' >self.json
    printf '{"include":["self.json"]}' >other.json
    run statwit verify --catalog self.json
    exits 2
    has circle
}

@test "a catalog is inferred as metadata.csv too, and holds" {
    statwit run -q --db r.db -- "$STATWIT_BIN" send 'login.attempt:1|c|#a:b'
    statwit catalog infer --db r.db --format csv -o metadata.csv
    grep -q '^login.attempt,count,' metadata.csv
    run statwit verify --db r.db --catalog metadata.csv --strict
    exits 0
}
