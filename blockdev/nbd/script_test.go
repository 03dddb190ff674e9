package nbd

import (
	"context"
	"testing"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// script is a device whose answers the test gives. Every request that comes is announced on arrived.
type script struct {
	loop    *loop.Loop
	info    blockdev.Info
	arena   *blockdev.Arena // what it lends for READs; nil: lend is lent
	lend    []byte
	arrived chan *blockdev.Request
}

func newScript(info blockdev.Info) (*script, device) {
	s := &script{info: info, arrived: make(chan *blockdev.Request, 4096), lend: make([]byte, 32<<20)}
	return s, func(l *loop.Loop) blockdev.Device { s.loop = l; return s }
}

func (s *script) Info() *blockdev.Info { return &s.info }

func (s *script) Submit(r *blockdev.Request) { s.arrived <- r }

func (s *script) Close(context.Context) error { return nil }

// complete answers r on the loop, with the bytes that it asks for unless err is set.
func (s *script) complete(t testing.TB, r *blockdev.Request, err error) {
	t.Helper()
	if aerr := s.loop.Await(func(done func()) { s.answer(r, err); done() }); aerr != nil {
		t.Error(aerr)
	}
}

func (s *script) answer(r *blockdev.Request, err error) {
	var lent []*blockdev.Chunk
	if r.Op == blockdev.Read && err == nil {
		if s.arena == nil {
			r.Data = append(r.Data, blockdev.Own(s.lend[r.Offset:r.End()]))
		} else {
			lent = s.lendChunks(r)
		}
	}
	r.Complete(err)
	s.loop.AtEnd(dropper(lent))
}

func (s *script) lendChunks(r *blockdev.Request) (lent []*blockdev.Chunk) {
	for at := r.Offset; at < r.End(); {
		c := s.arena.Get(nil)
		n := min(len(c.Bytes), int(r.End()-at))
		copy(c.Bytes, s.lend[at:at+uint64(n)])
		r.Data = append(r.Data, c.Slice(0, n))
		lent = append(lent, c)
		at += uint64(n)
	}
	return lent
}

// dropper takes back what was lent for a turn, and spoils what nobody kept.
type dropper []*blockdev.Chunk

func (d dropper) Run() {
	for _, c := range d {
		if !c.Shared() {
			clear(c.Bytes)
		}
		c.Drop()
	}
}

var disk = blockdev.Info{Size: 32 << 20, BlockSize: 512, FUA: true, Trim: true, FastZero: true, WriteCache: true}
