package target

import (
	"bytes"
	"maps"
	"math"
	"math/rand/v2"
	"sync"
)

// physicalBlock is what a disk writes whole, in bytes, if its blocks are not larger. READ CAPACITY(16) tells it, and journals rely on it.
const physicalBlock = 4096

// volatile is a medium with a write cache that a loss of power empties:
//
//  1. before a physical block is changed, what is on it is put into an undo log, unless it is in there
//  2. a promise of the block forgets that
//  3. when the power is lost a random choice of the blocks in the log gets back what is in there
//
// The log can get as large as the medium. Blocks that were zero take no space in it.
type volatile struct {
	medium
	block int64

	mu      sync.Mutex
	size    int64
	undo    map[int64][]byte // by the block's number; nil: zeroes
	scratch []byte           // a block
	dead    bool             // the power is off: nothing is promised any more
}

var _ memory = (*volatile)(nil)

func newVolatile(m medium, size, block int64) *volatile {
	return &volatile{medium: m, block: block, size: size, undo: map[int64][]byte{}, scratch: make([]byte, block)}
}

// cacheWrites puts the cache before the medium.
func (l *lun) cacheWrites() {
	l.cache = newVolatile(l.medium, l.size(), max(physicalBlock, int64(l.BlockSize)))
	l.medium = l.cache
	if l.mem != nil {
		l.mem = l.cache
	}
}

func (v *volatile) Lend(off int64, n int) []byte { return v.medium.(memory).Lend(off, n) }

func (v *volatile) WriteAt(p []byte, off int64) (int, error) {
	if err := v.remember(off, int64(len(p))); err != nil {
		return 0, err
	}
	return v.medium.WriteAt(p, off)
}

// Zero changes nothing where there is a hole.
func (v *volatile) Zero(off, n int64, unmap bool) error {
	for at, end := off, off+n; at < end; {
		mapped, run := v.Mapped(at)
		run = min(run, end-at)
		if mapped {
			if err := v.remember(at, run); err != nil {
				return err
			}
		}
		at += run
	}
	return v.medium.Zero(off, n, unmap)
}

// remember puts into the log what is about to be changed. A block that is in there stays so until a write to it has ended and was
// promised: who waits for the promise of one is safe from what others write at the same time.
func (v *volatile) remember(off, n int64) error {
	if n == 0 {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for b := off / v.block; b <= (off+n-1)/v.block; b++ {
		if _, ok := v.undo[b]; ok {
			continue
		}
		old := v.scratch[:min(v.block, v.size-b*v.block)]
		if _, err := v.medium.ReadAt(old, b*v.block); err != nil {
			return err
		}
		if allZeroes(old) {
			old = nil
		}
		v.undo[b] = bytes.Clone(old)
	}
	return nil
}

func allZeroes(p []byte) bool { return bytes.Equal(p, zeroes[:len(p)]) }

func (v *volatile) Sync(off, n int64) error {
	if err := v.medium.Sync(off, n); err != nil {
		return err
	}
	v.promise(off, n)
	return nil
}

// promise forgets what the extent had before; with n 0 it goes to the end.
func (v *volatile) promise(off, n int64) {
	first, last := off/v.block, int64(math.MaxInt64)
	if n > 0 {
		last = (off + n - 1) / v.block
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.dead:
	case last-first < int64(len(v.undo)):
		for b := first; b <= last; b++ {
			delete(v.undo, b)
		}
	default:
		maps.DeleteFunc(v.undo, func(b int64, _ []byte) bool { return first <= b && b <= last })
	}
}

// die is the moment at which the power goes. Writes that are under way end, but are not promised.
func (v *volatile) die() {
	v.mu.Lock()
	v.dead = true
	v.mu.Unlock()
}

// revive takes back a random half of what was not promised; what is there now is stable. Nothing else is under way.
func (v *volatile) revive(seed uint64) (lost int, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for b, old := range v.undo {
		if rand.NewPCG(seed, uint64(b)).Uint64()>>63 == 0 {
			continue
		}
		if err = v.restore(b, old); err != nil {
			break
		}
		lost++
	}
	clear(v.undo)
	v.dead = false
	return lost, err
}

func (v *volatile) restore(b int64, old []byte) error {
	off := b * v.block
	if old == nil {
		return v.medium.Zero(off, min(v.block, v.size-off), true)
	}
	_, err := v.medium.WriteAt(old, off)
	return err
}

// Resize writes everything back.
func (v *volatile) Resize(size int64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.medium.Resize(size); err != nil {
		return err
	}
	v.size = size
	clear(v.undo)
	return nil
}
