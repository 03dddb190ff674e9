package nbd

import (
	"errors"
	"net"
	"slices"
)

// This file has all that the control plane keeps under the server's lock: who listens, who shakes hands, how many are open.

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

func (s *Server) listen(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.listeners = append(s.listeners, ln)
	}
	return !s.closing
}

func (s *Server) unlisten(ln net.Listener) {
	s.mu.Lock()
	s.listeners = without(s.listeners, ln)
	s.mu.Unlock()
	_ = ln.Close() // closed already, if it is that which ended Serve
}

// begin counts a client that came.
func (s *Server) begin(c net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	if len(s.shaking) >= maxShaking {
		return errors.New("nbd: too many clients in the handshake")
	}
	s.shaking = append(s.shaking, c)
	s.open++
	return nil
}

func (s *Server) endShaking(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shaking = without(s.shaking, c)
}

// ended counts a client that went.
func (s *Server) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.closing && s.open == 0 {
		s.idle.Open()
	}
}

// enter gives a client a place at an export, if there is one; leave gives it back.
func (s *Server) enter(v *volume) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || v.clients >= s.cfg.Connections {
		return false
	}
	v.clients++
	return true
}

func (s *Server) leave(v *volume) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.clients--
}

// refuse turns everybody away from now on, and ends the handshakes.
func (s *Server) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for _, ln := range s.listeners {
		_ = ln.Close()
	}
	for _, c := range s.shaking {
		_ = c.Close()
	}
	if s.open == 0 {
		s.idle.Open()
	}
}

// without is list without x, in the same order.
func without[T comparable](list []T, x T) []T {
	if i := slices.Index(list, x); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
