#!/usr/bin/env bats
# Mixed load for SOAK_S seconds: sessions made and removed, questions, faults; memory and descriptors stay flat, and at the
# end the counts are exact.
load ../e2e/helper
load fault

resident() { awk '/VmRSS/ {print $2}' "/proc/$SERVER/status"; }
descriptors() { find "/proc/$SERVER/fd" -type l | wc -l; }

@test "a soak: flat memory and descriptors, exact counts at the end" {
    start --db r.db --retention-samples 200000
    statwit send 'kept:1|c'
    local end memory open turns=0 name port
    turn() {
        name=soak$((++turns))
        port=$(curl -fsS "$STATWIT_URL/recorder/v1/sessions" -d "{\"name\":\"$name\"}" | jq .dogstatsd.udp -r)
        hammer flood "${port##*:}" 2000 0 >sent
        [ "$(jq -n --arg s "$name" --arg e "any service.* samples == $(cat sent)" '{session: $s, expect: [$e]}' |
            curl -fsS "$STATWIT_URL/recorder/v1/expect" -d @- | tee answer.json | jq -r .verdict)" = pass ] || { cat answer.json; return 1; }
        curl -fsS -X PUT "$STATWIT_URL/recorder/v1/faults" -d '{"http":[{"path":"/api/v1/validate","status":503,"times":1}]}' >/dev/null
        [ "$(curl -s -o body -w '%{http_code}' -H 'DD-API-KEY: k' "$STATWIT_URL/api/v1/validate")" = 503 ]
        curl -fsS -X DELETE "$STATWIT_URL/recorder/v1/faults" >/dev/null
        curl -fsS -X DELETE "$STATWIT_URL/recorder/v1/sessions/$name" >/dev/null
    }
    while [ "$turns" -lt 10 ]; do turn; done
    memory=$(resident) open=$(descriptors)
    end=$((SECONDS + SOAK_SECONDS))
    while [ "$SECONDS" -lt "$end" ]; do turn; done
    echo "after $turns turns: memory $memory -> $(resident) KiB, descriptors $open -> $(descriptors)" | tee soak.txt
    [ "$(resident)" -lt $((memory + memory / 4 + 16384)) ]
    [ "$(descriptors)" -le $((open + 4)) ]
    [ "$(verdict 'count kept sum == 1')" = pass ]
    status | jq -e '.sessions == 1 and .counts.samples == 1 and ([.losses[]] | add) == 0'
    stop
    [ "$status" -eq 0 ]
    sound r.db
    echo "# $(cat soak.txt)" >&3
}
