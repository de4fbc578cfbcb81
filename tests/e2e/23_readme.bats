#!/usr/bin/env bats
# The README's snippets as they stand there: they work, a malformed expectation is told with its place, and so is a statwit that
# is not there.
load helper

README=$BATS_TEST_DIRNAME/../../README.md

# The block behind the paragraph that starts with these words.
snippet() {
    awk -v start="$1" 'index($0, start) == 1 { found = 1; next }
        found && /^    / { print substr($0, 5); inside = 1; next }
        found && inside && /^$/ { print ""; next }
        found && inside { exit }' "$README"
}

# The same with a claim that is malformed.
malformed() { sed 's/sum == 1/sum = 1/'; }

shell_files() {
    snippet Shell: >job.sh
    grep -q 'statwit run --expect' job.sh
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nstatwit send "login.attempt:1|c|#instance:failure"\n' >run-tests
    chmod +x run-tests
    echo 'incr login.attempt{instance:failure} sum == 1' >metrics.expect
    mkdir bin
    ln -s "$STATWIT_BIN" bin/statwit
    # The usual ports may be somebody else's here.
    sed -i 's/statwit serve --db :memory:/statwit serve --db :memory: --http-port "$PORT" --dogstatsd-port 0 >ready.json 3>\&-/' job.sh
    sed -i 's|^statwit status .*|&; port=$(jq -r .env.DD_DOGSTATSD_PORT ready.json); export DD_DOGSTATSD_PORT=$port|' job.sh
    PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    export PORT STATWIT_URL=http://127.0.0.1:$PORT
}

@test "shell" {
    shell_files
    PATH=$PWD/bin:$PATH run timeout 60 bash job.sh
    exits 0
    [ "$(grep -c '^pass' <<<"$output")" -eq 2 ]
    # Tests that fail fail the job, and its server ends with it.
    sed -i '/^statwit run/d' job.sh
    printf '#!/bin/sh\nexit 7\n' >run-tests
    PATH=$PWD/bin:$PATH run timeout 60 bash job.sh
    exits 7
    run statwit status --wait 0
    exits 3
}

@test "shell: a malformed expectation, and no statwit" {
    shell_files
    echo 'incr login.attempt sum = 1' >metrics.expect
    PATH=$PWD/bin:$PATH run timeout 60 bash job.sh
    exits 2
    has 'metrics.expect:1:'
    rm -r bin
    run sh -c 'PATH=/usr/bin:/bin timeout 60 bash job.sh || exit 1'
    exits 1
    has 'statwit: command not found'
}

# Just what the snippet needs of the `datadog` package, where that is not installed.
python_files() {
    snippet Python >test_readme.py
    grep -q 'def test_login' test_readme.py
    python3 -c 'import datadog' 2>/dev/null || {
        mkdir datadog
        : >datadog/__init__.py
        cat >datadog/dogstatsd.py <<'END'
import os, socket
class DogStatsd:
    def increment(self, name, tags):
        to = os.environ.get("DD_AGENT_HOST", "127.0.0.1"), int(os.environ.get("DD_DOGSTATSD_PORT", 9))
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(f"{name}:1|c|#{','.join(tags)}".encode(), to)
END
    }
}

@test "python" {
    python_files
    go() { run statwit run -- python3 -c "import $1; $1.test_login()"; }
    go test_readme
    exits 0
    malformed <test_readme.py >test_malformed.py
    go test_malformed
    exits 1
    has 'expected an operator: =='
    STATWIT_URL=http://127.0.0.1:1 run python3 -c 'import test_readme; test_readme.test_login()'
    exits 1
    has 'Connection refused'
}

