package relay

import (
	"net"
	"sync/atomic"
)

// A pair is the two ends of one connection.
type pair struct {
	client, server net.Conn    // server is nil if the client came in silence
	silent         atomic.Bool // never false again: bytes of the stream are missing
}

// pump carries one direction until its source ends or its destination does. What comes in silence is
// dropped, and so is the end of the stream: in a network that is silent nobody hears of it.
func (p *pair) pump(to, from net.Conn, count *atomic.Int64) {
	buf := make([]byte, 256<<10)
	for {
		n, err := from.Read(buf)
		if p.silent.Load() {
			if err != nil {
				// Its other end stays: a target keeps its side of a session until it is told otherwise.
				_ = from.Close()
				return
			}
			continue
		}
		if n > 0 {
			count.Add(int64(n)) // before the answer can come
			if _, werr := to.Write(buf[:n]); werr != nil {
				p.reset()
				return
			}
		}
		if err != nil {
			p.reset()
			return
		}
	}
}

// reset tears both ends down.
func (p *pair) reset() {
	reset(p.client)
	reset(p.server)
}

// reset closes a connection with RST instead of FIN, if there is one.
func reset(conn net.Conn) {
	if conn == nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
