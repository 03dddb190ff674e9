// Package faultdev is a block device that misbehaves by rule, wrapped round one that does not. It is for tests.
//
// A [Rule] says which requests it is for (operation, extent, the how-manieth, with what probability) and what is done to them (its
// [Action]). The rules are asked in the order in which they were added; the first that applies is carried out. They are added and
// removed at run time, on the loop. Randomness comes from the seed alone: the same requests in the same order meet the same faults.
//
// # What may be done to a request
//
//	Pass      nothing; the rule counts and observes, and the rules behind it are asked
//	Fail      it is answered with an error and never reaches the device
//	Delay     it is carried out, and its completion held for a time
//	Stall     it is carried out, and its completion held until Release
//	Reorder   it is carried out, and its completion held for some turns, in no order
//	Tear      of a WRITE only the first blocks are carried out; the answer is an error
//	Lose      it is carried out, and answered with an error
//	Ghost     it is answered with an error, and carried out later: after a time, or at Release
//
// With [Rule.Before] a Delay, Stall or Reorder holds the request itself, before the device sees it.
//
// # Memory
//
// A completion that is held keeps the READ's segments, or copies those that are not in an arena, and drops them at the end of the
// turn in which it is delivered, so what a READ lends is good for that turn as always. A ghost has a copy of its WRITE's data, as
// the submitter's is the submitter's again.
//
// # Close
//
// Close waits for what is held. Tests that stalled requests release them, or end the context: then what was held before the
// device comes back as not sent, and what was held after it as unknown. Ghosts that have not been carried out never are.
package faultdev
