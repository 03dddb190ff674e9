package mpio

// queue is a first-in, first-out ring. It allocates only to grow.
type queue struct {
	ring []*attempt // a power of two
	head int
	n    int
}

func (q *queue) len() int { return q.n }

func (q *queue) push(a *attempt) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = a
	q.n++
}

func (q *queue) pop() *attempt {
	a := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	return a
}

func (q *queue) grow() {
	ring := make([]*attempt, max(16, 2*len(q.ring)))
	for i := range q.n {
		ring[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
	}
	q.ring, q.head = ring, 0
}
