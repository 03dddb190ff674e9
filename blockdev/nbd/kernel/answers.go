package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"unsafe"
)

// Start is Tune, and then Answers, at half the cost.
func (d *Device) Start(ctx context.Context) ([]Warning, error) {
	r, err := d.host.have(ctx, order{Errand: starting, Index: d.index, Spec: d.spec}, nil)
	warnings := d.warnings(ctx, r, err)
	if noNode(err) {
		return warnings, d.Answers(ctx)
	}
	return warnings, newError("read", d.Path(), err)
}

// Answers waits until the device's node exists and a read of its first block, past all caches, has been answered: by the
// server, as any user's would be. Only then may the node be told to others.
func (d *Device) Answers(ctx context.Context) error {
	return newError("read", d.Path(), d.answers(ctx))
}

func (d *Device) answers(ctx context.Context) error {
	var err error
	tried := func() bool {
		_, now := os.Lstat(d.host.path(d.Path())) // no errand as long as there is nothing to open
		if now == nil {
			now = d.errand(ctx, reading)
		}
		if err == nil || !errors.Is(now, ErrStuck) { // an attempt that was cut short knows less than the one before
			err = now
		}
		return !noNode(err)
	}
	if !poll(ctx, tried) {
		return fmt.Errorf("there is no such node: %w: where udev does not make it, as in a container, do: mknod %s b %s", err, d.Path(), d.numbers())
	}
	return err
}

// noNode says that there is nothing to be opened yet.
func noNode(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENXIO) }

// readBlock reads the first block.
func (d *Device) readBlock(f *os.File) error {
	_, err := f.ReadAt(d.block(), 0)
	return err
}

// block is room for one block, aligned as O_DIRECT wants it.
func (d *Device) block() []byte {
	size := int(d.spec.BlockSize)
	b := make([]byte, 2*size)
	off := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (size - 1)
	return b[off : off+size]
}

// numbers are the device's major and minor number, as mknod takes them.
func (d *Device) numbers() string {
	var major, minor int
	s, _ := d.host.text("sys/block", d.name(), "dev")
	_, _ = fmt.Sscanf(s, "%d:%d", &major, &minor)
	return fmt.Sprintf("%d %d", major, minor)
}
