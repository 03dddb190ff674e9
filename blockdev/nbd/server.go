package nbd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// ErrClosed is returned by Serve and ServeConn after Close.
var ErrClosed = errors.New("nbd: server closed")

// maxShaking is how many clients may be in their handshakes at a time; further ones are turned away.
const maxShaking = 128

// Server serves some exports from one loop. All methods may be used by any goroutine of the control plane.
type Server struct {
	loop    *loop.Loop
	cfg     Config
	volumes []*volume // the first one is the default export

	// The loop's own.
	conns []*conn
	stats Stats

	mu        sync.Mutex // guards what follows; the data path never takes it
	listeners []net.Listener
	shaking   []net.Conn
	open      int // connections, in the handshake or on the loop
	closing   bool
	idle      loop.Gate // opened when closing and nothing is open
}

// New makes a server for the exports, whose payload goes through the arena; both the arena and the devices belong to l. A client
// that names no export gets the one with the empty name, or else the first.
//
// The arena should have room for every export's budget, and must have it for one request of the largest size; see the package
// comment.
func New(l *loop.Loop, arena *blockdev.Arena, exports []Export, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if len(exports) == 0 {
		return nil, errors.New("nbd: nothing to export")
	}
	if have, need := arena.Chunks(), cfg.least(len(exports)); have < need {
		return nil, fmt.Errorf("nbd: the arena has %d chunks, %d are needed for MaxRequest %d and %d connections to each of %d exports",
			have, need, cfg.MaxRequest, cfg.Connections, len(exports))
	}
	s := &Server{loop: l, cfg: cfg, idle: l.Env().NewGate()}
	return s, s.addExports(arena, exports)
}

func (s *Server) addExports(arena *blockdev.Arena, exports []Export) error {
	seen := map[string]bool{}
	for _, e := range exports {
		switch {
		case e.Device == nil:
			return fmt.Errorf("nbd: export %q has no device", e.Name)
		case len(e.Name) > maxName || len(e.Description) > maxName:
			return fmt.Errorf("nbd: the name or description of export %.32q is longer than %d bytes", e.Name, maxName)
		case seen[e.Name]:
			return fmt.Errorf("nbd: two exports are named %q", e.Name)
		}
		seen[e.Name] = true
		s.volumes = append(s.volumes, newVolume(s, arena, e))
	}
	return nil
}

// find is the export of that name, or nil.
func (s *Server) find(name string) *volume {
	for _, v := range s.volumes {
		if v.export.Name == name {
			return v
		}
	}
	if name == "" {
		return s.volumes[0]
	}
	return nil
}

// Serve accepts clients until the listener or the server is closed; it closes the listener. It returns ErrClosed after Close.
func (s *Server) Serve(ln net.Listener) error {
	if !s.listen(ln) {
		_ = ln.Close()
		return ErrClosed
	}
	defer s.unlisten(ln)
	for {
		c, err := ln.Accept()
		if err != nil {
			if s.isClosing() {
				return ErrClosed
			}
			if passes(err) {
				time.Sleep(acceptPause)
				continue
			}
			return fmt.Errorf("nbd: accept: %w", err)
		}
		s.loop.Env().Go(func() { _ = s.ServeConn(c) })
	}
}

// acceptPause is the wait for descriptors or memory that others have used up.
const acceptPause = 100 * time.Millisecond

// passes says that accepting failed for a reason that ends by itself: no ground to give up the clients that there are.
func passes(err error) bool {
	for _, e := range [...]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// ServeConn takes a client through the handshake and then hands its connection to the loop. It returns when that is done, with
// nil also if the client ended the handshake in order, and owns the connection from the first.
func (s *Server) ServeConn(c net.Conn) error {
	if err := s.begin(c); err != nil {
		return errors.Join(err, c.Close())
	}
	v, err := s.handshake(c)
	s.endShaking(c)
	if v == nil || err != nil {
		err = errors.Join(err, c.Close())
		s.ended()
		return err
	}
	return s.handOver(c, v)
}

// handOver gives a connection that has its place at an export to the loop.
func (s *Server) handOver(c net.Conn, v *volume) error {
	if s.loop.Post(func() { s.adopt(c, v) }) {
		return nil
	}
	err := errors.Join(loop.ErrStopped, c.Close())
	s.leave(v)
	s.ended()
	return err
}

// adopt starts the transmission phase, on the loop.
func (s *Server) adopt(c net.Conn, v *volume) {
	if s.isClosing() {
		_ = c.Close()
		s.leave(v)
		s.ended()
		return
	}
	if err := startConn(s, v, c); err != nil {
		s.leave(v)
		s.ended()
		s.tellClosed(v, err)
	}
}

func (s *Server) tellClosed(v *volume, err error) {
	if s.cfg.Closed != nil {
		s.cfg.Closed(v.export.Name, err)
	}
}

// Close stops accepting, takes no further request, waits for those in flight, has their replies written and closes all
// connections. When ctx ends first it closes them at once and returns an error; what the devices still hold comes back later.
func (s *Server) Close(ctx context.Context) error {
	s.refuse()
	if !s.loop.Post(s.drainAll) {
		return loop.ErrStopped
	}
	stop := context.AfterFunc(ctx, func() {
		if !s.loop.Post(func() { s.abortAll(); s.idle.Open() }) {
			s.idle.Open()
		}
	})
	s.idle.Wait()
	stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open > 0 {
		return fmt.Errorf("nbd: %d connections closed with requests in flight: %w", s.open, cmp.Or(context.Cause(ctx), ErrClosed))
	}
	return nil
}

func (s *Server) drainAll() {
	for _, c := range slices.Clone(s.conns) {
		c.drain()
	}
}

func (s *Server) abortAll() {
	for _, c := range slices.Clone(s.conns) {
		c.fail(ErrClosed)
	}
}
