package statwitbin

import "embed"

//go:embed bin/linux_arm64
var files embed.FS

const (
	memfdCreate = 279
	program     = "bin/linux_arm64/statwit"
)
