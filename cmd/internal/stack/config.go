package stack

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/nbd"
	"github.com/hawser-storage/hawser/iscsi"
)

// Config is what a volume is made of.
type Config struct {
	Name        string // "": that of target and LUN
	Paths       []PathConfig
	Session     iscsi.Config  // for all, without target and portal
	OwnSessions bool          // sessions that no other volume shares
	Memory      int           // bytes
	Clients     int           // that its NBD server has at a time; 0: nbd's default
	Retry       time.Duration // without a path; see mpio.Config.NoPathRetry
	Fence       time.Duration // see mpio.Config.FenceTimeout
	Claims      string        // the directory of the host's claims; "": none are made, and none are seen
	Inherited   bool          // a former process has left the device: its writes may be at the storage, with a claim or without
	Unflushed   bool          // see mpio.Config.Unflushed
	Trust       bool          // see mpio.Config.TrustIdentity
	Patient     bool          // wait for the first path as long as it takes
	Log         *slog.Logger

	Resized func(size uint64)               // see mpio.Config.Resized
	Failed  func(op blockdev.Op, err error) // see nbd.Config.Failed
	Closed  func(err error)                 // see nbd.Config.Closed
}

// Target is the volume as the storage calls it: the target of its first path, and the LUN.
func (cfg *Config) Target() string {
	return fmt.Sprintf("%s/%d", cfg.Paths[0].Target, cfg.Paths[0].LUN)
}

func (cfg *Config) name() string {
	if cfg.Name != "" {
		return cfg.Name
	}
	return cfg.Target()
}

// ownSessions says whether the volume's sessions are only its own.
func (cfg *Config) ownSessions() bool {
	for _, p := range cfg.Paths[1:] {
		if p.Target != cfg.Paths[0].Target {
			return true
		}
	}
	return cfg.OwnSessions
}

// sessionRoom is what a session receives into, in bytes, besides the READs in flight, which the NBD server counts. One that finds no
// memory loses its connection.
const sessionRoom = 17 * blockdev.ChunkSize

// nbdConfig gives a quarter of the memory to what is written and as much to what is read, or less if the sessions and the
// connections would not have theirs.
func (cfg *Config) nbdConfig() (nbd.Config, error) {
	const least = 1 << 20
	c := nbd.Config{Budget: least, Connections: cfg.Clients, Closed: cfg.clientClosed, Failed: cfg.requestFailed}
	fixed := c.ArenaSize() - 2*least + len(cfg.Paths)*sessionRoom
	c.Budget = min(cfg.Memory/4, (cfg.Memory-fixed)/2) &^ (blockdev.ChunkSize - 1)
	if c.Budget < least {
		mib := (fixed + 2*least + blockdev.ChunkSize + 1<<20 - 1) >> 20
		return c, &UsageError{fmt.Sprintf("--memory %dM is too little for %d paths: give at least %dM", cfg.Memory>>20, len(cfg.Paths), mib)}
	}
	return c, nil
}

func (cfg *Config) clientClosed(_ string, err error) {
	if err != nil {
		cfg.Log.Warn("NBD client lost", "volume", cfg.name(), "reason", err.Error())
	}
	if cfg.Closed != nil {
		cfg.Closed(err)
	}
}

func (cfg *Config) requestFailed(_ string, op blockdev.Op, err error) {
	if cfg.Failed != nil {
		cfg.Failed(op, err)
	}
}
