# Two hosts that a cable joins, each a network namespace; sourced by what runs in a user, a network and a mount namespace of its own
# (unshare -Urnm). This network namespace is the client's; the server's host is called statwit. The first argument is the folder to work in.
cd "$1"
statwit() { "$STATWIT_BIN" "$@"; }
fail() { printf '%s\n' "$*"; exit 1; }

unshare -n sleep 300 & # holds the server's namespace
HOLDER=$! SERVER=
trap 'kill $SERVER $HOLDER 2>/dev/null; wait' EXIT
until [ "$(readlink "/proc/$HOLDER/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do :; done
there() { nsenter -t "$HOLDER" -n "$@"; }

ip link set lo up
there ip link set lo up
ip link add cable type veth peer name cable netns "$HOLDER"
ip addr add 10.77.0.1/24 dev cable
there ip addr add 10.77.0.2/24 dev cable
ip link set cable up
there ip link set cable up
cat /etc/hosts >hosts
printf '10.77.0.2 statwit statwit.ns.svc.cluster.local host.docker.internal\n' >>hosts
mount --bind hosts /etc/hosts

# serve OPTION…: on the server's host, by its own ports, as in a container.
serve() {
    mkfifo ready
    nsenter -t "$HOLDER" -n "$STATWIT_BIN" serve --bind 0.0.0.0 --db :memory: --quiet "$@" >ready 2>serve.err &
    SERVER=$!
    read -r -t 60 READY <ready || fail "$(cat serve.err)"
    rm ready
}
end() { kill "$SERVER"; wait "$SERVER" || true; SERVER=; }
