package memdev

import (
	"context"
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// Config is what a device is like. Size alone is enough.
type Config struct {
	Size      uint64 // bytes, a multiple of BlockSize
	BlockSize uint32 // bytes, a power of two from 512 to 65536; 0 means 512

	// Null makes a device of any size that holds nothing.
	Null bool

	// MaxMemory is the most that the extents may take, in bytes; a WRITE that needs more fails with blockdev.CodeNoSpace, and has
	// changed nothing. 0 means no limit but Size.
	MaxMemory uint64

	// Arena, if it is set, is where a READ is copied to; see the package comment. It belongs to the device's loop.
	Arena *blockdev.Arena

	ReadOnly   bool
	WriteCache bool // claim a volatile write cache
	FUA        bool // claim FUA
	NoTrim     bool // refuse TRIM with blockdev.CodeUnsupported

	Limits   blockdev.Limits // enforced where they are not zero
	Identity blockdev.Identity
	Name     string // Where of errors; "" means "memdev"
}

func (c Config) withDefaults() Config {
	if c.BlockSize == 0 {
		c.BlockSize = 512
	}
	if c.Name == "" {
		c.Name = "memdev"
	}
	return c
}

// Validate says what is wrong with a configuration, for those that come from outside.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch bs := c.BlockSize; {
	case bs < 512 || bs > 65536 || bs&(bs-1) != 0:
		return fmt.Errorf("memdev: block size %d is not a power of two from 512 to 65536", bs)
	case c.Size%uint64(bs) != 0:
		return fmt.Errorf("memdev: size %d is not a multiple of the block size %d", c.Size, bs)
	}
	return nil
}

// Device is a block device in memory. It belongs to its loop; Info and Close may be used from anywhere.
type Device struct {
	loop  *loop.Loop
	name  string
	info  blockdev.Info
	store store // the device's; READs borrow from it
	null  bool
	arena *blockdev.Arena

	queue   []job             // to be carried out in the deferred stage
	spare   []job             // the queue that is being carried out swaps with this one
	held    []job             // they wait for the end of the turn
	lent    []*blockdev.Chunk // this turn's
	queued  bool              // Run is due
	ending  bool              // the end of the turn is awaited
	pending int               // requests submitted and not completed
	closing bool
	drained []func()
}

var _ blockdev.Device = (*Device)(nil)

// New makes a device on l. It panics if cfg is not valid.
func New(l *loop.Loop, cfg Config) *Device {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	cfg = cfg.withDefaults()
	return &Device{
		loop: l, name: cfg.Name, null: cfg.Null, arena: cfg.Arena,
		store: newStore(cfg.MaxMemory),
		info: blockdev.Info{
			Size: cfg.Size, BlockSize: cfg.BlockSize,
			ReadOnly: cfg.ReadOnly, WriteCache: cfg.WriteCache, FUA: cfg.FUA,
			Trim: !cfg.NoTrim, ZeroUnmap: true, FastZero: true,
			Limits: cfg.Limits, Identity: cfg.Identity,
		},
	}
}

// Info says what the device is.
func (d *Device) Info() *blockdev.Info { return &d.info }

// Allocated is the memory that the content takes, in bytes. It is for the loop.
func (d *Device) Allocated() uint64 { return d.store.allocated() }

// Close waits for what is in flight, which takes two turns of the loop at most, and gives up the content. ctx is of no use to it.
func (d *Device) Close(context.Context) error {
	return d.loop.Await(func(done func()) {
		d.closing = true
		d.drained = append(d.drained, done)
		d.checkDrained()
	})
}

func (d *Device) checkDrained() {
	if !d.closing || d.pending > 0 || len(d.lent) > 0 {
		return
	}
	d.store = newStore(0)
	for _, done := range d.drained {
		done()
	}
	d.drained = nil
}
