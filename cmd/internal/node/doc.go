// Package node is a host's part of its volumes: what the daemon and a foreground process do for `hawser attach` and the rest of the
// [api.Service].
//
// A volume is attached in this order, and each step is undone by those that failed after it:
//
//	attach.go   1. the name is taken, and the store remembers the volume: from here on a restart takes it up again
//	attach.go   2. its stack is built, and waits for a path; writes of a former process are fenced (package mpio, Inherited)
//	device.go   3. the kernel gets a device of it, or the one that it has gets a fresh connection
//	device.go   4. the node answers a read
//
// and detached so:
//
//	detach.go   1. nobody uses the device: who does is named
//	detach.go   2. what the host holds back is flushed
//	detach.go   3. the kernel ends the device
//	detach.go   4. the stack drains and logs out; the store forgets the volume
//
// A process that is told to end and is to have a successor does neither: it finishes what is in flight, closes the device's connection,
// and ends (node.go). The kernel lets I/O wait for the successor, which finds the device by its backend, hawser:NAME:IDENTITY, and gives it
// a fresh connection, after it has reinstated the sessions. A process that is killed leaves the same behind.
package node
