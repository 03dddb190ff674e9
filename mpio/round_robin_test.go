package mpio

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hawser-storage/hawser/blockdev"
)

// shares is what each path was given: requests, and bytes.
func (g *rig) shares() (requests, bytes []float64) {
	var n, b float64
	for _, p := range g.dev.status().Paths {
		t := p.Stats.Total()
		requests, bytes = append(requests, float64(t.Requests)), append(bytes, float64(t.Bytes))
		n, b = n+float64(t.Requests), b+float64(t.Bytes)
	}
	for i := range requests {
		requests[i], bytes[i] = requests[i]/n, bytes[i]/b
	}
	return requests, bytes
}

// TestBalance keeps a number of requests in flight, which come back in batches of every size.
func TestBalance(t *testing.T) {
	sizes := map[string]func(*rand.Rand) uint64{
		"4 KiB": func(*rand.Rand) uint64 { return 4096 },
		"1 MiB": func(*rand.Rand) uint64 { return 1 << 20 },
		"mixed": func(r *rand.Rand) uint64 { return 512 << r.IntN(12) },
	}
	for name, size := range sizes {
		for _, depth := range []int{1, 2, 3, 4, 7, 8, 16, 31, 32, 33, 64, 128, 256} {
			t.Run(fmt.Sprintf("%s QD%d", name, depth), func(t *testing.T) {
				g := newRig(t, 2, Config{})
				rng := rand.New(rand.NewPCG(1, uint64(depth)))
				for range 400 {
					for range 1 + rng.IntN(depth) {
						g.submit(blockdev.Read, 0, size(rng))
					}
					g.turn()
				}
				g.settle()
				requests, bytes := g.shares()
				for i := range requests {
					if requests[i] < 0.4 || requests[i] > 0.6 || bytes[i] < 0.4 || bytes[i] > 0.6 {
						t.Errorf("path %d carried %.0f %% of the requests and %.0f %% of the bytes", i, 100*requests[i], 100*bytes[i])
					}
				}
			})
		}
	}
}

// TestBalanceOfUnevenTurns alternates long and short turns, and large and small requests: rotation alone would give one path all
// that is large.
func TestBalanceOfUnevenTurns(t *testing.T) {
	for name, turn := range map[string]func(g *rig, i int){
		"long and short": func(g *rig, i int) {
			for range 1 + 14*(i%2) {
				g.submit(blockdev.Read, 0, 4096)
			}
		},
		"large and small": func(g *rig, i int) { g.submit(blockdev.Read, 0, 512<<(11*(i%2))) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, 2, Config{})
			for i := range 400 {
				turn(g, i)
				g.turn()
			}
			requests, bytes := g.shares()
			for i := range requests {
				if requests[i] < 0.4 || requests[i] > 0.6 || bytes[i] < 0.4 || bytes[i] > 0.6 {
					t.Errorf("path %d carried %.0f %% of the requests and %.0f %% of the bytes", i, 100*requests[i], 100*bytes[i])
				}
			}
		})
	}
}

// TestBatchesStayWhole counts how often the path changes within a turn.
func TestBatchesStayWhole(t *testing.T) {
	for _, tt := range []struct{ depth, size, wantPaths int }{
		{1, 4096, 1}, {8, 4096, 1}, {16, 4096, 1}, {17, 4096, 2}, {32, 4096, 2}, {48, 4096, 3}, {2, 256 << 10, 2}, {4, 1 << 20, 4},
	} {
		g := newRig(t, 4, Config{})
		for range tt.depth {
			g.submit(blockdev.Read, 0, uint64(tt.size))
		}
		g.settle()
		paths := 0
		for _, p := range g.paths {
			if len(p.seen) > 0 {
				paths++
			}
		}
		if paths != tt.wantPaths {
			t.Errorf("%d requests of %d bytes went by %d paths, want %d", tt.depth, tt.size, paths, tt.wantPaths)
		}
	}
}

func TestDepthOneAlternates(t *testing.T) {
	g := newRig(t, 3, Config{})
	for range 30 {
		g.wantOK(g.readNow())
	}
	for _, p := range g.paths {
		if len(p.seen) != 10 {
			t.Errorf("%s carried %d of 30 requests, want 10", p.name, len(p.seen))
		}
	}
}

// TestTrimWeighsLittle: the TRIM of a whole disk, as mkfs begins with, must not make the other paths carry as many bytes of data.
func TestTrimWeighsLittle(t *testing.T) {
	g := newRig(t, 2, Config{})
	c := g.submit(blockdev.Trim, 0, 1<<29)
	z := g.submit(blockdev.WriteZeroes, 0, 1<<29)
	g.settle()
	g.wantOK(c, z)
	before := g.counts()
	for range 100 {
		g.wantOK(g.writeNow())
	}
	after := g.counts()
	for i := range after {
		if n := after[i] - before[i]; n < 40 {
			t.Errorf("path %d carried %d of 100 writes", i, n)
		}
	}
}

// counts is the requests that each path was given.
func (g *rig) counts() (each []int) {
	for _, p := range g.dev.status().Paths {
		each = append(each, int(p.Stats.Total().Requests))
	}
	return each
}
