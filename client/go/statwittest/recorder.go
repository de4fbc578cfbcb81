// Package statwittest lets a Go test assert which Datadog metrics a program emitted, with a statwit recorder.
//
//	func TestLogin(t *testing.T) {
//		t.Parallel()
//		m := statwittest.New(t)
//		client, err := statsd.New(m.Addr())
//		...
//		client.Close()
//		m.Expect("incr login.attempt{instance:failure} sum == 1", "no any errors.*")
//	}
//
// A Recorder and a Session may be used from several goroutines. The package uses the standard library alone.
package statwittest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	version = "0.1.0"
	api     = 1                // the number in the ready line and in the status that this package was written for
	answer  = 60 * time.Second // for an answer, beyond the time that the question itself may wait
)

// Unavailable says that there is no recorder: no program, it does not start, or the server does not answer as one.
type Unavailable struct{ why string }

func (e *Unavailable) Error() string { return e.why }

// Malformed says that the server refused a question. The text shows the place.
type Malformed struct {
	Status int // of the HTTP answer
	why    string
}

func (e *Malformed) Error() string { return e.why }

func unavailable(format string, args ...any) error {
	return &Unavailable{"statwit: " + fmt.Sprintf(format, args...)}
}

// A Recorder is a running statwit: one that somebody else runs (At), or a private one (Start).
type Recorder struct {
	URL     string
	token   string
	client  *http.Client
	process *exec.Cmd
	alive   io.Closer // the pipe that is the server's stdin
}

// carried gives the program that package statwitbin carries, and what to do when it has been started.
var carried func() (path string, started func(), err error)

// Carry is for package statwitbin: it says where its program is.
func Carry(program func() (path string, started func(), err error)) { carried = program }

// findBinary looks at STATWIT_BIN, at what statwitbin carries, and at PATH.
func findBinary() (path string, started func(), err error) {
	nothing := func() {}
	if given := os.Getenv("STATWIT_BIN"); given != "" {
		found, err := exec.LookPath(given)
		if err != nil || !strings.Contains(given, "/") {
			return "", nil, unavailable("STATWIT_BIN is %q, which is no program that can be run", given)
		}
		return found, nothing, nil
	}
	if carried != nil {
		path, started, err := carried()
		if err != nil {
			return "", nil, unavailable("%v: set STATWIT_BIN to the path of the program", err)
		}
		if path != "" {
			return path, started, nil
		}
	}
	if found, err := exec.LookPath("statwit"); err == nil {
		return found, nothing, nil
	}
	return "", nil, unavailable("there is no statwit program for %s/%s in PATH: install it, import statwitbin, "+
		"set STATWIT_BIN to its path, or start it elsewhere and set STATWIT_URL", runtime.GOOS, runtime.GOARCH)
}

// Find is the recorder of STATWIT_URL where that is set, else a private one.
func Find() (*Recorder, error) {
	address := os.Getenv("STATWIT_URL")
	if address == "" {
		return Start("")
	}
	r, err := At(address)
	if err == nil {
		err = r.Check()
	}
	return r, err
}

// At is the recorder that somebody else runs at this URL.
func At(address string) (*Recorder, error) {
	at, err := url.Parse(address)
	if err != nil || (at.Scheme != "http" && at.Scheme != "https") || at.Host == "" {
		return nil, unavailable("%q is no URL of a statwit server, such as http://127.0.0.1:8125", address)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	transport.Proxy = nil // as in every other helper
	return &Recorder{URL: strings.TrimRight(address, "/"), token: os.Getenv("STATWIT_TOKEN"), client: &http.Client{Transport: transport}}, nil
}

// Start starts a private recorder on free ports. It ends with this process, however that ends. A db that is not empty is a file
// for the recording; args are more options of `statwit serve`.
func Start(db string, args ...string) (*Recorder, error) {
	program, started, err := findBinary()
	if err != nil {
		return nil, err
	}
	defer started()
	options := []string{"serve", "--private"}
	if db != "" {
		options = append(options, "--db", db)
	}
	command := exec.Command(program, append(options, args...)...)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe() // no other process has it: it is closed on exec
	if err != nil {
		return nil, unavailable("cannot start %s: %v", program, err)
	}
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return nil, unavailable("cannot start %s: %v", program, err)
	}
	r, err := whenReady(command, out)
	if err != nil {
		_ = command.Process.Kill()
		_ = command.Wait()
		return nil, err
	}
	r.process, r.alive = command, in
	return r, nil
}

