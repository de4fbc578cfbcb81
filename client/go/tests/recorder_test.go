package tests

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/DataDog/datadog-go/v5/statsd"
	"github.com/statwit/statwit/client/go/statwittest"
)

const minute = time.Minute

func TestMain(m *testing.M) {
	if os.Getenv("STATWIT_TEST_KILLED") != "" {
		beKilled()
	}
	os.Exit(m.Run())
}

func drop(t testing.TB, m *statwittest.Session) {
	t.Helper()
	body := fmt.Sprintf(`{"dogstatsd":[{"drop":1,"session":%q}]}`, m.Name)
	request, _ := http.NewRequest("PUT", m.Recorder.URL+"/recorder/v1/faults", strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != 200 {
		t.Fatal(answer, err)
	}
	answer.Body.Close()
}

func client(t testing.TB, address string) *statsd.Client {
	t.Helper()
	made, err := statsd.New(address, statsd.WithoutTelemetry())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestDatadogGo(t *testing.T) {
	t.Parallel()
	m := statwittest.New(t)
	c := client(t, m.Addr())
	_ = c.Incr("login.attempt", []string{"instance:failure"}, 1)
	_ = c.Gauge("queue.depth", 3, nil, 1)
	_ = c.Timing("events.latency", 480*time.Millisecond, nil, 1)
	_ = c.Close()
	m.Expect("incr login.attempt[instance:failure] sum == 1", "gauge queue.depth last == 3", "timing events.latency last == 480",
		"no any errors.*")
}

func TestDatadogGoThatFlushesByItself(t *testing.T) {
	m := statwittest.New(t)
	m.Setenv()
	c := client(t, "")
	defer c.Close()
	_ = c.Incr("login.attempt", nil, 1)
	m.Eventually(minute, "incr login.attempt sum == 1")
}

func TestParallelSubtestsSeeTheirOwnMetricsOnly(t *testing.T) {
	for i := 0; i < 50; i++ {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			m := statwittest.New(t)
			c := client(t, m.Addr())
			_ = c.Count("n", int64(i), []string{fmt.Sprint("i:", i)}, 1)
			_ = c.Close()
			m.Expect(fmt.Sprintf("incr n[i:%d] sum == %d", i, i), "any * series == 1")
		})
	}
}

func TestAClientThatTestsShare(t *testing.T) {
	recorder, err := statwittest.Shared()
	if err != nil {
		t.Fatal(err)
	}
	all, err := recorder.Open("shared-client")
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, all.Addr())
	for i := 1; i <= 3; i++ {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			m := all.For(t)
			_ = c.Incr("a", nil, 1)
			_ = c.Flush()
			m.Expect("incr a samples == 1")
			if n := len(m.Samples("a")); n != 1 {
				t.Error(n)
			}
		})
	}
	_ = c.Close()
	if err := all.Close(); err != nil {
		t.Error(err)
	}
	if err := all.Close(); err != nil {
		t.Error("closed twice: ", err)
	}
}

func TestAFailureShowsWhatWasRecorded(t *testing.T) {
	m := statwittest.New(t)
	send(t, m.Addr(), "a.b:1|c|#env:ci", "c:2|g", "s:member|s", "_e{1,1}:T|x", "_sc|up|0", "bad")
	table := m.Table()
	for _, part := range []string{"a.b{env:ci} samples=1 sum=1", "sum=- last=-", "event        T: x", "check        up ok", "refused"} {
		if !strings.Contains(table, part) {
			t.Errorf("%q is not in %s", part, table)
		}
	}
	if got := m.Series("a.*"); len(got) != 1 || got[0].Tags[0] != "env:ci" {
		t.Error(got)
	}
	if got := m.Samples("s"); len(got) != 1 || *got[0].Text != "member" || got[0].Value != nil {
		t.Error(got)
	}
	if e, c, r := m.Events(), m.Checks(), m.Rejects(); len(e) != 1 || len(c) != 1 || len(r) != 1 || c[0].Status != "ok" || r[0].Text != "bad" {
		t.Error(e, c, r)
	}
	m.Reset()
	if m.Table() != "nothing" || m.Host() != "127.0.0.1" || m.Port() == 0 || m.URL() == "" || m.APIKey == "" {
		t.Error(m)
	}
	m.Lint()
}

