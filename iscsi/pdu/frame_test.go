package pdu

import (
	"bytes"
	"errors"
	"testing"
)

func TestFrameGolden(t *testing.T) {
	b := BHS{0: 0x05}
	got := AppendFrame([]byte("before"), &b, nil, []byte{1, 2, 3, 4, 5}, true, true)
	want := append([]byte("before"), b[:]...)
	want[6+7] = 5
	var digest [DigestLen]byte
	PutDigest(digest[:], Digest(0, want[6:]))
	want = append(want, digest[:]...)
	data := []byte{1, 2, 3, 4, 5, 0, 0, 0}
	PutDigest(digest[:], Digest(0, data))
	want = append(append(want, data...), digest[:]...)
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	if DataLen(&b) != 0 {
		t.Error("the caller's header was changed")
	}
}

func TestFrameWithoutDataHasNoDataDigest(t *testing.T) {
	got := AppendFrame(nil, &BHS{}, nil, nil, false, true)
	if len(got) != BHSLen {
		t.Fatalf("got %d bytes, want %d", len(got), BHSLen)
	}
	if _, n, err := ParseFrame(got, false, true, 0); n != BHSLen || err != nil {
		t.Errorf("got %d, %v; want %d", n, err, BHSLen)
	}
}

// Every damaged bit is found by one of the digests, if only because a length is wrong now.
func TestFrameDamaged(t *testing.T) {
	whole := AppendFrame(nil, &BHS{0: 0x25}, make([]byte, 8), []byte("payload"), true, true)
	header := BHSLen + 8 + DigestLen
	for i := range whole {
		for mask := byte(1); mask != 0; mask <<= 1 {
			b := bytes.Clone(whole)
			b[i] ^= mask
			f, n, err := ParseFrame(b, true, true, 7)
			var digest *DigestError
			switch {
			case i == offTotalAHSLen && errors.Is(err, ErrShort): // longer than there are bytes
			case !errors.As(err, &digest) || digest.Header != (i < header) || digest.Want == digest.Got:
				t.Fatalf("byte %d, mask 0x%02x: got %v", i, mask, err)
			case digest.Header && (n != 0 || f.BHS != nil):
				t.Fatalf("byte %d: got a frame of %d bytes out of a damaged header", i, n)
			case !digest.Header && (n != len(whole) || f.BHS == nil || len(f.Data) != 7):
				t.Fatalf("byte %d: got %+v, %d; want the frame, to reject it", i, f, n)
			}
		}
	}
}

func TestFrameTooLong(t *testing.T) {
	b := AppendFrame(nil, &BHS{0: byte(OpTextResponse)}, nil, make([]byte, 513), false, false)
	if _, _, err := ParseFrame(b, false, false, 513); err != nil {
		t.Errorf("as long as agreed: %v", err)
	}
	for _, have := range []int{BHSLen, len(b)} {
		_, n, err := ParseFrame(b[:have], false, false, 512)
		var length *LengthError
		if !errors.As(err, &length) || n != 0 {
			t.Fatalf("%d bytes: got %d, %v; want a *LengthError", have, n, err)
		}
		if *length != (LengthError{Op: OpTextResponse, Got: 513, Max: 512}) || err.Error() == "" {
			t.Errorf("got %+v", *length)
		}
	}
}

// Views end where their segment does: an append to one must not reach the next.
func TestFrameViewsAreBounded(t *testing.T) {
	b := AppendFrame(nil, &BHS{}, make([]byte, 4), []byte{1, 2, 3}, false, false)
	f, _, err := ParseFrame(b, false, false, 3)
	if err != nil {
		t.Fatal(err)
	}
	if cap(f.AHS) != 4 || cap(f.Data) != 3 {
		t.Errorf("got capacities %d and %d, want 4 and 3", cap(f.AHS), cap(f.Data))
	}
	if &f.BHS[0] != &b[0] {
		t.Error("the header was copied")
	}
}

func TestAppendFramePanicsOnTheImpossible(t *testing.T) {
	for name, sizes := range map[string][2]int{
		"AHS not a multiple of 4": {3, 0},
		"AHS too long":            {MaxAHSLen + 4, 0},
		"data too long":           {0, MaxDataLen + 1},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got no panic")
				}
			}()
			AppendFrame(nil, &BHS{}, make([]byte, sizes[0]), make([]byte, sizes[1]), false, false)
		})
	}
}

func TestFrameOfTheLargestSize(t *testing.T) {
	b := AppendFrame(nil, &BHS{}, make([]byte, MaxAHSLen), make([]byte, MaxDataLen), false, false)
	f, n, err := ParseFrame(b, false, false, MaxDataLen)
	if err != nil || n != len(b) || len(f.AHS) != MaxAHSLen || len(f.Data) != MaxDataLen {
		t.Errorf("got %d of %d bytes, %v", n, len(b), err)
	}
}

func TestFrameAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 256)
	bhs, ahs, data := new(BHS), make([]byte, 8), make([]byte, 30)
	allocs := testing.AllocsPerRun(100, func() {
		buf = AppendFrame(buf[:0], bhs, ahs, data, true, true)
		if _, _, err := ParseFrame(buf, true, true, len(data)); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}
