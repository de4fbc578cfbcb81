# What the stories share. Each test has a folder of its own ($BATS_TEST_TMPDIR), free ports, and ends its own server.
# shellcheck shell=bash disable=SC2034,SC2154
source "$BATS_TEST_DIRNAME/../support/repeat.bash"

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    local name
    for name in $(compgen -e | grep -E '^(DD_|DATADOG_|STATSD_|STATWIT_|(CI|GITHUB_ACTIONS)$)'); do unset "$name"; done
    export NO_COLOR=1
    SERVER=
}

# The variable that says which binary was unset above: it was kept here when the file was loaded.
STATWIT_BIN=${STATWIT:-$BATS_TEST_DIRNAME/../../build/statwit}
statwit() { "$STATWIT_BIN" "$@"; }

teardown() {
    end_server
    repeat_if_dropped
}
end_server() {
    [ -z "$SERVER" ] || { kill "$SERVER" 2>/dev/null; wait "$SERVER" 2>/dev/null; } || true
}

# Starts `statwit serve OPTION…` on free ports; waits for its ready line, kept in $READY.
start() {
    rm -f ready.fifo
    mkfifo ready.fifo
    "$STATWIT_BIN" serve --dogstatsd-port 0 --http-port 0 --db :memory: "$@" >ready.fifo 2>serve.err 3>&- &
    SERVER=$!
    read -r -t 60 READY <ready.fifo || { cat serve.err; return 1; }
    STATWIT_URL=$(jq -r .http <<<"$READY")
    export STATWIT_URL
}

# Ends it as a supervisor does; its exit code is in $status.
stop() {
    kill "-${1:-TERM}" "$SERVER"
    status=0
    wait "$SERVER" || status=$?
    SERVER=
}

ready() { jq -r "$1" <<<"$READY"; }

# The output holds this text.
has() { [[ $output == *"$1"* ]] || { printf 'not in the output: %s\n--- output:\n%s\n' "$1" "$output"; return 1; }; }
hasnt() { [[ $output != *"$1"* ]] || { printf 'in the output: %s\n--- output:\n%s\n' "$1" "$output"; return 1; }; }
exits() { [ "$status" -eq "$1" ] || { printf 'exit code %s, not %s\n--- output:\n%s\n' "$status" "$1" "$output"; return 1; }; }
