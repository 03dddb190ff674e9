package iscsi

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// sink is a socket that takes what its schedule says.
type sink struct {
	loop.Socket
	rng *rand.Rand
	got []byte
}

func (s *sink) Writev(bufs [][]byte) (int, error) {
	total := 0
	for _, b := range bufs {
		total += len(b)
	}
	n := s.rng.IntN(total + 1)
	if n == 0 {
		return 0, loop.ErrAgain
	}
	left := n
	for _, b := range bufs {
		k := min(left, len(b))
		s.got = append(s.got, b[:k]...)
		left -= k
	}
	return n, nil
}

// TestTransmitAnyCut queues random PDUs and writes them in random pieces: the stream must be what the frames say, the pins must be
// given back exactly when the last byte is taken, and no command may count as sent before its first byte was.
func TestTransmitAnyCut(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		hd, dd := rng.IntN(2) == 1, rng.IntN(2) == 1
		x := newTransmitter(hd, dd)
		s := &sink{rng: rng}
		var want []byte
		type queued struct {
			t          *task
			start, end int
		}
		var all []queued
		unpin := func(t *task) { t.pinned-- }
		for range 40 {
			if x.room() {
				n := rng.IntN(3000)
				data := make([]byte, n)
				for i := range data {
					data[i] = byte(rng.Uint32())
				}
				cut := rng.IntN(n + 1)
				p := payload{segs: []blockdev.Segment{blockdev.Own(data[:cut]), blockdev.Own(data[cut:])}}
				task := &task{}
				start := x.queued
				h := x.header()
				cmd := pdu.SCSICommand{Final: true, Write: true, ITT: rng.Uint32() >> 1, DataSegmentLength: uint32(n)}
				cmd.Encode(h)
				x.endHeader(h)
				x.data(&p, 0, uint32(n))
				x.own(start, task, true)
				var b pdu.BHS
				cmd.Encode(&b)
				lo := len(want)
				want = pdu.AppendFrame(want, &b, nil, data, hd, dd)
				all = append(all, queued{task, lo, len(want)})
			}
			if rng.IntN(3) == 0 {
				if _, err := x.write(s); err != nil {
					t.Fatal(err)
				}
				x.settle(unpin)
			}
			for _, q := range all {
				if sent := len(s.got) > q.start; sent != q.t.sent {
					t.Fatalf("seed %d: %d bytes taken, command at %d: sent %v", seed, len(s.got), q.start, q.t.sent)
				}
				if done := len(s.got) >= q.end; done != (q.t.pinned == 0) {
					t.Fatalf("seed %d: %d bytes taken, PDU ends at %d: pinned %d", seed, len(s.got), q.end, q.t.pinned)
				}
			}
		}
		for !x.empty() {
			if _, err := x.write(s); err != nil {
				t.Fatal(err)
			}
			x.settle(unpin)
		}
		if !bytes.Equal(s.got, want) {
			t.Fatalf("seed %d: the stream differs from the frames", seed)
		}
	}
}

type brokenSocket struct{ loop.Socket }

func (brokenSocket) Writev([][]byte) (int, error) { return 0, errors.New("broken") }

func TestTransmitDropUnpins(t *testing.T) {
	x := newTransmitter(false, false)
	var tasks []*task
	for range 3 {
		task := &task{}
		start := x.queued
		h := x.header()
		(&pdu.SCSICommand{Final: true, ITT: 1}).Encode(h)
		x.endHeader(h)
		x.own(start, task, true)
		tasks = append(tasks, task)
	}
	if _, err := x.write(brokenSocket{}); err == nil {
		t.Fatal("the error was lost")
	}
	x.drop(func(t *task) { t.pinned-- })
	for i, task := range tasks {
		if task.pinned != 0 || task.sent {
			t.Errorf("task %d: pinned %d, sent %v", i, task.pinned, task.sent)
		}
	}
	if !x.empty() {
		t.Error("not empty")
	}
}

func TestPayloadAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 10_000)
	for i := range data {
		data[i] = byte(i >> 3)
	}
	var p payload
	for off := 0; off < len(data); {
		n := min(len(data)-off, 1+rng.IntN(900))
		p.segs = append(p.segs, blockdev.Own(data[off:off+n]))
		off += n
	}
	for range 1000 {
		off := rng.IntN(len(data))
		n := rng.IntN(len(data) - off + 1)
		var got []byte
		p.each(uint32(off), uint32(n), func(b []byte) { got = append(got, b...) })
		if !bytes.Equal(got, data[off:off+n]) {
			t.Fatalf("bytes %d+%d differ", off, n)
		}
	}
	zero := payload{zero: true}
	n := 0
	zero.each(5, 200_000, func(b []byte) {
		n += len(b)
		if !bytes.Equal(b, make([]byte, len(b))) {
			t.Fatal("zeroes that are none")
		}
	})
	if n != 200_000 {
		t.Errorf("%d zeroes, want 200000", n)
	}
}
