package login

import (
	"context"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testInitiator = "iqn.2026-11.io.hawser:host"
	testTarget    = "iqn.2026-11.io.hawser:target"
)

func testInitiatorConfig() *InitiatorConfig {
	return &InitiatorConfig{
		InitiatorName: testInitiator,
		TargetName:    testTarget,
		ISID:          [6]byte{0x80, 1, 2, 3, 4, 5},
	}
}

// testContext ends a login that hangs; no test waits for it.
func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// A half is what one side of a login came to.
type half struct {
	params *Params
	err    error
}

// pair runs both sides against each other.
func pair(t *testing.T, ic *InitiatorConfig, tc *TargetConfig) (i, tg half) {
	t.Helper()
	ctx := testContext(t)
	a, b := net.Pipe()
	defer a.Close()
	done := make(chan half, 1)
	go func() {
		p, err := Accept(ctx, b, tc)
		b.Close()
		done <- half{p, err}
	}()
	p, err := Initiate(ctx, a, ic)
	a.Close()
	return half{p, err}, <-done
}

// mustPair is pair where both must succeed.
func mustPair(t *testing.T, ic *InitiatorConfig, tc *TargetConfig) (i, tg *Params) {
	t.Helper()
	ih, th := pair(t, ic, tc)
	if ih.err != nil || th.err != nil {
		t.Fatalf("initiator: %v; target: %v", ih.err, th.err)
	}
	return ih.params, th.params
}
