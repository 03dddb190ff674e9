package stack

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi"
)

// PathConfig is one way to the volume.
type PathConfig struct {
	Portal iscsi.Portal
	Target string
	LUN    int
}

// ParseURLs reads URLs, which all are of one volume.
func ParseURLs(urls []string) (paths []PathConfig, err error) {
	seen := map[PathConfig]bool{}
	for _, s := range urls {
		u, err := iscsi.ParseURL(s)
		if err != nil {
			return nil, &UsageError{fmt.Sprintf("%v", err)}
		}
		if u.User != "" {
			return nil, &UsageError{fmt.Sprintf("volume %q: this build logs in without CHAP: take %s@ out of the URL", s, u.User)}
		}
		for _, portal := range u.Portals {
			p := PathConfig{portal, u.Target, u.LUN}
			if seen[p] {
				return nil, &UsageError{fmt.Sprintf("volume %q: the path %s to LUN %d is there twice", s, portal, u.LUN)}
			}
			seen[p] = true
			paths = append(paths, p)
		}
	}
	return paths, nil
}

// Path is a LUN behind a session that tells how its first attempt went, and counts.
type Path struct {
	*iscsi.LUN
	Config   PathConfig
	reported bool
	first    chan<- *Path
	err      error           // of the first attempt; read after it came by first
	heard    atomic.Uint32   // what was told of the path, counted
	news     chan<- struct{} // is given an element each time, if it has room
	up       bool
	changes  atomic.Uint32 // of being up or not
	watcher  blockdev.Watcher
}

// Watch puts p between the LUN and w.
func (p *Path) Watch(w blockdev.Watcher) {
	p.watcher = w
	p.LUN.Watch(p)
}

// PathUp implements blockdev.Watcher.
func (p *Path) PathUp(info *blockdev.Info) {
	p.watcher.PathUp(info)
	p.note(true, nil)
}

// CacheLost implements blockdev.Watcher.
func (p *Path) CacheLost(err error) { p.watcher.CacheLost(err) }

// PathDown implements blockdev.Watcher.
func (p *Path) PathDown(err error) {
	p.watcher.PathDown(err)
	p.note(false, err)
}

func (p *Path) note(up bool, err error) {
	p.heard.Add(1)
	select {
	case p.news <- struct{}{}:
	default:
	}
	if up != p.up {
		p.up = up
		p.changes.Add(1)
	}
	if !p.reported {
		p.reported, p.err = true, err
		p.first <- p // it has room for one of each path
	}
}

// History is the states that the path had since it was first up.
func (p *Path) History() string {
	n := int(p.changes.Load())
	if n > 5 {
		return fmt.Sprintf("%d changes", n-1)
	}
	return strings.Join([]string{"up", "down", "up", "down", "up"}[:n], ", ")
}
