package main

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi"
)

// pathConfig is one way to the volume.
type pathConfig struct {
	portal iscsi.Portal
	target string
	lun    int
}

// parseVolume reads URLs, which all are of one volume.
func parseVolume(urls []string) (paths []pathConfig, err error) {
	seen := map[pathConfig]bool{}
	for _, s := range urls {
		u, err := iscsi.ParseURL(s)
		if err != nil {
			return nil, usagef("%v", err)
		}
		if u.User != "" {
			return nil, usagef("volume %q: this build logs in without CHAP: take %s@ out of the URL", s, u.User)
		}
		for _, portal := range u.Portals {
			p := pathConfig{portal, u.Target, u.LUN}
			if seen[p] {
				return nil, usagef("volume %q: the path %s to LUN %d is there twice", s, portal, u.LUN)
			}
			seen[p] = true
			paths = append(paths, p)
		}
	}
	return paths, nil
}

// path is a LUN behind a session that tells how its first attempt went, and counts.
type path struct {
	*iscsi.LUN
	config   pathConfig
	reported bool
	first    chan<- *path
	err      error // of the first attempt; read after it came by first
	up       bool
	changes  atomic.Uint32 // of being up or not
	watcher  blockdev.Watcher
}

// Watch puts p between the LUN and w.
func (p *path) Watch(w blockdev.Watcher) {
	p.watcher = w
	p.LUN.Watch(p)
}

// PathUp implements blockdev.Watcher.
func (p *path) PathUp(info *blockdev.Info) {
	p.watcher.PathUp(info)
	p.note(true, nil)
}

// PathDown implements blockdev.Watcher.
func (p *path) PathDown(err error) {
	p.watcher.PathDown(err)
	p.note(false, err)
}

func (p *path) note(up bool, err error) {
	if up != p.up {
		p.up = up
		p.changes.Add(1)
	}
	if !p.reported {
		p.reported, p.err = true, err
		p.first <- p // it has room for one of each path
	}
}

// history is the states that the path had since it was first up.
func (p *path) history() string {
	n := int(p.changes.Load())
	if n > 5 {
		return fmt.Sprintf("%d changes", n-1)
	}
	return strings.Join([]string{"up", "down", "up", "down", "up"}[:n], ", ")
}
