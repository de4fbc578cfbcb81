# What the stories of the packages share. Each has a folder of its own; what it started ends with it.
# shellcheck shell=bash disable=SC2034,SC2154
source "$BATS_TEST_DIRNAME/../support/repeat.bash"

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

teardown() {
    end_server
    repeat_if_dropped
}
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

# Runs the script of standard input on a layer over this system's files, with the files that are named in /files. Its changes are in
# memory, and gone when it ends. `no COMMAND` in it fails when the command succeeds.
on_a_copy() { # file...
    [ "$(id -u)" -eq 0 ] || skip "a layer over the system needs root"
    unshare --mount true 2>/dev/null || skip "no mount namespace here"
    mkdir layer
    { echo 'no() { if "$@"; then echo "should not succeed: $*"; exit 1; fi; }'; cat; } >script.sh
    unshare --mount bash -euc '
        mount -t tmpfs none layer && mkdir layer/{up,work,root}
        mount -t overlay overlay -o "lowerdir=/,upperdir=$PWD/layer/up,workdir=$PWD/layer/work" layer/root || exit 99
        mkdir -p layer/root/files
        cp script.sh "$@" layer/root/files/
        mount --rbind /dev layer/root/dev && mount -t proc proc layer/root/proc
        exec chroot layer/root bash -eu /files/script.sh' - "$@" || {
        local status=$?
        [ "$status" -ne 99 ] || skip "no overlay file system here"
        return "$status"
    }
}
