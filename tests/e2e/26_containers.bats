#!/usr/bin/env bats
# A server in a container: names, ports and tokens as its neighbours see them.
load helper

@test "a client on another host: sessions, names, published ports, the health check" {
    command -v ip >/dev/null && unshare -Urnm true 2>/dev/null || skip 'network namespaces are not permitted here'
    export STATWIT_BIN
    run unshare -Urnm "$BATS_TEST_DIRNAME/two_hosts.sh" "$BATS_TEST_TMPDIR"
    exits 0
    has 'both hosts: fine'
}

@test "--allow-host: the refusal names it; Datadog's write paths do not look at Host" {
    start
    [ "$(curl -s -o answer -w '%{http_code}' -H 'Host: my.example:80' "$STATWIT_URL/recorder/v1/status")" = 403 ]
    [[ $(jq -r .error answer) == *'or start the server with --allow-host my.example' ]]
    [ "$(curl -s -o answer -w '%{http_code}' -H 'Host: my.example' -H 'DD-API-KEY: k' "$STATWIT_URL/api/v1/validate")" = 200 ]
    [ "$(curl -s -o answer -w '%{http_code}' -H 'Host: my.example' -H 'DD-API-KEY: k' -d '{}' "$STATWIT_URL/api/v2/series")" = 202 ]
    [ "$(curl -s -o answer -w '%{http_code}' -H 'Host: my.example' "$STATWIT_URL/api/v1/hosts")" = 403 ]
    [ "$(curl -s -o answer -w '%{http_code}' -H 'Host: my.example' -H 'Origin: http://other.example' -d '{}' "$STATWIT_URL/api/v2/series")" = 403 ]
    end_server
    start --allow-host 'a.example' --allow-host '*.example'
    [ "$(curl -s -o answer -w '%{http_code}' -H 'Host: MY.example:80' "$STATWIT_URL/recorder/v1/status")" = 200 ]
    end_server
    STATWIT_ALLOW_HOST='a.test,b.test' start
    [ "$(curl -s -o answer -w '%{http_code}' -H 'Host: b.test' "$STATWIT_URL/recorder/v1/status")" = 200 ]
}

@test "status --wait needs no token" {
    start --token s3cret
    run statwit status --wait 60s -q
    exits 0
    run statwit status --wait 60s
    exits 0
    has 'STATWIT_TOKEN'
    run statwit status
    exits 3
    STATWIT_TOKEN=s3cret run statwit status --wait 60s
    exits 0
    has 'recorded'
    [ "$(ready .env.STATWIT_NEEDS_TOKEN)" = true ]
}

@test "--advertise and --session-ports refuse what they cannot use" {
    for host in '' 'a b' http://x x:80 "x'y"; do
        run statwit serve "--advertise=$host"
        exits 2
        has "--advertise must be a host's name or address, without a port, not '$host'"
    done
    for ports in '' 8130 8199-8130 0-9 1-65536 1-999999 a-b 1-2x -1-5 '1- 5' 1-; do
        run statwit serve "--session-ports=$ports"
        exits 2
        has "--session-ports must be two port numbers, as 8130-8199, not '$ports'"
    done
    start --advertise 2001:db8::1
    [ "$(ready .env.DD_URL)" = "http://[2001:db8::1]:${STATWIT_URL##*:}" ]
    [ "$(statwit session new --json | jq -r .env.STATSD_ADDR)" = "[2001:db8::1]:$(statwit session ls --json | jq -r '.sessions[1].env.STATSD_PORT')" ]
}
