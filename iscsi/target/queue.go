package target

// An emitter has PDUs to put into a connection's transmit window. emit puts in one, and says whether there is another one.
type emitter interface {
	emit(c *conn) (more bool)
}

// queue is a first-in first-out list whose memory is used again.
type queue struct {
	items []emitter
	head  int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(e emitter) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, e)
}

func (q *queue) peek() emitter { return q.items[q.head] }

func (q *queue) pop() {
	q.items[q.head] = nil
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
}
