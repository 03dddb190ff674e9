// Package blocktest is what every block device is tested with: the conformance list [All], and the model check [Model].
//
//	func TestConformance(t *testing.T) {
//		blocktest.Run(t, func(t *testing.T) *blocktest.Fixture {
//			l := blocktest.NewLoop(t)
//			return &blocktest.Fixture{Dev: memdev.New(l, memdev.Config{Size: 64 << 20}), Loop: l}
//		})
//	}
//
// # Fronts
//
// The tests speak to a [Front]: a place where I/O goes in as plain bytes and comes back. [DeviceFront] is the one for a
// blockdev.Device. An NBD connection or a device node can be another; then the tests that are about blockdev's own contract are
// skipped, with the reason. [Client] puts simple calls that wait on top of a Front.
//
// DeviceFront watches the contract in all that goes through it: no Complete inside Submit, errors are *blockdev.Error, a READ lends
// exactly its length and keeps it unchanged until the flush stage of the turn, and a WRITE's memory is not changed by the device. When
// a WRITE is complete its memory is poisoned and given back, so a device that reads it later stores poison and is found out.
//
// # Worlds
//
// A test is control-plane code that waits for the loop. Under a simulation [Fixture.Do] runs it as a task of that world. So a test
// returns an error and never touches testing.T.
//
// # The model
//
// [Model] runs a random workload from a seed, with up to Depth requests in flight that overlap at will, and knows for each block the
// set of values that it may hold. Every written block names its seed, its write and its own number, so that a wrong block
// tells where it came from. What the model takes as legal:
//
//   - a READ may see what the block held at any instant from its submission to its completion
//   - a WRITE that completed replaces all that was complete before it was submitted; those that overlapped it in time may still win
//   - TRIM leaves what was there, or zeroes; which of them stays the same once it was seen
//   - NotSent: it did not happen. Failed: each block has it or has it not. Unknown: the same, and, with ModelOptions.Late, it may
//     still happen at any time until the fence
package blocktest
