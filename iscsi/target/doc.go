// Package target is an embedded iSCSI target: the other end for the demo, the tests and the benchmarks.
//
// It is fast, so that a benchmark measures the initiator. It is strict, so that a test finds what an initiator does wrong. And it
// misbehaves on request, as arrays do and as nobody should.
//
//	t, err := target.New(l, target.Config{LUNs: []target.LUN{lun}})
//	go t.Serve(ln, 1)  // a portal of portal group 1
//	go t.Serve(ln2, 2) // one more way to the same LUNs
//	...
//	err = t.Close(ctx)
//
// # What it is
//
// One target with LUNs 0, 1, ... behind any number of portals. All portals show the same LUNs, so they are paths of one volume: the
// identity of a LUN ([ParseLUN]) is derived from the target's name and the number. A session has one connection and error recovery
// level 0. Discovery sessions are answered with all portals that are up. A login with the name and ISID of a session at the same portal
// group ends that session first, with all its tasks.
//
// The commands are those that a host uses on a disk, and what libiscsi's conformance suite asks of them; there are no reservations.
//
// # Planes
//
// Logins run in the control plane, one goroutine each. Then the connection is the loop's, and everything else happens there: a turn
// reads once from each connection that has something, takes all PDUs apart, carries out the commands, and writes all answers with one
// call. READ data is sent from where the medium keeps it, WRITE data goes from the receive buffer to the medium; a null LUN is not
// even copied to. Nothing is allocated for a READ or WRITE of a LUN in memory.
//
// Goroutines:
//
//   - Serve, the caller's: waits for connections, ends with Close or with its listener.
//   - a login for each new connection: ends when the connection is handed over or refused, after [login.DefaultTimeout] at the latest.
//   - four workers, if a LUN is a file: block on the file, end with Close.
//
// # Strictness
//
// What breaks RFC 7143 is a [Violation]: it is logged, counted, told to Config.OnViolation, and costs the connection. A test of an
// initiator asserts that [Target.Violations] counts none. Config.Lenient is for initiators that others wrote.
//
// Violations are, among others: CmdSN out of order or beyond the window, ExpStatSN beyond what was sent, an Initiator Task Tag in use,
// data that was not negotiated or not asked for, DataSN, offset or length of Data-Out that is not the next one's, a missing or early F
// bit, a Target Transfer Tag or LUN that is not the R2T's, digests that are wrong, PDUs that only a target sends.
//
// # Misbehaviour
//
// [Faults], at any time and from any goroutine but the loop's:
//
//   - portals: [Faults.Drop], [Faults.Down], [Faults.Stall], [Faults.Up]
//   - commands, by [Rule] (LUN, operation, LBA, how many to skip, how many to pick): a status with sense data, a delay before or after
//     the execution, loss of the answer or of the connection before or after it, a lie in the answer ([Hostile])
//   - a WRITE that is kept until [RuleHandle.Release], even beyond the end of its connection (Rule.Survive): the ghost that may
//     overwrite what was written after it. ABORT TASK, a reset and reinstatement end it, as they must.
//   - data: [Shape] cuts Data-In as other targets do, with the status apart, odd lengths, several sequences
//   - events: unit attentions, a write cache or a port group that changes its state, Async Messages, pings, raw bytes
//   - the unit: [Faults.Resize], [Faults.SetReadOnly], and [Faults.PowerLoss], which takes with it what a volatile LUN has not promised
//
// # Memory
//
// A connection has a receive buffer of one PDU and a transmit window of fixed size. Commands whose data cannot go straight to or from
// the medium borrow buffers, 256 MiB for all of them together; beyond that they are answered TASK SET FULL.
package target
