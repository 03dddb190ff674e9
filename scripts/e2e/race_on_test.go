//go:build race

package e2e

// buildFlags are those that hawser is built with: as the tests are.
var buildFlags = []string{"-race"}
