package loop

import (
	"net"
	"testing"
)

type counting struct{ told int }

func (c *counting) Ready(Events) { c.told++ }

// TestOneTurnHearsAll: after a stall of ours every socket that has something to say is heard before the timers run, or one that
// was passed over would be taken for silent.
func TestOneTurnHearsAll(t *testing.T) {
	l, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.poller.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	handlers := make([]counting, 300)
	for i := range handlers {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		w, err := l.Adopt(s, &handlers[i])
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Turn(true); err != nil {
		t.Fatal(err)
	}
	for i := range handlers {
		if handlers[i].told != 1 {
			t.Fatalf("socket %d was told %d times, want once", i, handlers[i].told)
		}
	}
}

// TestAwaitOfAStoppedLoop: who waits for what the loop will never finish is let go.
func TestAwaitOfAStoppedLoop(t *testing.T) {
	l, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run() }()
	err = l.Await(func(func()) { l.Stop() })
	if err != ErrStopped {
		t.Errorf("got %v, want %v", err, ErrStopped)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
