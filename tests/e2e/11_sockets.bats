#!/usr/bin/env bats
# Clients of Unix sockets that do not wait, or that do not speak as the Agent wants it.
load helper

# Sends "a:1|c" N times as most clients do by default: what the kernel does not take at once is dropped.
burst_script() {
    cat >burst.py <<'END'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setblocking(False)
s.connect(os.environ["DD_DOGSTATSD_SOCKET"])
for _ in range(int(sys.argv[1])):
    try:
        s.send(b"a:1|c")
    except BlockingIOError:
        pass
END
}

# What stands on a Unix stream without frames, or with wrong ones.
stream_script() {
    cat >stream.py <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode().decode("unicode_escape").encode("latin-1"))
END
}

@test "run --socket: a burst of a client that does not wait is recorded, or what it may have dropped is told" {
    burst_script
    local n
    for n in 12 250 250 5000; do
        run statwit run --socket -e "incr a sum == $n" -e 'no any b' -- python3 burst.py "$n"
        [[ $output == *'pass  no any b'* ]]
        [ "$status" -eq 0 ] && continue
        exits 4
        has 'what may have been lost could have changed this: '
        has 'looks that found a Unix datagram socket full'
        has 'note: '
    done
}

@test "a Unix datagram queue that is short is said at the start, one that is not isn't" {
    start --dogstatsd-socket "$PWD/g.sock"
    if grep -q 'wait in a Unix datagram socket' serve.err; then
        grep -q 'sudo sysctl -w net.unix.max_dgram_qlen=512' serve.err
    fi
    [ "$(grep -c 'Unix datagram socket' serve.err)" -le 1 ]
    run statwit status
    has 'lost         nothing'
    run statwit status --json
    [ "$(jq .losses.unixgram_full <<<"$output")" -eq 0 ]
}

@test "stream bytes that are no frame are shown, with the likely cause" {
    start --dogstatsd-stream-socket "$PWD/s.sock"
    stream_script
    python3 stream.py s.sock 'a:1|c\nb:1|c\n'
    python3 stream.py s.sock '\x00\x00\x00\x05a:1|c'
    python3 stream.py s.sock '\x05\x00\x00\x00a:1|c\x09\x00\x00\x00cut:1'
    run statwit rejects
    has 'bad_frame: a Unix stream is frames of a 32-bit little-endian length and so many bytes: '
    has "no length in front: the first 4 bytes are text, 'a:1|'"
    has 'big-endian length: the first 4 bytes, 00 00 00 05, are 5 in big-endian order'
    has 'cut inside a frame: the connection ended after 5 of its 9 bytes'
    run statwit rejects --json
    [ "$(jq -r '.rejects[0].text' <<<"$output")" = $'a:1|c\nb:1|c' ]
    [ "$(jq -r '[.rejects[].reason] | unique[]' <<<"$output")" = bad_frame ]
    run statwit expect 'incr a sum == 1' 'no any b'
    exits 4
    has "stream connections that sent bytes which are no frame: these bytes, and what came after them ($PWD/s.sock: no length in front)"
    run statwit status
    has 'lost         3 stream connections'
}
