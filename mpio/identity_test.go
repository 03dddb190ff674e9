package mpio

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/blockdev"
)

func TestSameVolume(t *testing.T) {
	type change func(*blockdev.Info)
	for _, tt := range []struct {
		name   string
		change change
		field  string
		same   bool
	}{
		{"same", func(*blockdev.Info) {}, "", true},
		{"ID", func(i *blockdev.Info) { i.Identity.ID = "naa.6" }, fieldID, false},
		{"no ID", func(i *blockdev.Info) { i.Identity.ID = "" }, fieldID, false},
		{"serial", func(i *blockdev.Info) { i.Identity.Serial = "S2" }, fieldSerial, false},
		{"block size", func(i *blockdev.Info) { i.BlockSize = 4096 }, fieldBlockSize, false},
		{"smaller", func(i *blockdev.Info) { i.Size -= 512 }, fieldSize, false},
		{"larger", func(i *blockdev.Info) { i.Size += 512 }, "", true},
		{"revision", func(i *blockdev.Info) { i.Identity.Revision = "2" }, "", true},
		{"product, with an ID", func(i *blockdev.Info) { i.Identity.Product = "OTHER" }, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := testInfo()
			tt.change(got)
			if field, same := sameVolume(testInfo(), got, false); same != tt.same || !same && field != tt.field {
				t.Errorf("got %v, %q; want %v, %q", same, field, tt.same, tt.field)
			}
		})
	}
}

func TestSameVolumeWithoutName(t *testing.T) {
	anon := func() *blockdev.Info {
		i := testInfo()
		i.Identity.ID, i.Identity.Serial = "", ""
		return i
	}
	larger, other := anon(), anon()
	larger.Size += 512
	other.Identity.Product = "OTHER"
	for _, tt := range []struct {
		got   *blockdev.Info
		trust bool
		field string
		same  bool
	}{
		{anon(), false, fieldNone, false},
		{anon(), true, "", true},
		{larger, true, fieldSize, false},
		{other, true, fieldProduct, false},
	} {
		if field, same := sameVolume(anon(), tt.got, tt.trust); same != tt.same || field != tt.field {
			t.Errorf("got %v, %q; want %v, %q", same, field, tt.same, tt.field)
		}
	}
}

func TestOtherVolumeIsRefused(t *testing.T) {
	g := newRigDown(t, 2, Config{})
	other := testInfo()
	other.Identity.Serial = "S2"
	g.paths[0].up(testInfo())
	g.paths[1].up(other)
	for range 20 {
		g.wantOK(g.writeNow())
	}
	if n := len(g.paths[1].seen); n > 0 {
		t.Fatalf("the path to another volume was given %d requests", n)
	}
	if diff := cmp.Diff(g.states(), []State{StateUp, StateRefused}); diff != "" {
		t.Fatal(diff)
	}
	var e *IdentityError
	if err := g.dev.members[1].reason; !errors.As(err, &e) {
		t.Fatalf("got %v, want an *IdentityError", err)
	}
	for _, want := range []string{"path1", "vol", "serial", "S1", "S2"} {
		if !strings.Contains(e.Error(), want) {
			t.Errorf("%q does not name %q", e, want)
		}
	}

	g.paths[0].down() // even as the only one it carries nothing
	c := g.write()
	g.settle()
	g.wantPending(c)

	g.paths[1].up(testInfo()) // corrected
	g.settle()
	g.wantOK(c)
}

// TestDeviceBehindPathChanges swaps the LUN of a path that has requests in flight: their answers are not believed.
func TestDeviceBehindPathChanges(t *testing.T) {
	g := newRig(t, 2, Config{})
	other := testInfo()
	other.Identity.ID = "naa.other"
	for _, p := range g.paths {
		p.hold = true
	}
	a, b := g.read(), g.write()
	g.turn()
	c, d := g.read(), g.write()
	g.turn()
	g.paths[0].up(other)
	g.paths[0].release()
	g.settle()
	if got := len(g.paths[1].pend); got != 4 {
		t.Errorf("the path that is left has %d requests, want all 4", got)
	}
	g.paths[1].release()
	g.settle()
	g.wantOK(a, b, c, d)
	if got := g.dev.Info().Identity.ID; got != testInfo().Identity.ID {
		t.Errorf("the volume became %q", got)
	}
}

func TestAnonymousPaths(t *testing.T) {
	anon := testInfo()
	anon.Identity.ID, anon.Identity.Serial = "", ""
	for _, trust := range []bool{false, true} {
		g := newRigDown(t, 2, Config{TrustIdentity: trust})
		g.paths[0].up(anon)
		g.paths[1].up(anon)
		g.settle()
		want := []State{StateUp, StateRefused}
		if trust {
			want[1] = StateUp
		}
		if diff := cmp.Diff(g.states(), want); diff != "" {
			t.Errorf("trust %v: %s", trust, diff)
		}
		g.paths[0].down()
		g.paths[0].up(anon) // the path that defined the volume may always return
		if got := g.states()[0]; got != StateUp {
			t.Errorf("trust %v: the first path returned and is %v", trust, got)
		}
	}
}

func TestImplausibleDevice(t *testing.T) {
	for _, info := range []*blockdev.Info{
		nil,
		{},
		{Size: 1 << 20},
		{Size: 1 << 20, BlockSize: 100},
		{Size: 1000, BlockSize: 512},
		{Size: 1 << 20, BlockSize: 1 << 17},
		{BlockSize: 512},
	} {
		g := newRigDown(t, 1, Config{})
		g.paths[0].up(info)
		if got := g.states()[0]; got != StateRefused || g.dev.Info() != nil {
			t.Errorf("%+v: got %v, want refused", info, got)
		}
	}
}

func TestInfoIsTheIntersection(t *testing.T) {
	a, b := testInfo(), testInfo()
	a.WriteCache, a.FastZero, a.Limits = false, true, blockdev.Limits{MaxTransfer: 1 << 20, MaxTrim: 1 << 30, TrimGranularity: 4096}
	b.FUA, b.ReadOnly, b.Size = false, true, b.Size+1<<20
	b.Limits = blockdev.Limits{MaxTransfer: 1 << 19, OptimalTransfer: 1 << 18, TrimGranularity: 8192, TrimAlignment: 512}
	g := newRigDown(t, 2, Config{})
	g.paths[0].up(a)
	if diff := cmp.Diff(g.dev.Info(), a); diff != "" {
		t.Errorf("with one path: %s", diff)
	}
	g.paths[1].up(b)
	want := testInfo()
	want.FUA, want.ReadOnly = false, true
	want.Limits = blockdev.Limits{MaxTransfer: 1 << 19, OptimalTransfer: 1 << 18, MaxTrim: 1 << 30, TrimGranularity: 8192, TrimAlignment: 512}
	if diff := cmp.Diff(g.dev.Info(), want); diff != "" {
		t.Errorf("with both: %s", diff)
	}
	g.paths[1].down()
	if diff := cmp.Diff(g.dev.Info(), want); diff != "" {
		t.Errorf("it changed when a path went: %s", diff)
	}
}
