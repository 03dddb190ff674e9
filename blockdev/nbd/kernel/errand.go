package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// An errand is a call that may wait in the kernel, where no signal reaches it, for the device's own I/O. That I/O is answered by this
// process, which must therefore not be the one that waits: killed meanwhile, it could not come to its end. Its files would stay open for as
// long as the call waits, the server's end of the device's socket among them; so the I/O would not be answered, and no successor could take
// the device over, without end. A process that is started for the errand has none of these files, and may wait as long as it has to.
//
// These are all there are, and what each may wait for, as Linux 6.12's driver and block layer have it:
//
//	connect      other messages: the kernel carries out one at a time, with a lock that even the question for the driver's number takes
//	reconnect    the same
//	disconnect   the same, and room in the socket, behind a request that is being sent
//	resize       the same, and all I/O in flight: the queue is frozen
//	tune         all I/O in flight, again and again
//	claim        what the host holds back of the device: who closes it last writes that
//	flush        the same, and the storage's own cache
//	read         the partition table, which the first one to open a device reads, and the block itself
//	start        what tune and read do
//	drain        what claim and flush do
//
// No message is left to a thread: one that waits for no I/O waits for one that does. What else the package does is to look at files of
// /proc and /sys, which are there for the asking.
type errand string

const (
	connecting    errand = "connect"
	reconnecting  errand = "reconnect"
	disconnecting errand = "disconnect"
	resizing      errand = "resize"
	tuning        errand = "tune"
	claiming      errand = "claim"
	flushing      errand = "flush"
	reading       errand = "read"
	starting      errand = "start"
	draining      errand = "drain"
)

// order is all that an errand needs to know.
type order struct {
	Errand errand
	Root   string // of the host
	Index  int
	Spec   Spec
	Size   uint64 // the new one
	Socket bool   // there is one

	socket *os.File // the kernel's end of a connection; closed when the errand is over
}

// report is what came of it.
type report struct {
	Index int     // of the device that was connected
	Tuned bool    // the queue was looked at
	Unset []unset // what could not be set
	Err   fault
}

// errand has one done for the device.
func (d *Device) errand(ctx context.Context, e errand) error {
	_, err := d.host.have(ctx, order{Errand: e, Index: d.index, Spec: d.spec}, nil)
	return err
}

// have has an errand done, by a process of its own if the program is prepared for that. The caller is let go when ctx ends; see await.
//
// If no process can be had, as where memory is short, the errand is done all the same: it is a danger only if we are killed meanwhile.
func (h *host) have(ctx context.Context, o order, late func(report)) (report, error) {
	o.Root, o.Socket = h.root, o.socket != nil
	return await(ctx, func() (report, error) {
		defer func() { _ = o.socket.Close() }() // not before the kernel has looked it up: the number could be another file's by then
		if h.program != "" {
			if p, err := o.start(h.program); err == nil {
				return p.wait(ctx)
			}
		}
		return o.do(ctx, h)
	}, late)
}

// do is the errand itself. Where it has several steps it goes on with the next one as long as somebody waits for what comes of it.
func (o *order) do(ctx context.Context, h *host) (r report, err error) {
	d := &Device{host: h, index: o.Index, spec: o.Spec}
	switch o.Errand {
	case connecting:
		r.Index, err = h.connectSocket(ctx, o.Spec, o.socket)
	case reconnecting:
		_, err = h.exchange(reconnectMessage(o.Index, o.Spec, int(o.socket.Fd())), ack)
	case disconnecting:
		_, err = h.exchange(disconnectMessage(o.Index), ack)
	case resizing:
		_, err = h.exchange(resizeMessage(o.Index, o.Spec.Backend, o.Size), ack)
	case tuning:
		r.Tuned, r.Unset = true, d.tune(ctx)
	case claiming:
		err = d.withOpen(os.O_RDONLY|syscall.O_EXCL, nil)
	case flushing:
		err = d.withOpen(os.O_RDONLY, (*os.File).Sync)
	case draining:
		err = d.withOpen(os.O_RDONLY|syscall.O_EXCL, (*os.File).Sync)
	case reading:
		err = d.withOpen(os.O_RDONLY|syscall.O_DIRECT, d.readBlock)
	case starting:
		r.Tuned, r.Unset = true, d.tune(ctx)
		err = d.withOpen(os.O_RDONLY|syscall.O_DIRECT, d.readBlock)
	default:
		err = fmt.Errorf("there is no errand %q", o.Errand)
	}
	return r, err
}

// withOpen does something with the node. It is never opened for writing: closing it would have udev come and look again.
func (d *Device) withOpen(flags int, do func(*os.File) error) error {
	f, err := os.OpenFile(d.host.path(d.Path()), flags, 0)
	if err != nil {
		return err
	}
	if do != nil {
		err = do(f)
	}
	return errors.Join(err, f.Close())
}
