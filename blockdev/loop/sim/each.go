package sim

import (
	"flag"
	"fmt"
	"regexp"
	"testing"
)

var (
	flagSeed  = flag.Uint64("sim.seed", 0, "run simulations with this seed alone")
	flagSeeds = flag.Int("sim.seeds", 0, "run simulations with this many seeds instead of what the test asks for")
	flagTrace = flag.Bool("sim.trace", false, "log every step of a simulation")
	flagFirst = flag.Uint64("sim.first", 1, "the first of the seeds")
)

// Each runs fn in n worlds, of the seeds 1 to n, and closes them. What is left open fails the test. It stops at the first seed
// that fails, and says how to run that one again.
//
// The flags -sim.seed=S, -sim.seeds=N and -sim.first=S choose other seeds; -sim.trace logs every step.
func Each(t *testing.T, n int, fn func(t *testing.T, w *World)) {
	t.Helper()
	first := *flagFirst
	if *flagSeeds > 0 {
		n = *flagSeeds
	}
	if *flagSeed != 0 {
		first, n = *flagSeed, 1
	}
	for seed := first; seed < first+uint64(n); seed++ {
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { one(t, seed, fn) }) {
			t.Logf("sim: again: go test -run '^%s$' -sim.seed=%d", regexp.QuoteMeta(t.Name()), seed)
			return
		}
	}
}

// one runs one world. A failed one is torn down where it stands.
func one(t *testing.T, seed uint64, fn func(t *testing.T, w *World)) {
	w := New(seed)
	if *flagTrace {
		w.Trace = t.Output()
	}
	returned := false
	defer func() {
		if !returned || t.Failed() {
			t.Logf("sim: seed %d failed after %v", seed, w.now)
			w.stuck = true
		}
		if err := w.Close(); err != nil && returned && !t.Failed() {
			t.Error(err)
		}
	}()
	fn(t, w)
	returned = true
}
