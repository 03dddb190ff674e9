// Package loop is hawser's data plane: an event loop that owns some sockets and everything reached from them.
//
// A [Loop] is one goroutine locked to one thread. What it owns is touched by no other, so the data path has no locks, no
// channels, and no goroutine per request.
//
// # A turn
//
//  1. poll: wait for sockets, a timer, or a post
//  2. posts from the control plane
//  3. every ready [Handler] reads what there is; requests go down, completions come up
//  4. deferred work ([Loop.Later]): completions that were known at once
//  5. timers that are due, always after this turn's reads, so that a stall of ours is not taken for a silence of theirs
//  6. flush ([Loop.Dirty]): each socket that has something to say says it in one write
//  7. end ([Loop.AtEnd]): what was lent for the turn is taken back
//
// Nothing is written while PDUs or requests are being parsed. So batching follows load: at depth 1 a turn carries one request,
// at depth 32 many, and nobody waits on a timer.
//
// # The control plane
//
// Dialling, logins and handshakes are ordinary goroutines with blocking calls. The planes meet at [Loop.Post] and [Loop.Await].
// A connection is born in the control plane, handed over by [Loop.Adopt], and dies on the loop.
//
// # The world
//
// A loop knows the kernel and the clock only through [Env]. [Real] is the kernel's. Package sim has another, with in-memory
// sockets and virtual time, on which the same session, multipath and NBD code runs one schedule per seed. For its sake control
// plane code that runs under a loop starts goroutines with [Env.Go], waits with a [Gate] or on a connection, and takes the time
// from [Env.Time]; never from package time.
package loop
