package sim

import (
	"math/rand/v2"
	"time"
)

// Net is how connections behave. The zero value is a network without delay, loss of pace, or odd segments.
type Net struct {
	// Latency is the time that anything takes one way, and Jitter what is added to it at most. Nothing overtakes within one
	// direction of a connection.
	Latency, Jitter time.Duration

	// Buffer is how many bytes one direction of a connection holds, written and not yet read, before it pushes back; 64 KiB if
	// it is 0.
	Buffer int

	// Bandwidth of each direction of a connection in bytes a second; 0 is no limit.
	Bandwidth int64

	// Short is the chance, from 0 to 1, that a read or write moves less than it could, and that what was written arrives in
	// two pieces.
	Short float64
}

const (
	defaultBuffer = 64 << 10
	headerReach   = 64 // short counts favour this range: that is where headers are cut
)

// drawNet chooses a network, so that seeds differ in their whole character and not only in details.
func drawNet(rng *rand.Rand) Net {
	latency := pick(rng, 0, 20*time.Microsecond, 200*time.Microsecond, 2*time.Millisecond)
	return Net{
		Latency: latency,
		Jitter:  pick(rng, 0, latency/4, 5*latency),
		Buffer:  pick(rng, 4<<10, 16<<10, defaultBuffer, 256<<10),
		Short:   pick(rng, 0, 0.05, 0.3, 0.8),
	}
}

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

func (n Net) buffer() int {
	if n.Buffer <= 0 {
		return defaultBuffer
	}
	return n.Buffer
}

// part is how many of n bytes are moved at once: from 1 to n.
func (w *World) part(n int, short float64) int {
	if n > 1 && short > 0 && w.rng.Float64() < short {
		if w.rng.Uint64()&1 == 0 {
			n = min(n, headerReach)
		}
		n = 1 + w.rng.IntN(n)
	}
	w.hash.add(uint64(n))
	return n
}

// upTo is a random time from 0 to d.
func (w *World) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(w.rng.Int64N(int64(d) + 1))
}
