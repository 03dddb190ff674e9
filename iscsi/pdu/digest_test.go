package pdu

import (
	"encoding/hex"
	"testing"
)

// The RFC's CRC examples: bytes, and their digest in the order of the wire.
func TestDigestExamples(t *testing.T) {
	var zeroes, ones, up, down [32]byte
	for i := range 32 {
		ones[i], up[i], down[i] = 0xff, byte(i), byte(31-i)
	}
	read10 := unhex(t, `01 c0 00 00  00 00 00 00  00 00 00 00  00 00 00 00
		14 00 00 00  00 00 04 00  00 00 00 14  00 00 00 18
		28 00 00 00  00 00 00 00  02 00 00 00  00 00 00 00`)
	for _, tt := range []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"zeroes", zeroes[:], "aa36918a"},
		{"ones", ones[:], "43aba862"},
		{"incrementing", up[:], "4e79dd46"},
		{"decrementing", down[:], "5cdb3f11"},
		{"SCSI Read (10) Command", read10, "563a96d9"},
	} {
		var wire [DigestLen]byte
		PutDigest(wire[:], HeaderDigest(tt.bytes))
		if got := hex.EncodeToString(wire[:]); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if got, want := GetDigest(wire[:]), Digest(0, tt.bytes); got != want {
			t.Errorf("%s: read back 0x%08x, want 0x%08x", tt.name, got, want)
		}
	}
}

func TestDigestInPieces(t *testing.T) {
	b := []byte("one PDU's data, in pieces")
	want := Digest(0, b)
	for i := range b {
		if got := Digest(Digest(0, b[:i]), b[i:]); got != want {
			t.Errorf("cut at %d: got 0x%08x, want 0x%08x", i, got, want)
		}
		if got := HeaderDigest(b[:i], b[i:]); got != want {
			t.Errorf("slices cut at %d: got 0x%08x, want 0x%08x", i, got, want)
		}
	}
}

func TestDigestAllocatesNothing(t *testing.T) {
	b := new(BHS)
	ahs := make([]byte, 8)
	allocs := testing.AllocsPerRun(100, func() {
		PutDigest(ahs[4:], Digest(HeaderDigest(b[:], ahs[:4]), b[:]))
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}
