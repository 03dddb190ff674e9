package reclaim

import (
	"errors"
	"io/fs"
)

// capability says that one is missing, if that is what the error means.
func capability(name string, err error) error {
	if errors.Is(err, fs.ErrPermission) { // EPERM and EACCES
		return errors.New(name + " is missing")
	}
	return err
}
