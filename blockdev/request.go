package blockdev

import "fmt"

// Op is what a request asks for.
type Op uint8

// The operations.
const (
	Read        Op = iota // Length bytes at Offset, lent in Data
	Write                 // the bytes in Data to Offset
	Flush                 // all completed writes to stable storage; Offset, Length and Data are unused
	Trim                  // the extent's content is no longer needed; advice
	WriteZeroes           // the extent reads as zeroes from now on
)

// NumOps is the number of operations, for tables by Op.
const NumOps = 5

var opNames = [NumOps]string{"READ", "WRITE", "FLUSH", "TRIM", "WRITE_ZEROES"}

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("op(%d)", uint8(o))
}

// Modifies says whether the operation changes what is stored.
func (o Op) Modifies() bool { return o == Write || o == Trim || o == WriteZeroes }

// Flags modify an operation.
type Flags uint8

// The flags.
const (
	FlagFUA      Flags = 1 << iota // on stable storage before Complete
	FlagNoUnmap                    // WriteZeroes: keep the blocks allocated (NBD's NO_HOLE)
	FlagFastZero                   // WriteZeroes: fail with CodeUnsupported if zeroing is no faster than writing
)

// maxLayers bounds the completers stacked on one request: front end, range lock, mpio, fault, session and one to spare.
const maxLayers = 6

// Completer is a layer that a request comes back to.
type Completer interface {
	// Completed takes the request back from the layer below. err is nil or a *Error. The layer either passes it up with
	// r.Complete, or pushes itself again and submits it elsewhere.
	Completed(r *Request, err error)
}

// Request is one operation on its way down or up. It belongs to the front end that made it and is lent to one layer at a time:
// from Submit to Complete to the device. Its owner may use it again after it came back.
type Request struct {
	Op     Op
	Flags  Flags
	Offset uint64 // bytes, a multiple of the block
	Length uint64 // bytes, a multiple of the block; 0 for Flush

	// Data is the payload in order. WRITE: the submitter's, Length bytes in all. READ: empty at Submit; the device lends
	// segments of Length bytes in all before it completes without an error. The slice itself is the owner's.
	Data []Segment

	layers [maxLayers]Completer
	depth  int
}

// Push makes c the layer to which the next Complete goes.
func (r *Request) Push(c Completer) {
	r.layers[r.depth] = c
	r.depth++
}

// Complete takes the request off the current layer and gives it to the one that pushed itself before. err is nil or a *Error.
// It panics if nobody is waiting: a request completed twice is a lost write somewhere else.
func (r *Request) Complete(err error) {
	if r.depth == 0 {
		panic("blockdev: " + r.Op.String() + " request completed twice")
	}
	r.depth--
	c := r.layers[r.depth]
	r.layers[r.depth] = nil
	c.Completed(r, err)
}

// End is the first byte behind the extent.
func (r *Request) End() uint64 { return r.Offset + r.Length }

// Overlaps says whether the extents of two requests share a byte.
func (r *Request) Overlaps(o *Request) bool {
	return r.Offset < o.End() && o.Offset < r.End() && r.Length > 0 && o.Length > 0
}

func (r *Request) String() string {
	if r.Op == Flush {
		return r.Op.String()
	}
	return fmt.Sprintf("%s %d+%d", r.Op, r.Offset, r.Length)
}
