package sim

import (
	"container/heap"
	"time"
)

// never is the time of what does not happen.
const never = time.Duration(1<<63 - 1)

// event calls a function at a time. It is part of the object that it happens to, and set as often as needed.
type event struct {
	at   time.Duration // since the world began
	tie  uint64        // order among events of the same time
	pos  int           // in the heap, from 1; 0 is not in it
	fire func()
}

func (e *event) pending() bool { return e.pos > 0 }

// set makes e happen at the given time, whether or not it was set.
func (w *World) set(e *event, at time.Duration) {
	e.at, e.tie = at, w.rng.Uint64()
	if e.pending() {
		heap.Fix(&w.events, e.pos-1)
		return
	}
	heap.Push(&w.events, e)
}

func (w *World) unset(e *event) {
	if e.pending() {
		heap.Remove(&w.events, e.pos-1)
	}
}

// nextEvent is the time of the earliest event, or never.
func (w *World) nextEvent() time.Duration {
	if len(w.events) == 0 {
		return never
	}
	return w.events[0].at
}

// eventHeap has the earliest event first.
type eventHeap []*event

func (h eventHeap) Len() int { return len(h) }

func (h eventHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].tie < h[j].tie
}

func (h eventHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i+1, j+1
}

func (h *eventHeap) Push(x any) {
	e := x.(*event)
	e.pos = len(*h) + 1
	*h = append(*h, e)
}

func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.pos = 0
	return e
}
