package sim

import (
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

// epoch is when every world begins. It is far in the future, so that a deadline taken from the real clock by mistake has passed
// already, and shows.
var epoch = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// World is one simulated world. Its methods are for the goroutine that made it, for its tasks, and for its loops.
type World struct {
	// Net is the network as new connections find it. New draws it from the seed; set it to fix it.
	Net Net

	// Limit is the virtual time that Do allows; 24 hours unless it is set.
	Limit time.Duration

	// MaxSteps is how many steps one Run may take before it is taken for a livelock; 1<<25 unless it is set.
	MaxSteps int

	// Trace gets a line for each step, if it is set.
	Trace io.Writer

	seed uint64
	now  time.Duration // since epoch
	rng  *rand.Rand    // the schedule's choices
	work *rand.Rand    // the workload's
	hash hash

	events  eventHeap
	ready   []runnable // can go on now
	tasks   []*task    // have not ended
	current *task      // is running
	turners []*turner
	newborn *poller // of the loop that is being made

	links     map[string]*Link
	listeners map[string]*listener
	conns     []*connection // with an open end
	dials     []*dial       // wait with a context that may end

	lastID   uint64
	lastPort uint16
	running  bool
	stuck    bool // the last Run failed
	closed   bool
	dumping  bool

	mail mailbox
}

var _ loop.Env = (*World)(nil)

// New makes a world. All that it does follows from seed and from what is done with it.
func New(seed uint64) *World {
	w := &World{
		Limit:     24 * time.Hour,
		MaxSteps:  1 << 25,
		seed:      seed,
		rng:       rand.New(rand.NewPCG(seed, 1)),
		work:      rand.New(rand.NewPCG(seed, 2)),
		links:     map[string]*Link{},
		listeners: map[string]*listener{},
		lastPort:  1 << 15,
	}
	w.Net = drawNet(w.rng)
	return w
}

// Seed is the seed that the world was made with.
func (w *World) Seed() uint64 { return w.seed }

// Rand is for workloads: its numbers follow from the seed, and taking more of them does not change the schedule's own choices.
func (w *World) Rand() *rand.Rand { return w.work }

// Hash is a digest of every choice made and every byte delivered so far. Two runs that agree in it took the same course.
func (w *World) Hash() uint64 { return uint64(w.hash) }

// Time is the virtual time. It stands still while anything can be done without it.
func (w *World) Time() time.Time { return epoch.Add(w.now) }

// NewGate makes a closed gate. Only tasks may wait on it.
func (w *World) NewGate() loop.Gate { return &gate{w: w} }

func (w *World) id() uint64 {
	w.lastID++
	return w.lastID
}

// since is t on the world's own scale; the zero time is never.
func since(t time.Time) time.Duration {
	if t.IsZero() {
		return never
	}
	return t.Sub(epoch)
}

// letter is something that may come from another thread.
type letter interface{ arrive() }

// mailbox is the one place where the world may be touched from another thread. The scheduler empties it before each step.
type mailbox struct {
	some    atomic.Bool
	mu      sync.Mutex
	letters []letter
	reading []letter
}

func (m *mailbox) put(l letter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.letters = append(m.letters, l)
	m.some.Store(true)
}

func (m *mailbox) read() {
	if !m.some.Load() {
		return
	}
	m.mu.Lock()
	m.letters, m.reading = m.reading[:0], m.letters
	m.some.Store(false)
	m.mu.Unlock()
	for i, l := range m.reading {
		m.reading[i] = nil
		l.arrive()
	}
}