func TestASessionIsLabelledWithItsTest(t *testing.T) {
	m := statwittest.New(t)
	answer, err := http.Get(m.Recorder.URL + "/recorder/v1/sessions/" + m.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var session struct{ Label string }
	if err := json.NewDecoder(answer.Body).Decode(&session); err != nil || session.Label != t.Name() {
		t.Error(err, session.Label)
	}
}

// The test binary runs once more, as what asks an older server: the running one behind a stand-in that knows no labels.
func TestAnOlderServerKnowsNoLabel(t *testing.T) {
	running, err := statwittest.Shared()
	if err != nil {
		t.Fatal(err)
	}
	at, _ := url.Parse(running.URL)
	forward := httputil.NewSingleHostReverseProxy(at)
	for says, passes := range map[string]bool{"unknown field 'label'; did you mean 'table'?": true, "no label today": false} {
		var labels atomic.Int32
		older := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.URL.Path == "/recorder/v1/sessions" && bytes.Contains(body, []byte(`"label"`)) {
				labels.Add(1)
				w.WriteHeader(400)
				fmt.Fprintf(w, `{"error":%q}`, says)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			forward.ServeHTTP(w, r)
		}))
		run := exec.Command(os.Args[0], "-test.run=^TestDatadogGo$")
		run.Env = append(os.Environ(), "STATWIT_URL="+older.URL)
		out, err := run.CombinedOutput()
		older.Close()
		if (err == nil) != passes || labels.Load() != 1 || (!passes && !bytes.Contains(out, []byte(says))) {
			t.Error(says, err, labels.Load(), string(out))
		}
	}
}

func TestACatalog(t *testing.T) {
	catalog := filepath.Join(t.TempDir(), "catalog.json")
	_ = os.WriteFile(catalog, []byte(`{"metrics": {"a": {"type": "count"}}}`), 0o600)
	test := &inner{TB: t}
	m := statwittest.New(test)
	send(t, m.Addr(), "a:1|c")
	if !m.Verify(catalog) {
		t.Error(test.said)
	}
	send(t, m.Addr(), "b:1|c")
	if m.Verify(catalog) || m.Verify("/nowhere/catalog.json") || len(test.said) != 2 {
		t.Error(test.said)
	}
	for _, cleanup := range test.cleanups {
		cleanup()
	}
}

func TestWhatComesAfterTheEndReachesNoOtherTest(t *testing.T) {
	var ended string
	t.Run("ended", func(t *testing.T) { ended = statwittest.New(t).Addr() })
	m := statwittest.New(t)
	send(t, ended, "late:1|c")
	m.Expect("no any *")
}

func TestAListIsWhole(t *testing.T) {
	m := statwittest.New(t)
	for i := 0; i < 60; i++ {
		send(t, m.Addr(), strings.Repeat("n:1|c\n", 200))
	}
	m.Expect("incr n samples == 12000")
	if n := len(m.Samples("n")); n != 12000 {
		t.Error(n)
	}
}

func program(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "statwit")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func unavailable(t *testing.T, err error, says ...string) {
	t.Helper()
	var why *statwittest.Unavailable
	if !errors.As(err, &why) {
		t.Errorf("%v (%T)", err, err)
		return
	}
	for _, part := range says {
		if !strings.Contains(why.Error(), part) {
			t.Errorf("%q is not in %v", part, why)
		}
	}
}

func TestNoProgram(t *testing.T) {
	t.Setenv("STATWIT_BIN", "")
	t.Setenv("PATH", "/nowhere")
	_, err := statwittest.Start("")
	unavailable(t, err, "STATWIT_BIN", "STATWIT_URL")
	for _, path := range []string{"/nowhere/statwit", "/etc/passwd", t.TempDir()} {
		t.Setenv("STATWIT_BIN", path)
		_, err = statwittest.Start("")
		unavailable(t, err, path)
	}
}

func TestTheProgramOfThePath(t *testing.T) {
	bin := t.TempDir()
	_ = os.Symlink(os.Getenv("STATWIT_BIN"), filepath.Join(bin, "statwit"))
	t.Setenv("STATWIT_BIN", "")
	t.Setenv("PATH", bin)
	t.Setenv("HOME", "/nowhere") // nothing is needed there
	recorder, err := statwittest.Start("")
	if err != nil {
		t.Fatal(err)
	}
	if err := recorder.Stop(); err != nil {
		t.Error(err)
	}
	if err := recorder.Stop(); err != nil {
		t.Error("stopped twice: ", err)
	}
}

