package nbd

import (
	"errors"
	"fmt"
	"net"

	"github.com/hawser-storage/hawser/blockdev"
)

// ErrInUse is returned by Transmit while the export has as many clients as it may have. A client that is gone counts until the last of
// its requests has come back from the device, so that what its successor sends again cannot overtake the first copy.
var ErrInUse = errors.New("nbd: the export has as many clients as it may have")

// TransmissionFlags is what a handshake would say of a device, for a client that is told without one.
func TransmissionFlags(i *blockdev.Info) uint16 { return transmissionFlags(i) }

// MaxRequest is the largest READ or WRITE that the server takes, in bytes.
func (s *Server) MaxRequest() int { return s.cfg.MaxRequest }

// Transmit serves a client that needs no handshake, because it has been told otherwise what that would say: the kernel, at the other end
// of a socket pair. It returns when the connection is the loop's, and owns it from the first.
func (s *Server) Transmit(export string, c net.Conn) error {
	v := s.find(export)
	if v == nil {
		return errors.Join(fmt.Errorf("nbd: there is no export %q", export), c.Close())
	}
	if err := s.begin(c); err != nil {
		return errors.Join(err, c.Close())
	}
	s.endShaking(c)
	if !s.enter(v) {
		err := errors.Join(ErrInUse, c.Close())
		s.ended()
		return err
	}
	return s.handOver(c, v)
}
