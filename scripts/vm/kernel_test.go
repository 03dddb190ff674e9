package vm

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestModulesComeAfterWhatTheyNeed(t *testing.T) {
	k := kernel{t.TempDir()}
	if err := os.Mkdir(k.modules(), 0o755); err != nil {
		t.Fatal(err)
	}
	deps := "fs/9p/9p.ko: net/9p/9pnet.ko fs/netfs.ko\nnet/9p/9pnet.ko: fs/netfs.ko\nfs/netfs.ko:\n"
	if err := os.WriteFile(filepath.Join(k.modules(), "modules.dep"), []byte(deps), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := k.files([]string{"9pnet", "9p"})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range []string{"fs/netfs.ko", "net/9p/9pnet.ko", "fs/9p/9p.ko"} {
		want = append(want, filepath.Join(k.modules(), name))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := k.files([]string{"nbd"}); err == nil {
		t.Error("got no error of a module that is not there")
	}
}

func TestNoKernelNamesTheRemedy(t *testing.T) {
	_, err := cache{t.TempDir()}.kernel()
	if err == nil {
		t.Fatal("got a kernel")
	}
	contains(t, err.Error(), "make setup-vm")
}
