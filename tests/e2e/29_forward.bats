#!/usr/bin/env bats
# Passing on what is received: to an Agent's sockets, to Datadog (here: another recorder), and flushed as an Agent does it.

load helper

UPSTREAM=
teardown() {
    end_server
    [ -z "$UPSTREAM" ] || { kill "$UPSTREAM" 2>/dev/null; wait "$UPSTREAM" 2>/dev/null; } || true
    repeat_if_dropped
}

# Another recorder, in the place of Datadog or of an Agent: $UP is its URL, $UP_UDP its socket.
upstream() {
    key
    rm -f up.fifo
    mkfifo up.fifo
    "$STATWIT_BIN" serve --dogstatsd-port 0 --http-port "${UP_PORT:-0}" --db :memory: "$@" >up.fifo 2>up.err 3>&- &
    UPSTREAM=$!
    read -r -t 60 line <up.fifo || { cat up.err; return 1; }
    UP=$(jq -r .http <<<"$line")
    UP_UDP=$(jq -r .dogstatsd.udp <<<"$line")
}
key() { export STATWIT_FORWARD_API_KEY=0123456789abcdef0123456789abcdef; }
forward_row() { curl -sf "$STATWIT_URL/recorder/v1/status" | jq -r ".forward[0].$1"; }
until_row() { until [ "$(forward_row "$1")" -ge "$2" ]; do :; done; }

@test "forward: datagrams reach an Agent as they came" {
    upstream --dogstatsd-socket "$PWD/gram.sock" --dogstatsd-stream-socket "$PWD/stream.sock"
    start --forward "udp://$UP_UDP" --forward "unix://$PWD/gram.sock" --forward "unixstream://$PWD/stream.sock"
    statwit send 'a:1:2|c|@0.5|#x,y' 'broken'
    stop
    exits 0
    for source in udp unixgram unixstream; do
        [ "$(statwit samples --url "$UP" --source $source --json | jq -r '.samples|map([.name,.value,.sample_rate,.tags]|tostring)|join(" ")')" = \
            '["a",1,0.5,["x","y"]] ["a",2,0.5,["x","y"]]' ]
    done
    [ "$(statwit rejects --url "$UP" --json | jq '.rejects|length')" = 3 ]
}

@test "forward: requests reach Datadog as they came, with the key that is meant for it" {
    upstream
    start --forward "$UP"
    now=$(date +%s)
    curl -sf -H 'DD-API-KEY: mine' -H 'Content-Type: application/json' "$STATWIT_URL/api/v1/series?api_key=secret&x=1" -d "{\"series\":[{\"metric\":\"m\",\"points\":[[$now,7]]}]}"
    curl -sf -H 'DD-API-KEY: mine' "$STATWIT_URL/api/v1/metrics?from=1"
    curl -s "$STATWIT_URL/api/v1/series" -d 'no key'
    stop
    run statwit expect --url "$UP" 'gauge m last == 7'
    exits 0
    run curl -sf "$UP/recorder/v1/requests"
    [ "$(jq -c '.requests|map([.method,.path,.query,.api_key])' <<<"$output")" = '[["POST","/api/v1/series","x=1","****cdef"]]' ]
}

@test "forward: what an Agent makes of the samples reaches Datadog" {
    upstream
    start --forward "agent+$UP" --forward-hostname web1
    statwit send 'login.attempt:1|c|#instance:failure' 'events.latency:320:80|ms' 'up:7|d' 'gone:1|g|T1' '_e{5,4}:title|text|#b,a,b|s:jenkins' '_sc|db|2|m:down|#x'
    stop
    exits 0
    run statwit expect --url "$UP" 'rate login.attempt{instance:failure,host:web1} sum == 0.1' 'gauge events.latency.avg last == 200' 'rate events.latency.count sum == 0.2' \
        'distribution up count == 1 and p95 ~ 7' 'event title{a,b} where host == web1 and source_type_name == jenkins samples == 1' 'check db{x} where host == web1 status == critical' \
        'no any events.latency' --session '*'
    exits 0
    run curl -sf "$UP/recorder/v1/requests"
    [ "$(jq -r '.requests|map(.path+" "+(.status|tostring)+" "+.encoding)|sort|join(",")' <<<"$output")" = \
        '/api/beta/sketches 202 zstd,/api/v1/check_run 202 zstd,/api/v2/series 202 zstd,/intake/ 202 zstd' ]
}

@test "forward: numbers of a name that is a set are no members of their own" {
    upstream
    start --forward "agent+$UP"
    statwit send 'r:5|s' 'r:1|g' 'r:x|s' 'r:2|c' 'q:1|g' 'q:5|s'
    stop
    exits 0
    run statwit expect --url "$UP" 'gauge r last == 3' 'gauge q last == 0'
    echo "$output"
    exits 0
}

