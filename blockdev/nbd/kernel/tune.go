package kernel

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// What Tune sets, below /sys/block/nbdN/queue:
//
//	attribute        value             why
//	io_timeout       3000 ms           how often the driver looks at requests that a dead connection had in flight; until then they
//	                                   hang after a restart. 30000 is the default. It fails none (see the package comment), and
//	                                   the kernel's log has a line for each request in flight as often
//	scheduler        none              the server sees every request at once and the storage orders them; mq-deadline, the default with
//	                                   one queue, costs CPU and delays
//	max_sectors_kb   MaxRequest, or    requests are cut at 1280 KiB by default, at 128 before Linux 6.9; larger ones cost less each byte
//	                 max_hw_sectors_kb
//	rotational       as Spec says      drivers before Linux 6.12 do not know the flag
//
// read_ahead_kb is left alone: it is the operator's, and follows max_sectors_kb nowhere.

// Warning says that a setting could not be made. The device works, less well.
type Warning struct {
	Device    string // /dev/nbdN
	Attribute string // such as queue/io_timeout
	Value     string
	Severe    bool   // a restart under I/O takes long, or an administrator should look at it for another reason
	Why       string // what it costs
	Err       error
}

func (w Warning) Error() string {
	return fmt.Sprintf("nbd: tune %s: %s is not %s: %v: %s", w.Device, w.Attribute, w.Value, w.Err, w.Why)
}

func (w Warning) Unwrap() error { return w.Err }

type setting struct {
	name, value string
	severe      bool
	why         string
}

// unset is a setting that is not as it should be.
type unset struct {
	Name, Value string
	Err         fault // none if it was left
}

// Tune sets the queue of the device as hawser wants it, and returns what it could not set. What is as it should be already, as after
// a takeover, is not written: each write freezes the queue, and waits until what is in flight has been answered, and meanwhile
// even reading the queue's attributes waits. So the server must be running, and its paths up; when ctx ends first, what is left to
// do is left.
func (d *Device) Tune(ctx context.Context) []Warning {
	r, err := d.host.have(ctx, order{Errand: tuning, Index: d.index, Spec: d.spec}, nil)
	return d.warnings(ctx, r, err)
}

// warnings are about what a report says, or if nothing came of the errand about every setting, for all that is known.
func (d *Device) warnings(ctx context.Context, r report, err error) []Warning {
	var failed []Warning
	for _, s := range d.settings(0) {
		i := slices.IndexFunc(r.Unset, func(u unset) bool { return u.Name == s.name })
		if r.Tuned && i < 0 {
			continue
		}
		w := Warning{Device: d.Path(), Attribute: "queue/" + s.name, Value: s.value, Severe: s.severe, Why: s.why, Err: err}
		if i >= 0 {
			w.Value, w.Err = r.Unset[i].Value, cmp.Or(r.Unset[i].Err.error, context.Cause(ctx), context.Canceled)
		}
		failed = append(failed, w)
	}
	return failed
}

// tune sets what is not as it should be.
func (d *Device) tune(ctx context.Context) (failed []unset) {
	for _, s := range d.wrong() {
		u := unset{Name: s.name, Value: s.value}
		if ctx.Err() == nil {
			u.Err.error = d.host.write(s.value, d.attribute(s.name))
			if u.Err.error == nil {
				continue
			}
		}
		failed = append(failed, u)
	}
	return failed
}

// wrong are the settings that are not as they should be.
func (d *Device) wrong() []setting {
	hw := d.host.number(d.attribute("max_hw_sectors_kb"))
	return slices.DeleteFunc(d.settings(hw), func(s setting) bool {
		now, ok := d.host.text(d.attribute(s.name))
		return ok && chosen(now) == s.value
	})
}

func (d *Device) attribute(name string) string {
	return path.Join("sys/block", d.name(), "queue", name)
}

// settings is the table. hw is the largest request that the driver sends, in KiB, 0 if that is not known.
func (d *Device) settings(hw uint64) []setting {
	rotational := "0"
	if d.spec.Rotational {
		rotational = "1"
	}
	return []setting{
		{"io_timeout", "3000", true, "I/O in flight when hawser restarts may wait for 30 s"},
		{"scheduler", "none", false, "requests cost more CPU"},
		{"max_sectors_kb", d.maxSectors(hw), false, "large requests are cut"},
		{"rotational", rotational, false, "the kernel thinks the disk is of another kind"},
	}
}

// maxSectors is the largest request, in KiB: no more than the driver sends and the server takes.
func (d *Device) maxSectors(hw uint64) string {
	most := cmp.Or(hw, 32<<10)
	if r := uint64(d.spec.MaxRequest) >> 10; r > 0 {
		most = min(most, r)
	}
	return strconv.FormatUint(most, 10)
}

// chosen is the value of an attribute that shows it in brackets among the others, or shows it alone.
func chosen(s string) string {
	if _, after, found := strings.Cut(s, "["); found {
		s, _, _ = strings.Cut(after, "]")
	}
	return s
}