@test "node" {
    node -e 'if (+process.versions.node.split(".")[0] < 18) process.exit(1)' || skip "no node 18"
    snippet Node >login.test.js
    grep -q "test('login'" login.test.js
    node -e 'require("hot-shots")' 2>/dev/null || {
        mkdir -p node_modules/hot-shots
        cat >node_modules/hot-shots/index.js <<'END'
const dgram = require('dgram')
module.exports = class {
  increment(name, tags) { this.line = `${name}:1|c|#${tags}` }
  close(done) {
    const socket = dgram.createSocket('udp4')
    socket.send(this.line, process.env.DD_DOGSTATSD_PORT ?? 9, process.env.DD_AGENT_HOST ?? '127.0.0.1', () => socket.close(done))
  }
}
END
    }
    run statwit run -- node --test login.test.js
    exits 0
    malformed <login.test.js >malformed.test.js
    run statwit run -- node --test malformed.test.js
    exits 1
    has 'expected an operator: =='
    STATWIT_URL=http://127.0.0.1:1 run node --test login.test.js
    exits 1
    has 'fetch failed'
}

@test "go" {
    command -v go >/dev/null || skip "no go"
    snippet Go >body
    grep -q 'func TestLogin' body
    mkdir -p statsd
    echo 'module readme' >go.mod
    cat >statsd/statsd.go <<'END'
package statsd

import (
	"net"
	"os"
)

type Client struct{ line string }

func New(string) (*Client, error) { return &Client{}, nil }
func (c *Client) Incr(name string, tags []string, rate float64) error {
	to, err := net.Dial("udp", os.Getenv("DD_AGENT_HOST")+":"+os.Getenv("DD_DOGSTATSD_PORT"))
	if err == nil {
		_, err = to.Write([]byte(name + ":1|c|#" + tags[0]))
	}
	return err
}
func (c *Client) Close() error { return nil }
END
    { printf 'package readme\nimport (\n"os/exec"\n"readme/statsd"\n"testing"\n)\n'; cat body; } >readme_test.go
    mkdir bin
    ln -s "$STATWIT_BIN" bin/statwit
    export GOFLAGS=-mod=mod CGO_ENABLED=0
    PATH=$PWD/bin:$PATH run statwit run -- go test -count=1 ./...
    exits 0
    PATH=$(dirname "$(command -v go)"):/usr/bin:/bin run go test -count=1 ./...
    exits 1
    has 'executable file not found'
    malformed <readme_test.go >malformed
    mv malformed readme_test.go
    PATH=$PWD/bin:$PATH run statwit run -- go test -count=1 ./...
    exits 1
    has 'expected an operator: =='
}

@test "c" {
    [[ $STATWIT_BIN == */release/* ]] || skip "the library of a sanitizer variant asks for that sanitizer's runtime"
    snippet 'C (' >body
    grep -q statwit_assert body
    { echo '#include <statwit.h>'; echo 'int main(void) {'; cat body; echo 'return 0; }'; } >readme.c
    malformed <readme.c >malformed.c
    here=$BATS_TEST_DIRNAME/../..
    for name in readme malformed; do
        "${CC:-cc}" -Wall -Wextra -Werror -I"$here/client/c" -o $name $name.c "$(dirname "$STATWIT_BIN")/libstatwit.a" \
            -ljansson -lz -lpthread -lm -ldl
    done
    export STATWIT_BIN
    run ./readme
    exits 0
    [ -z "$output" ]
    run ./malformed
    exits 134
    has 'malformed.c:9: no verdict'
    has 'expected an operator: =='
    # A segmentation fault, without a word.
    STATWIT_BIN='' run env PATH=/usr/bin:/bin ./readme
    exits 134
    has 'no verdict: cannot start statwit: No such file or directory'
}

@test "the diff step turned every pull request red" {
    step=$(sed -n 's/^    - run: \(statwit diff .*\)   # 1: .*/\1/p' "$README")
    [ -n "$step" ]
    start --db main.db
    statwit send 'a:1|c'
    stop
    start --db tests.db
    statwit send 'b:1|c'
    stop
    mkdir bin
    ln -s "$STATWIT_BIN" bin/statwit
    PATH=$PWD/bin:$PATH GITHUB_STEP_SUMMARY=$PWD/summary run bash -e -c "$step"
    exits 0
    grep -q b summary
    rm main.db
    PATH=$PWD/bin:$PATH GITHUB_STEP_SUMMARY=$PWD/summary run bash -e -c "$step"
    [ "$status" -ne 0 ]
}
