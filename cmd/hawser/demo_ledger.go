package main

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
)

// demoBlock is the unit that is stamped and checked, in bytes.
const demoBlock = 4 << 10

// extent is some blocks.
type extent struct{ first, count uint64 }

// ledger has the write that each block is from. An extent is claimed by one request at a time; of two that overlap and are in
// flight together nobody could say which one the block ends with.
type ledger struct {
	ids []uint64 // by block; 0 was never written. Belongs to who has claimed the block.

	mu    sync.Mutex
	busy  []bool
	lastW uint64 // the last write's id
}

func newLedger(blocks uint64) *ledger {
	return &ledger{ids: make([]uint64, blocks), busy: make([]bool, blocks)}
}

// sizes are those of the requests, in blocks: small ones are the most frequent.
var sizes = [...]uint64{1, 1, 1, 1, 2, 4, 8, 16, 32, 64}

// claim takes a random extent that nobody has. There is one: the blocks are many more than those that are claimed.
func (l *ledger) claim(rng *rand.Rand) extent {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		e := extent{count: sizes[rng.IntN(len(sizes))]}
		e.first = rng.Uint64N(uint64(len(l.ids)) - e.count + 1)
		if l.free(e) {
			l.set(e, true)
			return e
		}
	}
}

func (l *ledger) free(e extent) bool {
	for _, b := range l.busy[e.first : e.first+e.count] {
		if b {
			return false
		}
	}
	return true
}

func (l *ledger) set(e extent, busy bool) {
	for i := range l.busy[e.first : e.first+e.count] {
		l.busy[e.first+uint64(i)] = busy
	}
}

func (l *ledger) release(e extent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set(e, false)
}

// stampAll fills buf with a new write's content of the extent, and notes it.
func (l *ledger) stampAll(e extent, buf []byte) {
	l.mu.Lock()
	l.lastW++
	id := l.lastW
	l.mu.Unlock()
	for i := range e.count {
		l.ids[e.first+i] = id
		stamp(buf[i*demoBlock:(i+1)*demoBlock], e.first+i, id)
	}
}

// stamp makes the content of a block: every word tells block and write, so that a misplaced or stale piece of any size shows.
func stamp(b []byte, block, id uint64) {
	w := word(block, id)
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], w.next())
	}
}

// stampIs says whether b has that content; a block that was never written is zeroes.
func stampIs(b []byte, block, id uint64) bool {
	w := word(block, id)
	for i := 0; i < len(b); i += 8 {
		want := uint64(0)
		if id != 0 {
			want = w.next()
		}
		if binary.LittleEndian.Uint64(b[i:]) != want {
			return false
		}
	}
	return true
}

// words is a sequence that depends on block and write (splitmix64).
type words uint64

func word(block, id uint64) words { return words(block<<32 ^ id*0x9e3779b97f4a7c15) }

func (w *words) next() uint64 {
	*w += 0x9e3779b97f4a7c15
	z := uint64(*w)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
