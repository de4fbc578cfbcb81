#!/usr/bin/env bats
# ls --by: who sends a name. What only pushed recordings can tell is in tests/fleet.
# shellcheck disable=SC2154 # output: run's
load helper

@test "ls --by puts series together, of a server and of its file" {
    start --db r.db
    statwit session new other >/dev/null
    statwit send -q 'a.b:1|c|#env:ci,x:1' 'a.b:2|c|#env:ci,x:1' 'a.b:3|c|#env:dev|e:x' 'a.c:1|g|#host:web-1' 'z:1|c'
    statwit send -q --session other 'a.b:5|c|#env:ci,x:1'
    statwit status >/dev/null
    for where in "" "--db r.db"; do
        # shellcheck disable=SC2086
        by() { statwit ls $where --json --by "$@" | jq -c '.emitters[]'; }
        [ "$(by session a.b | jq -c '[.session, .series, .samples, .recordings]')" = '["default",2,3,1]
["other",1,1,1]' ]
        [ "$(by tags a.b | jq -c '[.tags, .series, .samples]')" = '[["env:ci","x:1"],2,3]
[["env:dev"],1,1]' ]
        [ "$(by host,name | jq -c '[.host, .name, .samples]')" = '[null,"a.b",4]
[null,"z",1]
["web-1","a.c",1]' ]
        [ "$(by type --tag 'env:*' | jq -c '[.type, .series, .samples]')" = '["count",3,4]' ]
        [ "$(by name --session default --sort samples | jq -c '[.name, .samples]' | head -1)" = '["a.b",3]' ]
        [ "$(by name nobody)" = "" ]
        # shellcheck disable=SC2086
        run statwit ls a.b --by session,tags $where
        exits 0
        has "SESSION"
        has "env:ci,x:1"
        hasnt RECORDINGS
    done
    mark=$(statwit mark)
    statwit send -q 'a.b:9|c|#env:ci,x:1'
    [ "$(statwit ls a.b --by session --since "$mark" --json | jq .emitters[0].samples)" = 1 ]
    run statwit ls nobody --by name
    exits 0
    has "nobody sends nobody"
}

@test "what --by cannot tell is refused in words" {
    statwit run --db r.db -q -- "$STATWIT_BIN" send --to http 'a:1|c'
    run statwit ls --db r.db --by repo,branch
    exits 2
    has "only recordings that were pushed have labels"
    run statwit ls --db r.db --by sesion
    exits 2
    has "did you mean 'session'?"
    run statwit ls --db r.db --by name,name
    exits 2
    has "twice"
    run statwit ls --db r.db --by name,
    exits 2
    run statwit ls --db r.db --by label.
    exits 2
    run statwit ls --db r.db --by name --sort p95
    exits 2
    has "newest or arrival"
    run statwit ls --db r.db --by name --session nobody
    exits 2
}
