package vm

import (
	"bytes"
	"io"
)

// keptOutput is how much of the command's output is kept; a writer in the Config sees all of it.
const keptOutput = 16 << 20

// An output keeps what it is given, and passes it on. It is written to by one goroutine.
type output struct {
	kept bytes.Buffer
	live io.Writer // nil: nobody looks
}

// Write implements io.Writer. It never fails, as the VM would wait for ever for who does not read: what a
// live writer refuses is its loss.
func (o *output) Write(p []byte) (int, error) {
	o.kept.Write(p[:min(len(p), keptOutput-o.kept.Len())])
	if o.live != nil {
		_, _ = o.live.Write(p)
	}
	return len(p), nil
}

// read keeps all that comes from a port.
func (o *output) read(port io.Reader) { _, _ = io.Copy(o, port) }
