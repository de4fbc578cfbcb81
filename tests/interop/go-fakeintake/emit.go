// Bodies as the Agent and API clients post them, in every encoding, to a recorder that stands in for fakeintake; then what the getters of
// fakeintake's client find, and what the recorder judges.
package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/DataDog/agent-payload/v5/gogen"
	"github.com/DataDog/agent-payload/v5/process"
	"github.com/DataDog/zstd"
)

const old = 1600000000 // recorded bodies are of long ago

var (
	compared []string
	stdin    io.WriteCloser // the recorder ends with it
)

func check(err error) { must(err == nil, "%v", err) }

func must(holds bool, format string, args ...any) {
	if !holds {
		panic(fmt.Sprintf(format, args...))
	}
}

func same(what string, got, want any) {
	must(reflect.DeepEqual(got, want), "%s: got %v, want %v", what, got, want)
	compared = append(compared, fmt.Sprintf("%s: %v", what, got))
}

// A recorder of our own, which ends with our pipe.
func start() (*exec.Cmd, map[string]any) {
	command := exec.Command(os.Getenv("STATWIT"), "serve", "--private", "--fakeintake")
	var err error
	stdin, err = command.StdinPipe()
	check(err)
	stdout, err := command.StdoutPipe()
	check(err)
	command.Stderr = os.Stderr
	check(command.Start())
	var ready map[string]any
	check(json.NewDecoder(stdout).Decode(&ready))
	return command, ready
}

func encode(encoding string, text []byte) []byte {
	var b bytes.Buffer
	switch encoding {
	case "gzip":
		w := gzip.NewWriter(&b)
		w.Write(text)
		w.Close()
	case "deflate":
		w := zlib.NewWriter(&b)
		w.Write(text)
		w.Close()
	case "zstd":
		text, err := zstd.Compress(nil, text)
		check(err)
		return text
	default:
		return text
	}
	return b.Bytes()
}

func (in *intake) post(path, encoding, kind string, text []byte) []byte {
	headers := map[string]string{"Content-Type": kind, "DD-API-KEY": "abcdef", "User-Agent": "datadog-agent/7.70"}
	if encoding != "" {
		headers["Content-Encoding"] = encoding
	}
	status, _, answer := in.ask("POST", path, encode(encoding, text), headers)
	must(status == 200, "POST %s: %d %s", path, status, answer)
	return answer
}

func postAll(in *intake) {
	for i, encoding := range []string{"", "gzip", "deflate", "zstd", "identity"} {
		body := gogen.MetricPayload{Series: []*gogen.MetricPayload_MetricSeries{{
			Metric: "agent.metric", Tags: []string{"env:ci", fmt.Sprintf("i:%d", i)}, Type: gogen.MetricPayload_GAUGE,
			Resources: []*gogen.MetricPayload_Resource{{Type: "host", Name: "h"}},
			Points:    []*gogen.MetricPayload_MetricPoint{{Value: float64(i), Timestamp: old}, {Value: 10, Timestamp: old + 1}},
		}}}
		text, err := body.Marshal()
		check(err)
		in.post("/api/v2/series", encoding, "application/x-protobuf", text)
		in.post("/api/v2/series", encoding, "application/json",
			fmt.Appendf(nil, `{"series":[{"metric":"api.metric","type":1,"points":[{"timestamp":%d,"value":%d}],"tags":["i:%d"]}]}`, old, i, i))
	}
	in.post("/api/v2/series", "", "application/json", []byte("{}")) // the Agent asks so whether it is there
	sketch := gogen.SketchPayload{Sketches: []gogen.SketchPayload_Sketch{{Metric: "agent.sketch", Host: "h",
		Dogsketches: []gogen.SketchPayload_Sketch_Dogsketch{{Ts: old, Cnt: 2, Min: 1, Max: 1, Avg: 1, Sum: 2, K: []int32{1338}, N: []uint32{2}}}}}}
	text, err := sketch.Marshal()
	check(err)
	in.post("/api/beta/sketches", "zstd", "application/x-protobuf", text)
	in.post("/api/v1/check_run", "gzip", "application/json", fmt.Appendf(nil, `[{"check":"up","host_name":"h","timestamp":%d,"status":0,"message":"m","tags":["a:1"]}]`, old))
	in.post("/api/v1/check_run", "", "application/json", []byte("{}"))
	in.post("/intake/", "deflate", "application/json", fmt.Appendf(nil,
		`{"apiKey":"","events":{"docker":[{"msg_title":"oom","msg_text":"t","timestamp":%d,"alert_type":"error"}],"api":[{"msg_title":"other","msg_text":"","timestamp":%d}]},"internalHostname":"h"}`, old, old))
	in.post("/intake/", "", "application/json", []byte(`{"agentVersion":"7","meta":{}}`)) // host metadata: no events
	// datadogpy's series
	in.post("/api/v1/series?api_key=k", "deflate", "application/json", fmt.Appendf(nil, `{"series":[{"metric":"py.metric","points":[[%d,4.5]],"type":"gauge","host":"h","tags":["x"]}]}`, old))
}

