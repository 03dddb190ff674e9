package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// A portal is an address that the target listens at. Its connections and counters belong to the loop.
type portal struct {
	target *Target
	ln     net.Listener
	name   string
	tag    uint16
	index  int // from 0

	conns    []*conn // in the order in which they came
	counters PortalCounters
	fault    portalFault
}

// serve takes connections until the listener is closed.
func (p *portal) serve() error {
	for {
		c, err := p.ln.Accept()
		if err != nil {
			if p.target.closing() || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("target: portal %s: %w", p.name, err)
		}
		if !p.target.enter(c) {
			_ = c.Close() // closing
			return nil
		}
		p.target.loop.Env().Go(func() {
			defer p.target.leave(c)
			p.login(c)
		})
	}
}

// login takes a connection through its login and hands it to the loop.
func (p *portal) login(c net.Conn) {
	if !p.admit(c) {
		return
	}
	var s *session
	env := p.target.loop.Env()
	_ = c.SetDeadline(env.Time().Add(login.DefaultTimeout)) // a broken connection says so when it is read
	par, err := login.Accept(worldly{context.Background(), env.Time().Add(time.Hour)}, c, p.loginConfig(c, &s))
	_ = c.SetDeadline(time.Time{})
	if err != nil {
		p.refused(c, s, err)
		return
	}
	err = p.target.loop.Await(func(done func()) {
		p.adopt(c, s, par)
		done()
	})
	if err != nil {
		_ = c.Close() // the loop has ended
	}
}

// worldly is a context that leaves the time to the connection's deadline, which goes by the clock of the loop's world.
type worldly struct {
	context.Context
	end time.Time
}

func (w worldly) Deadline() (time.Time, bool) { return w.end, true }

// admit says whether the portal is up. One that stalls says nothing until it is up again.
func (p *portal) admit(c net.Conn) bool {
	var up bool
	var wait loop.Gate
	for {
		p.target.onLoop(func() {
			up, wait = p.fault.admit(p.target.loop.Env())
			up = up && !p.target.dark
		})
		if wait == nil {
			break
		}
		wait.Wait()
	}
	if !up {
		reset(c)
	}
	return up
}

func (p *portal) refused(c net.Conn, s *session, err error) {
	_ = c.Close() // err is the news
	t := p.target
	t.log.Info("login failed", "portal", p.name, "peer", c.RemoteAddr().String(), "err", err)
	name := ""
	if e, ok := errors.AsType[*login.Error](err); ok {
		name = e.InitiatorName
	}
	t.onLoop(func() {
		p.counters.Refused++
		if s != nil {
			t.forget(s)
		}
		if broken(err) {
			t.violation(p.name, name, err.Error())
		}
	})
}

// broken says whether a login failed because the initiator broke the protocol.
func broken(err error) bool {
	_, protocol := errors.AsType[*login.ProtocolError](err)
	_, key := errors.AsType[*login.KeyError](err)
	return protocol || key
}

func (p *portal) loginConfig(c net.Conn, s **session) *login.TargetConfig {
	t := p.target
	return &login.TargetConfig{
		TargetAlias:              t.cfg.Alias,
		PortalGroupTag:           p.tag,
		MaxRecvDataSegmentLength: t.maxRecv,
		Keys:                     t.forced,
		Window:                   uint32(t.cfg.QueueDepth),
		Auth:                     t.cfg.Auth,
		Authorize:                t.authorize,
		Session: func(r login.Request) (uint16, error) {
			fresh, err := t.sessionFor(p, c, r)
			if err != nil {
				return 0, err
			}
			*s = fresh
			return fresh.tsih, nil
		},
	}
}

func (t *Target) authorize(r login.Request) error {
	if r.SessionType == login.Normal && r.TargetName != t.cfg.IQN {
		return login.Refuse(pdu.LoginTargetNotFound, fmt.Errorf("target: there is no %s here, only %s", r.TargetName, t.cfg.IQN))
	}
	if r.TSIH == 0 {
		return nil
	}
	known := false
	t.onLoop(func() { known = t.sessionByTSIH(r.TSIH) != nil })
	if known {
		return login.Refuse(pdu.LoginTooManyConnections, errors.New("target: a session has one connection here"))
	}
	return login.Refuse(pdu.LoginNoSession, fmt.Errorf("target: there is no session %d", r.TSIH))
}

// adopt makes a connection of the loop out of a finished login.
func (p *portal) adopt(nc net.Conn, s *session, par *login.Params) {
	t := p.target
	if s.ended || t.shut || t.dark {
		_ = nc.Close() // somebody else has its place, or there is none
		t.forget(s)
		return
	}
	t.leave(nc) // it is not the control plane's to close any more
	c := newConn(p, s, par, nc.LocalAddr())
	w, err := t.loop.Adopt(nc, c)
	if err != nil {
		t.log.Error("connection not adopted", "portal", p.name, "err", err)
		t.forget(s)
		return
	}
	c.watch, s.conn, s.login = w, c, nil
	t.live++
	p.conns = append(p.conns, c)
	p.counters.Logins++
	c.startPing()
	c.tellOfPower()
	p.fault.joined(c)
	t.log.Info("session opened", "portal", p.name, "initiator", par.InitiatorName, "type", par.SessionType.String(), "tsih", s.tsih)
}

func (p *portal) leave(c *conn) {
	if i := slices.Index(p.conns, c); i >= 0 {
		p.conns = slices.Delete(p.conns, i, i+1)
	}
}

// reset ends a connection of the control plane without a FIN where that can be.
func reset(c net.Conn) {
	if l, ok := c.(interface{ SetLinger(sec int) error }); ok {
		_ = l.SetLinger(0) // then it is a FIN
	}
	_ = c.Close() // nothing is owed to it
}
