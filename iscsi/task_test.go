package iscsi

import (
	"testing"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

func TestTaskTableKnowsGenerations(t *testing.T) {
	tt := newTaskTable(2)
	a, b := &task{}, &task{}
	tt.add(a)
	tt.add(b)
	if !tt.full() || tt.used() != 2 || a.itt == b.itt {
		t.Fatalf("two of two: full %v, used %d, tags %x %x", tt.full(), tt.used(), a.itt, b.itt)
	}
	old := a.itt
	tt.remove(a)
	c := &task{}
	tt.add(c)
	if c.itt&slotMask != old&slotMask {
		t.Fatalf("the slot was not used again: %x after %x", c.itt, old)
	}
	if got := tt.find(old); got != nil {
		t.Error("a tag of an earlier generation found a task")
	}
	if got := tt.find(c.itt); got != c {
		t.Error("a task's own tag did not find it")
	}
	for _, itt := range []uint32{pdu.ReservedTag, 0, slotMask, c.itt + 1} {
		if got := tt.find(itt); got != nil && got.itt != itt {
			t.Errorf("tag %x found the task of %x", itt, got.itt)
		}
	}
}

func TestTagIsNeverReserved(t *testing.T) {
	tt := taskTable{gen: pdu.ReservedTag>>slotBits - 1}
	for range 3 {
		if tt.tag(slotMask) == pdu.ReservedTag {
			t.Fatal("a task was given the reserved tag")
		}
	}
}

func TestFIFOKeepsOrderAndMemory(t *testing.T) {
	var q fifo[int]
	next, want := 0, 0
	for range 5 {
		q.push(next)
		next++
	}
	for range 100_000 { // never empty
		q.push(next)
		next++
		if got := q.pop(); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
		want++
	}
	if cap(q.items) > 8192 {
		t.Errorf("a queue of 5 grew to %d", cap(q.items))
	}
	for q.len() > 0 {
		if got := q.pop(); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
		want++
	}
}

func TestWindow(t *testing.T) {
	w := window{cmdSN: 0xfffffffe, expCmdSN: 0xfffffffe, maxCmdSN: 0xffffffff, expStatSN: 7}
	for range 2 {
		if !w.open() {
			t.Fatal("closed before MaxCmdSN was used up")
		}
		w.take()
	}
	if w.open() {
		t.Fatal("open beyond MaxCmdSN, at the wrap")
	}
	if err := w.update(0, 5); err != nil || !w.open() || w.maxCmdSN != 5 {
		t.Fatalf("after the wrap: %v, %+v", err, w)
	}
	if err := w.update(0xffffffff, 1); err != nil || w.maxCmdSN != 5 || w.expCmdSN != 0 {
		t.Errorf("an old window was taken over: %v, %+v", err, w)
	}
	if err := w.update(0, 0xfffffff0); err != nil || w.maxCmdSN != 5 {
		t.Errorf("MaxCmdSN far below ExpCmdSN was taken over: %v, %+v", err, w)
	}
	if err := w.update(9, 20); err == nil {
		t.Error("ExpCmdSN beyond what was sent was believed")
	}
	if err := w.status(8); err == nil {
		t.Error("a gap in StatSN went unnoticed")
	}
	if err := w.status(7); err != nil || w.expStatSN != 8 {
		t.Errorf("the right StatSN: %v, next %d", err, w.expStatSN)
	}
}
