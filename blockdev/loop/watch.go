package loop

// Watch is a socket's registration with a loop. Its handler owns it.
type Watch struct {
	Socket Socket
	Ready  Events // set by the poller for the turn
	Slot   int    // the poller's own

	loop    *Loop
	handler Handler // nil once it is closed
	want    Events
}

// Want changes what the handler is told of. Without Readable the socket pushes back on its peer.
func (w *Watch) Want(ev Events) error {
	if w.handler == nil || w.want == ev {
		return nil
	}
	w.want = ev
	return w.loop.poller.Watch(w, ev)
}

// Wants is what the handler is told of.
func (w *Watch) Wants() Events { return w.want }

// Close ends the watch and closes the socket in order. It may be called again.
func (w *Watch) Close() error {
	if !w.forget() {
		return nil
	}
	return w.Socket.Close()
}

// Abort ends the watch and the socket with a reset. It may be called again.
func (w *Watch) Abort() error {
	if !w.forget() {
		return nil
	}
	return w.Socket.Abort()
}

func (w *Watch) forget() bool {
	if w.handler == nil {
		return false
	}
	w.handler = nil
	w.loop.poller.Forget(w)
	return true
}
