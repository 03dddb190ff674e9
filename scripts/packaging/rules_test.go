package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// token is a match or an assignment of a rule: KEY{attribute}=="value".
var token = regexp.MustCompile(`^([A-Z]+)(\{[A-Za-z_]+\})?(==|!=|\+=|=)"([^"]*)"(?:, |$)`)

// The keys of udev(7) that the rules use, with whether they have an attribute.
var ruleKeys = map[string]bool{
	"SUBSYSTEM": false, "KERNEL": false, "ACTION": false, "ENV": true, "ATTR": true, "ATTRS": true, "IMPORT": true,
	"SYMLINK": false, "OPTIONS": false, "GOTO": false, "LABEL": false,
}

// TestRules: udev drops a line that it cannot read, or a jump to nowhere, and says so in a log that nobody reads.
func TestRules(t *testing.T) {
	files, err := filepath.Glob("udev/*.rules")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var jumps, labels []string
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSuffix(line, "\n")
			if line == "" || line[0] == '#' {
				continue
			}
			for rest := line; rest != ""; {
				m := token.FindStringSubmatch(rest)
				if m == nil {
					t.Errorf("%s: %q: cannot read from %q on", file, line, rest)
					break
				}
				if attribute, ok := ruleKeys[m[1]]; !ok || attribute != (m[2] != "") {
					t.Errorf("%s: %q: what is %s%s?", file, line, m[1], m[2])
				}
				switch m[1] {
				case "GOTO":
					jumps = append(jumps, m[4])
				case "LABEL":
					labels = append(labels, m[4])
				}
				rest = rest[len(m[0]):]
			}
		}
		for _, jump := range jumps {
			if !slices.Contains(labels, jump) {
				t.Errorf("%s: no label %s", file, jump)
			}
		}
	}
}

// TestRulesOrder: the files' names are their order among all rules of a host.
func TestRulesOrder(t *testing.T) {
	order := []string{
		"60-hawser.rules", "60-persistent-storage.rules",
		"68-hawser-lvm.rules", "69-dm-lvm.rules", "69-lvm.rules", "70-hawser-lvm.rules", "99-systemd.rules",
	}
	if !slices.IsSorted(order) {
		t.Errorf("%q is not the order of the names", order)
	}
	for _, name := range order {
		if _, err := os.Stat("udev/" + name); err != nil && strings.Contains(name, "hawser") {
			t.Error(err)
		}
	}
}
