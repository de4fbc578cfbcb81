package statwitbin

import "embed"

//go:embed bin/linux_amd64
var files embed.FS

const (
	memfdCreate = 319
	program     = "bin/linux_amd64/statwit"
)
