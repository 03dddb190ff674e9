package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestNbdinfo: the export says of itself what the LUN can do, and no more. tgt's LUN is thick, its own thin.
func TestNbdinfo(t *testing.T) {
	for name, test := range map[string]struct {
		attach func(*testing.T) *volume
		trim   bool
	}{
		"tgt": {attachTGT, false},
		"own": {attachOwn, true},
	} {
		t.Run(name, func(t *testing.T) {
			v := test.attach(t)
			checkInfo(t, v, map[string]any{
				"export-size":        float64(lunSize),
				"is_read_only":       false,
				"can_flush":          true,
				"can_fua":            true,
				"can_multi_conn":     true,
				"can_zero":           true,
				"can_trim":           test.trim,
				"block_size_minimum": float64(512),
			})
			v.detach(t)
		})
	}
}

func checkInfo(t *testing.T, v *volume, want map[string]any) {
	t.Helper()
	var info struct {
		Exports []map[string]any `json:"exports"`
	}
	if err := json.Unmarshal([]byte(client(t, "nbdinfo", "--json", v.uri())), &info); err != nil {
		t.Fatal(err)
	}
	if len(info.Exports) != 1 {
		t.Fatalf("got %d exports, want 1", len(info.Exports))
	}
	for key, want := range want {
		if got := info.Exports[0][key]; got != want {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
	}
}

// TestNbdcopyImage: a file system goes in and comes out by four connections, and is the same.
func TestNbdcopyImage(t *testing.T) {
	v := attachTGT(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	// Its root directory is filled with the sources at hand: an empty file system would be little but zeroes.
	client(t, "mkfs.ext4", "-q", "-d", "../..", in, "1G")
	client(t, "nbdcopy", "--connections=4", in, v.uri())
	client(t, "nbdcopy", "--connections=4", v.uri(), out)
	if got, want := sum(t, out), sum(t, in); got != want {
		t.Errorf("SHA-256: got %s, want %s", got, want)
	}
	client(t, "e2fsck", "-fn", out)
	v.detach(t)
}

func sum(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// patterns are qemu-io's commands: writes, zeroes and discards, each read back.
var patterns = []string{
	"write -P 0xa5 0 1M", "read -P 0xa5 0 1M",
	"write -P 0x5a 512 512", "read -P 0xa5 0 512", "read -P 0x5a 512 512", "read -P 0xa5 1024 1047552",
	"write -f -P 0x11 64k 64k", "read -P 0x11 64k 64k",
	"write -z 128k 64k", "read -P 0 128k 64k", "read -P 0xa5 192k 64k",
	"write -z -u 256k 64k", "read -P 0 256k 64k",
	"discard 512k 128k", "read -P 0xa5 448k 64k", "read -P 0xa5 640k 64k",
	"flush",
	"write -P 0x77 1073741312 512", "read -P 0x77 1073741312 512",
	"aio_write -P 0x21 2M 1M", "aio_write -P 0x22 3M 1M", "aio_flush", "read -P 0x21 2M 1M", "read -P 0x22 3M 1M",
}

// TestQemuIO runs the patterns; qemu-io's exit status tells of one that does not match. What was discarded
// on the thin LUN reads as zeroes, as its target promises.
func TestQemuIO(t *testing.T) {
	for name, test := range map[string]struct {
		attach func(*testing.T) *volume
		more   []string
	}{
		"tgt": {attachTGT, nil},
		"own": {attachOwn, []string{"read -P 0 512k 128k"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := test.attach(t)
			argv := []string{"qemu-io", "-f", "raw", "--cache=none"}
			for _, command := range slices.Concat(patterns, test.more) {
				argv = append(argv, "-c", command)
			}
			client(t, append(argv, v.uri())...)
			v.detach(t)
		})
	}
}
