package main

import (
	"os"
	"path/filepath"
)

// stateVariable in the environment is another directory for what outlives a process, for tests.
const stateVariable = "HAWSER_STATE"

// systemState is where that is for root.
const systemState = "/var/lib/hawser"

// stateDir is where it is for this user: systemState for root, $XDG_STATE_HOME/hawser for others; "" if there is no place.
func stateDir() string {
	if dir := os.Getenv(stateVariable); dir != "" {
		return dir
	}
	if os.Geteuid() == 0 {
		return systemState
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "hawser")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local/state/hawser")
}

// stateFile is what the daemon knows.
func stateFile() string { return filepath.Join(stateDir(), "state.db") }

// claimDir has the claims of all processes; see stack.Config.
func claimDir() string {
	if stateDir() == "" {
		return ""
	}
	return filepath.Join(stateDir(), "claims")
}
