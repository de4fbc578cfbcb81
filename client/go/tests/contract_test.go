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

// client/contract/cases.json, through every way to ask.
func TestContract(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(os.Getenv("STATWIT_CONTRACT"), "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Outcome      string
		Send, Expect, Says []string
		Drop               bool
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, one := range cases {
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
