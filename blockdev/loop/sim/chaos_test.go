package sim

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

// TestChaos breaks the link at random under streams from both sides, some over loops. What an end reads is always the beginning
// of what its peer wrote, and everything ends once the link is up for good.
func TestChaos(t *testing.T) {
	Each(t, 300, func(t *testing.T, w *World) {
		w.Limit = time.Hour
		l := w.NewLoop(loop.Config{})
		over := w.NewGate()
		w.Go(func() { trouble(w); over.Open() })
		err := w.doChecked(t, func() {
			ln, err := w.Listen(portal)
			if err != nil {
				t.Fatal(err)
			}
			w.Go(func() { serve(t, w, l, ln.Accept) })
			for range 5 {
				stream(t, w)
			}
			over.Wait()
			_ = ln.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// doChecked is Do with the invariants asked after each step.
func (w *World) doChecked(t *testing.T, body func()) error {
	done := false
	w.Go(func() { body(); done = true })
	return w.Run(func() bool { w.check(t); return done }, w.Limit)
}

func (w *World) check(t *testing.T) {
	for _, c := range w.conns {
		for _, p := range c.pipes {
			if s := p.wrong(); s != "" {
				t.Fatalf("%v, pipe %d: %s: %+v", w, p.id, s, p)
			}
		}
	}
}

// wrong names the invariant that a pipe breaks.
func (p *pipe) wrong() string {
	under := 0
	for _, s := range p.segs[p.first:] {
		under += s.size
	}
	alive := !p.src.closed && p.src.err == nil && p.dst.err == nil && !p.dst.closed && !p.severed
	switch {
	case p.head > p.arrived || p.arrived > len(p.buf):
		return "order"
	case under != len(p.buf)-p.arrived:
		return "bytes under way"
	case p.used > p.window || p.unacked > p.used && alive:
		return "window"
	case alive && p.used-p.unacked != len(p.buf)-p.head:
		return "bytes outstanding"
	case len(p.segs) > p.first && p.held == p.next.pending():
		return "nobody delivers"
	case !slices.IsSortedFunc(p.segs[p.first:], func(a, b segment) int { return int(a.at - b.at) }):
		return "overtaken"
	}
	return ""
}

func trouble(w *World) {
	rng := rand.New(rand.NewPCG(w.Seed(), 7))
	l := w.Link(portal)
	for range rng.IntN(10) {
		w.Sleep(time.Duration(rng.Int64N(int64(20 * time.Millisecond))))
		pick(rng, l.Stall, l.Reset, l.Up,
			func() { l.StallOneWay(Direction(rng.IntN(2))) },
			func() { l.Latency(time.Second, time.Second) })()
	}
	w.Sleep(time.Minute)
	l.Up()
}

// serve echoes every other connection by the loop and the rest by a task.
func serve(t *testing.T, w *World, l *loop.Loop, accept func() (c net.Conn, err error)) {
	for i := 0; ; i++ {
		c, err := accept()
		if err != nil {
			return
		}
		if i%2 == 0 {
			e := &echo{}
			adopt(t, l, c, e, &e.watch)
			continue
		}
		w.Go(func() { echoTask(c) })
	}
}

func echoTask(c net.Conn) {
	var buf [512]byte
	for {
		n, err := c.Read(buf[:])
		if err != nil {
			_ = c.Close()
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			_ = c.Close()
			return
		}
	}
}

// stream sends bytes, and compares what comes back as far as it comes.
func stream(t *testing.T, w *World) {
	c, err := w.Dial(context.Background(), "", portal)
	if err != nil {
		w.Sleep(time.Second)
		return
	}
	sent := make([]byte, 1+w.Rand().IntN(10000))
	for i := range sent {
		sent[i] = byte(w.Rand().Uint32())
	}
	_ = c.SetReadDeadline(w.Time().Add(10 * time.Second))
	_ = c.SetWriteDeadline(w.Time().Add(10 * time.Second))
	w.Go(func() { _, _ = c.Write(sent) })
	got, buf := []byte(nil), make([]byte, 700)
	for len(got) < len(sent) {
		n, err := c.Read(buf)
		if got = append(got, buf[:n]...); err != nil {
			break
		}
	}
	if !bytes.HasPrefix(sent, got) {
		t.Errorf("%d bytes came back that are not the %d that were sent", len(got), len(sent))
	}
	end := c.Close
	if w.Rand().IntN(2) == 0 {
		end = c.(*Conn).Abort
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}
