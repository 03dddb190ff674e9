package target

// A medium is what a LUN's blocks are kept on. Offsets and lengths are in bytes and within the medium. Calls may block, unless it is
// a memory.
type medium interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)

	// Zero makes an extent read as zeroes; with unmap it may give the space back.
	Zero(off, n int64, unmap bool) error

	// Sync makes what was written to an extent before stable; with n 0 the extent goes to the end.
	Sync(off, n int64) error

	// Mapped says whether there is space behind the byte at off, and for how many bytes from there, at least one, that is so.
	Mapped(off int64) (mapped bool, n int64)

	// Resize cuts the end off, or puts zeroes behind it. No other call is under way.
	Resize(size int64) error

	Close() error
}

// A memory is a medium that never blocks: its calls are made on the loop.
type memory interface {
	medium

	// Lend shows n bytes at off, at most maxLend, where they are. They are the medium's, and good until the loop's turn ends or
	// they are written to.
	Lend(off int64, n int) []byte
}

// maxLend bounds a Data-In segment, and so the zeroes that a null medium keeps.
const maxLend = 256 << 10
