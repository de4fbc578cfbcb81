//go:build !linux || (!amd64 && !arm64)

package statwitbin

import (
	"embed"
	"errors"
	"os"
)

var files embed.FS

const program = "none"

func inMemory() (*os.File, error) { return nil, errors.New("not on this system") }