func TestAProgramThatIsNoStatwitOfOurs(t *testing.T) {
	for text, says := range map[string]string{
		"exit 3":            "status 3",
		"echo no json; cat": "does not answer as statwit does",
		"yes | tr -d '\\n'": "does not answer as statwit does",
		`echo '{"api":99,"http":"http://127.0.0.1:1"}'; cat`: "api 99, and this package (0.1.0) speaks api 1",
		`echo '{"http":"http://127.0.0.1:1"}'; cat`:          "of no number",
	} {
		t.Setenv("STATWIT_BIN", program(t, text))
		_, err := statwittest.Start("")
		unavailable(t, err, says)
	}
}

func TestAURLThatLeadsNowhere(t *testing.T) {
	page := httptest.NewServer(http.FileServer(http.Dir(t.TempDir())))
	defer page.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"status":"up"}`) }))
	defer other.Close()
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }))
	defer locked.Close()
	for url, says := range map[string]string{
		"127.0.0.1:8125": "no URL", "udp://127.0.0.1": "no URL", "http://127.0.0.1:1": "does not answer",
		page.URL: "is it a statwit server", other.URL: "of no number", locked.URL: "STATWIT_TOKEN",
	} {
		t.Setenv("STATWIT_URL", url)
		_, err := statwittest.Find()
		unavailable(t, err, says)
	}
}

func TestAServerOfAnotherVersion(t *testing.T) {
	later := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"api":2}`) }))
	defer later.Close()
	t.Setenv("STATWIT_URL", later.URL)
	_, err := statwittest.Find()
	unavailable(t, err, later.URL+" speaks api 2, and this package (0.1.0) speaks api 1: install the two of one version")
}

func TestTheServerOfTheURLIsNotStarted(t *testing.T) {
	running, err := statwittest.Shared()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("STATWIT_BIN", "/nowhere/statwit")
	t.Setenv("STATWIT_URL", running.URL+"/")
	found, err := statwittest.Find()
	if err != nil {
		t.Fatal(err)
	}
	session, err := found.Open("by-url")
	if err != nil || session.Name != "by-url" {
		t.Fatal(session, err)
	}
	_ = session.Close()
	_ = found.Stop()
	if err := running.Check(); err != nil {
		t.Error(err)
	}
}

func TestTheMachinesSettingsDoNotMatter(t *testing.T) {
	t.Setenv("DD_DOGSTATSD_SOCKET", "/nowhere/dsd.socket")
	t.Setenv("DD_TAGS", "team:x")
	t.Setenv("STATWIT_DB", "/nowhere/statwit.db")
	t.Setenv("STATWIT_TOKEN", "not\none")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	db := filepath.Join(t.TempDir(), "kept.db")
	recorder, err := statwittest.Start(db)
	if err != nil {
		t.Fatal(err)
	}
	session, err := recorder.Open("")
	if err != nil {
		t.Fatal(err)
	}
	send(t, session.Addr(), "a:1|c")
	session.For(t).Expect("no any *") // what came before is not this test's
	if report, err := session.Ask(0, "incr a[] sum == 1"); report.Verdict != "pass" {
		t.Error(report, err)
	}
	if err := recorder.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(db); err != nil {
		t.Error(err)
	}
	_, err = session.Ask(0, "incr a")
	unavailable(t, err, "does not answer")
}

// A test program that is killed while a child of it lives on.
func beKilled() {
	recorder, err := statwittest.Start("")
	if err != nil {
		panic(err)
	}
	child := exec.Command("cat")
	child.Stdin = os.Stdin
	if err := child.Start(); err != nil {
		panic(err)
	}
	answer, err := http.Get(recorder.URL + "/recorder/v1/status")
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(os.Stdout, answer.Body)
	fmt.Println()
	self, _ := os.FindProcess(os.Getpid())
	_ = self.Kill()
	select {}
}

func TestNoServerOutlivesAKilledTest(t *testing.T) {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "STATWIT_TEST_KILLED=1")
	stdin, in, err := os.Pipe() // the child `cat` lives until it is closed
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	command.Stdin = stdin
	out, _ := command.StdoutPipe()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(line, []byte(`"pid":`))
	pid, _, _ := bytes.Cut(rest, []byte(","))
	if err := command.Wait(); err == nil || command.ProcessState.ExitCode() != -1 {
		t.Fatal(command.ProcessState)
	}
	if err := exec.Command("timeout", "60", "tail", "--pid="+string(pid), "-f", "/dev/null").Run(); err != nil {
		t.Error("the server lives on")
	}
}
