#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
# The built packages of the helpers, installed where there is no network and no home to write to; and their binary where there is no
# libc. `run` has built them below $HELPERS_BUILD. The names of the tests begin with that of their helper.

source "$BATS_TEST_DIRNAME/../support/repeat.bash"
teardown() { repeat_if_dropped; }
setup() {
    cd "$BATS_TEST_TMPDIR" || return
    unset STATWIT_URL STATWIT_BIN "${!DD_@}"
    NAME=${BATS_TEST_DESCRIPTION%%:*}
    [ -d "$HELPERS_BUILD/$NAME" ] || skip "$NAME was not built"
    VERSION=$(sed -n 's/^VERSION := //p' "$BATS_TEST_DIRNAME/../../Makefile")
    PORTABLE=/usr/local/bin:/usr/bin:/bin
}

# Runs the command in a network of its own, in which there is loopback alone. Nothing can be written to its home.
alone() {
    local inside=()
    if command -v ip >/dev/null && unshare -Urn true 2>/dev/null; then
        # shellcheck disable=SC2016
        inside=(unshare -Urn bash -c 'ip link set lo up && exec "$@"' bash)
    fi
    env -u GEM_HOME HOME=/proc http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 ${inside[@]+"${inside[@]}"} "$@"
}

# What the package carries runs where nothing else is: no libc, no loader, as on Alpine.
bare() {
    ! LC_ALL=C grep -qa 'ld-linux' "$1" || skip "the package carries the ordinary binary; HELPERS_PACKAGED=1 tests the static one"
    [ "$(id -u)" -eq 0 ] || unshare -Ur true 2>/dev/null || skip "neither root nor a user namespace"
    mkdir -p root/tmp
    cp -L "$1" root/statwit
    chmod 755 root/statwit
    local enter=(unshare -Ur)
    [ "$(id -u)" -ne 0 ] || enter=()
    env -i PATH="$PATH:/usr/sbin:/sbin" ${enter[@]+"${enter[@]}"} chroot root /statwit --version
    env -i PATH="$PATH:/usr/sbin:/sbin" ${enter[@]+"${enter[@]}"} chroot root /statwit run --expect 'incr a sum == 1' -- /statwit send 'a:1|c'
}

packaged() { find "$HELPERS_BUILD/$NAME" -path "$1" | head -n 1; }

@test "python: no network at install" {
    wheel=$(packaged '*/dist/statwit-*.whl')
    alone python3 -m venv fresh
    alone fresh/bin/pip install --disable-pip-version-check --no-cache-dir -q --no-index "$wheel"
    carried=$(find fresh -path '*/statwit/bin/statwit')
    [ -n "$carried" ] || export STATWIT_BIN=$HELPERS_STATWIT
    cat >story.py <<'END'
import socket, statwit
with statwit.Recorder.start() as recorder, recorder.session() as metrics:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"a:1|c", (metrics.host, metrics.port))
    metrics.expect("incr a sum == 1")
END
    alone fresh/bin/python story.py
}

@test "node: no network at install" {
    echo '{"private": true}' >package.json
    mapfile -t files < <(find "$HELPERS_BUILD/node/dist" -name 'statwit-*.tgz')
    alone env npm_config_cache="$PWD/cache" npm install --silent --offline --omit=optional --no-audit --no-fund "${files[@]}"
    [ -d node_modules/@statwit ] || export STATWIT_BIN=$HELPERS_STATWIT
    cat >story.js <<'END'
const statwit = require('statwit'), dgram = require('node:dgram')
statwit.session().then(async metrics => {
  const socket = dgram.createSocket('udp4')
  await new Promise(resolve => socket.send('a:1|c', metrics.port, metrics.host, resolve))
  socket.close()
  await metrics.expect('incr a sum == 1')
})
END
    alone node story.js
}

@test "go: no network at install" {
    cat >go.mod <<END
module consumer

go 1.21

require github.com/statwit/statwit/client/go v$VERSION
require github.com/statwit/statwit/client/go/statwitbin v$VERSION
END
    cat >story_test.go <<'END'
package consumer

import (
	"net"
	"testing"

	_ "github.com/statwit/statwit/client/go/statwitbin"
	"github.com/statwit/statwit/client/go/statwittest"
)

func TestStory(t *testing.T) {
	m := statwittest.New(t)
	to, err := net.Dial("udp", m.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = to.Write([]byte("a:1|c"))
	m.Expect("incr a sum == 1")
}
END
    alone env PATH="$(dirname "$(command -v go)"):$PORTABLE" GOPROXY="file://$HELPERS_BUILD/go/proxy" GONOSUMDB='*' GOFLAGS='-mod=mod -modcacherw' \
        GOMODCACHE="$PWD/cache" GOCACHE="${GOCACHE:-$(go env GOCACHE)}" GOTOOLCHAIN=local CGO_ENABLED=0 go test -count=1 ./...
}

@test "ruby: no network at install" {
    gem=$(packaged '*/statwit.gem')
    alone env GEM_HOME="$PWD/gems" gem install --quiet --local --no-document "$gem"
    cat >story.rb <<'END'
require "statwit"
require "socket"
metrics = Statwit::Recorder.shared.session
UDPSocket.new.send("a:1|c", 0, metrics.host, metrics.port)
metrics.expect "incr a sum == 1"
END
    alone env GEM_HOME="$PWD/gems" PATH="$PORTABLE" ruby -w story.rb
}

@test "java: no network at install" {
    cp -r "$HELPERS_BUILD/java/consumer" .
    alone mvn -q -B -o -Dmaven.repo.local="$HELPERS_BUILD/java/m2" -f consumer/pom.xml test
}

@test "python: the binary of the package runs where there is no libc" {
    carried=$(packaged '*/site-packages/statwit/bin/statwit')
    [ -n "$carried" ] || skip "the wheel carries no binary; HELPERS_PACKAGED=1 tests the one that does"
    bare "$carried"
}

@test "node: the binary of the package runs where there is no libc" {
    carried=$(packaged '*/node_modules/@statwit/*/bin/statwit')
    [ -n "$carried" ] || skip "no package carries a binary; HELPERS_PACKAGED=1 tests the one that does"
    bare "$carried"
}

@test "go: the binary of the package runs where there is no libc" {
    python3 - "$(packaged '*/statwitbin/@v/*.zip')" <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as module:
    found = [name for name in module.namelist() if name.endswith("/statwit")]
    open("statwit", "wb").write(module.read(found[0]))
END
    chmod 755 statwit
    bare statwit
}

@test "ruby: the binary of the package runs where there is no libc" {
    tar -xOf "$(packaged '*/statwit.gem')" data.tar.gz | tar -xz libexec/statwit
    bare libexec/statwit
}

@test "java: the binary of the package runs where there is no libc" {
    python3 -m zipfile -e "$(packaged '*/statwit-junit5-*-linux-*.jar')" .
    chmod 755 io/statwit/*/statwit
    bare io/statwit/*/statwit
}
