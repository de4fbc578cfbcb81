#!/usr/bin/env bats
# Mixed load for SOAK_S seconds: one session that is fed all the time and forgets, beside it sessions made, fed over each
# transport, asked and removed, faults, clients that go away; memory and descriptors stay flat, and every count is exact.
load ../e2e/helper
load fault

resident() { awk '/VmRSS/ {print $2}' "/proc/$SERVER/status"; }
file_size() { du -ck r.db r.db-wal | awk 'END {print $1}'; } # KiB, the write-ahead log's too
# Who left has been noticed; up to 16 Unix sockets are kept ready for the next sessions (UNIXGRAM_SPARES).
settled() { [ "$(descriptors)" -le $(($1 + 16 + 4)) ]; }
# The recording's own descriptors are counted apart: the pool of readers opens one when it is first needed, and keeps it.
descriptors() { find "/proc/$SERVER/fd" -type l ! -lname '*/r.db*' | wc -l; }
on_the_file() { find "/proc/$SERVER/fd" -type l -lname '*/r.db*' | wc -l; }
teardown() { # a soak that fails early would flood on
    [ -z "${STEADY-}" ] || kill "$STEADY" 2>/dev/null || true
    end_server
}
sum() { awk '{n += $1} END {print n}' "$1"; } # of a file's numbers
judged() { # SESSION EXPECTATION
    [ "$(jq -n --arg s "$1" --arg e "$2" '{session: $s, expect: [$e]}' |
        curl -fsS -m 60 "$STATWIT_URL/recorder/v1/expect" -d @- | tee "$1.json" | jq -r .verdict)" = pass ] || { cat "$1.json"; return 1; }
}

# Each feeds a session, whose description is in $1.session, and leaves in $1.sent how many samples that were.
feed_udp() { hammer flood "$(jq -r '.dogstatsd.udp | split(":")[1]' "$1.session")" $((RANDOM % 5000 + 1)) 0 >"$1.sent"; }
feed_unixgram() { hammer flood "$(jq -r .dogstatsd.unixgram "$1.session")" $((RANDOM % 5000 + 1)) 0 >"$1.sent"; }
feed_http() {
    local n=$((RANDOM % 500 + 1))
    jq -n --argjson n "$n" '{series: [range($n) | {metric: "service.http", type: 3, tags: ["n:\(. % 50)"], points: [{timestamp: (now | floor), value: .}]}]}' |
        curl -fsS -m 60 -H "DD-API-KEY: $(jq -r .api_key "$1.session")" -H 'Content-Type: application/json' "$STATWIT_URL/api/v2/series" -d @- >/dev/null
    echo "$n" >"$1.sent"
}

# What goes wrong on a good day: an injected fault, a POST given up in its middle, a question nobody waits for any more.
mischief() { # SESSION
    curl -fsS -X PUT "$STATWIT_URL/recorder/v1/faults" -d '{"http":[{"path":"/api/v1/validate","status":503,"times":1}]}' >/dev/null
    [ "$(code -H 'DD-API-KEY: k' "$STATWIT_URL/api/v1/validate")" = 503 ] || { cat body; return 1; }
    curl -fsS -X DELETE "$STATWIT_URL/recorder/v1/faults" >/dev/null
    exec 9<>"/dev/tcp/127.0.0.1/$(http_port)"
    printf 'POST /api/v2/series HTTP/1.1\r\nHost: localhost\r\nDD-API-KEY: k\r\nContent-Length: 100\r\n\r\n{"ser' >&9
    exec 9>&-
    local asked=0
    curl -sS -m 0.05 "$STATWIT_URL/recorder/v1/expect" -d "{\"session\":\"$1\",\"expect\":[\"count never.sent sum == 1\"],\"within_ms\":20000}" >asked 2>&1 || asked=$?
    [ "$asked" -eq 28 ] || { cat asked; return 1; }
}

# Turns of one lane, until its time is over or another lane failed.
lane() { # TRANSPORT SECONDS
    local turn total=0 name=$1$BASHPID end=$((SECONDS + $2))
    for ((turn = 0; SECONDS < end; turn++)); do
        [ ! -e failed ] || break
        curl -fsS -m 60 "$STATWIT_URL/recorder/v1/sessions" -d "{\"name\":\"$name\",\"unix\":true}" >"$name.session"
        "feed_$1" "$name"
        total=$((total + $(cat "$name.sent")))
        judged "$name" "any service.* samples == $(cat "$name.sent")"
        [ "$1" != http ] || mischief "$name"
        curl -fsS -m 60 -X DELETE "$STATWIT_URL/recorder/v1/sessions/$name" >/dev/null
    done
    echo "$turn" >>turns
    echo "$total" >>sent
}
lanes() { # SECONDS: all of them at once
    local transport lane running=() failed=0
    for transport in udp unixgram http; do
        (set -eE; trap 'touch failed; echo "$transport: $BASH_COMMAND" >&2' ERR; lane "$transport" "$1") 3>&- &
        running+=($!)
    done
    for lane in "${running[@]}"; do wait "$lane" || failed=1; done
    [ "$failed" -eq 0 ]
}

@test "a soak: flat memory and descriptors, exact counts at the end" {
    start --db r.db --retention-samples 200000
    statwit send 'kept:1|c'
    "$HAMMER_BIN" flood "$(udp_port)" $((SOAK_SECONDS * 10000)) 10000 >steady 3>&- &
    STEADY=$!
    local warm=$((SOAK_SECONDS / 4 + 1)) memory open bytes
    lanes "$warm"
    memory=$(resident) open=$(descriptors) bytes=$(file_size)
    lanes $((SOAK_SECONDS - warm))
    wait "$STEADY"
    status >status.json
    echo "$SOAK_SECONDS s, $(sum turns) sessions with $(sum sent) samples, $(cat steady) in the one beside them; from a quarter of the time to the end:" \
        "memory $memory -> $(resident) KiB, descriptors $open -> $(descriptors) and $(on_the_file) on the file, file $bytes -> $(file_size) KiB" | tee soak.txt
    [ "$(resident)" -lt $((memory + memory / 4 + 16384)) ]
    [ "$(file_size)" -lt $((bytes + bytes / 4 + 65536)) ]
    eventually settled "$open"
    [ "$(on_the_file)" -gt 0 ]
    [ "$(on_the_file)" -le 18 ] # the writer's connection and five readers', each with file, log and index
    jq -e --argjson steady "$(cat steady)" --argjson sent "$(sum sent)" '.sessions == 1 and .counts.received_samples == $steady + $sent + 1 and
        .counts.samples + .losses.evicted == $steady + 1 and ([.losses | del(.evicted, .unixgram_full)[]] | add) == 0' status.json || { cat status.json; return 1; }
    stop
    [ "$status" -eq 0 ]
    sound r.db
    echo "# $(cat soak.txt)" >&3
}
