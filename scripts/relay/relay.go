package relay

import (
	"net"
	"sync"
	"sync/atomic"
)

// A Mode is what the relay does with its connections.
type Mode int

// The modes.
const (
	Open   Mode = iota // carries
	Reset              // resets what there is and what comes
	Silent             // accepts, and carries nothing: the other address does not hear of a new connection
)

// A Relay listens on an address of its own and carries every connection to another.
type Relay struct {
	ln     net.Listener
	to     string
	sent   atomic.Int64
	back   atomic.Int64
	mu     sync.Mutex
	mode   Mode
	closed bool
	pairs  map[*pair]bool
	wg     sync.WaitGroup
}

// Listen starts a relay on an address of loopback, such as "127.0.0.1:0", that carries to another address.
func Listen(address, to string) (*Relay, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	r := &Relay{ln: ln, to: to, pairs: map[*pair]bool{}}
	r.wg.Go(r.accept)
	return r, nil
}

// Addr returns the address that the relay listens on.
func (r *Relay) Addr() string { return r.ln.Addr().String() }

// Carried returns how many bytes were carried, from the clients and back to them.
func (r *Relay) Carried() (sent, back int64) { return r.sent.Load(), r.back.Load() }

// Cut changes the mode. The connections that there are do not survive it: Reset resets both their ends,
// Silent stops them for good, as what was lost on the way cannot come later, and Open resets the client's
// end of those that were silent. Their far end stays, as a target's does that hears of nothing.
func (r *Relay) Cut(mode Mode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = mode
	for p := range r.pairs {
		switch mode {
		case Reset:
			p.reset()
		case Silent:
			p.silent.Store(true)
		case Open:
			if p.silent.Load() {
				reset(p.client)
			}
		}
	}
}

// Close ends the relay and every connection through it, and waits for its goroutines.
func (r *Relay) Close() {
	_ = r.ln.Close()
	r.mu.Lock()
	r.closed = true
	for p := range r.pairs {
		p.reset()
	}
	r.mu.Unlock()
	r.wg.Wait()
}

func (r *Relay) accept() {
	for {
		conn, err := r.ln.Accept()
		if err != nil {
			return
		}
		r.wg.Go(func() { r.carry(conn) })
	}
}

// carry is the life of one connection.
func (r *Relay) carry(client net.Conn) {
	server, err := r.dial()
	if err != nil {
		reset(client)
		return
	}
	p := &pair{client: client, server: server}
	if !r.add(p) {
		p.reset()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pump(server, client, &r.sent) })
	if server != nil {
		both.Go(func() { p.pump(client, server, &r.back) })
	}
	both.Wait()
	r.mu.Lock()
	delete(r.pairs, p)
	r.mu.Unlock()
}

// dial connects to the far end, which is nil in silence.
func (r *Relay) dial() (net.Conn, error) {
	r.mu.Lock()
	silent := r.mode == Silent
	r.mu.Unlock()
	if silent {
		return nil, nil
	}
	return net.Dial("tcp", r.to)
}

// add takes a connection in, unless the mode is against it, or was when it came.
func (r *Relay) add(p *pair) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.mode == Reset || r.mode == Open && p.server == nil {
		return false
	}
	p.silent.Store(r.mode == Silent)
	r.pairs[p] = true
	return true
}
