package node

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"github.com/hawser-storage/hawser/cmd/internal/nbdclient"
)

// fakeKernel is a Front whose devices are clients in this process. Like the kernel it outlives the nodes.
type fakeKernel struct {
	t *testing.T

	mu      sync.Mutex
	devices map[int]*fakeDevice
}

// fakeDevice is one of its devices.
type fakeDevice struct {
	kernel *fakeKernel
	index  int
	spec   kernel.Spec

	mu      sync.Mutex
	size    uint64
	client  *nbdclient.Client
	holders []kernel.Holder
	resizes int
	fresh   int               // connections it was given after the first
	refuse  int               // so many more of them it does not take
	before  func(size uint64) // Resize calls it
	told    []string          // names that udev was to make
}

func newFakeKernel(t *testing.T) *fakeKernel {
	return &fakeKernel{t: t, devices: map[int]*fakeDevice{}}
}

func (k *fakeKernel) List() (all []kernel.Connected) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, d := range k.devices {
		all = append(all, kernel.Connected{Index: i, Size: d.size, Backend: d.spec.Backend})
	}
	return all
}

func (k *fakeKernel) Find(spec kernel.Spec) (Device, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range k.devices {
		if d.spec.Backend == spec.Backend {
			return d, true, nil
		}
	}
	return nil, false, nil
}

func (k *fakeKernel) Connect(_ context.Context, spec kernel.Spec) (Device, net.Conn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if spec.Index == kernel.AnyIndex {
		for spec.Index = 0; k.devices[spec.Index] != nil; spec.Index++ {
		}
	}
	if old := k.devices[spec.Index]; old != nil {
		return nil, nil, &kernel.BusyError{Device: old.Path(), Backend: old.spec.Backend}
	}
	d := &fakeDevice{kernel: k, index: spec.Index, spec: spec, size: spec.Size}
	k.devices[spec.Index] = d
	return d, d.connect(), nil
}

// connect makes a connection, and returns the server's end.
func (d *fakeDevice) connect() net.Conn {
	ln, err := net.Listen("unix", filepath.Join(d.kernel.t.TempDir(), "s"))
	if err != nil {
		d.kernel.t.Error(err)
	}
	defer ln.Close()
	theirs, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		d.kernel.t.Error(err)
	}
	ours, err := ln.Accept()
	if err != nil {
		d.kernel.t.Error(err)
	}
	d.client = nbdclient.New(ours, nbdclient.Export{Size: d.size})
	return theirs
}

func (d *fakeDevice) Path() string {
	return "/dev/nbd" + string(rune('0'+d.index))
}

func (d *fakeDevice) Size() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.size
}

func (d *fakeDevice) Start(context.Context) ([]kernel.Warning, error) {
	w := kernel.Warning{Device: d.Path(), Attribute: "queue/scheduler", Value: "none", Why: "it is slow", Err: errors.New("no such scheduler")}
	_, err := d.client.ReadAt(make([]byte, 512), 0)
	return []kernel.Warning{w}, err
}

func (d *fakeDevice) Announce(_ context.Context, link string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, link)
	return errors.New("udev is slow")
}

func (d *fakeDevice) CheckUnused(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.holders) == 0 {
		return nil
	}
	return &kernel.Error{Op: "check", Device: d.Path(), Err: &kernel.BusyError{Device: d.Path(), Backend: d.spec.Backend, Holders: d.holders}}
}

func (d *fakeDevice) Flush(context.Context) error {
	return d.client.Flush()
}

func (d *fakeDevice) FlushUnused(ctx context.Context) error {
	if err := d.CheckUnused(ctx); err != nil {
		return err
	}
	return d.Flush(ctx)
}

func (d *fakeDevice) Reconnect(context.Context) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kernel.device(d.index) != d {
		return nil, kernel.ErrNotConnected
	}
	if d.refuse > 0 {
		d.refuse--
		return nil, errors.New("not now")
	}
	_ = d.client.Close()
	d.fresh++
	return d.connect(), nil
}

func (d *fakeDevice) Resize(_ context.Context, size uint64) error {
	if d.before != nil {
		d.before(size)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.size = size
	d.resizes++
	return nil
}

func (d *fakeDevice) Disconnect(context.Context) error {
	d.kernel.mu.Lock()
	defer d.kernel.mu.Unlock()
	if d.kernel.devices[d.index] == d {
		delete(d.kernel.devices, d.index)
		return d.client.Close()
	}
	return nil
}

func (k *fakeKernel) device(index int) *fakeDevice {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.devices[index]
}
