package blockio_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blockio"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDisk(t *testing.T) {
	l := blocktest.NewLoop(t)
	dev := memdev.New(l, memdev.Config{Size: 4 << 20, BlockSize: 512, Limits: blockdev.Limits{MaxTransfer: 8192, MaxTrim: 4096, MaxWriteZeroes: 4096}})
	d := blockio.New(dev, l)
	want := bytes.Repeat([]byte("0123456789abcdef"), 4096) // several times what the device takes at once
	if n, err := d.WriteAt(want, 512); n != len(want) || err != nil {
		t.Fatalf("WriteAt: %d, %v", n, err)
	}
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := d.Zero(512, 8192); err != nil {
		t.Fatal(err)
	}
	clear(want[:8192])
	got := make([]byte, len(want))
	if n, err := d.ReadAt(got, 512); n != len(got) || err != nil || !bytes.Equal(got, want) {
		t.Fatalf("ReadAt: %d, %v, equal %v", n, err, bytes.Equal(got, want))
	}
	if err := d.Trim(0, 1<<20); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		off, n int64
		code   blockdev.Code
	}{{1, 512, blockdev.CodeInvalid}, {0, 100, blockdev.CodeInvalid}, {4 << 20, 512, blockdev.CodeOutOfRange}, {-512, 512, blockdev.CodeOutOfRange}} {
		_, err := d.ReadAt(make([]byte, c.n), c.off)
		var e *blockdev.Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("ReadAt %d+%d: got %v, want %v", c.off, c.n, err, c.code)
		}
	}
	if err := dev.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
