// Package carried tests statwitbin, whose import has an effect on the whole program.
package carried

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/statwit/statwit/client/go/statwitbin"
	"github.com/statwit/statwit/client/go/statwittest"
)

func TestTheCarriedProgramNeedsNothing(t *testing.T) {
	home := t.TempDir()
	if err := os.Chmod(home, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STATWIT_BIN", "")
	t.Setenv("PATH", "/nowhere")
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", home)
	t.Setenv("TMPDIR", home+"/nowhere")
	recorder, err := statwittest.Start("")
	var none *statwittest.Unavailable
	if errors.As(err, &none) && strings.Contains(err.Error(), "there is no statwit program") && os.Getenv("STATWIT_CARRIED") == "" {
		t.Skip("this copy of statwitbin carries no program")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer recorder.Stop()
	session, err := recorder.Open("")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.Dial("udp", session.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	_, _ = socket.Write([]byte("a:1|c"))
	session.For(t)
	report, err := session.Ask(0, "incr a sum == 1")
	if report.Verdict != "pass" {
		t.Error(report, err)
	}
	left, _ := filepath.Glob(home + "/*")
	if len(left) > 0 {
		t.Error("left behind: ", left)
	}
}

func TestBinComesFirst(t *testing.T) {
	t.Setenv("STATWIT_BIN", "/nowhere/statwit")
	if _, err := statwittest.Start(""); err == nil || !strings.Contains(err.Error(), "/nowhere/statwit") {
		t.Error(err)
	}
}
