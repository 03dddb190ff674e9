package mpio

import "github.com/hawser-storage/hawser/blockdev"

// fence hears of orphans: requests that change the volume, were sent by a path, and ended there with an unknown outcome. The copy
// that was sent may yet be carried out, after the retry by another path and after newer writes to the same blocks. A fence is what
// makes sure that it no longer can.
type fence interface {
	// orphan is called before r is retried or fails. r is not kept.
	orphan(m *member, r *blockdev.Request)
}

// openFence holds nothing back: it counts.
type openFence struct{ orphans uint64 }

func (f *openFence) orphan(*member, *blockdev.Request) { f.orphans++ }
