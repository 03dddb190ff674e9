package target

import (
	"fmt"
	"os"
)

// file keeps blocks in a file or a block device.
type file struct {
	f        *os.File
	size     int64
	readOnly bool
}

var _ medium = (*file)(nil)

// openFile opens the LUN's file, and makes it as long as l.Size if that is not 0.
func openFile(l *LUN) (*file, error) {
	flags := os.O_RDWR
	if l.ReadOnly {
		flags = os.O_RDONLY
	}
	if l.Size > 0 && !l.ReadOnly {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(l.Path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	size, err := fileSize(f, l)
	if err != nil {
		return nil, closeAfter(f, err)
	}
	return &file{f: f, size: size, readOnly: l.ReadOnly}, nil
}

func closeAfter(f *os.File, err error) error {
	_ = f.Close() // err is the news
	return err
}

func fileSize(f *os.File, l *LUN) (int64, error) {
	size, err := f.Seek(0, 2)
	if err != nil {
		return 0, err
	}
	if l.Size > 0 && size != int64(l.Size) {
		if size > int64(l.Size) {
			return 0, fmt.Errorf("%s has %d bytes, more than the size of %d that was asked for", l.Path, size, l.Size)
		}
		if err := f.Truncate(int64(l.Size)); err != nil {
			return 0, err
		}
		size = int64(l.Size)
	}
	if size <= 0 || size%int64(l.BlockSize) != 0 {
		return 0, fmt.Errorf("%s has %d bytes, which is no multiple of the block, %d, or nothing", l.Path, size, l.BlockSize)
	}
	return size, nil
}

func (m *file) ReadAt(p []byte, off int64) (int, error)  { return m.f.ReadAt(p, off) }
func (m *file) WriteAt(p []byte, off int64) (int, error) { return m.f.WriteAt(p, off) }

// Zero punches a hole, or writes zeroes where that is not possible or not wanted.
func (m *file) Zero(off, n int64, unmap bool) error {
	if unmap && punchHole(m.f, off, n) == nil {
		return nil
	}
	for n > 0 {
		part := min(n, int64(len(zeroes)))
		if _, err := m.f.WriteAt(zeroes[:part], off); err != nil {
			return err
		}
		off, n = off+part, n-part
	}
	return nil
}

func (m *file) Sync(_, _ int64) error {
	if m.readOnly {
		return nil
	}
	return syncData(m.f)
}

func (m *file) Mapped(off int64) (mapped bool, n int64) { return mappedExtent(m.f, off, m.size) }

func (m *file) Resize(size int64) error {
	if err := m.f.Truncate(size); err != nil {
		return err
	}
	m.size = size
	return nil
}

func (m *file) Close() error { return m.f.Close() }
