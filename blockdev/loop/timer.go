package loop

import (
	"container/heap"
	"time"
)

// Timer calls a function on the loop at a time. It is made once and set as often as needed; setting allocates nothing once the
// loop's heap has grown to its size.
type Timer struct {
	loop *Loop
	fn   func()
	at   time.Time
	pos  int // in the heap; -1 if it is not set
}

// NewTimer makes a timer that is not set.
func (l *Loop) NewTimer(fn func()) *Timer { return &Timer{loop: l, fn: fn, pos: -1} }

// Reset sets the timer to d after Now, whether or not it was set.
func (t *Timer) Reset(d time.Duration) {
	t.at = t.loop.now.Add(d)
	if t.pos >= 0 {
		heap.Fix(&t.loop.timers, t.pos)
		return
	}
	heap.Push(&t.loop.timers, t)
}

// Stop unsets it.
func (t *Timer) Stop() {
	if t.pos >= 0 {
		heap.Remove(&t.loop.timers, t.pos)
	}
}

// Pending says whether it is set.
func (t *Timer) Pending() bool { return t.pos >= 0 }

// timerHeap has the earliest timer first.
type timerHeap []*Timer

func (h timerHeap) next() (time.Time, bool) {
	if len(h) == 0 {
		return time.Time{}, false
	}
	return h[0].at, true
}

// run calls what is due. A timer that is set again meanwhile, for now or earlier, waits for the next turn.
func (h *timerHeap) run(now time.Time) {
	for n := len(*h); n > 0 && len(*h) > 0 && !(*h)[0].at.After(now); n-- {
		heap.Pop(h).(*Timer).fn()
	}
}

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.pos = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.pos = -1
	return t
}
