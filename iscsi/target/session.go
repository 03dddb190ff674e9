package target

import (
	"net"

	"github.com/hawser-storage/hawser/iscsi/login"
)

// sessionKey is what a session is known by at the target (RFC 7143 6.3.5): the initiator port and the target portal group.
type sessionKey struct {
	initiator string
	isid      [6]byte
	tag       uint16
}

// A session is registered from the end of its login until nothing of it is left: neither its connection nor a task.
type session struct {
	key     sessionKey
	tsih    uint16
	login   net.Conn // before there is a conn
	conn    *conn
	ended   bool
	waiting []func() // told when it is over
}

// reinstate ends the session with the same key, if there is one, and registers a new one in its place. done is called when no task
// of the old session is left.
func (t *Target) reinstate(key sessionKey, c net.Conn, done func(*session)) {
	s := &session{key: key, tsih: t.newTSIH(), login: c}
	old := t.sessions[key]
	t.sessions[key] = s
	if old == nil {
		done(s)
		return
	}
	t.log.Info("session reinstated", "initiator", key.initiator, "old", old.tsih, "new", s.tsih)
	old.end(func() { done(s) })
}

func (t *Target) newTSIH() uint16 {
	for {
		t.lastTSIH++
		if t.lastTSIH != 0 && t.sessionByTSIH(t.lastTSIH) == nil {
			return t.lastTSIH
		}
	}
}

func (t *Target) sessionByTSIH(tsih uint16) *session {
	for _, s := range t.sessions {
		if s.tsih == tsih {
			return s
		}
	}
	return nil
}

// end terminates the session's tasks and closes its connection.
func (s *session) end(done func()) {
	s.ended = true
	if s.conn == nil {
		_ = s.login.Close() // its login fails, and says why
		done()
		return
	}
	s.waiting = append(s.waiting, done) // first: the last task's end may end the session at once
	s.conn.close(false, "session ended")
	s.conn.abortAll()
	s.conn.checkOver()
}

// forget takes the session off the register, if nobody else has its place.
func (t *Target) forget(s *session) {
	s.ended = true
	if t.sessions[s.key] == s {
		delete(t.sessions, s.key)
	}
	for _, fn := range s.waiting {
		fn()
	}
	s.waiting = nil
}

// sessionFor is the callback of a login: it runs in the control plane, and ends an older session on the loop.
func (t *Target) sessionFor(p *portal, c net.Conn, r login.Request) (s *session, err error) {
	err = t.loop.Await(func(done func()) {
		if r.SessionType == login.Discovery {
			s = &session{tsih: t.newTSIH(), login: c}
			done()
			return
		}
		t.reinstate(sessionKey{r.InitiatorName, r.ISID, p.tag}, c, func(fresh *session) {
			s = fresh
			done()
		})
	})
	return s, err
}
