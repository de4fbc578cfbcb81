#!/usr/bin/env bats
# The command line itself: help, versions, misspellings, where a value comes from.
load helper

@test "the version" {
    run statwit --version
    exits 0
    [[ $output =~ ^statwit\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "help for the program and for each command, with examples" {
    run statwit --help
    exits 0
    has Examples
    for command in $(statwit --help | awk '/^Commands/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'); do
        run statwit "$command" --help
        exits 0
        has "usage: statwit $command"
        has Examples
        run statwit help "$command"
        exits 0
    done
}

@test "no command is a mistake in usage" {
    run statwit
    exits 2
    has Commands
}

@test "a misspelt command or option is told the nearest" {
    run statwit sreve
    exits 2
    has "did you mean serve?"
    run statwit serve --http-prot 1
    exits 2
    has "did you mean --http-port?"
    run statwit frobnicate
    exits 2
    has "statwit --help"
}

@test "a bad value names the option, or the variable, and what it must be" {
    run statwit serve --http-port 70000
    exits 2
    has "--http-port must be a port, 0 to 65535, not '70000'"
    STATWIT_QUEUE_MEMORY=lots run statwit serve
    exits 2
    has "STATWIT_QUEUE_MEMORY must be a size"
    DD_DOGSTATSD_PORT=x run statwit serve
    exits 2
    has DD_DOGSTATSD_PORT
    run statwit serve --http-port
    exits 2
    has "--http-port needs a value"
    run statwit export --format xml
    exits 2
    has "jsonl|csv|dogstatsd|openmetrics"
    run statwit serve surplus
    exits 2
    has surplus
}

@test "flag beats STATWIT_ beats DD_ beats default" {
    DD_DOGSTATSD_SOCKET=$PWD/dd.sock start
    [ "$(ready .dogstatsd.unixgram)" = "$PWD/dd.sock" ]
    stop
    DD_DOGSTATSD_SOCKET=$PWD/dd.sock STATWIT_DOGSTATSD_SOCKET=$PWD/sw.sock start
    [ "$(ready .dogstatsd.unixgram)" = "$PWD/sw.sock" ]
    stop
    DD_DOGSTATSD_SOCKET=$PWD/dd.sock STATWIT_DOGSTATSD_SOCKET=$PWD/sw.sock start --dogstatsd-socket "$PWD/flag.sock"
    [ "$(ready .dogstatsd.unixgram)" = "$PWD/flag.sock" ]
    stop
    start
    [ "$(ready .dogstatsd.unixgram)" = null ]
}

@test "an empty variable is as good as none" {
    STATWIT_DOGSTATSD_SOCKET='' DD_BIND_HOST='' start
    [ "$(ready .dogstatsd.unixgram)" = null ]
}

@test "completion is valid in its shell" {
    for shell in bash zsh fish; do
        run statwit completion $shell
        exits 0
        has statwit
        has dogstatsd-port
    done
    statwit completion bash >completion.bash
    bash -n completion.bash
    # shellcheck disable=SC1091,SC2207
    run bash -c 'source ./completion.bash; COMP_WORDS=(statwit ser); COMP_CWORD=1; _statwit; echo "${COMPREPLY[*]}"'
    has serve
    run bash -c 'source ./completion.bash; COMP_WORDS=(statwit catalog --format ""); COMP_CWORD=3; _statwit; echo "${COMPREPLY[*]}"'
    [ "$output" = "json csv" ]
    run bash -c 'source ./completion.bash; COMP_WORDS=(statwit export --format o); COMP_CWORD=3; _statwit; echo "${COMPREPLY[*]}"'
    [ "$output" = openmetrics ]
    while IFS=: read -r line want; do
        # shellcheck disable=SC1091,SC2016,SC2207
        run bash -c 'source ./completion.bash; IFS=, read -ra COMP_WORDS <<<"$1"; [[ $1 != *, ]] || COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _statwit; echo "${COMPREPLY[*]}"' - "$line"
        [ "$output" = "$want" ]
    done <<'END'
statwit,session,:new ls rm
statwit,catalog,m:merge
statwit,fault,:ls clear http dogstatsd load
statwit,completion,z:zsh
statwit,help,mar:mark
statwit,ls,--type,g:gauge
statwit,lint,--silence,name-d:name-dropped
statwit,ls,:
statwit,ls,--session,:
statwit,verify,--catalog,completion.b:completion.bash
statwit,replay,completion.b:completion.bash
END
    run statwit completion tcsh
    exits 2
}

# What a shell offers behind a line: the words, in one line. zsh and fish are driven as a user does.
offered() { # SHELL LINE
    case $1 in
    zsh) HOME=$BATS_TEST_TMPDIR python3 "$BATS_TEST_DIRNAME/zsh_complete.py" ./completion.zsh "$2" | paste -sd ' ' ;;
    fish) HOME=$BATS_TEST_TMPDIR fish --no-config -c 'source ./completion.fish; complete -C "$argv[1]"' "$2" 2>&1 | cut -f1 | LC_ALL=C sort | paste -sd ' ' ;;
    esac
}

offers_what_is_meant() { # SHELL
    command -v "$1" >/dev/null || skip "$1 is not installed"
    statwit completion "$1" >"completion.$1"
    : >a-file-for-completion
    while IFS=: read -r line want; do
        [ "$(offered "$1" "$line")" = "$want" ] || {
            echo "$1 offers behind '$line': $(offered "$1" "$line")"
            return 1
        }
    done <<'END'
statwit ser:serve
statwit h:help
statwit -:--help --version
statwit help mar:mark
statwit session :ls new rm
statwit session new r:
statwit catalog m:merge
statwit completion z:zsh
statwit ls --ty:--type
statwit ls --type g:gauge
statwit ls session --kee:
statwit lint --silence name-d:name-dropped
statwit expect -f a-file-for:a-file-for-completion
statwit replay a-file-for:a-file-for-completion
END
}

@test "zsh offers the words that are meant" {
    offers_what_is_meant zsh
}

@test "fish offers the words that are meant" {
    offers_what_is_meant fish
}
