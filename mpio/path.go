package mpio

import "github.com/hawser-storage/hawser/blockdev"

// Path is one way to the volume. All methods but Info, String and Close are called on the loop.
//
// A path connects by itself, again and again with backoff; mpio never dials. Submit on a path that is down completes, later, with
// CodeTransport and NotSent.
type Path interface {
	blockdev.Device // Info returns nil until the path has first been up

	String() string  // interface, portal, target, LUN: for errors and tables
	Watch(w Watcher) // one watcher; called once, before the first event
}

// Rescanner is a Path that can be asked anew what it leads to. The answer is PathUp, or PathDown.
type Rescanner interface{ Rescan() }

// Watcher hears of a path, on the loop.
type Watcher = blockdev.Watcher
