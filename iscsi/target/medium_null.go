package target

var zeroes [maxLend]byte

// null reads as zeroes and forgets what is written.
type null struct{ size int64 }

var _ memory = (*null)(nil)

func (m *null) Lend(_ int64, n int) []byte { return zeroes[:n:n] }

func (m *null) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

func (m *null) WriteAt(p []byte, _ int64) (int, error)  { return len(p), nil }
func (m *null) Zero(_, _ int64, _ bool) error           { return nil }
func (m *null) Sync(_, _ int64) error                   { return nil }
func (m *null) Mapped(off int64) (mapped bool, n int64) { return false, m.size - off }
func (m *null) Close() error                            { return nil }

func (m *null) Resize(size int64) error {
	m.size = size
	return nil
}
