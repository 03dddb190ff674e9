package vm

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keptLogs is how many consoles are kept.
const keptLogs = 20

// newLog returns the path of a console's log, and removes the oldest of too many. It is called by the one
// who has the lock.
func (c cache) newLog() (string, error) {
	dir := filepath.Join(c.dir, "logs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("vm: %w", err)
	}
	all, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	slices.Sort(all)
	for len(all) >= keptLogs {
		_ = os.Remove(all[0])
		all = all[1:]
	}
	return filepath.Join(dir, time.Now().UTC().Format("20060102-150405.000")+".log"), nil
}

// console reads what a VM said on its console.
func console(log string) string {
	text, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(text), "\r", "")
}

// end returns the last lines of a text, at most n bytes.
func end(text string, n int) string {
	text = strings.TrimSpace(text)
	if len(text) <= n {
		return text
	}
	text = text[len(text)-n:]
	if _, lines, ok := strings.Cut(text, "\n"); ok {
		text = lines
	}
	return "...\n" + text
}
