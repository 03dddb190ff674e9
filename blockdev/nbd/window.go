package nbd

import "github.com/hawser-storage/hawser/blockdev"

const chunkSize = blockdev.ChunkSize

// window is a stretch of the request stream, laid over arena chunks: from the byte that is parsed next to the last byte that
// there is room for. The bytes stay where they were received; requests refer to them.
//
//	chunks[0]          chunks[1]          chunks[2]
//	|------------------|------------------|------------------|
//	     pos ^   parsed next    end ^   received next        ^ room
//
// While a WRITE is received pos is behind its payload, beyond end. The window holds one reference to each chunk that either of
// them has not passed; the requests hold their own.
type window struct {
	arena  *blockdev.Arena
	shared *blockdev.Quota // the export's
	own    blockdev.Quota  // this connection's, for when the export's is used up or others wait for it
	chunks []*blockdev.Chunk
	pos    int // bytes from the beginning of chunks[0]
	end    int
	copied *uint64
	header [requestLen]byte
	iov    [][]byte
}

// buffered is the bytes that were received and not parsed; negative: those of the current payload that are still to come.
func (w *window) buffered() int { return w.end - w.pos }

// space is the bytes that there is room for.
func (w *window) space() int { return len(w.chunks)*chunkSize - w.end }

// reserve makes room for the n bytes from pos, all or nothing. useShared says whether it may be the export's.
func (w *window) reserve(n int, useShared bool) bool {
	k := (w.pos+n+chunkSize-1)/chunkSize - len(w.chunks)
	if k > min(w.arena.Free(), w.allowance(useShared)) {
		return false
	}
	for range k {
		w.grow(useShared)
	}
	return true
}

// allowance is the chunks that the quotas allow.
func (w *window) allowance(useShared bool) int {
	n := w.own.Max - w.own.Used
	if useShared {
		n += w.shared.Max - w.shared.Used
	}
	return n
}

// widen makes room to receive n bytes, or what it can get.
func (w *window) widen(n int, useShared bool) {
	for w.space() < n && w.grow(useShared) {
	}
}

func (w *window) grow(useShared bool) bool {
	var c *blockdev.Chunk
	if useShared {
		c = w.arena.Get(w.shared)
	}
	if c == nil {
		c = w.arena.Get(&w.own)
	}
	if c == nil {
		return false
	}
	w.chunks = append(w.chunks, c)
	return true
}

// room lists the memory to receive into.
func (w *window) room() [][]byte {
	w.iov = w.iov[:0]
	for at := w.end; at < len(w.chunks)*chunkSize; at = (at/chunkSize + 1) * chunkSize {
		w.iov = append(w.iov, w.chunks[at/chunkSize].Bytes[at%chunkSize:])
	}
	return w.iov
}

// peek is the next request's header, if all of it is there. It is good until the next call.
func (w *window) peek() ([]byte, bool) {
	if w.buffered() < requestLen {
		return nil, false
	}
	i, off := w.pos/chunkSize, w.pos%chunkSize
	if off+requestLen <= chunkSize {
		return w.chunks[i].Bytes[off : off+requestLen], true
	}
	n := copy(w.header[:], w.chunks[i].Bytes[off:])
	copy(w.header[n:], w.chunks[i+1].Bytes)
	*w.copied += requestLen
	return w.header[:], true
}

// skip passes over n bytes. They have been received.
func (w *window) skip(n int) { w.pos += n }

// take passes over the next n bytes and appends them to segs, with a reference to the chunk under each segment. They need not
// have been received yet, but there is room for them.
func (w *window) take(segs []blockdev.Segment, n int) []blockdev.Segment {
	for n > 0 {
		i, off := w.pos/chunkSize, w.pos%chunkSize
		k := min(n, chunkSize-off)
		s := w.chunks[i].Slice(off, off+k)
		s.Keep()
		segs = append(segs, s)
		w.pos += k
		n -= k
	}
	return segs
}

// trim gives back what it can: the chunks that were passed, the room that was not used, and, when all is parsed, the last chunk
// too, unless a request is in it: then the window goes on in the rest of it.
func (w *window) trim() {
	if w.pos == w.end && w.pos%chunkSize != 0 && !w.chunks[w.pos/chunkSize].Shared() {
		w.free()
		return
	}
	passed := min(w.pos, w.end) / chunkSize
	needed := (max(w.pos, w.end) + chunkSize - 1) / chunkSize
	for i, c := range w.chunks {
		if i < passed || i >= needed {
			c.Drop()
		}
	}
	w.chunks = w.chunks[:copy(w.chunks, w.chunks[passed:max(passed, needed)])]
	w.pos -= passed * chunkSize
	w.end -= passed * chunkSize
}

// free gives everything back.
func (w *window) free() {
	for _, c := range w.chunks {
		c.Drop()
	}
	w.chunks = w.chunks[:0]
	w.pos, w.end = 0, 0
}
