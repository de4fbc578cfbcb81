#!/usr/bin/env bats
# What other processes do comes in between two calls of one: slow_calls.c makes that likely.
load ../e2e/helper
load fault

names() { # LIST: the names in it, each once
    curl -sS -o answer -w '%{http_code}' "${address}recorder/v1/$1" >code
    [ "$(cat code)" = 200 ] && jq -r "[.$1[].name] | unique | join(\" \")" answer
}

@test "view beside recordings that are made, written and removed: each answer is of one of them" {
    statwit run -q --db k.db -- "$STATWIT_BIN" send n0:1\|c
    mkfifo view.fifo
    SLOW_CALLS=20 LD_PRELOAD=$SLOW_CALLS_LIBRARY "$STATWIT_BIN" view k.db >view.fifo 2>view.err 3>&- &
    SERVER=$!
    read -r -t 60 address <view.fifo
    ask_on() {
        local list
        while [ ! -e done ]; do
            for list in series samples; do
                if names "$list" >names; then
                    grep -Exq 'n?[0-9]*' names || { echo "$list: $(cat names)"; cat answer; } >>wrong # n5 and n6: two were read as one
                    echo >>asked
                else
                    grep -q 'somebody began to record into it meanwhile: ask again' answer || cat code answer >>wrong
                fi
            done
        done
    }
    ask_on &
    asker=$!
    for i in $(seq 60); do
        case $((RANDOM % 4)) in
        0) rm k.db ;;
        1) rm -f k.db k.db-wal k.db-shm ;;
        esac
        SLOW_CALLS=$((i % 2 ? 50 : 0)) LD_PRELOAD=$SLOW_CALLS_LIBRARY "$STATWIT_BIN" run -q --db k.db -- "$STATWIT_BIN" send "n$i:1|c"
    done
    : >done
    wait "$asker"
    [ ! -s wrong ] || { cat wrong; return 1; }
    [ -s asked ]
}

teardown() {
    end_server
    repeat_if_dropped
}
