// Package pdu encodes and decodes the PDUs of iSCSI, RFC 7143: the 48-byte header
// of each, additional header segments, digests, framing and text segments. It does no
// I/O, and has no state and no policy.
//
// # Headers
//
// Each PDU is a struct with Encode and Decode, in a file of its own. Encode writes all 48 bytes of
// a BHS, reserved ones as zero. Decode fills the caller's struct and allocates nothing unless it
// fails. The structs hold values only, no memory of the buffer; they can be copied and kept.
//
//	bhs := (*pdu.BHS)(buf[:pdu.BHSLen])
//	switch pdu.OpcodeOf(bhs) {
//	case pdu.OpDataIn:
//		var p pdu.DataIn
//		err := p.Decode(bhs)
//
// Encode does as it is told: a caller that wants a PDU against the rules gets one, and a
// test may. A field that is narrower on the wire than in the struct is cut to its width.
//
// Decode checks what a header can show by itself: the opcode, flags that exclude each other, tags that
// must or must not be reserved, lengths that must be zero. It returns a *FormatError. Whether a PDU
// is allowed here and now (sequence numbers, tags in use, negotiated limits, the
// state of the session) is for its receiver to know. Reserved bits are ignored, and fields
// that a flag declares to be void come out zero.
//
// # Framing
//
// A PDU on the wire is, with the bracketed parts present as announced or negotiated:
//
//	BHS [AHS] [header digest] [data, padded to 4 bytes [data digest]]
//
// Who reads from a stream uses AHSLen, DataLen and Pad on the BHS. Who has whole PDUs in memory
// uses ParseFrame and AppendFrame. A DataSegmentLength is whatever the peer wrote, up to
// 16 MiB: compare it with the limit before making room.
//
// # Errors
//
// ErrShort: not all there yet. *FormatError, *LengthError: the peer breaks the protocol.
// *DigestError: bytes were damaged on the way. *TextError: a text segment is not made of pairs.
// *LUNError: a LUN with an addressing that is not supported. All are found with errors.As.
//
// # Concurrency
//
// Everything here is a function of its arguments, except TextScanner, which has a position: one
// goroutine at a time.
//
// # Glossary
//
//   - BHS: Basic Header Segment, the 48 bytes with which every PDU starts.
//   - AHS: Additional Header Segment, after the BHS; carries what a SCSI Command has no room for.
//   - CDB: Command Descriptor Block, the SCSI command itself.
//   - LUN: Logical Unit Number, which of the target's disks is meant.
//   - ITT: Initiator Task Tag, the initiator's name for a task; in every PDU of that task.
//   - TTT: Target Transfer Tag, the target's name for a transfer it asked for.
//   - R2T: Ready To Transfer, the target's request for a part of a command's write data.
//   - CmdSN: number of a command in the session, the order in which the target executes them.
//     ExpCmdSN to MaxCmdSN is the window that the target allows.
//   - StatSN: number of a response on the connection; ExpStatSN acknowledges those before it.
//   - DataSN, R2TSN: number of a data PDU or an R2T within a command or a sequence.
//   - SNACK: selective (negative) acknowledgement, a request for PDUs to be sent again.
//   - Immediate command (the I bit): delivered at once, outside the CmdSN order. Not to be confused with
//     immediate data, write data in the SCSI Command itself.
//   - Unsolicited data: write data sent without waiting for an R2T.
//   - ISID, TSIH: the initiator's and the target's part of a session's identity.
//   - CID: number of a connection within its session.
//   - CSG, NSG: current and next stage of a login.
//   - Residual: by how many bytes a transfer differs from what was expected: underflow, fewer;
//     overflow, more.
//   - Digest: CRC32C over a header or over data.
package pdu
