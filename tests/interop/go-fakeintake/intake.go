// A client of fakeintake, written from schema/protocol/fakeintake.md: what its getters do, with the Agent's own generated code.
package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/DataDog/agent-payload/v5/gogen"
	"github.com/DataDog/zstd"
)

type intake struct {
	base, id string
}

type payload struct {
	Timestamp   string `json:"timestamp"`
	APIKey      string `json:"api_key"`
	Data        []byte `json:"data"`
	Encoding    string `json:"encoding"`
	ContentType string `json:"content_type"`
}

// Every answer has the same Fakeintake-ID, or the server is taken for another one.
func (in *intake) ask(method, path string, body []byte, headers map[string]string) (int, http.Header, []byte) {
	request, err := http.NewRequest(method, in.base+path, bytes.NewReader(body))
	check(err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(err)
	id := answer.Header.Get("Fakeintake-ID")
	if in.id == "" {
		in.id = id
	}
	must(id != "" && id == in.id, "the identity changed from %q to %q", in.id, id)
	return answer.StatusCode, answer.Header, text
}

func (in *intake) get(path string, into any) {
	status, _, text := in.ask("GET", path, nil, nil)
	must(status == 200, "GET %s: %d %s", path, status, text)
	check(json.Unmarshal(text, into))
}

func (in *intake) payloads(endpoint string) []payload {
	var answer struct{ Payloads []payload }
	in.get("/fakeintake/payloads?endpoint="+url.QueryEscape(endpoint), &answer)
	return answer.Payloads
}

func (in *intake) routes() map[string]int {
	var answer struct {
		Routes map[string]struct {
			ID    string
			Count int
		}
	}
	in.get("/fakeintake/routestats", &answer)
	counts := map[string]int{}
	for path, route := range answer.Routes {
		must(path == route.ID, "route %q has the id %q", path, route.ID)
		counts[path] = route.Count
	}
	return counts
}

// Every word but these three stands for nothing at all.
func (p payload) plain() []byte {
	var reader io.Reader
	var err error
	switch p.Encoding {
	case "gzip":
		reader, err = gzip.NewReader(bytes.NewReader(p.Data))
	case "deflate":
		reader, err = zlib.NewReader(bytes.NewReader(p.Data))
	case "zstd":
		reader = zstd.NewReader(bytes.NewReader(p.Data))
	default:
		return p.Data
	}
	check(err)
	text, err := io.ReadAll(reader)
	check(err)
	return text
}

// --- metrics -----------------------------------------------------------------------------------------------------------

type point struct {
	Value     float64
	Timestamp int64
}
type series struct {
	Metric string
	Tags   []string
	Points []point
}

func (in *intake) series() []series {
	var all []series
	for _, p := range in.payloads("/api/v2/series") {
		text := p.plain()
		if bytes.Equal(text, []byte("{}")) {
			continue
		}
		if p.ContentType == "application/json" {
			var body struct{ Series []series }
			check(json.Unmarshal(text, &body))
			all = append(all, body.Series...)
			continue
		}
		var body gogen.MetricPayload
		check(body.Unmarshal(text))
		for _, s := range body.Series {
			one := series{Metric: s.Metric, Tags: s.Tags}
			for _, p := range s.Points {
				one.Points = append(one.Points, point{p.Value, p.Timestamp})
			}
			all = append(all, one)
		}
	}
	return all
}

type choice func(series) bool

func withTags(tags ...string) choice {
	return func(s series) bool {
		return !slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(s.Tags, tag) })
	}
}

func withMatchingTags(patterns ...string) choice {
	return func(s series) bool {
		return !slices.ContainsFunc(patterns, func(p string) bool { return !slices.ContainsFunc(s.Tags, regexp.MustCompile(p).MatchString) })
	}
}

func higherThan(least float64) choice {
	return func(s series) bool {
		return slices.ContainsFunc(s.Points, func(p point) bool { return p.Value > least })
	}
}

func lowerThan(most float64) choice {
	return func(s series) bool {
		return slices.ContainsFunc(s.Points, func(p point) bool { return p.Value < most })
	}
}

func (in *intake) filter(name string, choices ...choice) int {
	n := 0
	for _, s := range in.series() {
		if s.Metric == name && !slices.ContainsFunc(choices, func(c choice) bool { return !c(s) }) {
			n++
		}
	}
	return n
}

func (in *intake) names() []string {
	var names []string
	for _, s := range in.series() {
		names = append(names, s.Metric)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// --- what else the Agent sends ---------------------------------------------------------------------------------------------

func (in *intake) sketches() []string {
	var names []string
	for _, p := range in.payloads("/api/beta/sketches") {
		var body gogen.SketchPayload
		check(body.Unmarshal(p.plain()))
		for _, s := range body.Sketches {
			names = append(names, fmt.Sprintf("%s %d", s.Metric, s.Dogsketches[0].Cnt))
		}
	}
	return names
}

type checkRun struct {
	Check     string
	Hostname  string `json:"host_name"`
	Timestamp int
	Status    int
	Message   string
	Tags      []string
}

func (in *intake) checks() []checkRun {
	var all []checkRun
	for _, p := range in.payloads("/api/v1/check_run") {
		if text := p.plain(); len(text) > 0 && text[0] == '[' {
			var list []checkRun
			check(json.Unmarshal(text, &list))
			all = append(all, list...)
		}
	}
	return all
}

func (in *intake) events() map[string][]string {
	titles := map[string][]string{}
	for _, p := range in.payloads("/intake/") {
		var body struct {
			Events map[string][]struct {
				Title string `json:"msg_title"`
			}
		}
		check(json.Unmarshal(p.plain(), &body))
		for source, list := range body.Events {
			for _, e := range list {
				titles[source] = append(titles[source], e.Title)
			}
		}
	}
	return titles
}
