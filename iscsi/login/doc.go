// Package login takes an iSCSI connection from its first byte to the full
// feature phase, on either side: Initiate for an initiator, Accept for a
// target. RFC 7143, sections 6, 12 and 13.
//
// # Stages
//
// A login goes through up to two stages, and both functions are written in
// their order, so that they read as the RFC does:
//
//	initiator                                   target
//	security stage (CSG 0)
//	  InitiatorName, TargetName, SessionType,
//	  AuthMethod                          ->
//	                                      <-    AuthMethod, TargetPortalGroupTag
//	  what the method wants               <->   (Authenticator)
//	  T bit, NSG 1                        <->   T bit, NSG 1
//	operational stage (CSG 1)
//	  digests, bursts, times, ...         ->
//	                                      <-    one answer to each, own declarations
//	  T bit, NSG 3                        <->   T bit, NSG 3, TSIH
//	full feature phase
//
// The initiator asks to move on with the T bit; the target consents, or answers
// without it, and the stage goes on. Initiate always enters both stages; Accept
// takes an initiator that begins with the second, or leaves it out.
//
// # Keys
//
// Parameters are text, key=value. What each key means is one line of a table
// (keys.go): its syntax, range and default, who may send it and when, and the
// function that makes one outcome of two wishes. One engine (negotiate.go)
// does the rest for both sides: a proposer checks that the answer is one that
// its offer allows, a responder answers every offer. A key that was not
// negotiated stands at its default. A key outside the table is answered with
// NotUnderstood.
//
// # Limits
//
// A login reads at most 32 PDUs of 8192 bytes and 64 KiB of text in all, and
// it ends when its context does. It reads exactly its own PDUs: the byte after
// the last one is still in the connection.
//
// # Errors
//
// All are typed, and named at Initiate and Accept. What the peer must not do
// says so, with the section of the RFC where there is one. Accept tells the
// initiator with a status before it returns.
//
// Some deviations of real peers can do no harm and are passed over: an identity
// that is declared again, word for word; a FirstBurstLength above
// MaxBurstLength, which counts as the latter; a TSIH that comes early; a target
// without a TargetPortalGroupTag. Whether ExpCmdSN and MaxCmdSN make sense is
// for the session to judge, and ExpStatSN for nobody, for nothing of a login is
// ever sent again.
//
// # Authentication
//
// An Authenticator talks in the security stage, and the login carries its pairs
// without looking at them. Without one, AuthMethod is None.
//
// # Concurrency
//
// Initiate and Accept are each one goroutine, the caller's; a second one exists
// only for the moment in which a context that ends sets the deadline. A Conn
// belongs to the login until it returns.
//
// # Glossary
//
//   - CSG, NSG: current and next stage, in the header of every login PDU.
//   - T bit: the wish to leave the current stage, or the consent.
//   - C bit: the text goes on in the next PDU; the receiver answers with an
//     empty one.
//   - ISID, TSIH: the initiator's and the target's half of a session's name.
//   - Reinstatement: a login with the name and ISID of a session that exists
//     ends that session and takes its place.
//   - Declared key: the sender's own limit, for which no answer is due.
package login
