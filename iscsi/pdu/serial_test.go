package pdu

import (
	"math"
	"testing"
	"testing/quick"
)

func TestSerialOrder(t *testing.T) {
	for _, tt := range []struct {
		a, b         Serial
		less, lessEq bool
	}{
		{0, 0, false, true},
		{0, 1, true, true},
		{1, 0, false, false},
		{math.MaxUint32, 0, true, true},
		{0, math.MaxUint32, false, false},
		{math.MaxUint32 - 5, 7, true, true},
		{0, math.MaxInt32, true, true},
		{0, 1 << 31, false, false}, // neither is the smaller one
		{1 << 31, 0, false, false},
		{math.MaxInt32, 1 << 31, true, true},
	} {
		if got := tt.a.Less(tt.b); got != tt.less {
			t.Errorf("%d.Less(%d): got %t, want %t", tt.a, tt.b, got, tt.less)
		}
		if got := tt.a.LessEq(tt.b); got != tt.lessEq {
			t.Errorf("%d.LessEq(%d): got %t, want %t", tt.a, tt.b, got, tt.lessEq)
		}
	}
}

func TestSerialArithmetic(t *testing.T) {
	if got := Serial(math.MaxUint32).Next(); got != 0 {
		t.Errorf("Next: got %d, want 0", got)
	}
	steps := func(s Serial, n uint32) bool {
		n &= math.MaxInt32
		o := s.Add(n)
		return o.Sub(s) == int32(n) && s.Sub(o) == -int32(n) && s.LessEq(o) && s.Less(o) == (n != 0) && !o.Less(s)
	}
	if err := quick.Check(steps, nil); err != nil {
		t.Error(err)
	}
}
