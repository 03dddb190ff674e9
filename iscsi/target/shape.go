package target

import "slices"

// Shape is how Data-In is cut. The zero value is the fast way: as long as the initiator takes, status in the last one.
type Shape struct {
	SeparateStatus bool     // the status comes in a SCSI Response of its own, as tgt sends it
	Sizes          []uint32 // bytes of the Data-In PDUs of a command, in turn; odd ones are padded. None: as long as can be
	Sequence       uint32   // bytes of a Data-In sequence, if less than MaxBurstLength; 0: MaxBurstLength

	active bool
}

func (s *Shape) arm() {
	s.Sizes = slices.DeleteFunc(slices.Clone(s.Sizes), func(n uint32) bool { return n == 0 })
	s.active = len(s.Sizes) > 0 || s.Sequence > 0
}

// cut shortens a Data-In of n bytes and the burst that it is in.
func (s *Shape) cut(t *task, n, burst uint32) (uint32, uint32) {
	if len(s.Sizes) > 0 {
		n = min(n, s.Sizes[int(t.pieces)%len(s.Sizes)])
		t.pieces++
	}
	if s.Sequence > 0 {
		burst = min(burst, s.Sequence)
	}
	return n, burst
}
