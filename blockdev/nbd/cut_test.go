package nbd

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

// The device refuses what is larger than its limits, so what passes was cut.
func TestCut(t *testing.T) {
	limits := blockdev.Limits{MaxTransfer: 12 << 10, MaxTrim: 1 << 20, MaxWriteZeroes: 512 << 10}
	for _, fua := range []bool{true, false} {
		b := newBench(t, ram(memdev.Config{Size: 32 << 20, BlockSize: 4096, Limits: limits, FUA: fua}), Config{})
		c := b.attach()
		want := noise(7, 5<<20)
		if errno := c.do(cmdWrite, cmdFlagFUA, 4096, uint32(len(want)), want); errno != 0 {
			t.Fatalf("WRITE: error %d", errno)
		}
		if got := c.read(4096, len(want)); !bytes.Equal(got, want) {
			t.Error("it came back changed")
		}
		for _, kind := range []uint16{cmdTrim, cmdWriteZeroes} {
			if errno := c.do(kind, 0, 4096, 3<<20, nil); errno != 0 {
				t.Errorf("type %d: error %d", kind, errno)
			}
		}
		clear(want[:3<<20])
		if got := c.read(4096, len(want)); !bytes.Equal(got, want) {
			t.Error("it came back changed after zeroing")
		}
		c.leave()
	}
}

// Pieces that complete in any order make one reply in the right order.
func TestCutReadOutOfOrder(t *testing.T) {
	info := disk
	info.Limits.MaxTransfer = 64 << 10
	s, dev := newScript(info)
	copy(s.lend, noise(3, 1<<20))
	b := newBench(t, dev, Config{})
	s.arena = b.arena
	c := b.attach()
	c.send(request(cmdRead, 0, 1, 0, 20<<16))
	var held []*blockdev.Request
	for range cutDepth {
		held = append(held, <-s.arrived)
	}
	if len(s.arrived) != 0 {
		t.Errorf("more than %d pieces in flight", cutDepth)
	}
	for i := range held { // backwards
		s.complete(t, held[len(held)-1-i], nil)
	}
	for range 20 - cutDepth {
		s.complete(t, <-s.arrived, nil)
	}
	if _, errno := c.reply(); errno != 0 {
		t.Fatalf("error %d", errno)
	}
	if got := c.recv(20 << 16); !bytes.Equal(got, s.lend[:20<<16]) {
		t.Error("the pieces are out of order")
	}
}

// One failed piece fails the whole, and no further one is sent.
func TestCutFails(t *testing.T) {
	info := disk
	info.Limits.MaxTransfer = 64 << 10
	s, dev := newScript(info)
	b := newBench(t, dev, Config{})
	s.arena = b.arena
	for _, kind := range []uint16{cmdRead, cmdWrite} {
		c := b.attach()
		b := request(kind, 0, 1, 0, 20<<16)
		if kind == cmdWrite {
			b = append(b, make([]byte, 20<<16)...)
		}
		c.send(b)
		for i := range cutDepth {
			var err error
			if i == 3 {
				err = &blockdev.Error{Code: blockdev.CodeNoSpace, Outcome: blockdev.Failed}
			}
			r := <-s.arrived
			if i < 3 || i > 3 { // those before it let further ones out
				s.complete(t, r, nil)
				continue
			}
			s.complete(t, r, err)
		}
		for range 3 {
			s.complete(t, <-s.arrived, nil)
		}
		if _, errno := c.reply(); errno != errnoNoSpace {
			t.Errorf("error %d, want %d", errno, errnoNoSpace)
		}
		if len(s.arrived) != 0 {
			t.Error("pieces were sent after the failure")
		}
		c.leave()
	}
}

func TestCutLengths(t *testing.T) {
	for _, tt := range []struct {
		off, length, limit, grain, align uint64
		want                             []uint64
	}{
		{0, 100, 40, 1, 0, []uint64{40, 40, 20}},
		{0, 80, 40, 1, 0, []uint64{40, 40}},
		{5, 100, 40, 16, 0, []uint64{27, 32, 32, 9}}, // up to 32, 64, 96
		{5, 100, 40, 16, 3, []uint64{30, 32, 38}},    // up to 35, 67
		{0, 7, 40, 16, 0, []uint64{7}},
		{1, 40, 15, 15, 0, []uint64{14, 15, 11}},
	} {
		s := cut{limit: tt.limit, grain: tt.grain, align: tt.align, next: tt.off, left: tt.length}
		var got []uint64
		for s.left > 0 && len(got) < 20 {
			n := s.length()
			got = append(got, n)
			s.next += n
			s.left -= n
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v: -want +got:\n%s", tt, diff)
		}
	}
}

func TestLimits(t *testing.T) {
	i := blockdev.Info{BlockSize: 4096, Limits: blockdev.Limits{MaxTransfer: 10000, MaxTrim: 100}}
	if got := limitOf(blockdev.Read, &i); got != 8192 {
		t.Errorf("READ: got %d, want 8192", got)
	}
	if got := limitOf(blockdev.Trim, &i); got != 4096 {
		t.Errorf("TRIM: got %d, want a block", got)
	}
	if got := limitOf(blockdev.WriteZeroes, &i); got != 1<<64-1 {
		t.Errorf("WRITE_ZEROES: got %d, want no limit", got)
	}
}
