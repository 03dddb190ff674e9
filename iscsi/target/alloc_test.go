package target_test

import (
	"io"
	"runtime/debug"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// TestNoAllocations counts those of the whole process while an initiator that makes none does I/O at depth 8.
func TestNoAllocations(t *testing.T) {
	for _, spec := range []string{"null:64M", "ram:64M"} {
		for _, write := range []bool{false, true} {
			name := spec + " READ"
			if write {
				name = spec + " WRITE"
			}
			t.Run(name, func(t *testing.T) {
				r := newRig(t, target.Config{}, spec)
				b := newBatch(r.login(t, 0, nil), write)
				defer debug.SetGCPercent(debug.SetGCPercent(-1))
				for range 50 {
					b.run()
				}
				if n := testing.AllocsPerRun(200, b.run); n != 0 {
					t.Errorf("%v allocations for %d commands of 4 KiB", n, batchDepth)
				}
				r.clean(t)
			})
		}
	}
}

const batchDepth = 8

// batch is commands that are sent with one write, and whose answers have a known length.
type batch struct {
	*initiator
	out, in []byte
	write   bool
}

func newBatch(i *initiator, write bool) *batch {
	b := &batch{initiator: i, write: write}
	if write {
		b.out, b.in = make([]byte, batchDepth*(pdu.BHSLen+4096)), make([]byte, batchDepth*pdu.BHSLen)
	} else {
		b.out, b.in = make([]byte, batchDepth*pdu.BHSLen), make([]byte, batchDepth*(pdu.BHSLen+4096))
	}
	return b
}

func (b *batch) run() {
	size := len(b.out) / batchDepth
	for n := range batchDepth {
		c := pdu.SCSICommand{
			Final: true, Read: !b.write, Write: b.write, LUN: 0, ITT: uint32(n), ExpectedDataTransferLength: 4096,
			CmdSN: b.cmdSN, ExpStatSN: b.stat, CDB: readCDB(uint64(n*8), 8),
		}
		if b.write {
			c.CDB, c.DataSegmentLength = writeCDB(uint64(n*8), 8), 4096
		}
		b.cmdSN++
		c.Encode((*pdu.BHS)(b.out[n*size:]))
	}
	if _, err := b.conn.Write(b.out); err != nil {
		b.t.Fatal(err)
	}
	if _, err := io.ReadFull(b.conn, b.in); err != nil {
		b.t.Fatal(err)
	}
	b.stat += batchDepth
}

func BenchmarkTarget(b *testing.B) {
	for _, write := range []bool{false, true} {
		name := "READ"
		if write {
			name = "WRITE"
		}
		b.Run(name, func(b *testing.B) {
			r := newRig(b, target.Config{}, "null:64M")
			batch := newBatch(r.login(b, 0, func(*login.InitiatorConfig) {}), write)
			b.ReportAllocs()
			for n := 0; n < b.N; n += batchDepth {
				batch.run()
			}
		})
	}
}
