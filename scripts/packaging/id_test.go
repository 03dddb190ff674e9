package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestID asks hawser_id about backends. The identity comes from the storage, which may be no friend.
func TestID(t *testing.T) {
	readAll(t)
	for backend, want := range map[string]string{
		"hawser:vol1:naa.6001405abc":         "HAWSER_NAME=vol1 HAWSER_IDENTITY=naa.6001405abc ID_WWN_WITH_EXTENSION=0x6001405abc",
		"hawser:a-b_c.1:eui.0025385b":        "HAWSER_NAME=a-b_c.1 HAWSER_IDENTITY=eui.0025385b",
		"hawser:v:iqn.2026-11.io:disk":       "HAWSER_NAME=v HAWSER_IDENTITY=iqn.2026-11.io:disk",
		"hawser:v:t10.IET  1/2":              "HAWSER_NAME=v HAWSER_IDENTITY=t10.IET__1_2",
		"hawser:v:serial.\" $(reboot)\\`é\t": "HAWSER_NAME=v HAWSER_IDENTITY=serial.____reboot_____",
		"hawser:v:naa.60g":                   "HAWSER_NAME=v HAWSER_IDENTITY=naa.60g",
		"hawser:../x:naa.6":                  "",
		"hawser::naa.6":                      "",
		"hawser:v:":                          "",
		"hawser:v":                           "",
		"another":                            "",
		"":                                   "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "backend"), []byte(backend+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("./udev/hawser_id", "/.."+dir).Output()
		got := strings.Join(strings.Split(strings.TrimSpace(string(out)), "\n"), " ")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", backend, got, err, want)
		}
	}
	if out, err := exec.Command("./udev/hawser_id", "/nonexistent").Output(); err == nil || len(out) > 0 {
		t.Errorf("without a backend: got %q, %v; want an error", out, err)
	}
}
