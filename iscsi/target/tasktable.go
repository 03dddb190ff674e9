package target

// taskTable finds tasks by their Initiator Task Tag. It never grows: tasks are chained through themselves.
type taskTable struct {
	slots [64]*task
	n     int
}

func (tt *taskTable) slot(itt uint32) **task {
	return &tt.slots[(itt^itt>>6^itt>>24)%uint32(len(tt.slots))]
}

func (tt *taskTable) find(itt uint32) *task {
	for t := *tt.slot(itt); t != nil; t = t.chain {
		if t.itt == itt {
			return t
		}
	}
	return nil
}

func (tt *taskTable) add(t *task) {
	s := tt.slot(t.itt)
	t.chain, *s = *s, t
	tt.n++
}

func (tt *taskTable) remove(t *task) {
	for s := tt.slot(t.itt); *s != nil; s = &(*s).chain {
		if *s == t {
			*s, t.chain = t.chain, nil
			tt.n--
			return
		}
	}
}

// each calls fn for every task; fn may remove the one that it is given.
func (tt *taskTable) each(fn func(*task)) {
	for i := range tt.slots {
		for t := tt.slots[i]; t != nil; {
			next := t.chain
			fn(t)
			t = next
		}
	}
}
