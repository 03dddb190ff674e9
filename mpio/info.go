package mpio

import "github.com/hawser-storage/hawser/blockdev"

// publishInfo makes the volume's description anew: what every path that was ever accepted can do. A path that is down still counts,
// so that the volume does not change with each cable.
func (d *Device) publishInfo() {
	var all *blockdev.Info
	for _, m := range d.members {
		if m.info == nil {
			continue
		}
		if all == nil {
			first := *m.info
			all = &first
			continue
		}
		intersect(all, m.info)
	}
	if all == nil {
		return
	}
	all.Size = d.volume.Size // see grow
	d.writeCache = all.WriteCache
	d.info.Store(all)
}

// grow gives the volume the size that all paths in use, and m, which is about to be, agree on, if that is a larger one. A path that is
// down has no say: when it comes back it is asked anew. The others are asked now: that the unit has grown is told by one path at a time,
// and by one without requests not at all. It reports whether the volume has grown.
func (d *Device) grow(m *member) bool {
	size := m.info.Size
	for _, other := range d.members {
		if other == m || other.state != StateUp || other.info.Size >= m.info.Size {
			continue
		}
		size = min(size, other.info.Size)
		if r, ok := other.path.(Rescanner); ok {
			r.Rescan()
		}
	}
	if size <= d.volume.Size {
		return false
	}
	d.log.Info("volume has grown", "from", d.volume.Size, "to", size)
	grown := *d.volume
	grown.Size = size
	d.volume = &grown
	return true
}

func intersect(a, b *blockdev.Info) {
	a.Size = min(a.Size, b.Size)
	a.ReadOnly = a.ReadOnly || b.ReadOnly
	a.WriteCache = a.WriteCache || b.WriteCache
	a.FUA = a.FUA && b.FUA
	a.Trim = a.Trim && b.Trim
	a.ZeroUnmap = a.ZeroUnmap && b.ZeroUnmap
	a.FastZero = a.FastZero && b.FastZero
	a.Rotational = a.Rotational || b.Rotational
	x, y := &a.Limits, &b.Limits
	x.MaxTransfer = lower(x.MaxTransfer, y.MaxTransfer)
	x.OptimalTransfer = lower(x.OptimalTransfer, y.OptimalTransfer)
	x.MaxTrim = lower(x.MaxTrim, y.MaxTrim)
	x.MaxWriteZeroes = lower(x.MaxWriteZeroes, y.MaxWriteZeroes)
	if y.TrimGranularity > x.TrimGranularity { // the coarser one has an effect everywhere
		x.TrimGranularity, x.TrimAlignment = y.TrimGranularity, y.TrimAlignment
	}
}

// lower is the smaller limit; zero is none.
func lower(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
