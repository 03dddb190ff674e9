package mpio

import (
	"slices"

	"github.com/hawser-storage/hawser/blockdev"
)

// matcher says whether a row of the table is about an error.
type matcher interface{ matches(e *blockdev.Error) bool }

// every stands for each ASC or ASCQ.
const every = -1

// answered says whether the device's own word counts: a SCSI status came, and the outcome is that it failed.
func answered(e *blockdev.Error) bool { return e.SCSI.Valid && e.Outcome == blockdev.Failed }

type (
	statusIs []uint8
	senseIs  struct {
		key   uint8
		asc   int
		ascqs []int
	}
	transportIs struct {
		outcome blockdev.Outcome
		codes   []blockdev.Code // none: every code
	}
	deferred  struct{}
	noSense   struct{}
	anyStatus struct{}
	anything  struct{}
)

func status(s ...uint8) matcher                      { return statusIs(s) }
func sense(key uint8, asc int, ascqs ...int) matcher { return senseIs{key, asc, ascqs} }
func transport(o blockdev.Outcome, codes ...blockdev.Code) matcher {
	return transportIs{o, codes}
}

func (s statusIs) matches(e *blockdev.Error) bool {
	return answered(e) && slices.Contains(s, e.SCSI.Status)
}

func (s senseIs) matches(e *blockdev.Error) bool {
	c := &e.SCSI
	if !answered(e) || c.Status != statusCheck || !c.HasSense || c.Key != s.key {
		return false
	}
	if s.asc != every && int(c.ASC) != s.asc {
		return false
	}
	return s.ascqs[0] == every || slices.Contains(s.ascqs, int(c.ASCQ))
}

func (t transportIs) matches(e *blockdev.Error) bool {
	return !answered(e) && e.Outcome == t.outcome && (len(t.codes) == 0 || slices.Contains(t.codes, e.Code))
}

func (deferred) matches(e *blockdev.Error) bool {
	return answered(e) && e.SCSI.HasSense && e.SCSI.Deferred
}

func (noSense) matches(e *blockdev.Error) bool {
	return answered(e) && e.SCSI.Status == statusCheck && !e.SCSI.HasSense
}

func (anyStatus) matches(e *blockdev.Error) bool { return answered(e) && e.SCSI.Status != statusCheck }
func (anything) matches(*blockdev.Error) bool    { return true }
