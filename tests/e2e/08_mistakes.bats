#!/usr/bin/env bats
# What users get wrong, and what CI does to a program: no room, no streams, signals, somebody else's server.
load helper

@test "what cannot be written to stdout is no success" {
    start
    statwit send a:1\|c
    full() { run sh -c "'$STATWIT_BIN' $1 >/dev/full"; }
    for command in ls samples "rejects -j" status "status -j" export "lint -j" snapshot "catalog infer" "session ls" \
        "fault ls -j" "expect 'incr a'" "completion bash" --help --version "serve --db :memory: --http-port 0 --dogstatsd-port 0"; do
        full "$command"
        exits 3 || { echo "$command"; return 1; }
        has "to stdout: "
    done
    full "expect 'incr b'"
    exits 1 # the verdict stands
}

@test "closed standard streams: nothing of ours lands in a socket or a file" {
    start
    # shellcheck disable=SC2016
    sh -c '"$0" send <&-; "$0" send "a:1|c" >&- 2>&-; "$0" ls >&- 2>&-' "$STATWIT_BIN"
    run statwit rejects -j
    [[ "$output" == '{"rejects":[],"next":null,'* ]]
}

@test "a pipe, a device and a link are written into, never replaced" {
    mkfifo pipe
    touch file
    ln -s file link
    start
    statwit catalog infer -o pipe &
    run cat pipe
    wait $!
    has '"metrics"'
    [ -p pipe ]
    statwit catalog infer -o link
    [ -L link ]
    grep -q metrics file
    stop
    "$STATWIT_BIN" serve --dogstatsd-port 0 --http-port 0 --db :memory: --ready-file pipe >/dev/null 3>&- &
    SERVER=$!
    run cat pipe
    has '"ready":true'
    stop
    [ -p pipe ]
}

@test "run: a signal while it judges ends it" {
    # shellcheck disable=SC2016
    run timeout 60 "$STATWIT_BIN" run -e 'incr a' --within 1h -- sh -c \
        'me=$$; run=$PPID; (while kill -0 $me 2>/dev/null; do sleep 0.01; done; kill -TERM $run) &'
    exits 143
    has "ended by SIGTERM while it judged: there is no verdict" # once only, at times, that the server was stopping
}

@test "run: nothing is waited for when the command was stopped" {
    # shellcheck disable=SC2016
    run timeout 60 "$STATWIT_BIN" run -e 'incr a' --within 1h -- sh -c 'kill -TERM $PPID; sleep 600'
    exits 143
    has "FAIL  incr a"
    run timeout 60 "$STATWIT_BIN" run -e 'incr a' --within 1h --timeout 100ms -- sleep 600
    exits 124
    has "FAIL  incr a"
}

@test "run: its own variables don't lead a statwit in the command elsewhere" {
    export STATWIT_DB=tests.db STATWIT_SINCE=100000 STATWIT_JSON_FILE=report.json STATWIT_JUNIT=report.xml
    # shellcheck disable=SC2016
    run statwit run -e 'incr a' -- sh -c '"$0" send "a:1|c" && "$0" expect "incr a samples == 1" && "$0" ls' "$STATWIT_BIN"
    exits 0
    has "pass  incr a samples == 1"
    jq -e '.results | length == 1' report.json
    grep -q '<testsuite' report.xml
}

@test "a server that is no recorder" {
    start
    run statwit ls --url "$STATWIT_URL/elsewhere"
    exits 3
    has "answered 404 to /healthz: is it the URL of a statwit server?"
}

# Python's module MODULE here has a request handler CLASS: it answers at $STATWIT_URL, in a server's place.
imitate() { # module, class
    mkfifo listens
    python3 -c "import http.server, $1
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), $1.$2)
print(server.server_port, flush=True)
server.serve_forever()" >listens 3>&- &
    # shellcheck disable=SC2034  # ended by teardown
    SERVER=$!
    read -r -t 60 port <listens
    export STATWIT_URL=http://127.0.0.1:$port
}

