package mpio

import (
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
)

// cacheLedger knows what the next FLUSH must answer for. Writes and losses are counted; a FLUSH remembers both counts as they were
// when it was submitted.
type cacheLedger struct {
	completed uint64 // writes that may be volatile
	flushed   uint64 // of them, those known to be on stable storage
	losses    uint64
	reported  uint64 // losses that a FLUSH has reported
	cause     *blockdev.Error
}

// flushMark is the state of the ledger when a FLUSH was submitted, and what became of it.
type flushMark struct {
	covers, reported uint64
	answer           *blockdev.Error // the device itself said that it failed; nil: it did not, whatever the paths said
}

func (c *cacheLedger) unflushed() bool { return c.completed > c.flushed }

// lose notes that completed writes are gone, or may be.
func (c *cacheLedger) lose(cause *blockdev.Error) {
	c.losses++
	c.cause = cause
}

// noCache takes back what was assumed of a former process: the volume turns out to have no cache.
func (c *cacheLedger) noCache() { c.flushed, c.losses = c.completed, 0 }

func (c *cacheLedger) begin(a *attempt) {
	a.flush = flushMark{covers: c.completed, reported: c.reported}
}

// end is the answer of a FLUSH: that of the device, unless writes were lost that no FLUSH had reported when this one was submitted.
// A failure counts as a loss for the others that were under way, because a device may forget what it has once reported.
func (c *cacheLedger) end(a *attempt, err error) error {
	if a.flush.answer != nil {
		c.lose(a.flush.answer)
		c.reported = c.losses
	}
	if err != nil {
		return err
	}
	if c.losses > a.flush.reported {
		c.reported = c.losses
		return lostWrites(c.cause)
	}
	c.flushed = max(c.flushed, a.flush.covers)
	return nil
}

func lostWrites(cause *blockdev.Error) *blockdev.Error {
	e := *cause
	e.Outcome, e.Code = blockdev.Failed, blockdev.CodeIO
	e.Err = fmt.Errorf("writes that were completed before this FLUSH may be lost: %w", cause)
	return &e
}
