package mpio

import (
	"errors"
	"log/slog"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

const (
	recheckFirst = 5 * time.Second  // multipath's polling_interval
	recheckMost  = 20 * time.Second // and four times that
)

// The reasons for going up.
var (
	errConnected = errors.New("connected")
	errOnTrial   = errors.New("tried again")
)

// member is a path as part of the volume. It belongs to the loop, but for its name.
type member struct {
	dev   *Device
	path  Path
	name  string
	index int
	log   *slog.Logger

	state  State
	reason error // for the state; nil when it is up, or nothing was heard yet
	since  time.Time
	info   *blockdev.Info // as accepted last; nil: never, or refused since

	recheck *loop.Timer // set while the path is failed
	strikes int         // times that it failed since it last served a request or connected
	trial   bool        // it is up again after a pause, and has not served yet
	stats   PathStats
}

var _ Watcher = (*member)(nil)

func newMember(d *Device, index int, p Path) *member {
	name := p.String()
	m := &member{dev: d, path: p, name: name, index: index, log: d.log.With(logPath, name), since: d.loop.Env().Time()}
	m.recheck = d.loop.NewTimer(m.tryAgain)
	return m
}

func (m *member) bit() uint64 { return 1 << m.index }

// PathUp implements [Watcher]: the path joins, if it leads to this volume.
func (m *member) PathUp(info *blockdev.Info) {
	if m.state == StateClosed || m.state == StateDisabled {
		return
	}
	m.recheck.Stop()
	m.strikes, m.trial = 0, false
	if err := m.dev.identify(m, info); err != nil {
		m.refuse(err)
		return
	}
	m.info = info
	first := m.dev.info.Load() == nil
	grown := m.dev.grow(m)
	m.dev.publishInfo()
	if first && !m.dev.writeCache {
		m.dev.cache.noCache()
	}
	if grown && m.dev.cfg.Resized != nil {
		m.dev.cfg.Resized(m.dev.volume.Size)
	}
	if m.state != StateUp {
		m.become(StateUp, errConnected)
	}
	m.dev.quarantine.pathUp(m)
	m.dev.endNoPath()
}

// CacheLost implements [Watcher]. What no FLUSH has covered may be gone, although it was completed: the next FLUSH says so. A path tells it
// as it comes up, before the volume takes it.
func (m *member) CacheLost(err error) {
	d := m.dev
	if !d.cache.unflushed() || m.state == StateClosed {
		return
	}
	m.log.Error("the storage has lost power or was reset, with writes that were completed and not flushed: the next flush fails", logReason, err.Error())
	d.cache.lose(&blockdev.Error{Outcome: blockdev.Failed, Code: blockdev.CodeIO, Where: m.name, Err: err})
}

func (m *member) refuse(err error) {
	m.info = nil
	m.dev.publishInfo()
	if m.state == StateRefused {
		m.reason = err
		return
	}
	m.become(StateRefused, err)
}

// PathDown implements [Watcher].
func (m *member) PathDown(err error) {
	m.dev.quarantine.pathDown(m)
	switch m.state {
	case StateClosed, StateDisabled:
	case StateDown:
		m.reason = err
	default:
		m.recheck.Stop()
		m.become(StateDown, err)
	}
}

// fail takes a path out of the choice although it is connected. Until something asks the device whether it serves by this way
// again, the next requests do, after a pause.
func (m *member) fail(reason error) {
	if m.state != StateUp {
		return
	}
	pause := min(recheckFirst<<min(m.strikes, 8), recheckMost)
	m.strikes++
	m.become(StateFailed, reason)
	m.recheck.Reset(pause)
}

func (m *member) tryAgain() {
	if m.state == StateFailed {
		m.trial = true
		m.become(StateUp, errOnTrial)
	}
}

// served ends the trial.
func (m *member) served() {
	m.strikes, m.trial = 0, false
	m.dev.endNoPath()
}
