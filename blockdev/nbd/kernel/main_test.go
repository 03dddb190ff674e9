//go:build !vm

package kernel

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	Prepare()
	goleak.VerifyTestMain(m)
}
