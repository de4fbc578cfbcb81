#!/usr/bin/env bats
# What a Datadog Agent would have sent: statwit flush, of a server and of a file; statwit import.

load helper

# Three seconds of a session, in one bucket of ten.
lines() {
    printf '1700000001\tlogin.attempt:1|c|#instance:failure\n'
    printf '1700000001.5\tlogin.attempt:2|c|@0.5|#instance:failure\n'
    printf '1700000002\tevents.latency:320:80|ms\n'
    printf '1700000003\tupload.size:7|d|#device:sda,host:web1\n'
    printf '# a comment, and an empty line\n\n'
    printf '1700000003.25\tdeploys:3|c|T1699999990\n'
}

@test "import makes a recording with the times at which the lines arrived" {
    lines >lines.txt
    run statwit import lines.txt --db new.db
    exits 0
    has 'imported 5 datagrams with 5 records into new.db'
    run statwit samples --db new.db --json
    has '"received_at":"2023-11-14T22:13:21.500000000Z"'
    has '"received_at":"2023-11-14T22:13:23.250000000Z"'
    run statwit expect --db new.db 'incr login.attempt sum == 5' 'timing events.latency samples == 2'
    exits 0
}

@test "flush shows rates, the series of a timing, a sketch, and what came with a timestamp" {
    lines | statwit import - --db new.db -q
    run statwit flush --db new.db
    exits 0
    has 'flush at 1700000010 (2023-11-14T22:13:30.000000000Z)'
    has 'rate         login.attempt{instance:failure} host default-hostname  1700000000=0.5'
    has 'gauge        events.latency.median host default-hostname  1700000000=80'
    has 'rate         events.latency.count host default-hostname  1700000000=0.2'
    has 'distribution upload.size{device:sda} host web1  1700000000=(count 1 sum 7 min 7 max 7 avg 7 bins 1)'
    has 'rate         deploys host default-hostname  as it came 1699999990=0.3'
    run statwit flush --db new.db 'events.latency.*' --format json --histogram-aggregates max --histogram-percentiles 0.5 --hostname box
    [ "$(jq -c '.[0].series | map([.metric, .host, .type, .points])' <<<"$output")" = \
        '[["events.latency.50percentile","box","gauge",[[1700000000,80]]],["events.latency.max","box","gauge",[[1700000000,320]]]]' ]
}

@test "flush times may be given, and an empty flush is shown then" {
    lines | statwit import - --db new.db -q
    run statwit flush --db new.db --format json --flush-at 1700000009,1700000010,1700000020
    exits 0
    [ "$(jq -c 'map([.flush_at, (.series | length), (.sketches | length), (.no_aggregation_series | length)])' <<<"$output")" = \
        '[[1700000009,0,0,1],[1700000010,6,1,0],[1700000020,1,0,0]]' ]
    # The count goes on as 0.
    [ "$(jq -c '.[2].series[0].points' <<<"$output")" = '[[1700000010,0]]' ]
}

@test "--explain shows the samples that a point was made of" {
    lines | statwit import - --db new.db -q
    run statwit flush --db new.db --explain login.attempt --interval 10s
    exits 0
    has 'the point at 1700000000 is made of 2 samples:'
    has '2023-11-14T22:13:21.500000000Z  count 2 @0.5'
    hasnt events.latency
    run statwit flush --db new.db --explain login.attempt --format json
    [ "$(jq -c '.[0].series[0].samples[0] | map([.type, .value, .sample_rate])' <<<"$output")" = '[["count",1,1],["count",2,0.5]]' ]
}

@test "a server shows the same, right after the samples were sent" {
    start
    statwit send 'a:1|c|#x' 'a:2|c|#x' 'g:NaN|g'
    run statwit flush
    exits 0
    has 'rate         a{x} host default-hostname'
    has '=0.3'
    statwit flush --format json | jq -e '.[0].series[0].points[0][1] == 0.3'
    # What came over HTTP was flushed by somebody else.
    curl -sf "$STATWIT_URL/api/v1/series" -d '{"series":[{"metric":"other","points":[["'"$(date +%s)"'",1]]}]}' || true
    run statwit flush
    hasnt other
    # But DogStatsD lines that came over HTTP are for an Agent, as what `replay` sends.
    printf 'again:4|c|@0.5\nagain:NaN|c\n' | statwit replay - -q
    run statwit flush
    has 'rate         again host default-hostname'
    has '=0.8'
    # The answer to one question is the same twice, and a glob keeps to it.
    [ "$(statwit flush 'nothing.*')" = '' ]
}