# Answers whatever it is asked with what it finds for the path in its file answers.json, or for "*".
liar() {
    cat >liar.py <<'END'
import http.server, json
class Liar(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open("answers.json") as file: answers = json.load(file)
        text = answers.get(self.path, answers["*"]).encode()
        self.send_response(answers.get("status", 200)); self.send_header("Content-Length", str(len(text))); self.end_headers()
        self.wfile.write(text)
    do_POST = do_GET
    def log_message(self, *_): pass
END
    imitate liar Liar
}

@test "a server that answers 200 to everything is no recorder in which there is nothing" {
    liar
    for answer in '{}' '[]' '<html>' '' '{"verdict":"pass","results":[{"verdict":"pass"}]}' '{"status":"UP"}'; do
        jq -n --arg answer "$answer" '{"*": $answer}' >answers.json
        for command in ls samples rejects status "status --wait 1s" "session ls" export lint "value incr:a:sum" "expect no:any:a"; do
            IFS=' ' read -r -a words <<<"$command"
            run timeout 60 "$STATWIT_BIN" "${words[@]//:/ }"
            exits 3 || { echo "$answer $command"; return 1; }
            has "does not answer /healthz as a statwit server does: is it the URL of one?" || { echo "$answer $command"; return 1; }
        done
    done
}

@test "a server that answers 404, in whatever words, is none that could judge: exit 3, not 2" {
    liar
    for answer in '{}' '{"error":"no such page"}' '<html>'; do
        jq -n --arg answer "$answer" '{"*": $answer, status: 404}' >answers.json
        run timeout 60 "$STATWIT_BIN" expect 'incr a sum == 1'
        exits 3
        run timeout 60 "$STATWIT_BIN" ls
        exits 3
    done
}

@test "what is no report is no pass" {
    liar
    for report in '{}' '[]' '{"verdict":"pass"}' '{"verdict":"pass","results":[]}' '{"verdict":1,"results":[]}' '{"verdict":"PASS","results":[]}' \
        '{"verdict":"pass","results":[{"expectation":"incr a","verdict":"fail"}]}' '{"verdict":"pass","results":[{}]}'; do
        jq -n --arg report "$report" '{"/healthz": "{\"status\":\"ok\"}", "*": $report}' >answers.json
        for command in "expect incr:a:sum:==:1" "value incr:a:sum"; do
            IFS=' ' read -r -a words <<<"$command"
            run timeout 60 "$STATWIT_BIN" "${words[@]//:/ }"
            exits 3 || { echo "$report $command"; return 1; }
            has "did not answer with a report: is it a statwit server?" || { echo "$report $command"; return 1; }
        done
    done
}

@test "an expectation in several arguments is told to be quoted" {
    run statwit expect incr login.attempt sum == 1
    exits 2
    has "each expectation is one argument: quote it"
    run statwit run -e 'incr a sum' -- echo one two
    hasnt "one argument"
    touch metrics.expect
    run statwit expect metrics.expect
    exits 2
    has "metrics.expect is a file: -f reads expectations from it"
}

@test "run: what was refused is told, though all claims hold" {
    run statwit run --db kept.db -e 'incr a' -- "$STATWIT_BIN" send 'a:1|c' 'bad line'
    exits 0
    has "1 refused, which an Agent would drop: \`statwit rejects --db kept.db\` shows why"
    has "refused, no_pipe: a metric needs a '|' between its value and its type: bad line"
    run statwit run -e 'incr a' -- "$STATWIT_BIN" send 'a:1|c'
    hasnt refused
    run statwit run -q -e 'incr a' -- "$STATWIT_BIN" send -q 'a:1|c' 'bad line'
    hasnt refused
}

@test "run: what was refused is shown, as a recording in memory is gone with it" {
    run statwit run -- "$STATWIT_BIN" send 'a:1|c' 'x1:abc|c' 'x2:abc|c' 'x3:abc|c' 'x4:abc|c' 'x5:abc|c' 'x6:abc|c'
    exits 0
    has "refused, invalid_value: the value is not a number: x1:abc|c"
    has "x5:abc|c"
    hasnt "x6:abc|c"
    has "and 1 more"
}

@test "a failure when nothing at all arrived names the address and what the client may hold back" {
    start
    run statwit expect 'incr a'
    exits 1
    has "nothing at all arrived in session default, which listens on UDP 127.0.0.1:"
    has "may still buffer what it has"
    statwit send 'b:1|c'
    run statwit expect 'incr a'
    exits 1
    hasnt "nothing at all arrived"
}

@test "a no that passes tells of the refused line that would have broken it" {
    start
    statwit send 'errors.x:abc|c'
    run statwit expect 'no any errors.*'
    exits 0
    has "note      1 line of that name was refused, as an Agent would: errors.x:abc|c (invalid_value"
}

@test "a catalog alone is enough for expect" {
    start
    statwit send 'a:1|c'
    statwit catalog infer -o catalog.json
    run statwit expect --catalog catalog.json
    exits 0
    has "1 expectation: 1 passed"
}

@test "run: options behind the command, and a report of nothing, don't pass in silence" {
    run statwit run true --expect metrics.expect
    exits 0
    has "warning: --expect is for true"
    run statwit run -- true --expect metrics.expect
    hasnt warning
    run statwit run --junit report.xml -- true
    exits 2
    has "nothing is judged: add --expect"
    STATWIT_JUNIT=report.xml run statwit run -- true
    exits 0
}

@test "a session's environment takes away the sockets of an earlier one" {
    start
    eval "$(statwit session new one --unix)"
    [ -S "$DD_DOGSTATSD_SOCKET" ]
    eval "$(statwit session new two)"
    [ -z "${DD_DOGSTATSD_SOCKET-}${DD_DOGSTATSD_STREAM_SOCKET-}" ]
}

@test "run: a command that sends nothing is told where it should" {
    run statwit run -e 'incr a' -- true
    exits 1
    has "nothing at all was received: does the command send where DD_AGENT_HOST"
    run statwit run -e 'no any errors.*' -- true
    exits 0
    has "nothing at all was received"
    run statwit run -e 'incr a' -- "$STATWIT_BIN" send 'b:1|c'
    exits 1
    hasnt "nothing at all"
}

@test "send: a port that is too large is not taken modulo 65,536" {
    run statwit send --to udp://127.0.0.1:73661 'a:1|c'
    exits 2
    has "ports end at 65535"
}

@test "a certificate that is none, and one that is" {
    serve() { run statwit serve --http-port 0 --dogstatsd-port 0 --db :memory: "$@"; }
    serve --tls-cert cert.pem --tls-key key.pem
    exits 3
    has 'cannot read cert.pem: No such file'
    touch cert.pem key.pem
    serve --tls-cert cert.pem --tls-key key.pem
    exits 3
    has 'cert.pem is not a PEM file: empty'
    head -c 1048577 /dev/zero >cert.pem
    serve --tls-cert cert.pem --tls-key key.pem
    exits 3
    has 'cert.pem is not a PEM file: larger than 1 MiB'
    echo hello | tee cert.pem >key.pem
    serve --tls-cert cert.pem --tls-key key.pem
    exits 3
    has 'is the certificate a PEM file and the key the one that belongs to it?'
    serve --tls-cert cert.pem
    exits 2 # once 3, as if another machine could have started it
    has '--tls-cert and --tls-key go together'
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        -keyout key.pem -out cert.pem 2>/dev/null
    start --tls-cert cert.pem --tls-key key.pem
    curl -fsS --cacert cert.pem "$STATWIT_URL/healthz"
    run curl -fsS "$STATWIT_URL/healthz"
    [ "$status" -ne 0 ]
}

@test "STATWIT_FORMAT: a word of export's doesn't break catalog, nor the other way round" {
    start
    statwit send 'a:1|c'
    run env STATWIT_FORMAT=jsonl "$STATWIT_BIN" catalog infer
    exits 0
    has '"a"'
    run env STATWIT_FORMAT=json "$STATWIT_BIN" export
    exits 0
    has '"name":"a"'
    run env STATWIT_FORMAT=csv "$STATWIT_BIN" export
    exits 0
    hasnt '"name":"a"'
    run env STATWIT_FORMAT=xml "$STATWIT_BIN" export
    exits 2
    has 'STATWIT_FORMAT must be jsonl|csv|dogstatsd|openmetrics'
}

@test "a file that is mounted by itself is written all the same" {
    unshare -rm true 2>/dev/null || skip "needs a mount namespace"
    start
    statwit send 'a:1|c'
    echo before >target
    # shellcheck disable=SC2016
    run unshare -rm sh -ec 'touch mounted; mount --bind target mounted; "$0" export -o mounted' "$STATWIT_BIN"
    exits 0
    grep '"name":"a"' target
    [ "$(grep -c before target)" -eq 0 ]
    run sh -c 'ls mounted.??????'
    [ "$status" -ne 0 ]
}

@test "an export that a signal ends leaves the file as it was, and nothing beside it" {
    start
    echo old >out.jsonl
    kill -STOP "$SERVER"
    "$STATWIT_BIN" export -o out.jsonl 3>&- &
    local export=$!
    until compgen -G 'out.jsonl.*' >/dev/null; do kill -0 "$export"; done
    kill -TERM "$export"
    wait "$export" || status=$?
    kill -CONT "$SERVER"
    [ "$status" -eq 143 ]
    [ "$(ls out.jsonl*)" = out.jsonl ]
    [ "$(cat out.jsonl)" = old ]
}

@test "a failing export leaves the file as it was; a pipe and a link are written into" {
    start
    statwit send 'a:1|c'
    statwit export -o out.jsonl
    cp out.jsonl before
    run statwit export -o out.jsonl --url http://127.0.0.1:1
    exits 3
    cmp out.jsonl before
    run statwit export -o out.jsonl --session none
    exits 2
    cmp out.jsonl before
    run statwit export -o out.jsonl --db missing.db
    exits 3
    cmp out.jsonl before
    run statwit export -o /dev/full
    exits 3
    has "cannot write /dev/full: No space left"
    ln -s out.jsonl link
    statwit send 'b:1|c'
    statwit export -o link
    [ -L link ]
    [ "$(wc -l <out.jsonl)" -eq 2 ]
    mkfifo pipe
    statwit export -o pipe &
    run cat pipe
    wait $!
    has '"name":"b"'
    [ "$(find . -name '*.jsonl.*')" = "" ] # and nothing beside it
}

@test "a report is replaced whole, and one that cannot be written is told" {
    echo old >report.xml
    ln report.xml old.xml
    run statwit run -e 'no any errors' --junit report.xml -- true
    exits 0
    [ "$(cat old.xml)" = old ]
    grep -q '<testsuite' report.xml
    run statwit run -e 'no any errors' --junit none/report.xml -- true
    exits 3
    has "cannot write none/report.xml: No such file or directory"
}

@test "run: a signal while it judges leaves no sockets behind" {
    # shellcheck disable=SC2016
    for number in TERM INT HUP; do
        run timeout 60 env --default-signal=INT,HUP "$STATWIT_BIN" run --socket -e 'incr a' --within 1h -- sh -c \
            'echo "${DD_DOGSTATSD_URL#unix://}" >socket; me=$$; run=$PPID
             (while kill -0 $me 2>/dev/null; do sleep 0.01; done; kill -'$number' $run) &'
        [ "$status" -gt 128 ]
        [ ! -e "$(dirname "$(cat socket)")" ]
    done
}

@test "run: a within line is no reason to wait for a command that was stopped" {
    printf 'within 1h\nincr a\n' >metrics.expect
    run timeout 60 "$STATWIT_BIN" run -e metrics.expect --timeout 100ms -- sleep 600
    exits 124
    has "FAIL  incr a"
}

# Answers /healthz, and nothing else; what it is asked for the second time it begins to answer.
hang() {
    cat >hang.py <<'END'
import http.server
class Hanging(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200); self.send_header("Content-Length", "15" if self.path == "/healthz" else "99"); self.end_headers()
        self.wfile.write(b'{"status":"ok"}')
    do_POST = do_GET
    def log_message(self, *_): pass
END
    imitate hang Hanging
}

@test "a server that hangs is told, by every command" {
    hang
    export STATWIT_ANSWER_TIMEOUT=200ms
    for command in ls "ls -j" samples "samples -f" rejects status "status -j" "session ls" "session new" reset export lint snapshot \
        "expect no:any:a" "fault ls" "catalog infer" "send --to http a:1|c"; do
        IFS=' ' read -r -a words <<<"$command"
        run timeout 60 "$STATWIT_BIN" "${words[@]//:any:/ any }"
        exits 3 || { echo "$command"; return 1; }
        has " for 0.2 s: does it hang? " || { echo "$command"; return 1; }
    done
    run timeout 60 "$STATWIT_BIN" expect 'no any a' --within 300ms --settle 10ms
    exits 3
    has " for 0.6 s: does it hang? " # what it may wait, and --answer-timeout
}

@test "one limit of waiting, wherever it is given" {
    start
    for within in 25h 2d; do
        run statwit expect --within $within 'incr a'
        exits 2
        has "'$within': longer than the limit of 24h (within)"
        run statwit expect "within $within
no any a"
        exits 2
        has "longer than the limit of 24h (within)"
    done
    run curl -sS "$STATWIT_URL/recorder/v1/expect" -d '{"expect":["no any a"],"within_ms":86400001}'
    has "within_ms must be"
    run statwit expect --within 1d 'no any a'
    exits 0
    run statwit expect "within 1d
no any a"
    exits 0
    run statwit expect --settle 11m 'no any a'
    exits 2
    has "'11m': longer than the limit of 10m (settle)"
}

@test "STATWIT_JSON is the flag --json everywhere: the file of run has a name of its own" {
    start
    export STATWIT_JSON=1
    run statwit ls
    has '{"series":['
    run statwit run -e 'no any a' --json-file report.json -- "$STATWIT_BIN" ls
    exits 0
    has '{"series":['
    jq -e '.verdict == "pass"' report.json
    [ ! -e 1 ]
}

@test "a mark of another recording is refused by lists and exports, of a server and of a file" {
    start --db kept.db
    statwit send 'a:1|c'
    for words in 'ls' 'samples' 'rejects' 'export' 'export --format csv' 'export --format openmetrics'; do
        # shellcheck disable=SC2086
        run statwit $words --since 4711
        exits 2
        has "4711 is no mark of this recording, whose newest record is 1"
    done
    stop
    unset STATWIT_URL
    for words in 'ls' 'samples' 'rejects' 'export' 'export --format csv' 'export --format openmetrics'; do
        # shellcheck disable=SC2086
        run statwit $words --db kept.db --since 4711
        exits 2
        has "4711 is no mark of this recording, whose newest record is 1"
        # shellcheck disable=SC2086
        run statwit $words --db kept.db --since 1
        exits 0
    done
}

@test "a count that is too large is refused, and the error says what the largest is" {
    run statwit serve --max-series 4611686018427387904 --db :memory: # times 4 it was 0: every sample was refused
    exits 2
    has "--max-series must be a whole number, at most 4294967295, not '4611686018427387904'"
    start --max-series 4294967295
    statwit send a:1\|c
    statwit expect 'incr a sum == 1'
}