func whenReady(command *exec.Cmd, out io.Reader) (*Recorder, error) {
	line, err := bufio.NewReaderSize(out, 1<<16).ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) == 0 {
		_ = command.Wait()
		return nil, unavailable("%s ended with %v before it was ready", strings.Join(command.Args, " "), command.ProcessState)
	}
	var ready struct {
		API  any
		HTTP string
	}
	if json.Unmarshal(line, &ready) != nil {
		return nil, unavailable("%s does not answer as statwit does", command.Path)
	}
	if err := checkAPI(ready.API, command.Path); err != nil {
		return nil, err
	}
	r, err := At(ready.HTTP)
	if err == nil {
		r.token = "" // that of the environment is for another server
	}
	return r, err
}

func checkAPI(found any, who string) error {
	if found != float64(api) {
		if found == nil {
			found = "of no number"
		}
		return unavailable("%s speaks api %v, and this package (%s) speaks api %d: install the two of one version", who, found, version, api)
	}
	return nil
}

// Check says whether a statwit of the right kind answers.
func (r *Recorder) Check() error {
	var status struct{ API any }
	if err := r.call("GET", "/recorder/v1/status", nil, 0, &status); err != nil {
		return err
	}
	return checkAPI(status.API, r.URL)
}

// Stop ends a private recorder. It closes the connections to another.
func (r *Recorder) Stop() error {
	r.client.CloseIdleConnections()
	if r.process == nil {
		return nil
	}
	command := r.process
	r.process = nil
	_ = r.alive.Close()
	kill := time.AfterFunc(15*time.Second, func() { _ = command.Process.Kill() })
	defer kill.Stop()
	return command.Wait()
}

// call is one request of the control API; a result that is not nil takes the answer's JSON.
func (r *Recorder) call(method, path string, body any, wait time.Duration, result any) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait+answer)
	defer cancel()
	var data io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return &Malformed{why: err.Error()}
		}
		data = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.URL+path, data)
	if err != nil {
		return unavailable("%v", err)
	}
	request.Header.Set("Content-Type", "application/json")
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return unavailable("%s does not answer: %v", r.URL, errors.Unwrap(err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return unavailable("%s does not answer: %v", r.URL, err)
	}
	if len(text) == 0 {
		text = []byte("{}")
	}
	var said struct{ Text, Error string }
	if json.Unmarshal(text, &said) != nil && !json.Valid(text) {
		return unavailable("%s did not answer with JSON: is it a statwit server?", r.URL)
	}
	switch {
	case response.StatusCode == http.StatusUnauthorized:
		return unavailable("%s asks for a token: set STATWIT_TOKEN", r.URL)
	case response.StatusCode >= 500:
		return unavailable("%s: %d %s", r.URL, response.StatusCode, said.Error)
	case response.StatusCode >= 400:
		for _, why := range []string{said.Text, said.Error, fmt.Sprintf("%s %s: %d", method, path, response.StatusCode)} {
			if why != "" {
				return &Malformed{response.StatusCode, why}
			}
		}
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(text, result); err != nil {
		return unavailable("%s does not answer as statwit does: %v", r.URL, err)
	}
	return nil
}

var shared struct {
	once     sync.Once
	recorder *Recorder
	err      error
}

// Shared is the recorder of this test program, found or started when it is first asked for.
func Shared() (*Recorder, error) {
	shared.once.Do(func() { shared.recorder, shared.err = Find() })
	return shared.recorder, shared.err
}
