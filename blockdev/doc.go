// Package blockdev is the vocabulary of hawser: what a block device is, what is asked of it, and how an answer comes back.
//
// Everything between the kernel and the wire is a [Device]. The NBD server serves one. Multipath makes one out of several.
// An iSCSI LUN is one at the far end of a session. A fault is one wrapped round another. So every layer is tested alone, in any
// stack, by one conformance list (package blocktest).
//
// # The way of a request
//
// A [Request] is one object that travels down through [Device.Submit] and comes up through [Request.Complete], exactly once. A
// layer that wants to see it come back pushes itself on the request before it passes it down:
//
//	nbd:   fill in r; r.Push(conn);    dev.Submit(r)
//	mpio:  choose;    r.Push(attempt); path.Submit(r)
//	iscsi: build the command, send it ... the answer comes: r.Complete(err)
//	mpio:  attempt.Completed(r, err): retry elsewhere, or r.Complete(err)
//	nbd:   conn.Completed(r, err): write the reply
//
// # Planes and loops
//
// Submit, Complete and everything on a Request happen on one event loop (package loop), in one thread. Nothing here has a lock.
// The methods that may be called from anywhere say so.
//
// # The contract
//
//   - Complete never runs inside Submit. A device that knows the answer at once keeps it until the loop's deferred stage.
//   - There is no cancel. Close drains.
//   - WRITE memory ([Request.Data]) belongs to the submitter from Submit to Complete; the device reads it and never changes it.
//   - READ memory is lent: the device appends [Segment]s to Data, and they are good until the end of the loop's turn in which
//     Complete was called. Who needs one for longer calls [Segment.Keep], and later [Segment.Drop].
//   - FLUSH covers every write that was completed before the FLUSH was submitted, whoever submitted it.
//   - FUA on a WRITE, TRIM or WRITE_ZEROES means that its effect is on stable storage before Complete.
//   - TRIM is advice. WRITE_ZEROES must read back as zeroes; without [FlagNoUnmap] it may deallocate.
//   - Errors are [*Error], and say what became of the request: not sent, failed, or unknown ([Outcome]). Only multipath retries.
//   - Requests that overlap and are in flight together have no order among themselves; each block ends as one of them left it.
//
// # Who splits, who checks
//
// The front end (nbd) refuses what is out of range or not a multiple of the block, and cuts what is larger than the device's
// [Limits]. Devices may rely on that and check it again only where it costs nothing.
//
// # Memory
//
// Payload lives in an [Arena]: one fixed mapping cut into chunks of [ChunkSize], counted by reference and owned by one loop.
// Nothing on the data path allocates; when the arena is used up the front end stops reading requests, and the socket pushes back.
package blockdev
