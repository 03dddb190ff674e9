package nbd

import (
	"errors"
	"fmt"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

// Defaults and bounds of a [Config].
const (
	defaultBudget      = 32 << 20
	defaultDepth       = 256
	defaultConnections = 16
	defaultSendBuffer  = 2 << 20
	defaultTimeout     = 10 * time.Second

	maxRequest = 32 << 20 // the largest that clients are promised to be understood
)

// Config bounds what a server's clients may use. The zero value is usable.
type Config struct {
	// Budget is the payload of an export that may be in flight, in bytes: so much for what is written and as much for what is
	// read. Default 32 MiB.
	Budget int

	// MaxRequest is the largest READ or WRITE, in bytes: a multiple of 64 KiB and no more than Budget. It is advertised; larger
	// ones are refused. Default 32 MiB or Budget, whichever is less.
	MaxRequest int

	// Depth is how many requests a connection may have in flight, counted until the reply is written. Default 256.
	Depth int

	// Connections is how many clients an export may have at a time. Default 16.
	Connections int

	// SendBuffer is asked for on unix sockets, in bytes; the kernel may grant less. Default 2 MiB. Negative: left alone. TCP
	// connections are left to the kernel's own tuning.
	SendBuffer int

	// HandshakeTimeout is how long a client may take until it has chosen an export. Default 10 s.
	HandshakeTimeout time.Duration

	// Failed, if set, is told of every request that was answered with an error of the device, which the client takes for a broken disk.
	// It is called on the loop and must not block.
	Failed func(export string, op blockdev.Op, err error)

	// Closed, if set, is told of every connection that ended, with the export it had chosen. err is nil if the client ended it
	// in order, or the server did. It is called on the loop and must not block.
	Closed func(export string, err error)
}

func (c Config) withDefaults() Config {
	setDefault(&c.Budget, defaultBudget)
	setDefault(&c.MaxRequest, min(c.Budget, maxRequest))
	setDefault(&c.Depth, defaultDepth)
	setDefault(&c.Connections, defaultConnections)
	setDefault(&c.SendBuffer, defaultSendBuffer)
	if c.HandshakeTimeout == 0 {
		c.HandshakeTimeout = defaultTimeout
	}
	return c
}

func setDefault(v *int, d int) {
	if *v == 0 {
		*v = d
	}
}

func (c Config) validate() error {
	switch {
	case c.MaxRequest < blockdev.ChunkSize || c.MaxRequest%blockdev.ChunkSize != 0:
		return fmt.Errorf("nbd: MaxRequest %d is not a multiple of %d", c.MaxRequest, blockdev.ChunkSize)
	case c.MaxRequest > maxRequest:
		return fmt.Errorf("nbd: MaxRequest %d is more than %d", c.MaxRequest, maxRequest)
	case c.Budget < c.MaxRequest:
		return fmt.Errorf("nbd: Budget %d is less than MaxRequest %d", c.Budget, c.MaxRequest)
	case c.Depth < 1 || c.Connections < 1:
		return errors.New("nbd: Depth and Connections must be at least 1")
	case c.HandshakeTimeout < 0:
		return errors.New("nbd: HandshakeTimeout is negative")
	}
	return nil
}

// ArenaSize is the arena memory that one export may use, in bytes: the budget twice, and each connection's own. An arena with so
// much for each of its exports keeps them from each other's harm.
func (c Config) ArenaSize() int {
	c = c.withDefaults()
	return c.Budget + c.Connections*ownReading + (c.quota()+c.Connections*ownChunks)*blockdev.ChunkSize
}

// least is the chunks without which some request could wait for ever.
func (c Config) least(exports int) int {
	return c.MaxRequest/blockdev.ChunkSize + 1 + exports*(c.slack()+c.Connections*ownChunks)
}

// slack is the chunks that the connections of an export may hold without being able to go on: received, and not yet admitted.
func (c Config) slack() int { return c.Connections * (maxAhead/blockdev.ChunkSize + 1) }

// quota is the chunks that its connections share: the budget, one because a payload does not begin at a chunk's first byte, and
// the slack. So whoever is first in line gets its room as soon as the device has answered what is in flight.
func (c Config) quota() int { return c.Budget/blockdev.ChunkSize + 1 + c.slack() }
