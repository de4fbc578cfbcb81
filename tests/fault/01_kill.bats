#!/usr/bin/env bats
# kill -9: what was acknowledged is there, and the file is sound.
load ../e2e/helper
load fault

@test "kill -9 at random moments under load loses nothing that was acknowledged" {
    local run name sent acknowledged posted accepted wrong n
    for ((run = 0; run < KILLS_WANTED; run++)); do
        name=run$run
        [ $((run % 5)) -ne 0 ] || rm -f r.db*
        start --db r.db
        hammer ledger "$(http_port)" "$(udp_port)" "$name" >ledger &
        local hammer=$!
        sleep 0.$((RANDOM % 500 + 100))
        stop KILL
        wait "$hammer"
        read -r sent acknowledged posted accepted wrong <ledger
        echo "run $run: $(cat ledger)"
        [ "$wrong" -eq 0 ]
        n=$(statwit ls --db r.db "$name.udp" --json | jq '[.series[].samples] | add // 0')
        [ "$n" -ge "$acknowledged" ] && [ "$n" -le "$sent" ]
        sound r.db
        n=$(sql r.db "SELECT count(*) FROM samples WHERE name = '$name.udp'")
        [ "$n" -ge "$acknowledged" ] && [ "$n" -le "$sent" ]
        n=$(sql r.db "SELECT count(*) FROM samples WHERE name = '$name.http'")
        [ "$n" -ge "$accepted" ] && [ "$n" -le "$posted" ]
    done
}

@test "kill -9 between two commits: what a 202 said is there for SQL, for a reader, for a view, and for the next server" {
    local run name sent acknowledged n
    for ((run = 0; run < KILLS_WANTED; run++)); do
        name=run$run
        [ $((run % 5)) -ne 0 ] || rm -f r.db*
        start --db r.db
        hammer posts "$(http_port)" "$name" >ledger &
        local hammer=$!
        sleep 0.$((RANDOM % 500 + 300))
        stop KILL
        wait "$hammer"
        read -r sent acknowledged <ledger
        echo "run $run: $(cat ledger), $(sql r.db 'SELECT count(*) FROM kept') rows kept"
        n=$(sql r.db "SELECT count(*) FROM samples WHERE name GLOB '$name.*'")
        [ "$n" -ge "$acknowledged" ] && [ "$n" -le "$sent" ]
        [ "$(sql r.db "SELECT coalesce(sum(samples), 0) FROM series WHERE name GLOB '$name.*'")" -eq "$n" ]
        sound r.db
        [ "$(statwit ls --db r.db "$name.*" --json | jq '[.series[].samples] | add // 0')" -eq "$n" ]
        [ "$(statwit export --db r.db --format jsonl | grep -c "\"name\":\"$name\.")" -eq "$n" ]
        start --db r.db
        [ "$(statwit ls "$name.*" --json | jq '[.series[].samples] | add // 0')" -eq "$n" ]
        stop
        [ "$status" -eq 0 ]
        sound r.db
        [ "$(sql r.db "SELECT count(*) FROM samples WHERE name GLOB '$name.*'")" -eq "$n" ]
        [ "$(sql r.db 'SELECT (SELECT count(*) FROM kept) + (SELECT count(*) FROM kept_request)')" -eq 0 ]
    done
}

@test "after kill -9 the next server goes on with the same file, and no id is given twice" {
    start --db r.db
    hammer ledger "$(http_port)" "$(udp_port)" a >ledger &
    local hammer=$!
    sleep 0.3
    stop KILL
    wait "$hammer"
    start --db r.db
    statwit send b:1\|c
    [ "$(verdict 'count b sum == 1')" = pass ]
    stop
    [ "$status" -eq 0 ]
    sound r.db
    [ "$(sql r.db 'SELECT count(*) - count(DISTINCT id) FROM samples')" -eq 0 ]
    [ "$(sql r.db "SELECT (SELECT id FROM samples WHERE name = 'b') = (SELECT max(id) FROM samples)")" -eq 1 ]
}
