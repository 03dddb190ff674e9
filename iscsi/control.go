package iscsi

import (
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// Command is a SCSI command of the control plane, outside the data path.
type Command struct {
	CDB scsi.CDB
	In  []byte // takes what the unit sends; nil for none
	Out []byte // goes to the unit; nil for none. Not both.

	got  int
	err  error
	done func()
}

func (c *Command) finish(err error) {
	c.err = err
	c.done()
}

// Do sends a command while the session is up, whether or not the unit has been probed, and returns how many bytes it put in
// cmd.In. A status other than GOOD is a *blockdev.Error with a *StatusError. For the control plane.
func (u *LUN) Do(cmd *Command) (int, error) {
	if err := u.s.loop.Await(func(done func()) {
		cmd.done = done
		u.submit(cmd)
	}); err != nil {
		return 0, err
	}
	return cmd.got, cmd.err
}

func (u *LUN) submit(cmd *Command) {
	t := u.s.takeTask(u)
	u.inFlight++
	t.command, t.cdb = cmd, cmd.CDB
	switch {
	case cmd.In != nil:
		t.dir, t.length = dataIn, uint32(len(cmd.In))
	case cmd.Out != nil:
		t.dir, t.length, t.out.param = dataOut, uint32(len(cmd.Out)), cmd.Out
	}
	if u.s.conn == nil || u.s.conn.leaving != nil {
		u.s.refuse(t, t.lostError(ErrNotReady))
		return
	}
	u.s.conn.start(t)
}
