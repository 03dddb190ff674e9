package blocktest

import (
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
)

var basicTests = []Test{
	{Name: "info", Run: testInfo},
	{Name: "sizes", Skip: readOnly, Run: testSizes},
	{Name: "borders", Skip: readOnly, Run: testBorders},
	{Name: "neighbours", Skip: readOnly, Run: testNeighbours},
	{Name: "length-0", Skip: readOnly, Run: testLengthZero},
	{Name: "flush", Run: testFlush},
	{Name: "fua", Skip: readOnly, Run: testFUA},
	{Name: "read-only", Skip: writable, Run: testReadOnly},
}

const testSeed = 1 // of the fixed tests' patterns

func testInfo(f *Fixture) error {
	info := f.Front.Info()
	bs := uint64(info.BlockSize)
	switch {
	case bs < 512 || bs > 65536 || bs&(bs-1) != 0:
		return fmt.Errorf("block size %d is not a power of two from 512 to 65536", bs)
	case info.Size == 0 || info.Size%bs != 0:
		return fmt.Errorf("size %d is not a multiple of the block size %d, or nothing", info.Size, bs)
	}
	for name, limit := range map[string]uint64{
		"MaxTransfer": info.Limits.MaxTransfer, "MaxTrim": info.Limits.MaxTrim, "MaxWriteZeroes": info.Limits.MaxWriteZeroes,
	} {
		if limit != 0 && limit < bs {
			return fmt.Errorf("%s %d is less than a block of %d", name, limit, bs)
		}
	}
	return nil
}

// writeRead writes a pattern, with the payload cut as split says, and reads it back.
func writeRead(f *Fixture, v value, off, length uint64, split []int) error {
	bs := f.blockSize()
	p := make([]byte, length)
	stamp(p, testSeed, v, off/uint64(bs), bs)
	if err := f.client().Must(&IO{Op: blockdev.Write, Offset: off, Data: p, Split: split}); err != nil {
		return err
	}
	return readBack(f, v, off, length)
}

// readBack reads an extent and compares it with what WRITE v left there.
func readBack(f *Fixture, v value, off, length uint64) error {
	bs := f.blockSize()
	p := make([]byte, length)
	fill(p, 0xEE)
	if err := f.client().ReadAt(p, off); err != nil {
		return err
	}
	if err := expect(p, testSeed, v, off/uint64(bs), bs); err != nil {
		return fmt.Errorf("READ %d+%d: %w", off, length, err)
	}
	return nil
}

// testSizes writes and reads 1 to 16 blocks, and from there each power of two and its neighbours.
func testSizes(f *Fixture) error {
	bs := uint64(f.blockSize())
	most := f.maxTransfer() / bs
	v := value(0)
	for n := uint64(1); n <= most; n++ {
		if n > 16 && n&(n-1) != 0 && n&(n+1) != 0 && (n-1)&(n-2) != 0 && n != most {
			continue
		}
		v++
		if err := writeRead(f, v, 0, n*bs, nil); err != nil {
			return err
		}
	}
	return nil
}

// testBorders is about the first block, the last one, and the largest transfer at either end.
func testBorders(f *Fixture) error {
	bs, most, size := uint64(f.blockSize()), f.maxTransfer(), f.Front.Info().Size
	for i, e := range [][2]uint64{{0, bs}, {size - bs, bs}, {0, most}, {size - most, most}} {
		if err := writeRead(f, value(i+1), e[0], e[1], nil); err != nil {
			return err
		}
	}
	return nil
}

// testNeighbours writes one block between two others, which must stay.
func testNeighbours(f *Fixture) error {
	bs := uint64(f.blockSize())
	if f.Front.Info().Size < 3*bs {
		return nil
	}
	if err := writeRead(f, 1, 0, 3*bs, nil); err != nil {
		return err
	}
	if err := writeRead(f, 2, bs, bs, nil); err != nil {
		return err
	}
	for _, off := range []uint64{0, 2 * bs} {
		if err := readBack(f, 1, off, bs); err != nil {
			return err
		}
	}
	return nil
}

// testLengthZero: a request of no bytes changes nothing, whether it is refused or not. To some devices a length of 0 means all.
func testLengthZero(f *Fixture) error {
	bs := uint64(f.blockSize())
	n := min(4*bs, f.maxTransfer())
	if err := writeRead(f, 1, 0, n, nil); err != nil {
		return err
	}
	for _, op := range []blockdev.Op{blockdev.Read, blockdev.Write, blockdev.Trim, blockdev.WriteZeroes} {
		io := &IO{Op: op, Offset: n - bs}
		if err := f.client().Do(io); err != nil {
			return err
		}
		if err := oneOf(io, blockdev.CodeInvalid, blockdev.CodeUnsupported); io.Err != nil && err != nil {
			return err
		}
		if err := readBack(f, 1, 0, n); err != nil {
			return fmt.Errorf("after a %s of no bytes: %w", op, err)
		}
	}
	return nil
}

func testFlush(f *Fixture) error {
	if err := f.client().Flush(); err != nil {
		return err
	}
	if f.Front.Info().ReadOnly {
		return nil
	}
	if err := writeRead(f, 1, 0, uint64(f.blockSize()), nil); err != nil {
		return err
	}
	if err := f.client().Flush(); err != nil {
		return err
	}
	return readBack(f, 1, 0, uint64(f.blockSize()))
}

func testFUA(f *Fixture) error {
	if !f.Front.Info().FUA {
		return f.client().Flush() // the front end makes FUA of WRITE and FLUSH then
	}
	bs := f.blockSize()
	p := make([]byte, bs)
	stamp(p, testSeed, 1, 0, bs)
	if err := f.client().WriteAt(p, 0, blockdev.FlagFUA); err != nil {
		return err
	}
	return readBack(f, 1, 0, uint64(bs))
}