@test "forward: an upstream that is down is tried again, and recording goes on" {
    upstream
    UP_PORT=${UP##*:}
    kill "$UPSTREAM"
    wait "$UPSTREAM"
    start --forward "$UP" --forward-backoff 1ms
    curl -sf -H 'DD-API-KEY: mine' "$STATWIT_URL/api/v1/check_run" -d '[{"check":"c","host_name":"h","status":0}]'
    until_row retries 2
    [ "$(forward_row waiting)" = 1 ]
    run curl -sf "$STATWIT_URL/metrics"
    has "statwit_forward_passed_total{url=\"$UP\"} 0"
    run statwit expect 'check c'
    exits 0
    run statwit status
    has '1 waiting'
    upstream
    until_row passed 1
    run statwit expect --url "$UP" 'check c samples == 1'
    exits 0
}

@test "forward: 429 and 500 are tried again, 400, 403, 413 and a redirect are not" {
    upstream
    start --forward "$UP" --forward-backoff 1ms
    for code in 429 500 404; do
        curl -sf -X PUT "$UP/recorder/v1/faults" -d "{\"http\":[{\"path\":\"/api/*\",\"status\":$code,\"times\":1}]}"
        curl -sf -H 'DD-API-KEY: mine' "$STATWIT_URL/api/v1/check_run" -d "[{\"check\":\"c$code\",\"host_name\":\"h\",\"status\":0}]"
        until statwit expect --url "$UP" -q "check c$code"; do :; done
    done
    n=0
    for code in 400 403 413 307; do
        curl -sf -X PUT "$UP/recorder/v1/faults" -d "{\"http\":[{\"path\":\"/api/*\",\"status\":$code,\"times\":1}]}"
        curl -sf -H 'DD-API-KEY: mine' "$STATWIT_URL/api/v1/check_run" -d "[{\"check\":\"c$code\",\"host_name\":\"h\",\"status\":0}]"
        until_row refused $((++n))
    done
    has_why=$(forward_row why)
    [[ $has_why == *"answered 307 (a redirect is not followed"* ]]
    [ "$(forward_row retries)" = 3 ]
    run statwit status
    has '4 lost'
}

@test "forward: half an answer counts as none" {
    upstream
    start --forward "$UP" --forward-backoff 1ms
    curl -sf -X PUT "$UP/recorder/v1/faults" -d '{"http":[{"path":"/api/*","cut":"before","times":1}]}'
    curl -sf -H 'DD-API-KEY: mine' "$STATWIT_URL/api/v1/check_run" -d '[{"check":"c","host_name":"h","status":0}]'
    until_row passed 1
    [ "$(forward_row retries)" = 1 ]
}

@test "forward: a recorder ends though its upstream never answers" {
    key
    start --forward http://127.0.0.1:1 --forward-backoff 1h
    curl -sf -H 'DD-API-KEY: mine' "$STATWIT_URL/api/v1/check_run" -d '[{"check":"c","host_name":"h","status":0}]'
    until_row retries 1
    stop
    exits 0
    run cat serve.err
    has 'were not passed on to http://127.0.0.1:1'
    hasnt "$STATWIT_FORWARD_API_KEY"
}

@test "forward: an Agent that is restarted misses nothing" {
    start --forward "unix://$PWD/gram.sock"
    statwit send 'a:1|c'
    until_row retries 1
    upstream --dogstatsd-socket "$PWD/gram.sock"
    until_row passed 1
    run statwit expect --url "$UP" 'incr a sum == 1'
    exits 0
}

@test "forward: URLs that cannot be are refused with a sentence" {
    while IFS='|' read -r url part; do
        run statwit serve --http-port 0 --dogstatsd-port 0 --db :memory: --forward "$url"
        exits 3
        has "$part"
    done <<'END'
ftp://x|--forward takes udp://HOST:PORT
udp://127.0.0.1|udp://HOST:PORT, as udp://127.0.0.1:8125
udp://127.0.0.1:0|udp://HOST:PORT
https://|names no host
unix://|names no path
https://user:secret@x|no user and no password
https://x?api_key=secret|STATWIT_FORWARD_API_KEY
END
    unset STATWIT_FORWARD_API_KEY
    run statwit serve --http-port 0 --dogstatsd-port 0 --db :memory: --forward agent+http://127.0.0.1:1
    exits 3
    has 'needs an API key'
    echo >key
    run statwit serve --http-port 0 --dogstatsd-port 0 --db :memory: --forward agent+http://127.0.0.1:1 --forward-api-key-file key
    has 'key holds no API key'
    upstream # for a port that is free
    kill "$UPSTREAM"
    wait "$UPSTREAM"
    run statwit serve --http-port 0 --dogstatsd-port "${UP_UDP##*:}" --db :memory: --forward "udp://$UP_UDP"
    exits 3
    has 'leads back to this recorder'
}

@test "forward: the chain of an application, an Agent and Datadog" {
    upstream
    run env STATWIT_URL= "$STATWIT_BIN" run --forward "agent+$UP" -e 'incr login.attempt sum == 3' -- \
        bash -c 'for n in 1 2 3; do printf "login.attempt:1|c|#instance:failure" >/dev/udp/$DD_AGENT_HOST/$DD_DOGSTATSD_PORT; done'
    exits 0
    run statwit expect --url "$UP" 'incr login.attempt{instance:failure} sum == 3'
    exits 0
    now=$(date +%s)
    run curl -sfG -H 'DD-API-KEY: k' -H 'DD-APPLICATION-KEY: k' "$UP/api/v1/query" --data-urlencode 'query=sum:login.attempt{instance:failure}.as_count().rollup(sum, 3600)' -d from=$((now - 3600)) -d to=$((now + 60))
    [ "$(jq '[.series[0].pointlist[][1]]|add' <<<"$output")" = 3 ]
}
