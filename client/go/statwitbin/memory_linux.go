//go:build amd64 || arm64

package statwitbin

import (
	"os"
	"syscall"
	"unsafe"
)

// A file that is in memory only, and closed on exec. A child that is being started can still run it.
func inMemory() (*os.File, error) {
	name := []byte("statwit\x00")
	fd, _, failed := syscall.Syscall(memfdCreate, uintptr(unsafe.Pointer(&name[0])), 1, 0) // 1: MFD_CLOEXEC
	if failed != 0 {
		return nil, failed
	}
	return os.NewFile(fd, "statwit"), nil
}
