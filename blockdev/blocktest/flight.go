package blocktest

import (
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
)

var flightTests = []Test{
	{Name: "depths", Skip: readOnly, Run: testDepths},
	{Name: "mixed", Skip: readOnly, Run: testMixed},
}

// testDepths has many requests in flight together, each to a block of its own. That each comes back once is the front's to see: a
// request that comes back twice panics, and one that does not come back at all hangs.
func testDepths(f *Fixture) error {
	bs := uint64(f.blockSize())
	for i, depth := range []uint64{1, 2, 7, 32, 64, 256} {
		depth = min(depth, f.Front.Info().Size/bs)
		v := value(i + 1)
		var writes, reads []*IO
		for b := range depth {
			p := make([]byte, bs)
			stamp(p, testSeed, v, b, int(bs))
			writes = append(writes, &IO{Op: blockdev.Write, Offset: b * bs, Data: p})
			reads = append(reads, &IO{Op: blockdev.Read, Offset: b * bs, Data: make([]byte, bs)})
		}
		for _, batch := range [][]*IO{writes, reads} {
			if err := once(f, batch); err != nil {
				return fmt.Errorf("depth %d: %w", depth, err)
			}
		}
		for b, io := range reads {
			if err := expect(io.Data, testSeed, v, uint64(b), int(bs)); err != nil {
				return fmt.Errorf("depth %d: %w", depth, err)
			}
		}
	}
	return nil
}

// once carries out ios together and counts how often each comes back.
func once(f *Fixture, ios []*IO) error {
	came := make([]int, len(ios))
	for i, io := range ios {
		io.Done = func(*IO) { came[i]++ }
	}
	if err := f.client().Must(ios...); err != nil {
		return err
	}
	for i, n := range came {
		if n != 1 {
			return fmt.Errorf("%s %d+%d came back %d times", ios[i].Op, ios[i].Offset, ios[i].length(), n)
		}
	}
	return nil
}

// testMixed has every operation in flight together, on extents of their own.
func testMixed(f *Fixture) error {
	bs := uint64(f.blockSize())
	info := f.Front.Info()
	const groups = 16
	if info.Size < groups*4*bs {
		return nil
	}
	if err := writeRead(f, 1, 0, min(groups*4*bs, f.maxTransfer()), nil); err != nil {
		return err
	}
	var ios []*IO
	for g := range uint64(groups) {
		at := g * 4 * bs
		p := make([]byte, bs)
		stamp(p, testSeed, 2, at/bs, int(bs))
		ios = append(ios,
			&IO{Op: blockdev.Write, Offset: at, Data: p},
			&IO{Op: blockdev.WriteZeroes, Offset: at + bs, Length: bs},
			&IO{Op: blockdev.Read, Offset: at + 2*bs, Data: make([]byte, bs)},
			&IO{Op: blockdev.Flush})
		if info.Trim {
			ios = append(ios, &IO{Op: blockdev.Trim, Offset: at + 3*bs, Length: bs})
		}
	}
	if err := once(f, ios); err != nil {
		return err
	}
	for g := range uint64(groups) {
		at := g * 4 * bs
		if err := readBack(f, 2, at, bs); err != nil {
			return err
		}
		if err := readBack(f, zeroValue, at+bs, bs); err != nil {
			return err
		}
	}
	return nil
}
