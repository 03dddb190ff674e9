package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hawser-storage/hawser/scripts/proc"
)

// hawser is the path of the program under test.
var hawser string

// long asks for the long form of the tests.
var long = os.Getenv("HAWSER_TEST_LONG") == "1"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if testing.Short() {
		fmt.Println("end-to-end tests are left out by -short")
		return 0
	}
	dir, err := os.MkdirTemp("", "hawser-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("HAWSER_STATE", filepath.Join(dir, "state"))
	if err := build(filepath.Join(dir, "hawser")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := m.Run()
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

func build(path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	args := slices.Concat([]string{"build"}, buildFlags, []string{"-o", path, "../../cmd/hawser"})
	if _, err := proc.Run(ctx, "go", args...); err != nil {
		return fmt.Errorf("build hawser: %w", err)
	}
	hawser = path
	return nil
}
