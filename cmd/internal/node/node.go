package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/cmd/internal/stack"
)

// Config is how a node is made.
type Config struct {
	Initiator    string        // for volumes that name none
	Store        *Store        // nil: nothing outlives the process
	Claims       string        // see stack.Config.Claims
	Front        Front         // what makes devices
	DrainTimeout time.Duration // how long requests in flight may take at the end
	OwnSessions  bool          // volumes share no sessions: a foreground process beside others
	Version      string
	Daemon       bool
	Memory       func() api.Memory // nil: nothing is known
	Log          *slog.Logger
}

// Node is the volumes of a process. It is an [api.Service].
type Node struct {
	cfg   Config
	log   *slog.Logger
	since time.Time
	boot  string
	lanes stack.Lanes

	life context.Context // ends when the node closes
	end  context.CancelFunc
	wg   sync.WaitGroup // all goroutines

	mu      sync.Mutex
	volumes map[string]*volume
	left    chan struct{} // closed, and made anew, when a volume leaves
	closing bool
}

var _ api.Service = (*Node)(nil)

// New makes a node without volumes.
func New(cfg Config) *Node {
	if cfg.DrainTimeout == 0 {
		cfg.DrainTimeout = 30 * time.Second
	}
	n := &Node{cfg: cfg, log: cfg.Log, since: time.Now(), boot: bootID(), volumes: map[string]*volume{}, left: make(chan struct{})}
	n.life, n.end = context.WithCancel(context.Background())
	return n
}

// Version implements [api.Service].
func (n *Node) Version() api.Version {
	v := api.Version{
		Version: n.cfg.Version, PID: os.Getpid(), Since: n.since, Daemon: n.cfg.Daemon, DrainTimeout: n.cfg.DrainTimeout.Seconds(),
	}
	if n.cfg.Memory != nil {
		v.Memory = n.cfg.Memory()
	}
	return v
}

// enter takes the name.
func (n *Node) enter(v *volume) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closing {
		return &api.Error{Kind: api.Failed, Text: "the daemon is ending"}
	}
	if old := n.volumes[v.name]; old != nil {
		return &api.Error{Kind: api.Exists, Text: fmt.Sprintf("there is a volume %s already (%s): detach it, or give --name", v.name, old.whatLocked())}
	}
	n.volumes[v.name] = v
	return nil
}

func (n *Node) leave(v *volume) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.volumes[v.name] == v {
		delete(n.volumes, v.name)
		close(n.left)
		n.left = make(chan struct{})
	}
}

// Empty is closed when no volume is left, or ctx ends.
func (n *Node) Empty(ctx context.Context) <-chan struct{} {
	empty := make(chan struct{})
	n.wg.Go(func() {
		defer close(empty)
		for {
			n.mu.Lock()
			count, left := len(n.volumes), n.left
			n.mu.Unlock()
			if count == 0 {
				return
			}
			select {
			case <-left:
			case <-ctx.Done():
				return
			}
		}
	})
	return empty
}

// Hold makes a volume that the process serves by itself, on a socket, one of those that the node tells of. To detach it means end, which
// lets the process end the volume.
func (n *Node) Hold(name, uri string, urls []string, s *stack.Volume, retry time.Duration, end func()) error {
	v := n.newVolume(name, record{Request: api.AttachRequest{Name: name, URLs: urls}, Since: time.Now()})
	v.state, v.stack, v.uri, v.retry, v.held = api.Up, s, uri, retry, end
	return n.enter(v)
}

// find is the volume of that name or device.
func (n *Node) find(name string) (*volume, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if v := n.volumes[name]; v != nil {
		return v, nil
	}
	for _, v := range n.volumes {
		if v.device != nil && v.device.Path() == name {
			return v, nil
		}
	}
	return nil, &api.Error{Kind: api.NotFound, Text: fmt.Sprintf("there is no volume %s: 'hawser list' has those that there are", name)}
}

// all is the volumes by name.
func (n *Node) all() []*volume {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]*volume, 0, len(n.volumes))
	for _, v := range n.volumes {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b *volume) int { return strings.Compare(a.name, b.name) })
	return list
}

// Close ends the process's part. With keep the devices stay, for a successor: what is in flight is finished, and the host's I/O waits for
// it. Without, they are detached, used or not.
func (n *Node) Close(ctx context.Context, keep bool) error {
	n.mu.Lock()
	n.closing = true
	n.mu.Unlock()
	n.end() // attaches that are under way
	list := n.all()
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, v := range list {
		wg.Go(func() {
			if keep {
				errs[i] = v.suspend()
				return
			}
			errs[i] = v.detach(ctx, true)
		})
	}
	wg.Wait()
	n.wg.Wait()
	return errors.Join(errs...)
}
