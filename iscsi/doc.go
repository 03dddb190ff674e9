// Package iscsi is an iSCSI initiator (RFC 7143): sessions with targets, and the logical units behind them as block devices.
//
// A [Session] leads to one target through one portal. It logs in, keeps the connection alive, and when that fails makes a new one. A
// [LUN] is a logical unit behind a session: a blockdev.Device whose requests become SCSI commands. One session is shared by all LUNs
// behind it; several sessions to one unit are paths, which package mpio makes one device of.
//
//	s, err := iscsi.NewSession(l, arena, iscsi.Config{InitiatorName: ..., TargetName: ..., Portal: ...})
//	u, err := s.LUN(1)     // before Start, or later on the loop
//	u.Watch(watcher)       // hears when the unit can be used, and when not; mpio does this
//	err = s.Start()
//	...
//	err = u.Close(ctx)     // drains the unit
//	err = s.Close(ctx)     // drains all, logs out
//
// # Names
//
// A session's name is the initiator's name, an ISID, the target and its portal group. The ISID here is a hash of who and where
// ([NewISID]), so it is the same after a restart, and every login under it is a reinstatement: before the target agrees it ends
// whatever it still held of the session that had the name (RFC 7143, section 6.3.5). That is what makes the retry of a write on another
// path safe in the end, and it is why a second process of this host is refused the same session ([SessionInUseError]).
//
// # What becomes of a command
//
// A request ends with no error only if the target said GOOD and all of the data was moved. Otherwise its *blockdev.Error says what is
// known: not sent (no byte of the command left this host), failed (the target has answered, or has confirmed an abort, and is done with
// it), or unknown (it was sent and the connection ended: it may have been carried out, and may yet be). Nothing is retried here: that is
// mpio's decision. A unit attention is passed up like any other status, and the unit is probed again if it was about the unit itself.
//
// # Time
//
// Silence is asked about: after NOOPInterval without a byte a NOP-Out goes out, and after NOOPTimeout without any answer the connection
// is reset. A target that is there but sits on a command is another matter: after CommandTimeout the command is aborted, and only when
// the target does not confirm that within AbortTimeout does the session go. The timeouts have open-iscsi's names and are independent.
//
// A lost connection is made again at once, then after RetryMin, doubled up to RetryMax, with a part that differs between sessions so
// that those which failed together do not come back together. A login that the target refuses for a reason that will last is tried
// again only at RetryMax.
//
// # Planes
//
// Dial, login and the probe of a unit are straight-line code in goroutines of the control plane: one for each attempt (connect.go), and
// one for each probe under way (probe.go). They end by themselves: an attempt within LoginTimeout, a probe when the connection does. All
// else is on the loop; conn.go lists the files in the order of the data's way.
//
// # Memory
//
// A READ's payload stays where the socket put it, in chunks of the arena that are counted by reference, and is lent upwards for one turn.
// A WRITE's stays with its submitter; as long as the transmit queue refers to it the request does not complete, whatever the target
// says meanwhile. Nothing is allocated for an I/O once the pools have grown.
//
// # Errors of the target
//
// What a target sends is checked against what was asked: tags, sequence numbers, offsets, lengths. Any violation ends the connection
// with a *[ProtocolError]; at error recovery level 0, the only one spoken here, there is no milder answer.
//
// # Words
//
//	CmdSN    number of a command in its session; the target takes them in order
//	ITT      initiator task tag: which of our commands a PDU is about
//	R2T      ready to transfer: the target asks for a piece of a WRITE's data
//	StatSN   number of a status; a gap means that one was lost
//	window   how far CmdSN may run ahead: MaxCmdSN
//	portal   address and port at which a target listens
package iscsi
