package sim

import "encoding/binary"

// hash is a running digest. It need not resist anybody, only be quick and the same everywhere.
type hash uint64

func (h *hash) add(x uint64) {
	v := (uint64(*h) ^ x) * 0x9e3779b97f4a7c15
	*h = hash(v ^ v>>29)
}

// addBytes is left out by the race detector, which would take longer over the bytes than a world takes for everything else. What is hashed
// was copied by code that it does see.
//
//go:norace
func (h *hash) addBytes(b []byte) {
	h.add(uint64(len(b)))
	for ; len(b) >= 8; b = b[8:] {
		h.add(binary.LittleEndian.Uint64(b))
	}
	for _, c := range b {
		h.add(uint64(c))
	}
}
