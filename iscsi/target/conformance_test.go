package target_test

import (
	"context"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/iscsi/target"
)

// The LUNs of the conformance run, by number, and the tests that are run on each.
var conformanceLUNs = []struct{ spec, tests string }{
	{"ram:256M,block=4096,wce=on", "ALL"},
	{"ram:64M", "ALL"},
	{"file:DISK,size=64M", "ALL"},
	{"ram:64M,ro=on", "ALL.ReadOnly"},
}

// excluded are tests of iscsi-test-cu that cannot pass, by LUN (-1: all) and name, with the reason.
var excluded = []struct {
	lun    int
	test   string
	reason string
}{
	{1, "GetLBAStatus.UnmapSingle", "asks for LBA i+1 and wants the answer for i+8 where 8 blocks make a physical one; LUN 0 has it"},
	{2, "GetLBAStatus.UnmapSingle", "the same"},
}

// skips are what the tool leaves out by itself, with why that is right. Anything else that it leaves out fails the test.
var skips = map[string]string{
	"EXTENDEDCOPY":              "third-party copy is not what this target is for",
	"ORWRITE":                   "no host uses it",
	"WRITEATOMIC16":             "no host uses it",
	"PERSISTENT RESERVE":        "no host of ours reserves",
	"PROUT":                     "the same",
	"PRIN":                      "the same",
	"RESERVE6":                  "obsolete",
	"READDEFECTDATA":            "a disk's own",
	"RECEIVECOPYRESULT":         "belongs to EXTENDED COPY",
	"RECEIVE_COPY_RESULTS":      "the same",
	"SANITIZE":                  "a disk's own",
	"allow-sanitize":            "the same",
	"PREVENTALLOW":              "belongs to removable media",
	"not removable":             "the medium is fixed",
	"Media is not removable":    "the medium is fixed",
	"LBPPB < 2":                 "LUNs 1 and 2 have more than one block to a physical one",
	"does not support 0-blocks": "WSNZ is 1: an empty range must not wipe the unit",
	"is not write-protected":    "of a LUN that is not read-only",
	"not readonly":              "the same",
}

// TestConformance runs libiscsi's test suite against the target, over TCP.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds and needs iscsi-test-cu")
	}
	tool, err := exec.LookPath("iscsi-test-cu")
	if err != nil {
		t.Fatal("iscsi-test-cu is missing: install libiscsi-bin, or run with -short")
	}
	var specs []string
	for _, l := range conformanceLUNs {
		specs = append(specs, strings.ReplaceAll(l.spec, "DISK", t.TempDir()+"/disk"))
	}
	r := newRig(t, target.Config{Lenient: true}, specs...)
	for n, l := range conformanceLUNs {
		t.Run(l.spec, func(t *testing.T) {
			url := func(portal int) string {
				return "iscsi://" + r.addrs[portal] + "/" + r.IQN() + "/" + string(rune('0'+n))
			}
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, tool, "--dataloss", "--verbose", "--test="+l.tests, url(0), url(1))
			out, err := cmd.CombinedOutput()
			if err != nil && len(out) == 0 {
				t.Fatal(err)
			}
			judge(t, n, string(out))
		})
	}
	r.clean(t)
}

var (
	suiteLine   = regexp.MustCompile(`^Suite: (\S+)`)
	testLine    = regexp.MustCompile(`^  Test: (\S+) \.\.\.`)
	summaryLine = regexp.MustCompile(`^\s+tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)`)
)

func judge(t *testing.T, lun int, out string) {
	suite, test, ended := "", "", false
	for line := range strings.Lines(out) {
		if m := suiteLine.FindStringSubmatch(line); m != nil {
			suite = m[1]
		}
		if m := testLine.FindStringSubmatch(line); m != nil {
			test = m[1]
		}
		if m := summaryLine.FindStringSubmatch(line); m != nil {
			ended = true
			t.Logf("LUN %d: %s tests, %s passed, %s failed", lun, m[1], m[3], m[4])
		}
		if strings.Contains(line, "...FAILED") {
			if why := isExcluded(lun, suite+"."+test); why == "" {
				t.Errorf("%s.%s failed", suite, test)
			} else {
				t.Logf("%s.%s is excluded: %s", suite, test, why)
			}
		}
		if strings.Contains(line, "[SKIPPED]") && !isSkip(line) {
			t.Errorf("%s.%s: %s", suite, test, strings.TrimSpace(line))
		}
	}
	if !ended {
		t.Errorf("no summary: %s", out[max(0, len(out)-2000):])
	}
}

func isExcluded(lun int, test string) string {
	for _, e := range excluded {
		if e.test == test && (e.lun == lun || e.lun < 0) {
			return e.reason
		}
	}
	return ""
}

func isSkip(line string) bool {
	for what := range skips {
		if strings.Contains(line, what) {
			return true
		}
	}
	return false
}
