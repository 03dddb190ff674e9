package mpio

import "github.com/hawser-storage/hawser/blockdev"

// snapshot is the paths that may be used. It never changes: another one takes its place.
type snapshot struct {
	paths []*member
}

// Policy chooses the path of a request. There is one file for each.
type Policy interface {
	String() string // its name

	// pick returns the index of r's path in s, which is never empty. It allocates only for a snapshot that it has not seen.
	pick(s *snapshot, r *blockdev.Request) int
}
