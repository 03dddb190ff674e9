// Package mpio makes one block device of several paths to it.
//
// A [Path] is a blockdev.Device that may go away and come back. A [Device] is the volume: it gives each request to one of the paths
// that are up, gives it to another one when that path breaks, and keeps it for a while when none is left. Above it nobody knows of
// paths; below it nobody knows of the volume. Paths may lead through different interfaces, portals and targets.
//
//	   blockdev.Request
//	         │ Submit                ▲ Complete
//	   ┌─────▼───────────────────────┴─────┐
//	   │ Device                            │
//	   │   attempt: one request's stay     │
//	   │   Policy: picks the path          │◄── snapshot: the paths that are up
//	   │   disposition table: what next    │
//	   │   queue: requests without a path  │
//	   └──┬─────────────┬──────────────┬───┘
//	member│       member│        member│           one per path: state, identity, counters
//	   ┌──▼──┐       ┌──▼──┐        ┌──▼──┐
//	   │Path │       │Path │        │Path │         each connects by itself
//	   └─────┘       └─────┘        └─────┘
//
// # One loop
//
// A Device and all its paths live on one event loop (package loop). Submit, Complete and the events of paths happen there, so
// there is no lock, and nothing is allocated for a request on its way to a path that works. From anywhere: [Device.Info],
// [Device.WaitReady], [Device.WaitFenced], [Device.Stats], [Device.Paths], [Device.Snapshot] and [Device.Close]. mpio starts no goroutine
// but those that close the paths, all at once, and they end with Close.
//
// # Paths
//
//	          PathUp, the right volume
//	down ─────────────────────────────────► up ◄───┐ after a pause
//	▲  ▲                                    │ │    │
//	│  └────────────── PathDown ────────────┘ └─► failed
//	│                                       │
//	│ PathDown                              │
//	└────────── refused ◄───────────────────┘
//	                    PathUp, another volume
//
// Only a path that is up carries requests. "Down" is the path's own word, and it is the path that gets out of it. "Failed" is
// the word of the device behind it: connected, but in standby, or with no such LUN. Nobody asks it again until a pause is over, then
// a request does; until that succeeds the path is on trial, and does not end the time without a path. "Refused" leads to another volume, and carries nothing until that is corrected.
//
// The paths that are up are a snapshot, which is never changed but replaced. Policies see nothing else.
//
// # Identity
//
// The first path that comes up defines the volume: designation (VPD page 83), serial number (page 80), block size and size. Every path
// is compared with that each time it connects, and refused with an [IdentityError] if anything differs. Two exceptions: a
// device that has a name of its own and has grown is still the same one, though the volume keeps its size; and one with neither
// designation nor serial number is accepted on the operator's word alone, [Config].TrustIdentity. An answer that
// comes from a path after it was refused is not believed, and its request goes to another path.
//
// What the volume can do ([Device.Info]) is what all paths can do; it has a volatile cache if one path says so. A path that was accepted
// counts even while it is down. So a path that joins later may lower the limits: look at Info again for each decision.
//
// # Which path
//
// [RoundRobin]: the requests of one turn of the loop go by one path, so that they leave in one write. The next turn's go by the path
// that was given least so far, counting bytes and a fixed cost for each request. A large turn is cut into batches. At depth 1 requests
// alternate; at any depth two paths carry about half each. Other policies implement [Policy], in a file each.
//
// # What becomes of an error
//
// One table says it, in disposition.go: from the SCSI status and sense, where the device gave one, or else from the outcome, to an
// [Action], its bounds, and what else it means. In short:
//
//   - A way that broke: another path, at once, whatever the outcome. READ, WRITE, TRIM, WRITE_ZEROES and FLUSH may be carried out
//     twice. If every path has had it: a pause, and another round, for as long as NoPathRetry says.
//   - The device is busy, in transition, or has something to announce (a unit attention): the same path again, at once or with backoff.
//   - The medium, the hardware or the request is bad: it fails, and no path is blamed. One bad block must not walk through all paths.
//   - This path cannot serve it (standby, no such LUN): another one, and the path is failed for a while.
//
// Everything is bounded, in tries and in time. The error that goes up is that of the last try, with the worst outcome of all tries: a
// write that may have been sent by one path stays unknown, even if another one refused it.
//
// # Ghost writes
//
// A write whose outcome is unknown is retried at once, and its first copy may still be carried out: after the retry, which is harmless,
// as it is the same data, and after a newer write to the same blocks, which it would undo. So the extent of such an orphan is in
// quarantine (fence.go): newer writes that overlap it wait, and nothing else does, until the path has logged in again under the same
// name, which makes the target end what it still had of the old session, or FenceTimeout is over. Status says how many there are.
//
// # FLUSH
//
// A FLUSH covers every write that was completed before it, by whatever path, because the cache is the device's. It goes by one path; if
// no path knows of a volatile cache it is answered without asking. One that the device answered with an error is never asked again:
// the second answer would be a success that hides lost writes. Nor may a FLUSH succeed after writes were lost
// behind its back. A deferred error (the sense of an earlier command), or a reset while there were unflushed writes, fails the FLUSHes
// that are under way and those after it, until one of them has reported it.
//
// A reset that shows only while a path connects is seen by the path and not here.
//
// # No path
//
// When the last path goes, requests wait in the order in which they came, for NoPathRetry from then on; so do those that come before the
// first path is up. When a path returns all go on. When the time is over they fail with blockdev.CodeNoPath and a [NoPathError] that
// has the reason of each path, and new ones fail at once, until a path returns. Whatever stands above must be willing to wait longer
// than NoPathRetry.
//
// # The end
//
// [Device.Close] drains: what is inside ends as it would have ended. When its context ends first nothing is retried any
// more, the paths are closed, and the error lists the extents whose content is then unknown ([UnknownExtentsError]). It does not wait for
// fences: a successor with the same sessions has them when it logs in ([Config].Inherited). Who gives the volume away asks
// [Device.WaitFenced] before.
//
// # Words
//
//   - path: an initiator's session by one interface to one portal, and a LUN there
//   - usable: up
//   - attempt: a request inside mpio, over all its tries
//   - round: the tries of a request until every usable path has had it
//   - orphan: a request that a path may have sent, and of which no answer will come
//   - ALUA: the target's word on which paths it likes best
package mpio
