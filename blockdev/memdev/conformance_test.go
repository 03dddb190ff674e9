package memdev_test

import (
	"testing"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

func TestConformance(t *testing.T) {
	limits := blockdev.Limits{MaxTransfer: 96 << 10, MaxTrim: 64 << 10, MaxWriteZeroes: 40 << 10}
	for _, tt := range []struct {
		name   string
		copies bool // READs, to an arena
		cfg    memdev.Config
	}{
		{"512", false, memdev.Config{Size: 64 << 20, FUA: true}},
		{"512-arena", true, memdev.Config{Size: 64 << 20, FUA: true}},
		{"4096", false, memdev.Config{Size: 64 << 20, BlockSize: 4096, WriteCache: true}},
		{"4096-arena", true, memdev.Config{Size: 64 << 20, BlockSize: 4096, WriteCache: true}},
		{"65536", false, memdev.Config{Size: 64 << 20, BlockSize: 65536}},
		{"limits", false, memdev.Config{Size: 64<<20 + 4096, BlockSize: 4096, Limits: limits, NoTrim: true}},
		{"small", false, memdev.Config{Size: 8 << 10, BlockSize: 512, FUA: true}},
		{"read-only", true, memdev.Config{Size: 1 << 20, ReadOnly: true}},
		{"huge", false, memdev.Config{Size: 1 << 62, BlockSize: 4096, FUA: true}},
	} {
		t.Run(tt.name, func(t *testing.T) { conform(t, tt.cfg, tt.copies) })
	}
}

func conform(t *testing.T, cfg memdev.Config, copies bool) {
	blocktest.Run(t, func(t *testing.T) *blocktest.Fixture {
		arena := blocktest.NewArena(t, 128<<20)
		l := blocktest.NewLoop(t)
		if copies {
			cfg.Arena = arena
		}
		return &blocktest.Fixture{Dev: memdev.New(l, cfg), Loop: l, Arena: arena, Checks: true, Zeroed: true}
	})
}
