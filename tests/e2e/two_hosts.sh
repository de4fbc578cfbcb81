#!/usr/bin/env bash
# A server and its clients on two hosts (two_hosts.bash).
set -euo pipefail
. "$(dirname "$0")/two_hosts.bash"

serve --no-token --session-ports 8130-8132 --api-key good --allow-host '*.svc.cluster.local'
export STATWIT_URL=http://statwit:8125
statwit status -q --wait 60s

# A session: what it exports leads back to the server's host, and on a port that was published.
eval "$(statwit session new web)"
[ "$DD_AGENT_HOST $DD_DOGSTATSD_PORT $DD_URL $STATWIT_URL" = "statwit 8130 http://statwit:8125 http://statwit:8125" ] ||
    fail "exported: $DD_AGENT_HOST $DD_DOGSTATSD_PORT $DD_URL $STATWIT_URL"
[ "$STATWIT_NEEDS_TOKEN" = false ]
printf 'over.udp:1|c' >"/dev/udp/$DD_AGENT_HOST/$DD_DOGSTATSD_PORT"
curl -fsS -H "DD-API-KEY: $DD_API_KEY" -d "{\"series\":[{\"metric\":\"over.http\",\"points\":[[$(date +%s),1]]}]}" "$DD_URL/api/v1/series" >answer
statwit expect --session web --within 60s 'incr over.udp sum == 1' 'any over.http' >report || fail "$(cat report)"
statwit session new two --json | jq -e '.env.DD_DOGSTATSD_PORT == "8131"' >/dev/null || fail 'not the second port'
statwit session new three >/dev/null
! statwit session new four 2>why || fail 'a fourth session on three ports'
grep -q 'no UDP port of --session-ports 8130-8132 is free' why || fail "$(cat why)"
statwit session rm two
statwit session new four >/dev/null || fail 'no port after one was given back'

# Other names of the server's host.
for name in 10.77.0.2 host.docker.internal statwit.ns.svc.cluster.local; do
    got=$(curl -fsS -X POST "http://$name:8125/recorder/v1/marks" | jq -r 'has("mark")') || fail "$name is refused"
    [ "$got" = true ]
    got=$(curl -fsS "http://$name:8125/recorder/v1/sessions/web" | jq -r .env.DD_AGENT_HOST)
    [ "$got" = "$name" ] || fail "asked as $name, it answered $got"
done
end

# With a token of its own making the health check needs none, and the environment says that one is needed.
serve --advertise 10.77.0.2
statwit status -q --wait 60s --url http://statwit:8125 || fail 'the health check asks for a token'
jq -e '.env | .DD_AGENT_HOST == "10.77.0.2" and .DD_URL == "http://10.77.0.2:8125" and .STATWIT_NEEDS_TOKEN == "true"' <<<"$READY" >/dev/null ||
    fail "$READY"
code=$(curl -s -o answer -w '%{http_code}' -d '{}' -H 'DD-API-KEY: k' http://statwit.ns.svc.cluster.local:8125/api/v2/series)
[ "$code" = 202 ] || fail "a write by another name: $code $(cat answer)"
code=$(curl -s -o answer -w '%{http_code}' http://statwit.ns.svc.cluster.local:8125/recorder/v1/status)
[ "$code" = 403 ] || fail "a question by another name: $code"
grep -q -- '--allow-host statwit.ns.svc.cluster.local' answer || fail "$(cat answer)"
end
echo 'both hosts: fine'
