// Package memdev is a block device in memory: a RAM disk, or, with [Config.Null], a device that discards writes and reads as zeroes.
//
// The RAM disk is sparse. Memory comes in extents of [ExtentSize] on the first write to them, and goes again with TRIM, or with
// WRITE_ZEROES without blockdev.FlagNoUnmap, of a whole extent. Both always leave zeroes. What was never written is lent from one
// page of zeroes. The content lives as long as the device: Close gives it up.
//
// # READ
//
// Without an arena a READ lends the extents themselves and copies nothing. What was lent in a turn is not changed in that turn:
// a request that would do so waits for the next one. Whoever keeps a segment longer (a short write to a socket) may see what a
// later WRITE left there, as a READ and a WRITE that are in flight together have no order; but a checksum that was made of the
// segment no longer holds then. With [Config.Arena] a READ is a copy in arena chunks, which stays as it is for as long as it is
// kept.
//
// # Requests
//
// All checks are made here, although a front end has made them: a wrong extent is answered with blockdev.CodeInvalid,
// CodeOutOfRange or CodeReadOnly, and blockdev.Failed. Memory forgets everything at once, so WRITE is as stable as it gets, and
// FLUSH and FUA have nothing to do; WriteCache and FUA only change what Info says.
//
// A request is carried out, and completes, in the deferred stage of the turn in which it was submitted, in the order of Submit
// apart from those that wait for what was lent.
package memdev
