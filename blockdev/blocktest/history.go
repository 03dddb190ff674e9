package blocktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-storage/hawser/blockdev"
)

const maxHistory = 40 // events of a block that are shown

// event is the submission or the answer of an op.
type event struct {
	at   int
	op   *op
	done bool
}

func (m *model) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

func (m *model) result(err error) error {
	if err = errors.Join(m.err, err); err != nil {
		return fmt.Errorf("model, seed %d, %d requests, depth %d: %w", m.Seed, m.Ops, m.Depth, err)
	}
	return nil
}

func (m *model) mismatch(o *op, b uint64, got error, legal []value) error {
	legal = slices.Clone(legal)
	slices.Sort(legal)
	return fmt.Errorf("op %d, READ: block %d: got %w, want one of %v\n%s", o.number, m.first+b, got, slices.Compact(legal), m.history(b))
}

// history are the last events that have to do with a block.
func (m *model) history(b uint64) string {
	var lines []string
	for i := len(m.log) - 1; i >= 0 && len(lines) < maxHistory; i-- {
		if e := m.log[i]; e.op.io.Op == blockdev.Flush || e.op.at <= b && b < e.op.at+e.op.n {
			lines = append(lines, m.line(e))
		}
	}
	slices.Reverse(lines)
	return fmt.Sprintf("history of block %d:\n%s", m.first+b, strings.Join(lines, "\n"))
}

func (m *model) line(e event) string {
	what := "submitted"
	if e.done {
		what = "done"
		if e.op.io.Err != nil {
			be := blockdev.AsError(e.op.io.Err)
			what = fmt.Sprintf("%s: %v", be.Outcome, be)
		}
	}
	extent := ""
	if e.op.io.Op != blockdev.Flush {
		extent = fmt.Sprintf(" blocks %d+%d", m.first+e.op.at, e.op.n)
	}
	return fmt.Sprintf("  %6d  op %d, %s%s, flags %#x: %s", e.at, e.op.number, e.op.io.Op, extent, e.op.io.Flags, what)
}
