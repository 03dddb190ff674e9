package blocktest

import (
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
)

var zeroTests = []Test{
	{Name: "new", Skip: notZeroed, Run: testNew},
	{Name: "write-zeroes", Skip: readOnly, Run: testWriteZeroes},
	{Name: "fast-zero", Skip: readOnly, Run: testFastZero},
	{Name: "trim", Skip: either(readOnly, noTrim), Run: testTrim},
}

func notZeroed(f *Fixture) string {
	if !f.Zeroed {
		return "the fixture does not say what a new device holds"
	}
	return ""
}

func noTrim(f *Fixture) string {
	if !f.Front.Info().Trim {
		return "the device does not trim"
	}
	return ""
}

func testNew(f *Fixture) error {
	most := f.maxTransfer()
	if err := readBack(f, zeroValue, 0, most); err != nil {
		return err
	}
	return readBack(f, zeroValue, f.Front.Info().Size-most, most)
}

// around writes an extent, changes its middle with the operation, and looks at the rest.
func around(f *Fixture, io *IO, middle func(off, length uint64) error) error {
	bs := uint64(f.blockSize())
	n := f.maxTransfer()
	if n < 3*bs {
		return nil
	}
	if err := writeRead(f, 1, 0, n, nil); err != nil {
		return err
	}
	limits := f.Front.Info().Limits
	io.Offset, io.Length = bs, clip(n-2*bs, limits.MaxWriteZeroes)
	if io.Op == blockdev.Trim {
		io.Length = clip(n-2*bs, limits.MaxTrim)
	}
	if err := f.client().Do(io); err != nil {
		return err
	}
	if err := middle(io.Offset, io.Length); err != nil {
		return fmt.Errorf("after %s %d+%d with flags %#x: %w", io.Op, io.Offset, io.Length, io.Flags, err)
	}
	if err := readBack(f, 1, 0, bs); err != nil {
		return err
	}
	end := io.Offset + io.Length
	return readBack(f, 1, end, n-end)
}

func testWriteZeroes(f *Fixture) error {
	flags := []blockdev.Flags{0, blockdev.FlagNoUnmap}
	if f.Front.Info().FUA {
		flags = append(flags, blockdev.FlagFUA, blockdev.FlagFUA|blockdev.FlagNoUnmap)
	}
	for _, fl := range flags {
		io := &IO{Op: blockdev.WriteZeroes, Flags: fl}
		err := around(f, io, func(off, length uint64) error {
			if io.Err != nil {
				return io.Err
			}
			if err := readBack(f, zeroValue, off, length); err != nil {
				return err
			}
			return writeRead(f, 2, off, length, nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// testFastZero: the device zeroes, or says that it cannot do it fast and has done nothing.
func testFastZero(f *Fixture) error {
	io := &IO{Op: blockdev.WriteZeroes, Flags: blockdev.FlagFastZero}
	return around(f, io, func(off, length uint64) error {
		if io.Err == nil {
			return readBack(f, zeroValue, off, length)
		}
		if err := oneOf(io, blockdev.CodeUnsupported); err != nil {
			return err
		}
		return readBack(f, 1, off, length)
	})
}

// testTrim: each block holds what it held, or zeroes, and stays so; and it can be written again.
func testTrim(f *Fixture) error {
	io := &IO{Op: blockdev.Trim}
	return around(f, io, func(off, length uint64) error {
		if io.Err != nil {
			return io.Err
		}
		first, err := trimmed(f, off, length)
		if err != nil {
			return err
		}
		second, err := trimmed(f, off, length)
		if err != nil {
			return err
		}
		for i := range first {
			if first[i] != second[i] {
				return fmt.Errorf("block %d held %s, then %s", off/uint64(f.blockSize())+uint64(i), first[i], second[i])
			}
		}
		return writeRead(f, 2, off, length, nil)
	})
}

// trimmed is what the blocks of an extent hold that WRITE 1 had filled.
func trimmed(f *Fixture, off, length uint64) ([]value, error) {
	bs := uint64(f.blockSize())
	p := make([]byte, length)
	if err := f.client().ReadAt(p, off); err != nil {
		return nil, err
	}
	var vs []value
	for i := uint64(0); i < length; i += bs {
		v, err := identify(p[i:i+bs], testSeed, (off+i)/bs)
		if err == nil && v > 1 {
			err = fmt.Errorf("%s", v)
		}
		if err != nil {
			return nil, fmt.Errorf("block %d: got %w, want zeroes or write 1", (off+i)/bs, err)
		}
		vs = append(vs, v)
	}
	return vs, nil
}
