package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/cmd/internal/stack"
	"github.com/hawser-storage/hawser/mpio"
)

// Volumes implements [api.Service].
func (n *Node) Volumes(context.Context) ([]api.Volume, error) {
	list := []api.Volume{}
	for _, v := range n.all() {
		list = append(list, v.status())
	}
	return list, nil
}

// Volume implements [api.Service].
func (n *Node) Volume(_ context.Context, name string) (api.Volume, error) {
	v, err := n.find(name)
	if err != nil {
		return api.Volume{}, err
	}
	return v.status(), nil
}

// rescanWithin bounds the answers of the paths.
const rescanWithin = 15 * time.Second

// Rescan implements [api.Service]. A volume that has grown has its new size when it returns.
func (n *Node) Rescan(ctx context.Context, name string) error {
	list := n.all()
	if name != "" {
		v, err := n.find(name)
		if err != nil {
			return err
		}
		list = []*volume{v}
	}
	ctx, cancel := context.WithTimeout(ctx, rescanWithin)
	defer cancel()
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, v := range list {
		wg.Go(func() { errs[i] = v.rescan(ctx) })
	}
	wg.Wait()
	return explain(errors.Join(errs...))
}

func (v *volume) rescan(ctx context.Context) error {
	v.op.Lock()
	defer v.op.Unlock()
	if v.over || v.stack == nil {
		return nil
	}
	if err := v.stack.Rescan(ctx); err != nil {
		return fmt.Errorf("volume %s: %w", v.name, err)
	}
	return v.followSize()
}

// status is the volume now.
func (v *volume) status() api.Volume {
	var s *stack.Volume
	out := api.Volume{
		Name: v.name, Since: v.record.Since, Once: v.record.Request.Once, URLs: v.record.Request.URLs, Errors: v.ledger.read(),
		Paths: []api.Path{},
	}
	v.set(func() {
		out.State, out.Reason, out.Warnings = v.state, v.reason, v.warnings
		out.NoPathRetry = new(v.retry.Seconds())
		s, out.URI = v.stack, v.uri
		if v.device != nil {
			out.Device = v.device.Path()
		}
	})
	if s != nil {
		describe(&out, s)
	}
	return out
}

// describe adds what the stack knows.
func describe(out *api.Volume, s *stack.Volume) {
	st := s.Status()
	out.Policy, out.Waiting, out.Held = st.Policy, st.Waiting, st.Held
	if i := s.Info(); i != nil {
		out.Size, out.BlockSize, out.ReadOnly, out.Cache = i.Size, i.BlockSize, i.ReadOnly, i.WriteCache
		out.Identity, out.Serial, out.Vendor, out.Product = i.Identity.ID, i.Identity.Serial, i.Identity.Vendor, i.Identity.Product
	}
	up := false
	for i, p := range st.Paths {
		up = up || p.State == mpio.StateUp
		out.Paths = append(out.Paths, pathOf(s.Paths[i], &p))
	}
	if out.State != api.Up || up {
		return
	}
	out.State = api.NoPath
	if st.Failing {
		out.State = api.Failing
	}
}

func pathOf(p *stack.Path, s *mpio.PathStatus) api.Path {
	r, w, all := s.Stats.Ops[blockdev.Read], s.Stats.Ops[blockdev.Write], s.Stats.Total()
	out := api.Path{
		Path: s.Path, Portal: p.Config.Portal.String(), Target: p.Config.Target, LUN: p.Config.LUN, Interface: stack.InterfaceOf(p.Config),
		State: s.State.String(), Since: s.Since, Reads: r.Requests, Writes: w.Requests, ReadBytes: r.Bytes, WrittenBytes: w.Bytes,
		InFlight: all.InFlight, Errors: all.Errors, Failovers: s.Stats.Failovers,
	}
	b := p.Buffers()
	out.BufferAsked, out.ReceiveBytes, out.SendBytes = b.Asked, b.Receive, b.Send
	if s.Reason != nil {
		out.Reason = s.Reason.Error()
	}
	return out
}

// explain makes an error of the layers below one for who asked.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*api.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*stack.UsageError](err); ok {
		return &api.Error{Kind: api.Usage, Text: e.Error()}
	}
	out := &api.Error{Kind: api.Failed, Text: err.Error()}
	if busy, ok := errors.AsType[*kernel.BusyError](err); ok {
		out.Kind = api.Busy
		for _, h := range busy.Holders {
			out.Holders = append(out.Holders, h.String())
		}
	}
	return out
}
