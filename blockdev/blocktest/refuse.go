package blocktest

import (
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
)

var refusalTests = []Test{
	{Name: "out-of-range", Skip: either(unchecked, readOnly), Run: testOutOfRange},
	{Name: "unaligned", Skip: either(unchecked, readOnly), Run: testUnaligned},
}

func unchecked(f *Fixture) string {
	if !f.Checks {
		return "what is out of range or unaligned is the front end's to refuse"
	}
	return ""
}

func writable(f *Fixture) string {
	if !f.Front.Info().ReadOnly {
		return "the device is writable"
	}
	return ""
}

var extentOps = []blockdev.Op{blockdev.Read, blockdev.Write, blockdev.Trim, blockdev.WriteZeroes}

// oneOf says whether an IO was refused with one of the codes, and did not happen.
func oneOf(io *IO, codes ...blockdev.Code) error {
	if io.Err == nil {
		return fmt.Errorf("%s %d+%d succeeded, want %v", io.Op, io.Offset, io.length(), codes)
	}
	e := blockdev.AsError(io.Err)
	if e.Outcome == blockdev.Unknown {
		return fmt.Errorf("%s %d+%d: outcome unknown (%w) of a request that is refused", io.Op, io.Offset, io.length(), e)
	}
	for _, c := range codes {
		if e.Code == c {
			return nil
		}
	}
	return fmt.Errorf("%s %d+%d: got %v (%w), want %v", io.Op, io.Offset, io.length(), e.Code, e, codes)
}

// refuse makes a request with each operation and wants it refused with the code.
func refuse(f *Fixture, off, length uint64, codes ...blockdev.Code) error {
	for _, op := range extentOps {
		if op == blockdev.Trim && !f.Front.Info().Trim {
			continue
		}
		io := &IO{Op: op, Offset: off, Length: length}
		if op == blockdev.Read || op == blockdev.Write {
			io.Data = make([]byte, length)
		}
		if err := f.client().Do(io); err != nil {
			return err
		}
		if err := oneOf(io, codes...); err != nil {
			return err
		}
	}
	return nil
}

func testOutOfRange(f *Fixture) error {
	bs, size := uint64(f.blockSize()), f.Front.Info().Size
	last := size - bs
	if err := writeRead(f, 1, last, bs, nil); err != nil {
		return err
	}
	for _, e := range [][2]uint64{{size, bs}, {last, 2 * bs}, {size + bs, bs}, {-bs, bs}, {-bs, 2 * bs}} {
		if err := refuse(f, e[0], e[1], blockdev.CodeOutOfRange); err != nil {
			return err
		}
	}
	return readBack(f, 1, last, bs)
}

func testUnaligned(f *Fixture) error {
	bs := uint64(f.blockSize())
	if err := writeRead(f, 1, 0, bs, nil); err != nil {
		return err
	}
	for _, e := range [][2]uint64{{1, bs}, {bs / 2, bs}, {0, 1}, {0, bs - 1}, {0, bs + 1}, {bs / 2, bs / 2}} {
		if err := refuse(f, e[0], e[1], blockdev.CodeInvalid); err != nil {
			return err
		}
	}
	return readBack(f, 1, 0, bs)
}

func testReadOnly(f *Fixture) error {
	bs := uint64(f.blockSize())
	if err := f.client().ReadAt(make([]byte, bs), 0); err != nil {
		return err
	}
	for _, op := range extentOps[1:] {
		io := &IO{Op: op, Length: bs}
		if op == blockdev.Write {
			io.Data = make([]byte, bs)
		}
		if err := f.client().Do(io); err != nil {
			return err
		}
		if err := oneOf(io, blockdev.CodeReadOnly); err != nil {
			return err
		}
	}
	return nil
}
