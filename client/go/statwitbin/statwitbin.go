// Package statwitbin carries the statwit program, so that a test needs nothing that is installed. Import it for its effect:
//
//	import _ "github.com/statwit/statwit/client/go/statwitbin"
//
// Package statwittest then starts this program, unless STATWIT_URL or STATWIT_BIN say otherwise. The program goes into memory and not
// into a file, so it needs no home directory and leaves nothing behind. It is there for Linux on amd64 and arm64.
package statwitbin

import (
	"fmt"
	"os"

	"github.com/statwit/statwit/client/go/statwittest"
)

func init() { statwittest.Carry(unpack) }

// unpack makes the program a file that can be run. `started` takes the file away when the program has been started. An empty
// path says that this copy carries no program.
func unpack() (path string, started func(), err error) {
	data, err := files.ReadFile(program)
	if err != nil {
		return "", nil, nil
	}
	file, err := inMemory()
	if err == nil {
		path, started = fmt.Sprintf("/proc/self/fd/%d", file.Fd()), func() { _ = file.Close() }
		if _, err = file.Write(data); err == nil {
			return path, started, nil
		}
		started()
	}
	return unpackToTemporary(data)
}

// For systems that refuse programs in memory.
func unpackToTemporary(data []byte) (path string, started func(), err error) {
	file, err := os.CreateTemp("", "statwit-*")
	if err != nil {
		return "", nil, fmt.Errorf("cannot unpack the program that statwitbin carries: %w", err)
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(0o700)
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	remove := func() { _ = os.Remove(file.Name()) }
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("cannot unpack the program that statwitbin carries: %w", err)
	}
	return file.Name(), remove, nil
}
