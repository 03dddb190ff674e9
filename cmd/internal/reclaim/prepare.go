package reclaim

import "errors"

// refused is why something could not be had; nil where it was. It is written by Prepare alone.
var refused = struct{ flusher, locked, score error }{errNotAsked, errNotAsked, errNotAsked}

var errNotAsked = errors.New("this process serves no kernel device")

// Prepare does what can be done, and leaves the rest. It may execute the program anew, so it comes first of all, and once.
func Prepare() {
	refused.flusher = becomeFlusher()
	refused.locked = lockMemory()
	refused.score = spare()
}
