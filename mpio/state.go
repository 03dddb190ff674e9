package mpio

import (
	"fmt"
	"log/slog"
)

// State is what mpio makes of a path.
//
//	             PathUp, the right volume
//	   Down ─────────────────────────────────► Up ◄───┐ after a pause
//	   ▲  ▲                                    │ │    │
//	   │  └────────────── PathDown ────────────┘ └─► Failed
//	   │                                       │     an answer that says: not by this way
//	   │ PathDown                              │
//	   └────────── Refused ◄───────────────────┘
//	                       PathUp, another volume (from Down and Failed as well)
//
//	any ── an operator ──► Disabled          any ── Close ──► Closed
type State uint8

// The states of a path.
const (
	StateDown     State = iota // not connected: it is trying
	StateUp                    // carries requests
	StateFailed                // connected, but the device answers that it cannot serve by this way; tried again after a pause
	StateRefused               // connected, but to another volume: carries nothing until that changes
	StateDisabled              // taken out of use by an operator
	StateClosed                // the end
)

const numStates = 6

var stateNames = [numStates]string{"down", "up", "failed", "refused", "disabled", "closed"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// transitions has the states that each state may be left for.
var transitions = [numStates][]State{
	StateDown:     {StateUp, StateRefused, StateDisabled, StateClosed},
	StateUp:       {StateDown, StateFailed, StateRefused, StateDisabled, StateClosed},
	StateFailed:   {StateUp, StateDown, StateRefused, StateDisabled, StateClosed},
	StateRefused:  {StateUp, StateDown, StateDisabled, StateClosed},
	StateDisabled: {StateDown, StateClosed},
}

func (s State) mayBecome(to State) bool {
	for _, t := range transitions[s] {
		if t == to {
			return true
		}
	}
	return false
}

// become is the one place where a path's state changes. A change that the table does not have is logged and not made.
func (m *member) become(to State, reason error) bool {
	from := m.state
	if !from.mayBecome(to) {
		m.log.Error("path state: no such transition", logFrom, from.String(), logTo, to.String(), logReason, reasonText(reason))
		return false
	}
	m.state, m.reason, m.since = to, reason, m.dev.loop.Now()
	if to == StateUp {
		m.reason = nil
	}
	level := slog.LevelInfo
	switch to {
	case StateDown, StateFailed:
		level = slog.LevelWarn
	case StateRefused:
		level = slog.LevelError
	}
	m.log.Log(background, level, "path state", logFrom, from.String(), logTo, to.String(), logReason, reasonText(reason))
	m.dev.pathsChanged()
	return true
}
