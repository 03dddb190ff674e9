package target

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func punchHole(f *os.File, off, n int64) error {
	return control(f, func(fd int) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n)
	})
}

func syncData(f *os.File) error {
	return control(f, unix.Fdatasync)
}

// mappedExtent asks the file system where data and holes are; where it cannot tell, all is data.
func mappedExtent(f *os.File, off, size int64) (mapped bool, n int64) {
	data, hole := size, size
	err := control(f, func(fd int) (err error) {
		if data, err = unix.Seek(fd, off, unix.SEEK_DATA); errors.Is(err, unix.ENXIO) {
			data = size
			return nil
		}
		if err != nil || data > off {
			return err
		}
		hole, err = unix.Seek(fd, off, unix.SEEK_HOLE)
		return err
	})
	switch {
	case err != nil:
		return true, size - off
	case data > off:
		return false, data - off
	}
	return true, hole - off
}

func control(f *os.File, fn func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = fn(int(fd)) })
	return errors.Join(err, inner)
}
