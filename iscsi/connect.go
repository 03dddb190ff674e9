package iscsi

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/login"
)

// connect begins an attempt: dial and login run in the control plane, and their result comes back to the loop.
func (s *Session) connect() {
	s.setState(Connecting, nil)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	cfg := s.cfg
	if s.redirect != nil {
		cfg.Portal.Host, cfg.Portal.Port = s.redirect.Host, s.redirect.Port
	}
	s.loop.Env().Go(func() {
		defer cancel()
		c, p, err := s.login(ctx, &cfg)
		if !s.loop.Post(func() { s.connected(c, p, err) }) && c != nil {
			_ = c.Close()
		}
	})
}

// login dials and logs in. The connection that it returns is in full feature phase, and nothing beyond the login was read.
func (s *Session) login(ctx context.Context, cfg *Config) (net.Conn, *login.Params, error) {
	c, err := cfg.Dial(ctx, cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	buffers := &Buffers{Asked: cfg.SocketBuffer}
	buffers.Receive, buffers.Send = socketBuffers(c)
	s.buffers.Store(buffers)
	if err := c.SetDeadline(s.loop.Env().Time().Add(cfg.LoginTimeout)); err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	if !s.loop.Post(func() { s.dialing = c; s.callOff() }) {
		return nil, nil, errors.Join(loop.ErrStopped, c.Close())
	}
	p, err := login.Initiate(context.Background(), c, &cfg.Login)
	if err == nil {
		err = checkParams(p)
	}
	if err != nil {
		_ = c.Close()
		return nil, nil, err
	}
	return c, p, nil
}

// checkParams refuses what this session cannot do, although the login could.
func checkParams(p *login.Params) error {
	if !p.DataPDUInOrder || !p.DataSequenceInOrder {
		return protocolError("data out of order was negotiated, which we never offered")
	}
	return nil
}

// callOff ends a login whose session is closing.
func (s *Session) callOff() {
	if s.state == Closing && s.dialing != nil {
		_ = s.dialing.Close()
	}
}

// connected takes the result of an attempt.
func (s *Session) connected(c net.Conn, p *login.Params, err error) {
	s.dialing = nil
	if s.state == Closing {
		if c != nil {
			_ = c.Close()
		}
		s.finishClose()
		return
	}
	if err == nil {
		err = s.adopt(c, p)
	}
	if err != nil {
		s.attemptFailed(err)
	}
}

// adopt makes the connection the session's.
func (s *Session) adopt(nc net.Conn, p *login.Params) error {
	c := newConn(s, p)
	w, err := s.loop.Adopt(nc, c)
	if err != nil {
		return err
	}
	c.watch = w
	s.conn = c
	s.redirect, s.hops = nil, 0
	s.counters.Logins++
	s.setState(Up, nil)
	s.tellBuffers()
	c.tick.Reset(s.tickInterval())
	for _, u := range s.luns {
		u.probe()
	}
	return nil
}

// attemptFailed follows a redirection at once; otherwise the next attempt waits. A target that refuses us on purpose is asked
// again only at the longest interval.
func (s *Session) attemptFailed(err error) {
	var redirect *login.RedirectError
	if errors.As(err, &redirect) && s.hops < login.MaxRedirects {
		s.hops++
		s.redirect = &redirect.Address
		s.log.Info("redirected", "to", redirect.Address.String(), "permanent", redirect.Permanent)
		s.setState(Waiting, err)
		s.retry.Reset(0)
		return
	}
	s.redirect, s.hops = nil, 0
	s.counters.Failures++
	wait := s.backoff()
	if wait == 0 {
		wait = s.cfg.RetryMin
	}
	var refused *login.Error
	if errors.As(err, &refused) && !refused.Temporary() {
		wait = s.cfg.RetryMax
	}
	s.setState(Waiting, err)
	s.retry.Reset(wait)
	s.lunsDown(err)
}
