package stack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/hawser-storage/hawser/cmd/internal/unixsock"
)

// A claim is a file that says by which sessions a process uses a volume. It is there before the first login, and until nothing that the
// process has sent can be carried out any more. So a claim without a process is one of somebody who was killed, gave up, or ran when the
// host lost power, and whose writes the storage may still have: who attaches the volume next inherits them (mpio.Config.Inherited). A login
// ends those of a session of the same name. Where the sessions were others, only time does (mpio.Config.Strange).
//
// The process has its claim's file locked: that shows that it lives. The directory is locked while somebody looks for claims and makes his
// own.
type claim struct {
	path string
	file *os.File // locked

	// Of former processes, until their writes are fenced.
	inherited bool
	left      []string // files, but for one in whose place this one's is
}

// claimed is what a claim's file says.
type claimed struct {
	Volume   string           `json:"volume"`
	PID      int              `json:"pid"`
	Since    time.Time        `json:"since"`
	Sessions []claimedSession `json:"sessions"`
}

// claimedSession is a session, and the LUN behind it.
type claimedSession struct {
	Target string `json:"target"`
	Portal string `json:"portal"`
	ISID   string `json:"isid"`
	LUN    int    `json:"lun"`
}

// inheritance is what a volume has of former processes.
type inheritance struct {
	any     bool   // writes, perhaps
	strange bool   // by sessions that this volume has not
	beside  string // who has a LUN of the volume now, by other sessions; "": nobody
}

// claimedError says that the very sessions and LUN are in use.
type claimedError struct{ claimed }

func (e *claimedError) Error() string {
	return fmt.Sprintf("%s is attached already, by process %d: detach it there first", e.Volume, e.PID)
}

const (
	claimSuffix = ".json"
	newClaim    = "new-"
)

// lockWithin bounds the wait for others that look for claims, each for a moment.
const lockWithin = 10 * time.Second

// stake makes a claim in dir, and says what it inherits.
func stake(dir string, c claimed) (cl *claim, in inheritance, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, in, err
	}
	unlock, err := unixsock.LockDir(dir, lockWithin)
	if err != nil {
		return nil, in, fmt.Errorf("lock %s: %w", dir, err)
	}
	defer unlock()
	cl = &claim{path: filepath.Join(dir, c.fileName())}
	if in, err = cl.inherit(dir, &c); err != nil {
		return nil, in, err
	}
	cl.inherited = in.any
	if err := cl.write(&c); err != nil {
		return nil, in, err
	}
	if err := syncDir(dir); err != nil {
		return nil, in, errors.Join(err, cl.leave())
	}
	return cl, in, nil
}

// fileName is the same for the same sessions.
func (c *claimed) fileName() string {
	h := fnv.New128a()
	for _, s := range slices.SortedFunc(slices.Values(c.Sessions), func(a, b claimedSession) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.LUN, b.LUN), cmp.Compare(a.ISID, b.ISID))
	}) {
		fmt.Fprintf(h, "%s\n%d\n%s\n", s.Target, s.LUN, s.ISID)
	}
	return fmt.Sprintf("%x%s", h.Sum(nil), claimSuffix)
}

// inherit looks for the claims of others on the same volume.
func (cl *claim) inherit(dir string, c *claimed) (in inheritance, err error) {
	unfinished, _ := filepath.Glob(filepath.Join(dir, newClaim+"*")) // by one who was killed: who lives has the directory locked
	for _, name := range unfinished {
		_ = os.Remove(name)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"+claimSuffix))
	for _, name := range names {
		old, alive, err := readClaim(name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // he is done, in this moment
			continue
		case err == nil && !old.sharesVolume(c):
			continue
		case alive && name == cl.path:
			return in, &claimedError{old}
		case alive:
			in.beside = fmt.Sprintf("process %d, as %s", old.PID, old.Volume)
			continue
		}
		in.any = true
		in.strange = in.strange || err != nil || !old.within(c) // one that cannot be read may be of any sessions
		if name != cl.path {
			cl.left = append(cl.left, name)
		}
	}
	return in, err
}

// readClaim reads one, and says whether its process lives.
func readClaim(name string) (c claimed, alive bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return c, false, err
	}
	defer f.Close()
	err = lock(f)
	alive = errors.Is(err, syscall.EWOULDBLOCK)
	if err != nil && !alive {
		return c, false, err
	}
	return c, alive, json.NewDecoder(f).Decode(&c)
}

// sharesVolume says whether there is a LUN that both have.
func (c *claimed) sharesVolume(o *claimed) bool {
	return slices.ContainsFunc(c.Sessions, func(s claimedSession) bool {
		return slices.ContainsFunc(o.Sessions, func(t claimedSession) bool { return s.Target == t.Target && s.LUN == t.LUN })
	})
}

// within says whether o has all of c's sessions.
func (c *claimed) within(o *claimed) bool {
	return !slices.ContainsFunc(c.Sessions, func(s claimedSession) bool { return !slices.Contains(o.Sessions, s) })
}

// write makes the file, whole or not at all, locked from the first.
func (cl *claim) write(c *claimed) error {
	f, err := os.CreateTemp(filepath.Dir(cl.path), newClaim)
	if err != nil {
		return err
	}
	err = errors.Join(lock(f), json.NewEncoder(f).Encode(c), f.Sync())
	if err == nil {
		err = os.Rename(f.Name(), cl.path)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	cl.file = f
	return nil
}

// fenced takes back the claims of others: nothing of theirs is left. One that somebody has made anew meanwhile is his.
func (cl *claim) fenced() error {
	if len(cl.left) > 0 {
		unlock, err := unixsock.LockDir(filepath.Dir(cl.path), lockWithin)
		if err != nil {
			return err
		}
		defer unlock()
	}
	var errs []error
	for _, name := range cl.left {
		if _, alive, err := readClaim(name); !alive && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, os.Remove(name))
		}
	}
	cl.inherited, cl.left = false, nil
	return errors.Join(errs...)
}

// end takes the claim back: nothing of the process itself is left either.
func (cl *claim) end() error {
	return errors.Join(cl.fenced(), os.Remove(cl.path), cl.file.Close())
}

// leave lets whoever is next inherit.
func (cl *claim) leave() error { return cl.file.Close() }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lock locks a file if nobody else has.
func lock(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
