#!/usr/bin/env bats
# Claims about what Datadog has, once an Agent has flushed: `as datadog`.

load helper

lines() {
    printf '1700000001\tlogin.attempt:1|c|#instance:failure\n'
    printf '1700000002\tevents.latency:320:80|ms\n'
    printf '1700000002\tupload.size:7|d|#device:sda,host:web1\n'
    printf '1700000003\tqueue:5|g\n1700000004\tqueue:3|g\n'
    printf '1700000004\tusers:a|s\n1700000004\tusers:b|s\n'
    printf '1700000005\tlogin.attempt:NaN|c|#instance:failure\n'
}

@test "as datadog: names, types and values are those that an Agent sends" {
    lines | statwit import - --db new.db -q
    cat >want.txt <<'END'
as datadog
rate login.attempt{instance:failure} sum == 0.1
incr login.attempt sum == 1 # a rate stands for its value times its interval
gauge events.latency.95percentile last < 500
gauge events.latency.avg last == 200
rate events.latency.count sum == 0.2
no any events.latency
distribution upload.size p95 ~ 7
distribution upload.size count == 1
gauge queue samples == 1 and last == 3
gauge users last == 2
no set users
END
    run statwit expect --db new.db -f want.txt
    exits 0
    # The same file says something else of what was sent.
    sed -i 1d want.txt
    run statwit expect --db new.db -f want.txt
    exits 1
    run statwit expect --db new.db -f want.txt --as datadog
    exits 0
    [ "$(statwit value --db new.db --as datadog 'gauge events.latency.max last')" = 320 ]
}

@test "as datadog: a server is asked right after the samples were sent" {
    start
    statwit send 'a:1|c|#x' 't:5|ms'
    run statwit expect --as datadog 'rate a{x} sum == 0.1' 'gauge t.avg last == 5' 'no timing t'
    exits 0
    run statwit expect --as datadog 'gauge t.avg last == 6'
    exits 1
    has 'last is 5'
    run curl -s "$STATWIT_URL/recorder/v1/expect" -d '{"expect":["rate a sum == 0.1"],"as":"datadog"}'
    [ "$(jq -r .verdict <<<"$output")" = pass ]
    run curl -s "$STATWIT_URL/recorder/v1/expect" -d '{"expect":["rate a sum == 0.1"],"as":"dog"}'
    has "as must be datadog, not 'dog'"
}

@test "as datadog: a question that waits is judged anew when more comes" {
    start
    statwit send g:1\|g
    statwit expect --as datadog 'gauge g last == 2' 'gauge later' --within 60s >waited 2>&1 3>&- &
    waiting=$!
    until [ "$(curl -sf "$STATWIT_URL/metrics" | sed -n 's/^statwit_questions_total //p')" -ge 1 ]; do :; done
    statwit send g:2\|g
    statwit send later:1\|g
    wait "$waiting"
    run statwit expect --as datadog 'no any nothing' --settle 1ms --within 1s
    exits 0
    run statwit expect --as datadog 'gauge g last == 3' --within 1ms
    exits 1
}

@test "as datadog: what names and tags are is asked in the same view" {
    lines | statwit import - --db new.db -q
    run statwit snapshot --db new.db --as datadog
    exits 0
    has 'rate login.attempt[instance:failure]'
    has 'gauge events.latency.median[]'
    hasnt 'timing events.latency'
    printf 'metric_name,metric_type\nlogin.attempt,rate\nevents.latency.avg,gauge\nevents.latency.max,gauge\nevents.latency.median,gauge\n' >metadata.csv
    printf 'events.latency.count,rate\nevents.latency.95percentile,gauge\nupload.size,distribution\nqueue,gauge\nusers,gauge\n' >>metadata.csv
    run statwit verify --db new.db --catalog metadata.csv --as datadog
    exits 0
    run statwit verify --db new.db --catalog metadata.csv
    exits 1
    has events.latency
    run statwit lint --db new.db --as datadog --silence refused
    exits 0
    run statwit catalog infer --db new.db --as datadog
    has '"events.latency.count"'
}

@test "as datadog: a line among sources without it is a mistake, not a guess" {
    start
    printf 'as datadog\nrate a\n' >one.txt
    run statwit expect -f one.txt 'incr a'
    exits 2
    has 'some sources say `as datadog` and others do not'
    printf 'as agent\nrate a\n' >two.txt
    run statwit expect -f two.txt
    exits 2
    has "two.txt:1:4: expected 'datadog'"
    run statwit expect --as agent 'rate a'
    exits 2
    has datadog
}

@test "as datadog: sessions have an Agent each, and a mark begins anew" {
    start
    session=$(statwit session new one --json | jq -r .dogstatsd.udp)
    statwit send --to "udp://$session" 'c:1|c'
    statwit send 'c:2|c'
    run statwit expect --as datadog --session one 'rate c sum == 0.1'
    exits 0
    run statwit expect --as datadog --session '*' 'rate c series == 1' 'incr c sum == 3'
    exits 0
    mark=$(statwit mark)
    statwit send 'c:4|c'
    run statwit expect --as datadog --since "$mark" 'incr c sum == 4'
    exits 0
}

@test "as datadog: run judges its expectations so" {
    run statwit run -e 'rate a sum == 0.1' --as datadog -- bash -c 'printf "a:1|c" >/dev/udp/$DD_AGENT_HOST/$DD_DOGSTATSD_PORT'
    exits 0
}

@test "as datadog: what an Agent makes of histograms follows its own options" {
    lines | statwit import - --db new.db -q
    run statwit expect --db new.db --as datadog --histogram-aggregates max,min --histogram-percentiles 0.5 'gauge events.latency.min last == 80' 'gauge events.latency.50percentile' 'no any events.latency.avg'
    exits 0
    run statwit snapshot --db new.db --as datadog --histogram-aggregates sum
    has 'gauge events.latency.sum[]'
    export DD_HISTOGRAM_PERCENTILES=0.99
    start --histogram-aggregates min
    statwit send t:5\|ms
    run statwit expect --as datadog 'gauge t.min last == 5' 'gauge t.99percentile' 'no any t.95percentile' 'no any t.avg'
    exits 0
    run statwit expect --as datadog --histogram-aggregates min 'gauge t.min'
    exits 2
    has 'go with --db'
    run statwit expect --db new.db --as datadog --histogram-aggregates mean 'gauge x'
    exits 2
    has "no 'mean'"
    run statwit serve --db :memory: --histogram-percentiles 95
    exits 3
    has 'a share from 0.01 to 1'
}

@test "as datadog: a claim stood after a loss, though one sample more makes other points" {
    start
    statwit fault dogstatsd --drop 1
    statwit send 'a:9|g' # the first of its bucket: an Agent makes a gauge of all of them
    statwit fault clear
    statwit send 'a:1|c'
    run statwit expect 'incr a samples >= 1'
    exits 0
    run statwit expect --as datadog 'rate a samples >= 1'
    exits 4
    run statwit expect --as datadog 'no rate a'
    exits 4
    run statwit expect --as datadog 'gauge other samples == 0' --all-covered
    exits 4
    echo '{"metrics":{"a":{"type":"gauge"}}}' >gauge.json
    run statwit verify --as datadog --catalog gauge.json
    exits 4
}
