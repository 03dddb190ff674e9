package kernel

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestAnswers(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{"dev/new": string(make([]byte, 512))})
	time.AfterFunc(20*time.Millisecond, func() { // as udev does
		if err := os.Rename(f.path("dev/new"), f.path("dev/nbd4")); err != nil {
			t.Error(err)
		}
	})
	before := openFiles(t)
	err := d.Answers(patient(t))
	if errors.Is(err, syscall.EINVAL) {
		t.Skip("this file system has no direct I/O")
	}
	must(t, err)
	if w, err := d.Start(patient(t)); err != nil || len(w) != 4 { // it has no queue
		t.Errorf("Start: %v, warnings %v", err, w)
	}
	if got := openFiles(t); got != before {
		t.Errorf("%d descriptors, %d before", got, before)
	}
}

// TestStartWaitsForTheNode: warnings are those of the first attempt.
func TestStartWaitsForTheNode(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{"sys/block/nbd4/queue/scheduler": "[none]\n"})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	w, err := d.Start(ctx)
	wantError(t, err, os.ErrNotExist)
	wantText(t, err, "mknod /dev/nbd4 b 43 32")
	if len(w) != 3 {
		t.Errorf("warnings %v", w)
	}
}

func TestAnswersWithoutNode(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := d.Answers(ctx)
	wantError(t, err, os.ErrNotExist)
	wantText(t, err, "nbd: read /dev/nbd4: ", "mknod /dev/nbd4 b 43 32")
}

// TestAnswersGivesUp: to open a pipe for reading waits for a writer, as to open a device may wait for its server.
func TestAnswersGivesUp(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	node := f.path("dev/nbd4")
	must(t, os.MkdirAll(filepath.Dir(node), 0o755))
	must(t, unix.Mkfifo(node, 0o600))
	before := openFiles(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantError(t, d.Answers(ctx), ErrStuck)
	w, err := os.OpenFile(node, os.O_WRONLY, 0) // and when it does open, it is closed
	must(t, err)
	must(t, w.Close())
	f.closed(before)
}

func TestBlockIsAligned(t *testing.T) {
	for _, size := range []uint32{512, 4096, 65536} {
		d := &Device{spec: Spec{BlockSize: size}}
		for range 100 {
			b := d.block()
			if at := uintptr(unsafe.Pointer(unsafe.SliceData(b))); at%uintptr(size) != 0 || len(b) != int(size) {
				t.Fatalf("%d bytes at %#x", len(b), at)
			}
		}
	}
}
