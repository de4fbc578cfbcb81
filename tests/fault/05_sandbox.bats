#!/usr/bin/env bats
# server/statwit.service: what it forbids, statwit does not need. There is no systemd where tests run: its rules are applied by hand.
load ../e2e/helper
load fault

STATE=
SERVICE=$BATS_TEST_DIRNAME/../../server/statwit.service
teardown() {
    [ -z "$SERVER" ] || { kill "$SERVER" "$(ready .pid)" 2>/dev/null; wait "$SERVER" 2>/dev/null; } || true
    [ -z "$STATE" ] || rm -rf "$STATE"
    repeat_if_dropped
}
rule() { sed -n "s/^$1=//p" "$SERVICE"; }

# A day at work: every transport, a session, a question, a POST, TLS apart.
work() {
    statwit send 'a:1|c'
    statwit session new s --json >session.json
    jq -r .dogstatsd.udp session.json >/dev/null
    [ "$(code -H 'DD-API-KEY: k' "$STATWIT_URL/api/v1/check_run" -d '{"check":"app.ok","host_name":"h","status":0}')" = 202 ]
    [ "$(verdict 'count a sum == 1')" = pass ]
    statwit export --format jsonl >/dev/null
    statwit rejects >/dev/null
    statwit session rm s
}

@test "the unit is one that systemd understands, and exposes little" {
    command -v systemd-analyze >/dev/null || skip 'no systemd-analyze on this machine'
    mkdir -p bin
    cp "$STATWIT_BIN" bin/statwit
    sed "s|@PREFIX@|$PWD|" "$SERVICE" >statwit.service
    systemd-analyze verify --man=no ./statwit.service
    run systemd-analyze security --offline=yes --no-pager --threshold=20 ./statwit.service
    echo "$output" | tail -n 3
    [ "$status" -eq 0 ]
}

@test "it works as a user of its own, without capabilities, where all but its directory is read-only" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root for a mount namespace'
    [ "$(rule ProtectSystem) $(rule NoNewPrivileges) $(rule CapabilityBoundingSet) $(rule UMask)" = 'strict yes  0077' ]
    unshare --mount true 2>/dev/null || skip 'no mount namespaces here'
    mkdir state
    chown 64321:64321 state
    cp "$STATWIT_BIN" state/statwit
    cat >sandbox <<'END'
        umask 0077
        mount --bind state /mnt
        for at in $(awk '{ print $5 }' /proc/self/mountinfo); do mount -o remount,bind,ro "$at" 2>/dev/null; done
        mount -o remount,bind,rw /mnt && cd /mnt &&
        exec setpriv --reuid 64321 --regid 64321 --clear-groups --no-new-privs --bounding-set -all --inh-caps -all \
            ./statwit serve --quiet --dogstatsd-port 0 --http-port 0 --db r.db --dogstatsd-socket /mnt/g.sock
END
    rm -f ready.fifo
    mkfifo ready.fifo
    unshare --mount bash sandbox >ready.fifo 2>serve.err 3>&- &
    SERVER=$!
    read -r -t 60 READY <ready.fifo || { cat serve.err; false; }
    STATWIT_URL=$(ready .http)
    export STATWIT_URL
    grep -E '^(NoNewPrivs:.*1|CapEff:.*0{16}|Uid:.*64321)' "/proc/$SERVER/status"
    [ "$(grep -cE '^(NoNewPrivs:.*1|CapEff:.*0{16}|Uid:.*64321)' "/proc/$SERVER/status")" -eq 3 ]
    # Not even root could write where it runs.
    run nsenter --target "$SERVER" --mount touch /etc/statwit-was-here
    [ ! -e /etc/statwit-was-here ] || { rm /etc/statwit-was-here; false; }
    has 'Read-only file system'
    work
    stop
    [ "$status" -eq 0 ]
    sound state/r.db
    [ "$(stat -c %a state/r.db)" = 600 ]
}

@test "it asks the kernel for nothing that the unit's SystemCallFilter and RestrictAddressFamilies forbid" {
    command -v systemd-analyze >/dev/null || skip 'no systemd-analyze on this machine'
    command -v strace >/dev/null || skip 'no strace on this machine'
    [ "$(id -u)" -eq 0 ] || skip 'needs root to run as a user of its own'
    [ "$(rule SystemCallFilter | paste -sd,)" = '@system-service,~@privileged @resources' ]
    systemd-analyze syscall-filter --no-pager 2>/dev/null | sed 's/\x1b\[[0-9;]*m//g' >sets
    calls() { # SET…: the calls of sets and of those that they hold
        local set
        for set; do
            awk -v set="$set" '/^@/ { on = $1 == set; next } on && NF == 1 { print $1 }' sets | while read -r word; do
                case $word in @*) calls "$word" ;; *) echo "$word" ;; esac
            done
        done
    }
    calls @system-service @default | sort -u >listed
    calls @privileged @resources | sort -u >denied
    comm -23 listed denied >allowed
    [ "$(wc -l <allowed)" -gt 100 ]
    STATE=$(mktemp -d) # SQLite wants to see the whole path
    cp "$STATWIT_BIN" "$STATE/statwit"
    chown 64321:64321 "$STATE"
    rm -f ready.fifo
    mkfifo ready.fifo
    # As no root: SQLite then leaves files' owners alone.
    setpriv --reuid 64321 --regid 64321 --clear-groups strace -f -qq -e signal=none -o "$STATE/trace" "$STATE/statwit" serve \
        --dogstatsd-port 0 --http-port 0 --db "$STATE/r.db" --dogstatsd-socket "$STATE/g.sock" \
        --dogstatsd-stream-socket "$STATE/s.sock" >ready.fifo 2>serve.err 3>&- &
    SERVER=$!
    read -r -t 60 READY <ready.fifo || { cat serve.err; false; }
    STATWIT_URL=$(ready .http)
    export STATWIT_URL
    work
    kill "$(ready .pid)"
    wait "$SERVER"
    SERVER=
    sed -E 's/^[0-9]+ +//; s/\(.*//' "$STATE/trace" | grep -E '^[a-z0-9_]+$' | sort -u >used
    [ "$(wc -l <used)" -gt 30 ]
    run comm -23 used allowed
    [ -z "$output" ] || { echo "forbidden: $output"; false; }
    sed -nE 's/^[0-9]+ +socket\((AF_[A-Z0-9]+|PF_[A-Z0-9]+).*/\1/p' "$STATE/trace" | sort -u >families
    [ -s families ]
    local family
    while read -r family; do
        [[ " $(rule RestrictAddressFamilies) " == *" $family "* ]] || { echo "forbidden: $family"; false; }
    done <families
    cat families used
}
