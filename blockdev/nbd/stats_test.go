package nbd

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

func TestStats(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 1 << 20, NoTrim: true}), Config{})
	c := b.attach()
	c.write(0, make([]byte, 4096))
	c.read(0, 512)
	c.read(0, 512)
	c.flush()
	c.do(cmdTrim, 0, 0, 512, nil) // refused
	c.send(request(cmdRead, 0, 0, 1, 512))
	c.reply() // refused
	got, err := b.server.Stats()
	must(t, err)
	want := Stats{Connections: 1, Refused: 2}
	want.Ops[blockdev.Read] = OpStats{Requests: 2, Bytes: 1024}
	want.Ops[blockdev.Write] = OpStats{Requests: 1, Bytes: 4096}
	want.Ops[blockdev.Flush] = OpStats{Requests: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestStoppedLoop(t *testing.T) {
	l, err := loop.New(loop.Config{})
	must(t, err)
	arena, err := blockdev.NewArena(64 << 20)
	must(t, err)
	s, err := New(l, arena, []Export{{Device: memdev.New(l, memdev.Config{Size: 1 << 20})}}, Config{})
	must(t, err)
	l.Stop()
	must(t, l.Run())
	if _, err := s.Stats(); err != loop.ErrStopped {
		t.Errorf("Stats: got %v, want %v", err, loop.ErrStopped)
	}
	if err := s.Close(t.Context()); err != loop.ErrStopped {
		t.Errorf("Close: got %v, want %v", err, loop.ErrStopped)
	}
	must(t, arena.Close())
}
