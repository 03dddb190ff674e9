package scsi

import (
	"errors"
	"testing"
)

func TestGroupStatesGolden(t *testing.T) {
	data := unhex(t, "00000000 00 00 0102 0f 00 0003")
	golden(t, []GroupState{{0x0102, ALUAActiveOptimized}, {3, ALUATransitioning}}, data,
		func(g []GroupState, b []byte) []byte { return AppendGroupStates(b, g...) }, ParseGroupStates)
}

func TestGroupStatesRules(t *testing.T) {
	data := AppendGroupStates(nil, make([]GroupState, MaxPortGroups+1)...)
	for n := range len(data) + 1 {
		got, err := ParseGroupStates(data[:n:n])
		whole := n%4 == 0 && n < len(data)
		if f := (*FormatError)(nil); whole != (err == nil) || err != nil && !errors.As(err, &f) {
			t.Fatalf("%d bytes: got %v, want success: %v", n, err, whole)
		}
		if whole && len(got) != max(n/4-1, 0) {
			t.Fatalf("%d bytes: got %d groups", n, len(got))
		}
	}
}
