package api

import (
	"regexp"
	"strconv"
	"strings"
)

// MaxName is the longest name of a volume, so that its socket has a path that the kernel takes.
const MaxName = 64

var (
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	deviceForm = regexp.MustCompile(`^/dev/nbd(0|[1-9][0-9]{0,5})$`)
)

// ValidName checks the name of a volume, which also names files: its socket, and its link under /dev/hawser.
func ValidName(name string) error {
	switch {
	case len(name) > MaxName:
		return errorf(Usage, "the name %.16q... has %d bytes: at most %d are possible", name, len(name), MaxName)
	case name == daemonName:
		return errorf(Usage, "the name %s is the daemon's: choose another one", name)
	case !nameForm.MatchString(name):
		return errorf(Usage, "%q is no name for a volume: letters, digits, and after the first also . _ - are possible", name)
	}
	return nil
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// DefaultName is the name of a volume that was given none: the end of the target's name, and the LUN.
func DefaultName(target string, lun int) string {
	end := target[strings.LastIndexByte(target, ':')+1:]
	end = strings.TrimLeft(notInNames.ReplaceAllString(end, "-"), "._-")
	number := "-" + strconv.Itoa(lun)
	if end == "" {
		end = "volume"
	}
	return end[:min(len(end), MaxName-len(number))] + number
}

// ValidDevice checks a device that is asked for.
func ValidDevice(device string) error {
	if device != "auto" && !deviceForm.MatchString(device) {
		return errorf(Usage, "%q is no device for a volume: want auto, or /dev/nbdN", device)
	}
	return nil
}

// known checks that name can be that of a volume, or its device.
func known(name string) error {
	if deviceForm.MatchString(name) || nameForm.MatchString(name) {
		return nil
	}
	return errorf(NotFound, "there is no volume %.80q", name)
}
