package statwittest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const labelMax = 1024 // bytes

// What an older server says of a label.
const noLabels = "unknown field 'label'"

// A Session is what one test emits, apart from all others. Env holds the variables that lead clients here.
type Session struct {
	Name      string            `json:"name"`
	APIKey    string            `json:"api_key"`
	Env       map[string]string `json:"env"`
	Recorder  *Recorder         `json:"-"`
	DogStatsD struct {
		UDP string `json:"udp"`
	} `json:"dogstatsd"`
	t     testing.TB
	since any // the mark behind which this session looks
}

// New opens a session that ends with the test. It changes no environment, so it goes with t.Parallel. A test that fails shows what
// was recorded.
func New(t testing.TB) *Session {
	t.Helper()
	recorder, err := Shared()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := recorder.open("", t.Name())
	if err != nil {
		t.Fatal(err)
	}
	s := opened.bound(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.tableWhenFailed() // cleanups run last in, first out: before the end of the session
	return s
}

// Open opens a session that no test ends, for TestMain; an empty name lets the server choose one.
func (r *Recorder) Open(name string) (*Session, error) {
	return r.open(name, "")
}

// The label says whose the session is.
func (r *Recorder) open(name, label string) (*Session, error) {
	s, body := &Session{Recorder: r}, map[string]string{}
	if name != "" {
		body["name"] = name
	}
	label = strings.ReplaceAll(label, "\x00", "")
	if len(label) > labelMax {
		label = label[:labelMax]
	}
	if label != "" {
		body["label"] = strings.ToValidUTF8(label, "")
	}
	err := r.call("POST", "/recorder/v1/sessions", body, 0, s)
	var refused *Malformed
	if body["label"] != "" && errors.As(err, &refused) && strings.HasPrefix(refused.why, noLabels) {
		delete(body, "label") // an older server knows none, and is as good without one
		err = r.call("POST", "/recorder/v1/sessions", body, 0, s)
	}
	return s, err
}

// For is this session as the test t sees it: from now on. It is for a client that several tests share, one after the other.
func (s *Session) For(t testing.TB) *Session {
	t.Helper()
	view := s.bound(t)
	view.Mark()
	view.tableWhenFailed()
	return view
}

func (s *Session) bound(t testing.TB) *Session {
	view := *s
	view.t = t
	return &view
}

// Close ends the session. What is sent to it from now on reaches no other test.
func (s *Session) Close() error {
	err := s.Recorder.call("DELETE", "/recorder/v1/sessions/"+url.PathEscape(s.Name), nil, 0, nil)
	var refused *Malformed
	if errors.As(err, &refused) && refused.Status == 404 {
		return nil // it was closed before
	}
	return err
}

// Addr is the UDP address that a statsd client sends to.
func (s *Session) Addr() string { return s.DogStatsD.UDP }

// Host is the host of Addr.
func (s *Session) Host() string { host, _, _ := net.SplitHostPort(s.Addr()); return host }

// Port is the port of Addr.
func (s *Session) Port() int {
	_, text, _ := net.SplitHostPort(s.Addr())
	port, _ := strconv.Atoi(text)
	return port
}

// URL stands for Datadog's API. Clients over HTTP use APIKey with it.
func (s *Session) URL() string { return s.Env["DD_URL"] }

// Setenv leads DD_AGENT_HOST and its like here while the test runs. The environment belongs to the whole process, so Go refuses
// this in a parallel test.
func (s *Session) Setenv() {
	s.t.Helper()
	for name, value := range s.Env {
		s.t.Setenv(name, value)
	}
}

// A Report is a verdict, with the server's explanation. Verdict is pass, fail or inconclusive.
type Report struct {
	Verdict string
	Text    string
	JSON    json.RawMessage // the whole answer
}

// Ask is the report on these expectations. It waits at most `within` until they hold.
func (s *Session) Ask(within time.Duration, expectations ...string) (Report, error) {
	return s.judge("expect", map[string]any{"expect": expectations, "within_ms": within.Milliseconds()}, within)
}

// Expect fails the test unless the verdict on these expectations is pass. The test goes on, as after t.Error; the result is
// false then.
func (s *Session) Expect(expectations ...string) bool {
	s.t.Helper()
	return s.assert(s.Ask(0, expectations...))
}

// Eventually is Expect for what comes later: it waits at most `within`, for what a client still buffers. It returns as soon as the
// expectations hold, or as nothing could mend them.
func (s *Session) Eventually(within time.Duration, expectations ...string) bool {
	s.t.Helper()
	return s.assert(s.Ask(within, expectations...))
}

// Verify fails the test unless the names and tags keep to these catalog files.
func (s *Session) Verify(catalogs ...string) bool {
	s.t.Helper()
	type file struct {
		File string `json:"file"`
		Text string `json:"text"`
	}
	files := []file{}
	for _, path := range catalogs {
		text, err := os.ReadFile(path)
		if err != nil {
			s.t.Errorf("statwit: cannot read the catalog: %v", err)
			return false
		}
		files = append(files, file{path, string(text)})
	}
	return s.assert(s.judge("verify", map[string]any{"catalog": files}, 0))
}

// Lint fails the test when Datadog would rewrite, drop or charge for something.
func (s *Session) Lint() bool {
	s.t.Helper()
	return s.assert(s.judge("lint", map[string]any{}, 0))
}

func (s *Session) judge(what string, question map[string]any, wait time.Duration) (Report, error) {
	question["session"] = s.Name
	if s.since != nil {
		question["since"] = s.since
	}
	var report Report
	err := s.Recorder.call("POST", "/recorder/v1/"+what, question, wait, &report.JSON)
	if err == nil {
		err = json.Unmarshal(report.JSON, &report)
	}
	report.Text = strings.TrimRight(report.Text, "\n")
	return report, err
}

func (s *Session) assert(report Report, err error) bool {
	s.t.Helper()
	switch {
	case err != nil:
		s.t.Errorf("%v", err)
	case report.Verdict != "pass":
		s.t.Errorf("statwit: %s\n%s", report.Verdict, report.Text)
	default:
		return true
	}
	return false
}

// Mark lets this session look only at what comes later.
func (s *Session) Mark() {
	s.t.Helper()
	var made struct{ Mark any }
	if err := s.Recorder.call("POST", "/recorder/v1/marks", nil, 0, &made); err != nil {
		s.t.Errorf("%v", err)
		return
	}
	s.since = made.Mark
}

// Reset forgets what was recorded.
func (s *Session) Reset() {
	s.t.Helper()
	if err := s.Recorder.call("POST", "/recorder/v1/reset?session="+url.QueryEscape(s.Name), nil, 0, nil); err != nil {
		s.t.Errorf("%v", err)
	}
}

// A Series is all samples of one name, type and set of tags.
type Series struct {
	Name, Type string
	Tags       []string
	Samples    int
	Sum, Last  *float64
}

// A Sample is one value as it was received. A set's member is its Text.
type Sample struct {
	Name, Type string
	Tags       []string
	Value      *float64
	Text       *string
	SampleRate float64 `json:"sample_rate"`
}

// An Event is one that was received.
type Event struct {
	Title, Text string
	Tags        []string
}

// A Check is a service check's run. Status is ok, warning, critical or unknown.
type Check struct {
	Name, Status string
	Tags         []string
}

// A Reject is a line that was refused.
type Reject struct{ Reason, Detail, Text string }

// Series are those whose name matches the glob.
func (s *Session) Series(glob string) []Series { return list[Series](s, "series", glob) }

// Samples are those whose name matches the glob.
func (s *Session) Samples(glob string) []Sample { return list[Sample](s, "samples", glob) }

// Events are all that were received.
func (s *Session) Events() []Event { return list[Event](s, "events", "") }

// Checks are all that were received.
func (s *Session) Checks() []Check { return list[Check](s, "service_checks", "") }

// Rejects are the lines that were refused.
func (s *Session) Rejects() []Reject { return list[Reject](s, "rejects", "") }

func list[T any](s *Session, what, glob string) []T {
	s.t.Helper()
	found, err := listed[T](s, what, glob)
	if err != nil {
		s.t.Errorf("%v", err)
	}
	return found
}

func listed[T any](s *Session, what, glob string) ([]T, error) {
	query := url.Values{"session": {s.Name}, "limit": {"100000000"}}
	if glob != "" {
		query.Set("name", glob)
	}
	if s.since != nil {
		query.Set("since", fmt.Sprint(s.since))
	}
	var answer map[string]json.RawMessage
	if err := s.Recorder.call("GET", "/recorder/v1/"+what+"?"+query.Encode(), nil, 0, &answer); err != nil {
		return nil, err
	}
	var found []T
	return found, json.Unmarshal(answer[what], &found)
}

// Table is what was recorded, for a person.
func (s *Session) Table() string {
	series, err := listed[Series](s, "series", "")
	if err != nil {
		return "unknown: " + err.Error()
	}
	var out strings.Builder
	number := func(x *float64) string {
		if x == nil {
			return "-"
		}
		return strconv.FormatFloat(*x, 'g', -1, 64)
	}
	for _, one := range series {
		fmt.Fprintf(&out, "%-12s %s{%s} samples=%d sum=%s last=%s\n", one.Type, one.Name, strings.Join(one.Tags, ","), one.Samples,
			number(one.Sum), number(one.Last))
	}
	events, _ := listed[Event](s, "events", "")
	for _, one := range events {
		fmt.Fprintf(&out, "event        %s: %s\n", one.Title, one.Text)
	}
	checks, _ := listed[Check](s, "service_checks", "")
	for _, one := range checks {
		fmt.Fprintf(&out, "check        %s %s\n", one.Name, one.Status)
	}
	rejects, _ := listed[Reject](s, "rejects", "")
	for _, one := range rejects {
		fmt.Fprintf(&out, "refused      %s: %s\n", one.Detail, one.Text)
	}
	if out.Len() == 0 {
		return "nothing"
	}
	return strings.TrimRight(out.String(), "\n")
}

func (s *Session) tableWhenFailed() {
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("metrics recorded:\n%s", s.Table())
		}
	})
}
