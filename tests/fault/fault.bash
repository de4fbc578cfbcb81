# What the fault tests share beyond tests/e2e/helper.bash.
# shellcheck shell=bash disable=SC2154,SC2034
HAMMER_BIN=${HAMMER:-$BATS_TEST_DIRNAME/../../build/release/fault/hammer}
CLOCK_SHIFT=${CLOCK_SHIFT:-$BATS_TEST_DIRNAME/../../build/clock_shift.so}
SLOW_CALLS_LIBRARY=${SLOW_CALLS_LIBRARY:-$BATS_TEST_DIRNAME/../../build/slow_calls.so}
KILLS_WANTED=${KILLS:-20}
SOAK_SECONDS=${SOAK_S:-5}
hammer() { "$HAMMER_BIN" "$@"; }

http_port() { local url; url=$(ready .http); echo "${url##*:}"; }
udp_port() { local at; at=$(ready .dogstatsd.udp); echo "${at##*:}"; }
status() { curl -fsS -m 60 "$STATWIT_URL/recorder/v1/status"; }
# The status of a request, whose body is left in the file `body`.
code() { curl -sS -m 60 -o body -w '%{http_code}' "$@"; }
# One expectation; prints pass, fail or inconclusive.
verdict() {
    jq -n --arg e "$1" '{expect: [$e]}' | curl -fsS -m 60 "$STATWIT_URL/recorder/v1/expect" -d @- | tee answer.json | jq -r .verdict
}
sql() { sqlite3 -cmd '.timeout 20000' "$@"; }

# The file is whole and its summaries say what its samples add up to.
sound() {
    [ "$(sql "$1" 'PRAGMA integrity_check')" = ok ]
    local off
    off=$(sql "$1" "
        WITH rows AS (SELECT series_id AS id, count(*) AS n, total(value * CASE type WHEN 'count' THEN 1 / coalesce(sample_rate, 1) ELSE 1 END) AS sum,
                             max(value) AS max, min(value) AS min FROM samples GROUP BY series_id)
        SELECT s.name, s.tags, s.samples, r.n, s.sum, r.sum FROM series s LEFT JOIN rows r ON r.id = s.id
        WHERE s.samples IS NOT r.n OR s.max IS NOT r.max OR s.min IS NOT r.min OR abs(s.sum - r.sum) > 1e-6 * (1 + abs(r.sum)) LIMIT 5")
    [ -z "$off" ] || { printf 'summaries are not what the rows say:\n%s\n' "$off"; return 1; }
}
eventually() { # COMMAND…: until it holds, 120 s at most
    local end=$((SECONDS + 120))
    until "$@"; do [ "$SECONDS" -lt "$end" ] || { echo "never: $*"; return 1; }; done
}
