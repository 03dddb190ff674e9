package stack

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hawser-storage/hawser/iscsi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestInterfaceOf(t *testing.T) {
	for _, c := range []struct{ host, ifc, want string }{
		{"127.0.0.1", "", "lo"}, {"127.0.0.9", "", "lo"}, {"::1", "::1", "lo"}, {"192.0.2.1", "eth7", "eth7"}, {"192.0.2.1", "192.0.2.200", ""},
	} {
		p := PathConfig{Portal: iscsi.Portal{Host: c.host, Port: 3260, Interface: c.ifc}}
		if got := InterfaceOf(p); got != c.want {
			t.Errorf("%v: got %q, want %q", p.Portal, got, c.want)
		}
	}
}

func memoryFor(memory, paths, clients int) *Config {
	return &Config{Memory: memory, Paths: make([]PathConfig, paths), Clients: clients}
}

// TestMemoryIsEnough: whatever the NBD clients do, the sessions find the memory that they receive into.
func TestMemoryIsEnough(t *testing.T) {
	for _, memory := range []int{32 << 20, 64 << 20, 128 << 20, 1 << 30} {
		for _, sessions := range []int{1, 2, 8, 64} {
			for _, clients := range []int{0, 1} {
				cfg, err := memoryFor(memory, sessions, clients).nbdConfig()
				if err != nil {
					if memory >= 128<<20 || sessions <= 2 {
						t.Errorf("%d sessions in %d MiB: %v", sessions, memory>>20, err)
					}
					continue
				}
				if need := cfg.ArenaSize() + sessions*sessionRoom; need > memory {
					t.Errorf("%d sessions in %d MiB: they need %d bytes too many", sessions, memory>>20, need-memory)
				}
			}
		}
	}
}

// TestMemoryAdvice: what is said to be enough is.
func TestMemoryAdvice(t *testing.T) {
	const little = 32 << 20
	_, err := memoryFor(little, 64, 0).nbdConfig()
	if err == nil {
		t.Fatal("64 sessions in 32 MiB")
	}
	_, advice, _ := strings.Cut(err.Error(), "give at least ")
	var mib int
	if _, err := fmt.Sscanf(advice, "%dM", &mib); err != nil {
		t.Fatal(err)
	}
	if _, err := memoryFor(mib<<20, 64, 0).nbdConfig(); err != nil || mib<<20 <= little {
		t.Errorf("%d MiB were to be enough: %v", mib, err)
	}
}
