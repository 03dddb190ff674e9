package kernel

import (
	"context"
	"errors"
	"testing"

	"github.com/mdlayher/genetlink"
)

func TestDriverIsLoaded(t *testing.T) {
	f := newFake(t)
	f.absent = true
	f.script(func(request) ([]genetlink.Message, error) { return connectedAs(0), nil })
	_, c, err := f.connect(patient(t), specFor("lun"))
	must(t, err)
	_ = c.Close()
}

func TestNoDriver(t *testing.T) {
	f := newFake(t)
	f.absent = true
	f.modprobe = func(context.Context) error { return errors.New("module nbd not found") }
	_, _, err := f.connect(patient(t), specFor("lun"))
	wantError(t, err, ErrNoDriver)
	wantText(t, err, "module nbd not found", "modprobe nbd", "CONFIG_BLK_DEV_NBD")
	var e *DriverError
	if !errors.As(err, &e) {
		t.Errorf("%T is no *DriverError", err)
	}
}

func TestDriverOfAnotherNamespace(t *testing.T) {
	f := newFake(t)
	f.absent = true
	f.files(map[string]string{"sys/module/nbd/": ""})
	f.modprobe = func(context.Context) error { t.Error("modprobe, for what is loaded"); return nil }
	_, _, err := f.connect(patient(t), specFor("lun"))
	wantError(t, err, ErrNoDriver)
	wantText(t, err, "network namespace")
}

// TestModuleThatDoesNotHelp: modprobe succeeds, as it does for what is built in under another name, and there is still no driver.
func TestModuleThatDoesNotHelp(t *testing.T) {
	f := newFake(t)
	f.absent = true
	f.modprobe = func(context.Context) error { return nil }
	_, _, err := f.connect(patient(t), specFor("lun"))
	wantError(t, err, ErrNoDriver)
}
