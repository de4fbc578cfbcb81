#!/usr/bin/env bats
# What other processes do comes in between two calls of one: slow_calls.c makes that likely.
load ../e2e/helper
load fault

names() { # LIST: the names in it, each once
    curl -sS -o answer -w '%{http_code}' "${address}recorder/v1/$1" >code
    [ "$(cat code)" = 200 ] && jq -r "[.$1[].name] | unique | join(\" \")" answer
}

view_slowly() { # k.db
    mkfifo view.fifo
    SLOW_CALLS=20 LD_PRELOAD=$SLOW_CALLS_LIBRARY "$STATWIT_BIN" view k.db >view.fifo 2>view.err 3>&- &
    SERVER=$!
    read -r -t 60 address <view.fifo
}

ask_on() { # ANSWER, a pattern of it; until there is the file `done`, or nobody answers
    local list
    while [ ! -e done ]; do
        for list in series samples; do
            if names "$list" >names; then
                grep -Exq "$1" names || { echo "$list: $(cat names)"; cat answer; } >>wrong # n5 and n6: two were read as one
                echo >>asked
            elif [ "$(cat code)" = 000 ]; then
                echo "no answer" >>wrong
                return
            else
                cat code answer >>wrong
            fi
        done
    done
}

@test "view beside recordings that are made, written and removed: each answer is of one of them" {
    statwit run -q --db k.db -- "$STATWIT_BIN" send n0:1\|c
    view_slowly
    ask_on '(n[0-9]+)?' & # nothing is in a new file yet
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

@test "view beside recordings that are moved to where one lay whose recorder was killed: each answer is of one of them" {
    killed() { # NAME: recorded into k.db, whose log keeps it
        start --db k.db
        statwit send "$1:1|c"
        statwit status >/dev/null
        stop KILL
    }
    killed n0
    view_slowly
    OTHER=$SERVER
    ask_on 'n[0-9]+' &
    asker=$!
    for i in $(seq 12); do
        statwit run -q --db other.db -- "$STATWIT_BIN" send "n$i:1|c"
        mv other.db k.db
        export SLOW_CALLS=50 LD_PRELOAD=$SLOW_CALLS_LIBRARY
        killed "n$i"
        unset SLOW_CALLS LD_PRELOAD
        [ "$(statwit export --db k.db | jq -r .name | uniq -c | xargs)" = "2 n$i" ]
    done
    : >done
    wait "$asker"
    [ ! -s wrong ] || { cat wrong; return 1; }
    [ -s asked ]
    SERVER=$OTHER OTHER=
    stop
    [ "$status" -eq 0 ]
}

@test "view that is opened while a recorder begins: it sees what that records" {
    mkfifo view.fifo
    statwit run -q --db one.db -- "$STATWIT_BIN" send one:1\|c
    for i in $(seq 16); do
        rm -f k.db*
        cp one.db k.db
        [ $((i % 2)) = 0 ] || : >k.db-wal # as a recorder's end beside a viewer leaves it
        mkfifo ready.fifo
        SLOW_CALLS=3 LD_PRELOAD=$SLOW_CALLS_LIBRARY "$STATWIT_BIN" serve --dogstatsd-port 0 --http-port 0 --db k.db >ready.fifo 2>serve.err 3>&- &
        SERVER=$!
        "$STATWIT_BIN" view k.db >view.fifo 2>view.err 3>&- &
        viewer=$!
        exec 7<ready.fifo 8<view.fifo # both programs start when their output has a reader
        read -r -t 60 -u 7 READY
        read -r -t 60 -u 8 address
        exec 7<&- 8<&-
        rm ready.fifo
        STATWIT_URL=$(ready .http) statwit send fresh:1\|c
        STATWIT_URL=$(ready .http) statwit status >/dev/null
        until names series >seen; do grep -q ': ask again' answer; done
        [ "$(cat seen)" = "fresh one" ] || { echo "round $i: $(cat answer)"; return 1; }
        kill "$viewer"
        wait "$viewer" || true
        end_server
    done
}

teardown() {
    end_server
    SERVER=${OTHER:-}
    end_server
    repeat_if_dropped
}