@test "a long answer of a server is the one that the file gives, however slowly it is read" {
    for i in {0..79}; do printf "$((1700000000 + i))"'.5\th.%d:1:2:3|h\nd:%d|d|#n:%d\n' "$((i % 7))" "$i" "$((i % 5))"; done |
        sed 's/^d:/1700000040\td:/' >some.txt
    for i in {1..40}; do sed "s/\t/\tcopy$i./" some.txt; done | sort -sn >many.txt
    statwit import many.txt --db many.db -q
    statwit flush --db many.db --format json >file.json
    [ "$(wc -c <file.json)" -gt 600000 ] # more than two pages
    start --db many.db 2>/dev/null
    statwit flush --since 0 --format json >server.json
    cmp file.json server.json
    curl -s --limit-rate 2M "$STATWIT_URL/recorder/v1/flush" | cmp - file.json
    # Who hangs up in the midst of it, and a stop in the midst of another one, harm nobody.
    for i in 1 2 3; do curl -s "$STATWIT_URL/recorder/v1/flush" | head -c 1000 >/dev/null || true; done
    curl -s --limit-rate 100K "$STATWIT_URL/recorder/v1/flush" >/dev/null 3>&- &
    slow=$!
    statwit status -q
    stop
    exits 0
    wait "$slow" || true # it was cut short, or not
}

@test "captures of the Agent and of a network are imported too" {
    printf '\xD4\x74\xD0\x60\xF3\xFF\0\0\x0B\0\0\0\x08\x01\x10\x05\x1A\x05a:1|c\0\0\0\0state' >agent.dog
    printf '\xD4\xC3\xB2\xA1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\1\0\x65\0\0\0\1\0\0\0\2\0\0\0\x21\0\0\0\x21\0\0\0\x45\0\0\x21\0\1\0\0\x40\x11\0\0\x7F\0\0\1\x7F\0\0\1\x9C\x40\x1F\xBD\0\x0D\0\0b:2|c' >net.pcap
    run statwit import agent.dog net.pcap --db new.db
    exits 0
    has 'imported 2 datagrams with 2 records'
    run statwit samples --db new.db --json
    has '"received_at":"1970-01-01T00:00:00.000000001Z","source":"unixgram","name":"a"'
    has '"received_at":"1970-01-01T00:00:01.000002000Z","source":"udp","name":"b"'
    run statwit import net.pcap --db other.db --dogstatsd-port 9125
    exits 0
    has 'net.pcap: no datagram went to port 9125, but 1 to others: --dogstatsd-port chooses one'
    head -c -1 net.pcap >cut.pcap
    run statwit import agent.dog cut.pcap --db cut.db
    exits 3
    has 'cut.pcap: the file is cut short: the record at byte 24 is not whole'
    [ -z "$(ls cut.db* 2>/dev/null)" ]
    printf '\xD4\x74\xD0\x60\xF4\xFF\0\0' >newer.dog
    run statwit import newer.dog --db cut.db
    exits 3
    has 'this is a capture of version 4: versions 1 to 3 are read'
}

@test "the body of a flush is one that the intake takes, and means the same there" {
    local now
    now=$(($(date +%s) / 10 * 10 - 60))
    printf '%s\t%s\n' "$now" 'login.attempt:5|c|#instance:failure' "$now" 'upload.size:7:9|d|#host:web1' "$now" 'free:3|g|#device:sda' |
        statwit import - --db new.db -q
    start
    statwit flush --db new.db --format v2-protobuf -o series.bin
    statwit flush --db new.db --format sketches-protobuf -o sketches.bin
    curl -sf -H 'DD-API-KEY: k' -H 'Content-Type: application/x-protobuf' --data-binary @series.bin "$STATWIT_URL/api/v2/series"
    curl -sf -H 'DD-API-KEY: k' -H 'Content-Type: application/x-protobuf' --data-binary @sketches.bin "$STATWIT_URL/api/beta/sketches"
    run statwit expect 'rate login.attempt[instance:failure] last == 0.5' 'gauge free{device:sda} last == 3' \
        'distribution upload.size{host:web1} sum == 16 and count == 2 and max == 9'
    exits 0
    # Both came over HTTP: no Agent flushes them again.
    [ -z "$(statwit flush)" ]
}

