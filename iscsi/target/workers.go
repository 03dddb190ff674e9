package target

import (
	"sync"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

const workerCount = 4

// workers are goroutines that do what would block the loop: I/O on files. A task that was given to them is theirs until its
// completion was posted.
type workers struct {
	loop *loop.Loop

	mu      sync.Mutex
	wake    sync.Cond
	todo    []*task
	done    []*task
	stopped bool

	exited sync.WaitGroup
	spare  []*task // the loop's
	pickUp func()
}

func newWorkers(l *loop.Loop) *workers {
	w := &workers{loop: l}
	w.wake.L = &w.mu
	w.pickUp = w.deliver
	for range workerCount {
		w.exited.Add(1)
		l.Env().Go(w.work)
	}
	return w
}

// submit is called on the loop.
func (w *workers) submit(t *task) {
	w.mu.Lock()
	w.todo = append(w.todo, t)
	w.mu.Unlock()
	w.wake.Signal()
}

func (w *workers) work() {
	defer w.exited.Done()
	for {
		t := w.next()
		if t == nil {
			return
		}
		t.run()
		w.finished(t)
	}
}

func (w *workers) next() *task {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.todo) == 0 {
		if w.stopped {
			return nil
		}
		w.wake.Wait()
	}
	t := w.todo[0]
	w.todo = w.todo[:copy(w.todo, w.todo[1:])]
	return t
}

func (w *workers) finished(t *task) {
	w.mu.Lock()
	w.done = append(w.done, t)
	first := len(w.done) == 1
	w.mu.Unlock()
	if first {
		w.loop.Post(w.pickUp)
	}
}

// deliver runs on the loop.
func (w *workers) deliver() {
	w.mu.Lock()
	w.done, w.spare = w.spare[:0], w.done
	w.mu.Unlock()
	for i, t := range w.spare {
		w.spare[i] = nil
		t.executed()
	}
}

// stop ends the workers after what they were given.
func (w *workers) stop() {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.wake.Broadcast()
	w.exited.Wait()
}
