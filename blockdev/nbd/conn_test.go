package nbd

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/hawser-storage/hawser/blockdev/memdev"
)

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b)
	return b
}

func TestReadWriteFlush(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 64 << 20}), Config{})
	c := b.attach()
	for i, n := range []int{512, 4096, 64 << 10, 64<<10 + 512, 1 << 20, 32 << 20} {
		want := noise(uint64(i), n)
		c.write(4096, want)
		c.flush()
		if got := c.read(4096, n); !bytes.Equal(got, want) {
			t.Errorf("%d bytes came back changed", n)
		}
	}
	c.leave()
}