@test "what cannot be flushed or imported is refused in a sentence, and nothing is left" {
    lines | statwit import - --db new.db -q
    run statwit flush --db new.db --interval 1500ms
    exits 2
    has "--interval takes whole seconds from 1s to 24h, not '1500ms'"
    run statwit flush --db new.db --flush-at soon
    exits 2
    has "--flush-at: flush times are seconds since 1970, as 1700000010,1700000020.5, not 'soon'"
    run statwit flush --db new.db --flush-at 1 --interval 10s
    exits 2
    run statwit flush --db new.db --histogram-aggregates mean
    exits 2
    has "--histogram-aggregates: a histogram has max, median, avg, count, min and sum, but no 'mean'"
    run statwit flush --db new.db --histogram-percentiles 95
    exits 2
    has "a percentile is a share from 0.01 to 1, as 0.95, not '95'"
    run statwit import lines.txt --db new.db
    exits 2
    has 'new.db is there already'
    printf '1700000001\ta:1|c\nyesterday\ta:1|c\n' >bad.txt
    run statwit import bad.txt --db bad.db
    exits 3
    has "bad.txt: line 2 is not SECONDS, a tab and a DogStatsD line, as 1700000000.25<TAB>a:1|c: 'yesterday"
    [ -z "$(ls bad.db* 2>/dev/null)" ]
    run statwit import no-such-file --db bad.db
    exits 3
    [ -z "$(ls bad.db* 2>/dev/null)" ]
    start
    for query in format=xml interval_s=0 flush_at=x hostname=a\&hostname=b histogram_aggregates=mean nonsense=1 since=99; do
        [ "$(curl -s -o answer -w '%{http_code}' "$STATWIT_URL/recorder/v1/flush?$query")" = 400 ] || { echo "$query"; cat answer; return 1; }
    done
}

@test "events and checks go with the next flush" {
    printf '1700000001\ta:1|c\n1700000002\t_e{5,4}:title|text|#b,a,b|s:jenkins\n1700000003\t_sc|db|2|m:down\n1700000031\t_e{3,1}:two|x|d:5|h:box\n' | statwit import - --db new.db -q
    run statwit flush --db new.db --format json
    exits 0
    [ "$(jq -c 'map([.flush_at, (.series|length), (.events//[]|map([.msg_title,.timestamp,.host,.tags,.source_type_name])), (.service_checks//[]|map([.check,.status,.message,.timestamp,.tags]))])' <<<"$output")" = \
        '[[1700000010,1,[["title",1700000002,"default-hostname",["a","b"],"jenkins"]],[["db",2,"down",1700000003,null]]],[1700000025,1,[],[]],[1700000040,1,[["two",5,"box",null,null]],[]]]' ]
    run statwit flush --db new.db
    has 'event        {"msg_title":"title"'
    has 'check        {"check":"db"'
    # Alone, without a sample to flush.
    printf '1700000002\t_e{5,4}:title|text\n' | statwit import - --db alone.db -q
    [ "$(statwit flush --db alone.db --format json | jq -c 'map([.flush_at, (.events|length)])')" = '[[1700000010,1]]' ]
    # Chosen by name, only series are shown.
    run statwit flush --db new.db a
    hasnt title
}

@test "replay --timed keeps the order of all records, and their pauses" {
    printf '1700000001\ta:1|c\n1700000001.4\t_e{1,1}:e|x\n1700000001.8\tb:1|c\n1700000001.8\t_sc|k|0\n' | statwit import - --db old.db -q
    start
    local began=${EPOCHREALTIME/[.,]/}
    run statwit replay old.db --timed --to udp
    # When a server reads them says nothing: one that is held up reads two at once.
    [ $((${EPOCHREALTIME/[.,]/} - began)) -ge 790000 ]
    exits 0
    has 'sent 4 lines'
    [ "$(statwit samples --json | jq -r '[.samples[].name] | join(" ")')" = 'a b' ]
    statwit expect -q 'event e' 'check k' 'incr b'
    printf 'a:1|c\n' >lines.txt
    run statwit replay lines.txt --timed
    exits 2
    has '--timed needs a recording'
}
