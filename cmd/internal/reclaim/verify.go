package reclaim

import (
	"fmt"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// Verify says what the process has, as the kernel has it now, and why it has not the rest. It looks at every thread: it is for the
// status, not for the data path.
func Verify() api.Memory {
	var m api.Memory
	m.IOFlusher, m.IOFlusherReason = verifyFlusher()
	if m.Locked = refused.locked == nil; !m.Locked {
		m.LockedReason = refused.locked.Error()
	}
	m.OOMScore, m.OOMScoreReason = verifyScore()
	return m
}

func verifyFlusher() (bool, string) {
	switch without, all, err := lacking(); {
	case err != nil:
		return false, err.Error()
	case without == 0:
		return true, ""
	case refused.flusher != nil:
		return false, refused.flusher.Error()
	default:
		return false, fmt.Sprintf("%d of %d threads are none", without, all)
	}
}

func verifyScore() (int, string) {
	switch now, err := score(); {
	case err != nil:
		return now, err.Error()
	case now == never:
		return now, ""
	case refused.score != nil:
		return now, refused.score.Error()
	default:
		return now, "it was set by another process"
	}
}
