package pdu

import (
	"errors"
	"strings"
	"testing"
)

func TestFlatLUN(t *testing.T) {
	for n, want := range map[int]LUN{
		0:     0,
		1:     0x0001_000000000000,
		255:   0x00ff_000000000000,
		256:   0x4100_000000000000,
		16383: 0x7fff_000000000000,
	} {
		got, err := FlatLUN(n)
		if err != nil || got != want {
			t.Errorf("FlatLUN(%d): got 0x%016x, %v; want 0x%016x", n, uint64(got), err, uint64(want))
		}
	}
	for _, n := range []int{-1, 16384, 1 << 20} {
		_, err := FlatLUN(n)
		wantLUNError(t, err)
	}
}

func TestLUNNumber(t *testing.T) {
	for n := range 16384 {
		lun, err := FlatLUN(n)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := lun.Number(); err != nil || got != n {
			t.Fatalf("got %d, %v; want %d", got, err, n)
		}
	}
	if got, err := LUN(0x4005_000000000000).Number(); err != nil || got != 5 {
		t.Errorf("flat LUN 5: got %d, %v", got, err)
	}
	for _, lun := range []LUN{
		0x0100_000000000000, // bus 1
		0x8000_000000000000, // logical unit addressing
		0xc000_000000000000, // extended addressing
		0x0001_000100000000, // two levels
		0x0001_000000000001,
	} {
		_, err := lun.Number()
		wantLUNError(t, err)
	}
}

func TestLUNString(t *testing.T) {
	for lun, want := range map[LUN]string{
		0x0007_000000000000: "7", 0x4100_000000000000: "256", 0xc1: "0x00000000000000c1",
	} {
		if got := lun.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLUNErrorNamesWhatItWasAbout(t *testing.T) {
	_, fromNumber := FlatLUN(16384)
	_, fromField := LUN(0xc1).Number()
	for err, want := range map[error]string{fromNumber: "LUN 16384:", fromField: "0x00000000000000c1:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to contain %q", err, want)
		}
	}
}

func wantLUNError(t *testing.T, err error) {
	t.Helper()
	var want *LUNError
	if !errors.As(err, &want) || err.Error() == "" {
		t.Errorf("got %v, want a *LUNError", err)
	}
}
