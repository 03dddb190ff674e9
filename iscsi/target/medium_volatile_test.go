package target

import (
	"bytes"
	"path/filepath"
	"sync"
	"testing"
)

// TestPromisesAcrossWorkers: workers write their own parts of the same physical blocks and have them promised, in the middle of which the
// power goes. What each was promised before is there, whatever the others did.
func TestPromisesAcrossWorkers(t *testing.T) {
	const part, blocks = 512, 4
	l, err := newLUN(DefaultIQN, 0, LUN{
		Kind: KindFile, Size: blocks * physicalBlock, BlockSize: part, WriteCache: true, Volatile: true, Path: filepath.Join(t.TempDir(), "disk"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(20) {
		var promised [workerCount][blocks]byte
		var busy sync.WaitGroup
		for w := range promised {
			busy.Go(func() {
				for n := byte(1); n < 100; n++ {
					b := int64(n) % blocks
					off := b*physicalBlock + int64(w)*part
					if _, err := l.medium.WriteAt(bytes.Repeat([]byte{n}, part), off); err != nil {
						t.Error(err)
					}
					if n%3 != 0 {
						continue
					}
					if err := l.medium.Sync(off, part); err != nil {
						t.Error(err)
					}
					l.cache.mu.Lock()
					if !l.cache.dead {
						promised[w][b] = n
					}
					l.cache.mu.Unlock()
					if w == 0 && n == 60 {
						l.cache.die()
					}
				}
			})
		}
		busy.Wait()
		if _, err := l.cache.revive(seed); err != nil {
			t.Fatal(err)
		}
		for w := range promised {
			for b, n := range promised[w] {
				got := make([]byte, part)
				if _, err := l.medium.ReadAt(got, int64(b)*physicalBlock+int64(w)*part); err != nil {
					t.Fatal(err)
				}
				if got[0] < n || !bytes.Equal(got, bytes.Repeat(got[:1], part)) {
					t.Errorf("seed %d, worker %d, block %d: %d, but %d was promised", seed, w, b, got[0], n)
				}
			}
		}
		if err := l.medium.Zero(0, blocks*physicalBlock, true); err != nil {
			t.Fatal(err)
		}
		l.cache.promise(0, 0)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
}
