package mpio

import (
	"fmt"
	"log/slog"
	"time"
)

const (
	// DefaultNoPathRetry is open-iscsi's replacement_timeout.
	DefaultNoPathRetry = 120 * time.Second

	// DefaultFenceTimeout is longer than common targets take to notice a dead initiator and drain its commands.
	DefaultFenceTimeout = 60 * time.Second

	// MaxPaths is the largest number of paths of a volume: one word has a bit for each.
	MaxPaths = 64
)

// Config is how a volume behaves. The zero value is usable.
type Config struct {
	// Name is the volume's, for errors and the log.
	Name string

	// NoPathRetry is how long requests wait when no path is left, counted from the moment the last one went: multipath's
	// no_path_retry as a time. nil is DefaultNoPathRetry; 0 fails them at once; a negative time queues them for ever.
	NoPathRetry *time.Duration

	// FenceTimeout is how long writes to an extent wait where a write of a lost path may still be carried out, if that path does
	// not come back to prove that it is dead. It should be longer than the storage may sit on a command whose initiator is gone. 0 is
	// DefaultFenceTimeout.
	FenceTimeout time.Duration

	// Inherited says that a process that is gone may have left writes at the storage, by any of the paths: a restart. Until each path
	// has logged in, which ends them, or FenceTimeout is over, what changes the volume waits. Reads do not.
	Inherited bool

	// Strange, with Inherited, says that the former process may have had sessions of other names, or by other paths. Then that these paths
	// log in ends nothing of what it left, and only FenceTimeout does.
	Strange bool

	// Unflushed says that a former process may have completed writes that no FLUSH has covered, and that who wrote them will yet flush
	// them: a restart under a device that stayed. So when the storage tells that it has lost its cache meanwhile, the next FLUSH fails.
	Unflushed bool

	// Resized, if set, is told of the volume's new size in bytes when all paths in use lead to a larger one. It is called on the loop
	// and must not block.
	Resized func(size uint64)

	// RoundRobin is how requests are batched on the paths.
	RoundRobin RoundRobin

	// TrustIdentity accepts paths whose device has neither a designation (VPD page 83) nor a serial number (VPD page 80), if size,
	// block size, vendor and product agree. It is the operator's word that they lead to one volume.
	TrustIdentity bool

	// Logger gets one line for each change of state. nil is slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.NoPathRetry == nil {
		c.NoPathRetry = new(DefaultNoPathRetry)
	}
	if c.FenceTimeout == 0 {
		c.FenceTimeout = DefaultFenceTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.RoundRobin = c.RoundRobin.withDefaults()
	return c
}

func (c Config) validate(paths []Path) error {
	switch {
	case len(paths) == 0:
		return fmt.Errorf("mpio: %s: a volume needs at least one path", c.Name)
	case len(paths) > MaxPaths:
		return fmt.Errorf("mpio: %s: %d paths are more than the %d that a volume may have", c.Name, len(paths), MaxPaths)
	case c.FenceTimeout < 0:
		return fmt.Errorf("mpio: %s: a FenceTimeout of %v: it may not be negative", c.Name, c.FenceTimeout)
	case c.RoundRobin.BatchRequests < 0 || c.RoundRobin.BatchBytes < 0:
		return fmt.Errorf("mpio: %s: a batch of %d requests and %d bytes: neither may be negative",
			c.Name, c.RoundRobin.BatchRequests, c.RoundRobin.BatchBytes)
	}
	return nil
}
