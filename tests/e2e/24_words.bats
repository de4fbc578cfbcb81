#!/usr/bin/env bats
# What is printed: whole words, true numbers, and nothing that a reader would take for a command.
load helper

@test "help lost the blank between two words where a line ended" {
    for command in $(statwit --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
        # As one line, the help of each option is what the table says.
        statwit "$command" --help | tr -s ' \n' '  ' >"$command.text"
        awk 'length > 160 { print FILENAME ": " $0; bad = 1 } END { exit bad }' <(statwit "$command" --help)
    done
    grep -q 'named by no expectation, nor declared by --catalog' expect.text
    grep -q 'named by no expectation, nor declared by --catalog' run.text
    # Every help text of the table, wrapped, in full.
    grep -E '^ {4}\{OPT_' "$BATS_TEST_DIRNAME/../../server/command/options.c" | sed 's/"},$//; s/.*"//' >texts
    [ "$(wc -l <texts)" -gt 80 ]
    while read -r text; do
        grep -qF -- "$text" ./*.text || { echo "not whole: $text"; return 1; }
    done <texts
}

@test "lint and verify counted warnings as expectations that passed" {
    start
    statwit send 'login.attempt:1|c' 'odd-name:1|c'
    run statwit lint
    [[ $output =~ '2 series, '[0-9]+' rules: 1 error, 0 warnings' ]]
    hasnt expectation
    echo '{"metrics":{"login.attempt":{"type":"count"},"never.seen":{"type":"count"}}}' >catalog.json
    run statwit verify --catalog catalog.json
    exits 1
    has '2 series, 2 declared metrics: 1 error, 1 warning'
    hasnt expectations
    statwit reset
    run statwit lint
    [[ $output =~ '0 series, '[0-9]+' rules: 0 errors, 0 warnings' ]]
}

@test "one sample is one sample" {
    run statwit run -- "$STATWIT_BIN" send 'a:1|c'
    has 'recorded 1 sample in 1 series'
}

@test "'no no' was told to become 'no'" {
    run statwit expect 'no no incr a'
    exits 2
    hasnt 'did you mean'
    run statwit expect 'No incr a'
    has "did you mean 'no'?"
}

@test "a session's bad name was told with what the system calls it" {
    start
    run statwit session new 'a b'
    exits 2
    has "not 'a b'"
    hasnt 'Invalid argument'
    run statwit session rm default
    exits 2
    hasnt 'Invalid argument'
}

@test "-n 0 was everything of a file, and nothing of a server" {
    for n in 0 -1 1.5 x ''; do
        for from in --url=http://127.0.0.1:1 --db=none.db; do
            run statwit samples "$from" -n "$n"
            exits 2
            has '-n must be a whole number from 1'
        done
    done
}

@test "the man pages are of Linux, and quote one word at a time" {
    command -v groff >/dev/null || skip "no groff"
    for page in "$BATS_TEST_DIRNAME"/../../server/*.[1-9] "$BATS_TEST_DIRNAME"/../../client/c/*.3; do
        run groff -mandoc -Tascii "$page"
        exits 0
        hasnt BSD
        # Enclosures around a list would be around its commas.
        ! grep -nE '^\.(Dq|Sq|Ql|Qq) .* , ' "$page"
    done
}

@test "export into head complained" {
    start
    seq 20000 | sed 's/.*/a.very.long.name.&:1|c/' | statwit send --to http
    for command in export "export --format csv" ls samples "ls -j" snapshot; do
        # shellcheck disable=SC2086
        statwit $command 2>err | head -n 1 >line
        [ "${PIPESTATUS[0]}" -eq 141 ]
        [ -s line ]
        [ ! -s err ] || { cat err; return 1; }
    done
}

# What a runner of GitHub Actions takes for a command.
no_commands() {
    grep -v '^::error title=statwit' <<<"$output" | tr '\r' '\n' >lines # but for our own
    ! grep -nE '^[[:space:]]*::|##\[' lines
}

@test "what was received could give commands to a runner of GitHub Actions" {
    export GITHUB_ACTIONS=true
    start --db r.db
    printf '%s\n' '::add-mask::x' '  ::stop-commands::abc' 'a:##[add-mask]x|c' 'b:1|c|#k:##[group]x' | statwit send
    curl -fsS "$STATWIT_URL/api/v1/series" -H 'DD-API-KEY: k' -H 'Content-Type: application/json' \
        -d '{"series":[{"metric":"::error::x","type":"count","points":[['"$(date +%s)"',1]]},{"metric":"x\r::error::y","type":"count","points":[['"$(date +%s)"',1]],"tags":["k:\n::error::z"]}]}'
    look() {
        for command in rejects "rejects -j" ls "ls -j" samples "samples -j" export "export --format csv" "export --format dogstatsd" \
            "export --format openmetrics" snapshot lint "catalog infer" "expect -j incr" ; do
            # shellcheck disable=SC2086
            run statwit ${command/ incr/ any\ none} "$@"
            [ -n "$output" ]
            no_commands || { echo "$command"; return 1; }
        done
        run statwit expect "$@" 'count ::error:x' 'incr a'
        has closest
        no_commands
    }
    look
    stop
    look --db r.db
    # A file keeps every byte.
    statwit export --db r.db --format csv -o with.csv
    GITHUB_ACTIONS='' statwit export --db r.db --format csv >without.csv
    cmp with.csv without.csv
}
