// Package stack builds volumes: NBD server, multipath, LUNs, sessions, on the loop that they share. It is wiring for the program's
// subcommands, and the one place where all layers meet.
//
// Volumes of one target share a lane, which is a loop with its arena, and on it one session for each portal, unless they are asked to have
// sessions of their own. A volume whose paths belong to several targets always has its own.
package stack

// UsageError is something that makes no sense as it was written.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }
