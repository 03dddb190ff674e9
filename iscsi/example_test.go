package iscsi_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blockio"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/target"
	"github.com/hawser-storage/hawser/mpio"
)

// Two paths to one volume, as one device: a complete program. It brings its own storage, an embedded target with two portals; with
// an array of yours, begin at the URL.
func Example() {
	url, stop := storage()
	defer stop()

	l, err := loop.New(loop.Config{})
	check(err)
	ended := make(chan error)
	go func() { ended <- l.Run() }()
	arena, err := blockdev.NewArena(32 << 20)
	check(err)

	// A session for each portal, a LUN on each session: these are the paths.
	u, err := iscsi.ParseURL(url)
	check(err)
	var sessions []*iscsi.Session
	var paths []mpio.Path
	for _, portal := range u.Portals {
		s, err := iscsi.NewSession(l, arena, iscsi.Config{
			InitiatorName: "iqn.2026-11.io.hawser:example",
			TargetName:    u.Target,
			Portal:        portal,
		})
		check(err)
		path, err := s.LUN(u.LUN)
		check(err)
		sessions, paths = append(sessions, s), append(paths, path)
	}
	volume, err := mpio.New(l, mpio.Config{Name: "example"}, paths...)
	check(err)
	for _, s := range sessions {
		check(s.Start())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	check(volume.WaitReady(ctx))

	disk := blockio.New(volume, l)
	_, err = disk.WriteAt(append([]byte("a rope of two strands"), make([]byte, 491)...), 4096)
	check(err)
	check(disk.Sync())
	b := make([]byte, 512)
	_, err = disk.ReadAt(b, 4096)
	check(err)
	fmt.Printf("%s, %d bytes in blocks of %d\n", b[:21], volume.Info().Size, volume.Info().BlockSize)

	// Down in the order in which it came up.
	check(volume.Close(ctx))
	for _, s := range sessions {
		check(s.Close(ctx))
	}
	l.Stop()
	check(<-ended)
	check(arena.Close())
	// Output: a rope of two strands, 67108864 bytes in blocks of 512
}

// storage serves 64 MiB of memory at two addresses of the loopback.
func storage() (url string, stop func()) {
	l, err := loop.New(loop.Config{})
	check(err)
	ended := make(chan error)
	go func() { ended <- l.Run() }()
	lun, err := target.ParseLUN("ram:64M")
	check(err)
	t, err := target.New(l, target.Config{LUNs: []target.LUN{lun}})
	check(err)
	var addrs [2]string
	for i, host := range []string{"127.0.0.1", "127.0.0.2"} {
		ln, err := net.Listen("tcp", host+":0")
		check(err)
		addrs[i] = ln.Addr().String()
		go func() { _ = t.Serve(ln, uint16(i+1)) }()
	}
	return fmt.Sprintf("iscsi://%s,%s/%s/0", addrs[0], addrs[1], t.IQN()), func() {
		check(t.Close(context.Background()))
		l.Stop()
		check(<-ended)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
