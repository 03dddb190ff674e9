package sim

import (
	"context"
	"net"
	"slices"
	"syscall"
	"time"
)

// dialTimeout is when a dial that nobody answers gives up: Linux's six repeated SYNs.
const dialTimeout = 127 * time.Second

// dial is a connection being made: a hop there, and a hop back.
type dial struct {
	w       *World
	ctx     context.Context
	link    *Link
	local   net.Addr
	addr    net.Addr
	hop     event
	waiting waitq
	conn    *connection // once the server has it
	done    bool
	err     error
}

// Dial connects to addr from local: a host, or "host:port", or "" for an address of the world's choice. It is for tasks. It fails with
// syscall.ECONNREFUSED where nobody listens, with ctx's error when ctx ends, and with syscall.ETIMEDOUT after 127 s of silence.
// The deadline of a context is the real clock's, which means nothing here: end it from within the world.
func (w *World) Dial(ctx context.Context, local, addr string) (net.Conn, error) {
	if _, _, err := net.SplitHostPort(local); err != nil {
		local = net.JoinHostPort(local, "0")
	}
	d := &dial{w: w, ctx: ctx, link: w.Link(addr), local: w.resolve(local), addr: address(canonical(addr))}
	if err := ctx.Err(); err != nil {
		return nil, d.opError(err)
	}
	d.hop.fire = d.step
	w.set(&d.hop, w.now+d.link.delay())
	err := d.wait(w.now + dialTimeout)
	if err == nil {
		return newConn(d.conn.ends[0]), nil
	}
	d.giveUp()
	return nil, d.opError(err)
}

func (d *dial) wait(deadline time.Duration) error {
	if d.ctx.Done() != nil {
		d.w.dials = append(d.w.dials, d)
		defer func() { d.w.dials = without(d.w.dials, d) }()
	}
	for !d.done {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		if d.w.now >= deadline {
			return syscall.ETIMEDOUT
		}
		d.w.wait(&d.waiting, deadline, "dial", d.addr)
	}
	return d.err
}

// step is one hop's end.
func (d *dial) step() {
	dir := ToServer
	if d.conn != nil {
		dir = ToClient
	}
	if d.link.stalled[dir] {
		d.link.held = append(d.link.held, d)
		return
	}
	if d.conn != nil {
		d.finish(nil)
		return
	}
	l := d.w.listeners[d.addr.String()]
	if l == nil || d.link.refuses {
		d.finish(syscall.ECONNREFUSED)
		return
	}
	d.conn = d.w.connect(d.link, d.local, d.addr)
	l.push(d.conn.ends[1])
	d.w.set(&d.hop, d.w.now+d.link.delay())
}

func (d *dial) finish(err error) {
	d.done, d.err = true, err
	d.waiting.wake()
}

func (d *dial) giveUp() {
	d.w.unset(&d.hop)
	d.link.held = without(d.link.held, d)
	if d.conn != nil {
		_ = d.conn.ends[0].abort() // it is open: nobody has seen it yet
	}
}

func (d *dial) opError(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Source: d.local, Addr: d.addr, Err: err}
}

// pollContexts wakes the dials whose context has ended.
func (w *World) pollContexts() {
	for _, d := range w.dials {
		if d.ctx.Err() != nil {
			d.waiting.wake()
		}
	}
}

func without(ds []*dial, d *dial) []*dial {
	return slices.DeleteFunc(ds, func(o *dial) bool { return o == d })
}

// Pair makes a connection that needs no dial and has no link, as socketpair(2) does.
func (w *World) Pair() (*Conn, *Conn) {
	const name = "pair:0"
	c := w.connect(&Link{w: w, addr: name}, w.resolve(name), w.resolve(name))
	return newConn(c.ends[0]), newConn(c.ends[1])
}
