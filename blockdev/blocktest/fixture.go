package blocktest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// Fixture is one device under test, made for one test and closed after it.
type Fixture struct {
	// Dev and Loop are the device and its loop, which runs. Without a device, Front is what is tested, and the tests of blockdev's own
	// contract are skipped.
	Dev  blockdev.Device
	Loop *loop.Loop

	// Front is where I/O goes in. nil is a DeviceFront of Dev.
	Front Front

	// Arena is where the payload of WRITEs comes from, and maybe more; all of it must be free after Close. It is the loop's. nil:
	// WRITEs come from the heap.
	Arena *blockdev.Arena

	// Do runs control-plane code to its end: a task of the simulation that the loop is part of. nil calls it.
	Do func(fn func())

	// Checks says that the device refuses requests that are out of range or unaligned itself. Without it that is the front end's
	// job, and such requests are not made.
	Checks bool

	// Zeroed says that the device reads as zeroes when it is new.
	Zeroed bool

	// Close closes what is tested. nil is Dev.Close.
	Close func(ctx context.Context) error

	// MaxTransfer bounds the transfers of the tests, in bytes. 0 is 1 MiB. The device's own limits and size count too.
	MaxTransfer uint64

	// Model shapes the model check; see ModelOptions. 0 values are chosen by each test.
	Model ModelOptions
}

// Test is one entry of the list.
type Test struct {
	Name string
	// Skip says why the test does not apply to a device; "" if it does. nil: it always does.
	Skip func(f *Fixture) string
	// Run is control-plane code.
	Run func(f *Fixture) error
}

// All is the conformance list.
var All = concat(basicTests, refusalTests, zeroTests, memoryTests, flightTests, closeTests, modelTests)

func concat(lists ...[]Test) (all []Test) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// Run runs All, each test on a fixture of its own.
func Run(t *testing.T, fixture func(t *testing.T) *Fixture) {
	for _, test := range All {
		t.Run(test.Name, func(t *testing.T) { RunOne(t, test, fixture(t)) })
	}
}

// RunOne runs one test, closes the device and looks for leaks.
func RunOne(t *testing.T, test Test, f *Fixture) {
	t.Helper()
	f.prepare()
	skip := ""
	var err error
	f.Do(func() {
		if test.Skip != nil {
			skip = test.Skip(f)
		}
		if skip == "" {
			err = test.Run(f)
		}
		err = errors.Join(err, f.shut())
	})
	if err != nil {
		t.Error(err)
	}
	if skip != "" && err == nil {
		t.Skip(skip)
	}
}

func (f *Fixture) prepare() {
	if f.Do == nil {
		f.Do = func(fn func()) { fn() }
	}
	if f.Front == nil {
		f.Front = NewDeviceFront(f.Dev, f.Loop, f.Arena)
	}
	if f.Close == nil && f.Dev != nil {
		f.Close = f.Dev.Close
	}
}

// shut closes the device, twice, as an owner in trouble may, and counts the chunks.
func (f *Fixture) shut() error {
	if f.Close == nil {
		return nil
	}
	for range 2 {
		if err := f.Close(context.Background()); err != nil {
			return fmt.Errorf("close: %w", err)
		}
	}
	if f.Arena == nil || f.Loop == nil {
		return nil
	}
	held := 0
	err := f.Loop.Await(func(done func()) { held = f.Arena.Chunks() - f.Arena.Free(); done() })
	if held > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d chunks of the arena are held after Close", held, f.Arena.Chunks()))
	}
	return err
}

func (f *Fixture) client() Client { return Client{f.Front} }

func (f *Fixture) blockSize() int { return int(f.Front.Info().BlockSize) }

// maxTransfer is the largest READ or WRITE that a test makes, in whole blocks.
func (f *Fixture) maxTransfer() uint64 {
	info := f.Front.Info()
	n := min(info.Size, orElse(f.MaxTransfer, 1<<20), orElse(info.Limits.MaxTransfer, 1<<20))
	return n / uint64(info.BlockSize) * uint64(info.BlockSize)
}

// clip is the most of n bytes that the device zeroes or trims at once.
func clip(n, limit uint64) uint64 { return min(n, orElse(limit, n)) }

func orElse(n, other uint64) uint64 {
	if n == 0 {
		return other
	}
	return n
}

// NewLoop runs a loop until the test ends.
func NewLoop(t testing.TB) *loop.Loop {
	t.Helper()
	l, err := loop.New(loop.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run() }()
	t.Cleanup(func() {
		l.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l
}

// NewArena makes an arena that is closed when the test ends, which fails if something is still in use. Make it before the loop.
func NewArena(t testing.TB, size int) *blockdev.Arena {
	t.Helper()
	a, err := blockdev.NewArena(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func readOnly(f *Fixture) string {
	if f.Front.Info().ReadOnly {
		return "the device is read-only"
	}
	return ""
}

func noDevice(f *Fixture) string {
	if f.Dev == nil {
		return "it is about blockdev.Device, and the fixture has none"
	}
	return ""
}

func either(skips ...func(*Fixture) string) func(*Fixture) string {
	return func(f *Fixture) string {
		for _, skip := range skips {
			if why := skip(f); why != "" {
				return why
			}
		}
		return ""
	}
}
