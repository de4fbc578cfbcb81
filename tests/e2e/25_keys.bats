#!/usr/bin/env bats
# API keys, as production has them: a write without one is refused, and whoever asks is told.
load helper

point='{"series":[{"metric":"a","points":[[1,1]]}]}'
post() { curl -sS -o /dev/null -w '%{http_code}\n' -d "${2:-$point}" "${@:3}" "$STATWIT_URL$1"; }

@test "a write without an API key was taken, which Datadog refuses: claims, status and requests tell" {
    start
    [ "$(post /api/v1/series)" = 403 ]
    [ "$(post /api/v2/series '{}' -H 'DD-API-KEY;')" = 403 ]
    [ "$(post '/api/v2/series?api_key=k' '{}')" = 403 ]
    [ "$(post /api/v1/series "$point" -H 'DD-API-KEY: anything')" = 202 ]
    run statwit expect 'incr b'
    exits 1
    has 'rejected, no_api_key: the request had no API key'
    has '(3 requests had no API key)'
    statwit session new web >/dev/null # its test forgot the key, so its requests are nobody's
    run statwit expect --session web 'incr b'
    exits 1
    has '(3 requests had no API key)'
    run statwit status
    has '3 requests had no API key and got a 403, as from Datadog'
    [ "$(statwit status --json | jq '.listeners[0].without_api_key')" = 3 ]
    curl -fsS "$STATWIT_URL/recorder/v1/requests" | jq -r '.requests[] | select(.status == 403).note' | sort | uniq -c | sed 's/^ *//' >notes
    diff notes - <<'END'
1 no API key in the header: Datadog answers 403 and keeps nothing
2 no API key: Datadog answers 403 and keeps nothing
END
}

@test "run says that requests had no API key" {
    # shellcheck disable=SC2016
    send='curl -sS -o /dev/null -w "%{http_code}" -d "$0" "$DD_URL/api/v1/series"'
    run statwit run -- sh -c "$send" "$point"
    exits 0
    has '403'
    has '1 request had no API key, so it was refused as Datadog would (403)'
    run statwit run -e 'no any b' -- sh -c "$send; $send" "$point"
    has '2 requests had no API key, so they were refused as Datadog would (403)'
    run statwit run --accept-no-key -- sh -c "$send" "$point"
    has '202'
    hasnt 'no API key'
}

@test "--accept-no-key takes what has none; --strict-intake wants 32 hexadecimal digits" {
    start --accept-no-key
    [ "$(post /api/v1/series)" = 202 ]
    [ "$(post /api/v2/series '{}')" = 202 ]
    end_server
    start --strict-intake
    [ "$(post /api/v1/series '{"series":[]}' -H 'DD-API-KEY: short')" = 403 ]
    [ "$(post /api/v2/series '{}' -H 'DD-API-KEY: 0123456789abcdef0123456789ABCDEF')" = 202 ]
    [ "$(post /api/v2/series '{}' -H "DD-API-KEY: $(ready .env.DD_API_KEY)")" = 202 ]
    run statwit rejects
    has 'strict: the API key is not 32 hexadecimal digits'
}

old='{"series":[{"metric":"frozen","points":[[1577836800,1]]}]}'

@test "points of a test with a frozen clock were dropped without a way to keep them: --timestamps any" {
    start
    post /api/v1/series "$old" -H 'DD-API-KEY: k'
    run statwit ls
    has 'no series'
    statwit session new ice --timestamps any --json >ice.json
    [ "$(jq -r .timestamps ice.json)" = any ]
    post /api/v1/series "$old" -H "DD-API-KEY: $(jq -r .api_key ice.json)"
    run statwit expect --session ice 'gauge frozen'
    exits 0
    run statwit lint --session ice
    exits 1
    has 'timestamp-range: frozen'
    has 'it lies too far in the past'
    run statwit session new --timestamps old
    exits 2
    end_server
    start --timestamps any
    post /api/v1/series "$old" -H 'DD-API-KEY: k'
    run statwit expect 'gauge frozen'
    exits 0
    statwit session new strict --timestamps datadog --json >strict.json
    post /api/v1/series "$old" -H "DD-API-KEY: $(jq -r .api_key strict.json)"
    run statwit ls --session strict
    has 'no series'
    # shellcheck disable=SC2016
    run statwit run --timestamps any -e 'gauge frozen' -- \
        sh -c 'curl -sS -H "DD-API-KEY: $DD_API_KEY" -d "$0" "$DD_URL/api/v1/series"' "$old"
    exits 0
}

@test "lint after a mark: timestamps and falls of before it do not count, as if each sample were looked at" {
    start --timestamps any
    statwit send 'old:1|c|T1577836800' 'up:1|g' 'up:2|g' 'up:1|g' >/dev/null
    statwit send 'up:2|g' 'up:3|g' 'up:4|g' 'up:5|g' 'up:6|g' 'up:7|g' 'up:8|g' 'up:9|g' 'up:10|g' 'up:11|g' 'up:12|g' 'up:13|g' >/dev/null
    run statwit lint
    has 'timestamp-range: old'
    has '1 sample'
    hasnt 'growing-gauge: up'
    mark=$(statwit mark)
    run statwit lint --since "$mark"
    hasnt 'timestamp-range'
    statwit send 'old:1|c|T1577836801' 'old:1|c|T1577836802' 'up:14|g' 'up:15|g' >/dev/null
    run statwit lint --since "$mark"
    has 'timestamp-range: old'
    has '2 samples'
    has '1577836801'
    has 'growing-gauge: up'
    run statwit lint
    has '3 samples'
    has '1577836800'
    hasnt 'growing-gauge: up'
    mark=$(statwit mark)
    statwit send 'up:3|g' >/dev/null # fell from what was before the mark
    statwit send 'up:16|g' >/dev/null
    run statwit lint --since "$mark"
    has 'growing-gauge: up'
    statwit send 'up:15|g' 'up:17|g' >/dev/null
    run statwit lint --since "$mark"
    hasnt 'growing-gauge: up'
}
