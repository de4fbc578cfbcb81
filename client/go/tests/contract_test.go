package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/statwit/statwit/client/go/statwittest"
)

// A test of ours as statwittest sees it, whose failures are data.
type inner struct {
	testing.TB
	said     []string
	cleanups []func()
}

func (i *inner) Helper()           {}
func (i *inner) Error(args ...any) { i.said = append(i.said, fmt.Sprintln(args...)) }
func (i *inner) Errorf(format string, args ...any) {
	i.said = append(i.said, fmt.Sprintf(format, args...))
}
func (i *inner) Failed() bool                    { return len(i.said) > 0 }
func (i *inner) Cleanup(f func())                { i.cleanups = append([]func(){f}, i.cleanups...) }
func (i *inner) Logf(format string, args ...any) { i.TB.Logf(format, args...) }

func send(t testing.TB, to string, lines ...string) {
	t.Helper()
	socket, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for _, line := range lines {
		if _, err := socket.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
}

type contractCase struct {
	Name, Outcome, Way string
	Send, Expect, Says []string
	Drop               bool
	Catalog            json.RawMessage
}

func contract(t *testing.T, name string, value any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(os.Getenv("STATWIT_CONTRACT"), name))
	if err == nil {
		err = json.Unmarshal(text, value)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What a test writes in each way of ways.json. Each must fail the test.
var ways = map[string]func(m *statwittest.Session, expect []string, catalog string){
	"claim": func(m *statwittest.Session, expect []string, _ string) { m.Expect(expect...) },
	"wait":  func(m *statwittest.Session, expect []string, _ string) { m.Eventually(time.Millisecond, expect...) },
	"alternative": func(m *statwittest.Session, expect []string, _ string) {
		if !(m.Expect(expect...) || true) {
			panic("never")
		}
	},
	"negated claim": func(m *statwittest.Session, expect []string, _ string) { _ = !m.Expect(expect...) },
	"catalog":       func(m *statwittest.Session, _ []string, catalog string) { m.Verify(catalog) },
	"lint":          func(m *statwittest.Session, _ []string, _ string) { m.Lint() },
}

func TestInconclusiveIsNeverAPass(t *testing.T) {
	var cases []contractCase
	contract(t, "cases.json", &cases)
	var table map[string]map[string]string
	contract(t, "ways.json", &table)
	for way, written := range table {
		if (ways[way] == nil) != strings.HasPrefix(written["go"], "none: ") {
			t.Errorf("the way %q is in the table, and is not tried, or the other way round", way)
		}
	}
	tried := 0
	for _, one := range cases {
		try := ways[one.Way]
		if try == nil {
			continue
		}
		tried++
		t.Run(one.Name, func(t *testing.T) {
			catalog := filepath.Join(t.TempDir(), "catalog.json")
			if err := os.WriteFile(catalog, one.Catalog, 0o600); err != nil {
				t.Fatal(err)
			}
			test := &inner{TB: t}
			m := statwittest.New(test)
			drop(t, m)
			send(t, m.Addr(), one.Send...)
			try(m, one.Expect, catalog)
			said := strings.Join(test.said, "\n")
			if !test.Failed() {
				t.Error("the test passed")
			}
			for _, part := range one.Says {
				if !strings.Contains(said, part) {
					t.Errorf("%q is not in %s", part, said)
				}
			}
			for _, cleanup := range test.cleanups {
				cleanup()
			}
		})
	}
	if tried < len(ways) {
		t.Errorf("%d ways, and cases for %d", len(ways), tried)
	}
}

// client/contract/cases.json, through every way to ask.
func TestContract(t *testing.T) {
	var cases []contractCase
	contract(t, "cases.json", &cases)
	for _, one := range cases {
		if one.Way != "" {
			continue
		}
		t.Run(one.Name, func(t *testing.T) {
			if !one.Drop { // the faults of a server are one list, which the next PUT replaces
				t.Parallel()
			}
			test := &inner{TB: t}
			m := statwittest.New(test)
			if one.Drop {
				drop(t, m)
			}
			send(t, m.Addr(), one.Send...)
			report, err := m.Ask(0, one.Expect...)
			shown := report.Text
			if one.Outcome == "error" {
				var malformed *statwittest.Malformed
				if !errors.As(err, &malformed) {
					t.Fatalf("no error: %v", err)
				}
				shown = err.Error()
			} else if err != nil || report.Verdict != one.Outcome {
				t.Fatal(report.Verdict, report.Text, err)
			}
			if m.Expect(one.Expect...) != (one.Outcome == "pass") || m.Eventually(0, one.Expect...) != (one.Outcome == "pass") {
				t.Error("Expect and Ask differ")
			}
			said := strings.Join(test.said, "\n")
			if one.Outcome == "fail" || one.Outcome == "inconclusive" {
				one.Says = append(one.Says, "statwit: "+one.Outcome)
				shown = "statwit: " + report.Verdict + "\n" + shown
			}
			if test.Failed() != (one.Outcome != "pass") {
				t.Error(test.said)
			}
			for _, part := range one.Says {
				if !strings.Contains(shown, part) || !strings.Contains(said, part) {
					t.Errorf("%q is not in %s, or not in %s", part, shown, said)
				}
			}
			for _, cleanup := range test.cleanups {
				cleanup()
			}
		})
	}
}
