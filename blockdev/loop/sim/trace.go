package sim

import "fmt"

// trace writes a line to w.Trace. Without one it costs a comparison.
func (w *World) trace(on fmt.Stringer, what string, n int) {
	if w.Trace == nil {
		return
	}
	if n >= 0 {
		what = fmt.Sprintf("%s %d", what, n)
	}
	fmt.Fprintf(w.Trace, "%14v  %s: %s\n", w.now, on, what)
}

func (k segmentKind) String() string { return [...]string{"DATA", "FIN", "RST"}[k] }

func (p *pipe) String() string {
	return fmt.Sprintf("%s -> %s", p.src.local, p.dst.local)
}
