# What the stories of the packages share. Each has a folder of its own; what it started ends with it.
# shellcheck shell=bash disable=SC2034,SC2154

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
VERSION=$(sed -n 's/^VERSION := //p' "$TOP/Makefile")
ARCH=$(uname -m)

# MISSING, which setup_file may export, says why none of a file's stories can be told.
setup() {
    [ -z "${MISSING-}" ] || skip "$MISSING"
    cd "$BATS_TEST_TMPDIR" || return
    local name
    for name in $(compgen -e | grep -E '^(DD_|STATSD_|STATWIT_|(CI|GITHUB_ACTIONS|MAKEFLAGS|MAKELEVEL)$)'); do
        [ "$name" = STATWIT_STATIC ] || unset "$name"
    done
    SERVER=
}

teardown() { end_server; }
end_server() {
    [ -z "$SERVER" ] || { kill "$SERVER" 2>/dev/null; wait "$SERVER" 2>/dev/null; } || true
    SERVER=
}

# A root with nothing in it but what the arguments name, in $ROOT.
empty_root() {
    [ "$(id -u)" -eq 0 ] || skip "chroot needs root"
    ROOT=$BATS_TEST_TMPDIR/root
    mkdir -p "$ROOT/tmp"
    chmod 1777 "$ROOT" "$ROOT/tmp"
}

# Runs in that root as the image's user. No environment.
CHROOT=$(PATH=$PATH:/usr/sbin:/sbin command -v chroot)
inside() { env -i "$CHROOT" --userspec=65534:65534 "$ROOT" "$@"; }

# Starts a server there; its ready line is in $READY, its address in $URL.
start_inside() {
    mkfifo ready.fifo
    env -i "$CHROOT" --userspec=65534:65534 "$ROOT" "$@" >ready.fifo 2>serve.err 3>&- </dev/null &
    SERVER=$!
    read -r -t 60 READY <ready.fifo || { cat serve.err; return 1; }
    URL=$(jq -r .http <<<"$READY")
}

has() { [[ $output == *"$1"* ]] || { printf 'not in the output: %s\n--- output:\n%s\n' "$1" "$output"; return 1; }; }
exits() { [ "$status" -eq "$1" ] || { printf 'exit code %s, not %s\n--- output:\n%s\n' "$status" "$1" "$output"; return 1; }; }
