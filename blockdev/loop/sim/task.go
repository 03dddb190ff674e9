package sim

import (
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// task is a control plane goroutine of the world: a coroutine, which runs only while the scheduler waits for it to park or end.
type task struct {
	w      *World
	id     uint64
	origin uintptr // where Go was called
	resume func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
	queued bool  // is on w.ready
	wake   event // the deadline of what it waits for
	doing  string
	on     fmt.Stringer
	stack  []uintptr // taken for a dump
}

// Go starts fn as a task. It runs when the scheduler chooses it. A panic in it, and the end of a test by t.FailNow, go on in the
// goroutine that called Run or Do.
func (w *World) Go(fn func()) { w.spawn(fn, 3) }

func (w *World) spawn(fn func(), skip int) {
	t := &task{w: w, id: w.id()}
	if w.closed {
		return
	}
	var pc [1]uintptr
	runtime.Callers(skip, pc[:])
	t.origin = pc[0]
	t.wake.fire = t.schedule
	t.resume, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer t.ended()
		t.yield = yield
		fn()
	})
	w.tasks = append(w.tasks, t)
	t.schedule()
}

// ended takes the task off the world, and keeps the stack of a panic, which would be lost on its way out of the coroutine.
func (t *task) ended() {
	if i := slices.Index(t.w.tasks, t); i >= 0 {
		t.w.tasks = slices.Delete(t.w.tasks, i, i+1)
	}
	if r := recover(); r != nil {
		panic(fmt.Sprintf("%v\n\nin a task of the simulation, at:\n%s", r, debug.Stack()))
	}
}

func (t *task) schedule() {
	if !t.queued {
		t.queued = true
		t.w.ready = append(t.w.ready, t)
	}
}

func (t *task) run() {
	t.queued = false
	t.w.trace(t, "goes on", -1)
	t.w.current = t
	defer func() { t.w.current = nil }()
	t.resume()
}

func (t *task) number() uint64 { return t.id }

// park gives the thread back until the scheduler chooses the task again. When the world closes it does not return.
func (t *task) park(doing string, on fmt.Stringer) {
	t.doing, t.on = doing, on
	for {
		if !t.yield(struct{}{}) {
			runtime.Goexit()
		}
		if !t.w.dumping {
			break
		}
		t.takeStack()
	}
	t.doing, t.on = "", nil
}

// end unwinds a parked task: its deferred calls run, and it is gone. The coroutine hands its Goexit on to whoever stopped it, so
// that is done by a goroutine made for it.
func (t *task) end() (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("%s: while it was ended: panic: %v", t, r)
			}
		}()
		t.w.current = t
		t.stop()
	}()
	<-done
	t.w.current = nil
	t.ended()
	return err
}

// Sleep parks the task for d of virtual time.
func (w *World) Sleep(d time.Duration) {
	end := w.now + max(0, d)
	for first := true; first || w.now < end; first = false {
		w.wait(&waitq{}, end, "sleep", nil)
	}
}

// waitq is tasks that wait for the same thing.
type waitq []*task

// wait parks the task on q until it is woken or deadline has come. The caller looks itself which it was, and whether it was for
// nothing.
func (w *World) wait(q *waitq, deadline time.Duration, doing string, on fmt.Stringer) {
	t := w.current
	if t == nil {
		panic("sim: " + doing + " blocks: only a task may, within World.Do or World.Go, and never a loop")
	}
	*q = append(*q, t)
	if deadline != never {
		w.set(&t.wake, deadline)
	}
	t.park(doing, on)
	w.unset(&t.wake)
	q.remove(t)
}

func (q *waitq) wake() {
	for i, t := range *q {
		(*q)[i] = nil
		t.schedule()
	}
	*q = (*q)[:0]
}

func (q *waitq) remove(t *task) {
	if i := slices.Index(*q, t); i >= 0 {
		*q = slices.Delete(*q, i, i+1)
	}
}
