package sim

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
)

func TestDialNobody(t *testing.T) {
	w := New(1)
	do(t, w, func() {
		if _, err := w.Dial(context.Background(), "", portal); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v, want ECONNREFUSED", err)
		}
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestDialInStall(t *testing.T) {
	ends := map[string]func(w *World, l *Link, cancel func()){
		"timeout": func(*World, *Link, func()) {},
		"cancel":  func(w *World, _ *Link, cancel func()) { w.Sleep(time.Second); cancel() },
		"up":      func(w *World, l *Link, _ func()) { w.Sleep(time.Minute); l.Up() },
	}
	want := map[string]error{"timeout": syscall.ETIMEDOUT, "cancel": context.Canceled}
	for name, end := range ends {
		for _, dirs := range [][]Direction{{ToServer}, {ToClient}, {ToServer, ToClient}} {
			t.Run(name, func(t *testing.T) {
				Each(t, 10, func(t *testing.T, w *World) {
					do(t, w, func() {
						ln, err := w.Listen(portal)
						if err != nil {
							t.Fatal(err)
						}
						defer ln.Close()
						l := w.Link(portal)
						for _, d := range dirs {
							l.StallOneWay(d)
						}
						ctx, cancel := context.WithCancel(context.Background())
						defer cancel()
						w.Go(func() { end(w, l, cancel) })
						c, err := w.Dial(ctx, "", portal)
						if !errors.Is(err, want[name]) {
							t.Errorf("got %v, want %v", err, want[name])
						}
						if err == nil {
							_ = c.Close()
							s, _ := ln.Accept()
							_ = s.Close()
						}
						l.Up()
						l.Up()
						w.Sleep(time.Second)
						if s := len(w.listeners[portal].backlog); s != 0 && name == "up" {
							t.Errorf("%d connections more than were dialled", s)
						}
						for _, c := range w.conns {
							if !c.ends[0].closed {
								t.Errorf("%s: nobody holds the dialler's end", c)
							}
						}
					})
				})
			})
		}
	}
}

// TestDialCancelled: a dial given up on either hop leaves no connection behind.
func TestDialCancelled(t *testing.T) {
	Each(t, 20, func(t *testing.T, w *World) {
		do(t, w, func() {
			ln, err := w.Listen(portal)
			if err != nil {
				t.Fatal(err)
			}
			w.Link(portal).Latency(2*time.Second, 0)
			ctx, cancel := context.WithCancel(context.Background())
			w.Go(func() { w.Sleep(time.Duration(1+2*w.Rand().IntN(2)) * time.Second); cancel() })
			if _, err := w.Dial(ctx, "", portal); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
			w.Sleep(time.Minute)
			for _, c := range w.conns {
				if !c.ends[0].closed {
					t.Errorf("%s: nobody holds the dialler's end", c)
				}
			}
			_ = ln.Close()
		})
	})
}

// TestListenerCloseResetsBacklog: a connection that nobody accepted does not hang.
func TestListenerCloseResetsBacklog(t *testing.T) {
	Each(t, 20, func(t *testing.T, w *World) {
		do(t, w, func() {
			ln, err := w.Listen("10.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			c, err := w.Dial(context.Background(), "", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Listen(ln.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("listen twice: got %v, want EADDRINUSE", err)
			}
			_ = ln.Close()
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v, want ECONNRESET", err)
			}
			if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("accept: got %v, want net.ErrClosed", err)
			}
			_ = c.Close()
		})
	})
}
