package target

import (
	"fmt"
	"sync"
	"time"
)

// A Violation is a rule of RFC 7143 that an initiator broke.
type Violation struct {
	Time      time.Time
	Portal    string
	Initiator string // its name, "" if it did not get so far
	Text      string
}

func (v Violation) String() string { return fmt.Sprintf("%s at %s: %s", v.Initiator, v.Portal, v.Text) }

const keptViolations = 100

// violationLog counts all violations and keeps the last ones.
type violationLog struct {
	mu    sync.Mutex
	total uint64
	last  []Violation
}

func (l *violationLog) add(v Violation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if len(l.last) == keptViolations {
		copy(l.last, l.last[1:])
		l.last = l.last[:keptViolations-1]
	}
	l.last = append(l.last, v)
}

// Violations returns how many violations there were and the last 100 of them, the oldest first. Any goroutine may ask.
func (t *Target) Violations() (total uint64, last []Violation) {
	t.violations.mu.Lock()
	defer t.violations.mu.Unlock()
	return t.violations.total, append([]Violation(nil), t.violations.last...)
}

func (t *Target) violation(portal, initiator, text string) {
	v := Violation{Time: t.loop.Env().Time(), Portal: portal, Initiator: initiator, Text: text}
	t.violations.add(v)
	t.log.Warn("protocol violation", "portal", portal, "initiator", initiator, "text", text)
	if t.cfg.OnViolation != nil {
		t.cfg.OnViolation(v)
	}
}

// violate records what the initiator did, and drops the connection.
func (c *conn) violate(format string, args ...any) {
	c.target.violation(c.portal.name, c.par.InitiatorName, fmt.Sprintf(format, args...))
	c.close(true, "protocol violation")
}
