package e2e

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// A writer is an NBD client that keeps a ledger: which of its writes were acknowledged. It writes block n
// of the volume, one after the other, with a pattern of n, so that each block is written once.
type writer struct {
	conn  net.Conn
	depth chan struct{} // a token for each request in flight

	mu    sync.Mutex
	acked []uint64
	wrong error // a reply that is none, or that reports an error
}

const (
	writerBlock = 4096
	writerDepth = 32
)

// dialWriter connects by the oldest of NBD's handshakes, NBD_OPT_EXPORT_NAME: no option needs an answer.
func dialWriter(socket string) (*writer, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn, depth: make(chan struct{}, writerDepth)}
	if err := w.handshake(); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("NBD handshake: %w", err)
	}
	return w, nil
}

func (w *writer) handshake() error {
	var greeting [18]byte // NBDMAGIC, IHAVEOPT, flags
	if _, err := io.ReadFull(w.conn, greeting[:]); err != nil {
		return err
	}
	const fixedNewstyle, noZeroes = 1, 2
	option := binary.BigEndian.AppendUint32(nil, fixedNewstyle|noZeroes)
	option = append(option, "IHAVEOPT"...)
	option = binary.BigEndian.AppendUint32(option, 1) // NBD_OPT_EXPORT_NAME
	option = binary.BigEndian.AppendUint32(option, 0) // the default export
	if _, err := w.conn.Write(option); err != nil {
		return err
	}
	var export [10]byte // size, flags
	_, err := io.ReadFull(w.conn, export[:])
	return err
}

// run writes until the server goes away or the volume ends. It returns when no reply can come any more.
func (w *writer) run() {
	replies := make(chan struct{})
	go func() {
		defer close(replies)
		w.readReplies()
	}()
	for n := uint64(0); n < lunSize/writerBlock; n++ {
		select {
		case w.depth <- struct{}{}:
		case <-replies:
			return
		}
		if _, err := w.conn.Write(writeRequest(n)); err != nil {
			break
		}
	}
	<-replies
}

func (w *writer) readReplies() {
	for {
		var reply [16]byte // magic, error, cookie
		if _, err := io.ReadFull(w.conn, reply[:]); err != nil {
			return
		}
		magic, errno := binary.BigEndian.Uint32(reply[:]), binary.BigEndian.Uint32(reply[4:])
		n := binary.BigEndian.Uint64(reply[8:])
		w.mu.Lock()
		switch {
		case magic != 0x67446698:
			w.wrong = fmt.Errorf("a reply with the magic %#x", magic)
		case errno == 0:
			w.acked = append(w.acked, n)
		case errno != 108: // NBD_ESHUTDOWN: the server ends, and this write was refused
			w.wrong = fmt.Errorf("the write of block %d failed with error %d", n, errno)
		}
		w.mu.Unlock()
		<-w.depth
	}
}

// count returns how many writes were acknowledged so far.
func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

func writeRequest(n uint64) []byte {
	req := binary.BigEndian.AppendUint32(nil, 0x25609513)
	req = binary.BigEndian.AppendUint16(req, 0) // flags
	req = binary.BigEndian.AppendUint16(req, 1) // NBD_CMD_WRITE
	req = binary.BigEndian.AppendUint64(req, n) // cookie
	req = binary.BigEndian.AppendUint64(req, n*writerBlock)
	req = binary.BigEndian.AppendUint32(req, writerBlock)
	return append(req, pattern(n)...)
}

// pattern is what block n holds once it is written.
func pattern(n uint64) []byte {
	p := make([]byte, 0, writerBlock)
	for i := range uint64(writerBlock / 8) {
		p = binary.BigEndian.AppendUint64(p, n<<16|i|1<<63)
	}
	return p
}