func look(in *intake) {
	same("names", in.names(), []string{"agent.metric", "api.metric"})
	same("all", in.filter("agent.metric"), 5)
	same("tags", in.filter("agent.metric", withTags("env:ci", "i:3")), 1)
	same("no such tag", in.filter("agent.metric", withTags("env:prod")), 0)
	same("matching tags", in.filter("api.metric", withMatchingTags("^i:[12]$")), 2)
	same("higher", in.filter("api.metric", higherThan(2)), 2)
	same("lower", in.filter("agent.metric", lowerThan(1)), 1)
	same("in a range", in.filter("agent.metric", higherThan(9), lowerThan(1)), 1)
	same("sketches", in.sketches(), []string{"agent.sketch 2"})
	same("checks", in.checks(), []checkRun{{"up", "h", old, 0, "m", []string{"a:1"}}})
	same("events", in.events(), map[string][]string{"docker": {"oom"}, "api": {"other"}})
	same("routes", in.routes(), map[string]int{"/api/v2/series": 11, "/api/beta/sketches": 1, "/api/v1/check_run": 2, "/intake/": 2, "/api/v1/series": 1})
	same("key", in.payloads("/api/v1/check_run")[0].APIKey, "abcdef")
	same("never", len(in.payloads("/never")), 0)
	for _, p := range in.payloads("/api/v2/series") {
		at, err := time.Parse(time.RFC3339Nano, p.Timestamp)
		check(err)
		must(time.Since(at) < time.Hour && at.Location() == time.UTC, "the time %s", p.Timestamp)
	}
}

func judge(in *intake) {
	question, err := json.Marshal(map[string]any{"expect": []string{"gauge agent.metric{env:ci} samples == 10 and max == 10", "incr api.metric sum == 10",
		"distribution agent.sketch count == 2", "check up{a:1} status == ok", `event oom where alert_type == error`, "gauge py.metric{x} last == 4.5", "no reject invalid*"}})
	check(err)
	_, _, text := in.ask("POST", "/recorder/v1/expect", question, nil)
	var answer struct{ Verdict, Text string }
	check(json.Unmarshal(text, &answer))
	must(answer.Verdict == "pass", "%s", answer.Text)
	compared = append(compared, "judged: pass")
}

func parsed(in *intake) {
	var answer struct {
		Payloads []struct{ Data []map[string]any }
	}
	in.get("/fakeintake/payloads?format=json&endpoint=/api/v2/series", &answer)
	same("parsed", len(answer.Payloads), 11)
	same("parsed protobuf", answer.Payloads[0].Data[0]["resources"], []any{map[string]any{"type": "host", "name": "h"}})
	same("parsed type", answer.Payloads[1].Data[0]["type"], 1.0)
}

func others(in *intake, ready map[string]any) {
	answer := in.post("/api/v1/connections", "", "application/x-protobuf", []byte("x"))
	message, err := process.DecodeMessage(answer)
	check(err)
	body := message.Body.(*process.ResCollector)
	same("connections", []int32{message.Header.OrgID, int32(message.Header.SubscriptionID), body.Status.ActiveClients, body.Status.Interval}, []int32{503, 2, 1, 30})

	override, err := json.Marshal(map[string]any{"method": "POST", "endpoint": "/totoro", "status_code": 200, "content_type": "text/plain", "body": []byte("catbus")})
	check(err)
	status, _, _ := in.ask("POST", "/fakeintake/configure/override", override, nil)
	same("override", status, 200)
	same("overridden", string(in.post("/totoro", "", "text/plain", []byte("totoro|5|tag:valid,owner:mei"))), "catbus")
	same("kept", in.routes()["/totoro"], 1)

	conn, err := net.Dial("udp", ready["dogstatsd"].(map[string]any)["udp"].(string))
	check(err)
	_, err = conn.Write([]byte("dsd.hits:3|c|#a:1"))
	check(err)
	var list struct{ Payloads []payload }
	in.get("/fakeintake/payloads?dogstatsd=1&endpoint=/api/v2/series", &list)
	must(strings.Contains(string(list.Payloads[len(list.Payloads)-1].plain()), `"dsd.hits"`), "no DogStatsD among the payloads")

	status, _, _ = in.ask("GET", "/fakeintake/flushPayloads", nil, nil)
	same("flush", status, 200)
	same("flushed", len(in.routes()), 0)
	same("still overridden", string(in.post("/totoro", "", "text/plain", nil)), "catbus")
}

func main() {
	command, ready := start()
	defer command.Process.Kill()
	root := &intake{base: ready["http"].(string)}
	_, _, text := root.ask("POST", "/recorder/v1/sessions", []byte(`{"name":"go"}`), nil)
	must(strings.Contains(string(text), "/s/go"), "%s", text)
	for _, in := range []*intake{root, {base: root.base + "/s/go"}} {
		same("nothing yet", len(in.routes()), 0)
		postAll(in)
		look(in)
		judge(in)
		parsed(in)
		if in == root {
			others(in, ready)
		}
	}
	slices.Sort(compared)
	check(os.WriteFile("compared", []byte(strings.Join(compared, "\n")+"\n"), 0o644))
}
