package iscsi

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestInitiatorNameIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "etc", "initiatorname")
	const n = 8
	var names [n]string
	var wg sync.WaitGroup
	for i := range n { // at once: all must end up with the one that is kept
		wg.Go(func() {
			var err error
			if names[i], err = InitiatorName(file); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		if name != names[0] || !strings.HasPrefix(name, namingAuthority) {
			t.Fatalf("got names %q, want one", names)
		}
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("the directory has %v, %v, want the file alone", left, err)
	}
}

func TestInitiatorNameRefusesMalformedFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "initiatorname")
	if err := os.WriteFile(file, []byte("InitiatorName=iqn.x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if name, err := InitiatorName(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %q, %v, want an error that names the file", name, err)
	}
}

func TestISIDIsStableAndUnique(t *testing.T) {
	p := Portal{Host: "10.0.0.1", Port: 3260}
	base := NewISID("iqn.i", "iqn.t", p, "owner", 0)
	if base != NewISID("iqn.i", "iqn.t", p, "owner", 0) {
		t.Error("the same session has two ISIDs")
	}
	if base[0]&0xc0 != 0x80 {
		t.Errorf("ISID %s is not of type 10b", base)
	}
	other := p
	other.Interface = "eth1"
	for name, id := range map[string]ISID{
		"initiator": NewISID("iqn.j", "iqn.t", p, "owner", 0),
		"target":    NewISID("iqn.i", "iqn.u", p, "owner", 0),
		"portal":    NewISID("iqn.i", "iqn.t", Portal{Host: "10.0.0.2", Port: 3260}, "owner", 0),
		"interface": NewISID("iqn.i", "iqn.t", other, "owner", 0),
		"owner":     NewISID("iqn.i", "iqn.t", p, "volume", 0),
		"lane":      NewISID("iqn.i", "iqn.t", p, "owner", 1),
		"boundary":  NewISID("iqn.ii", "qn.t", p, "owner", 0),
	} {
		if id == base {
			t.Errorf("another %s gives the same ISID", name)
		}
	}
}
