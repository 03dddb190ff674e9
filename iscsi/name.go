package iscsi

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// InitiatorNameFile is the home of the host's InitiatorName.
const InitiatorNameFile = "/etc/hawser/initiatorname"

// namingAuthority begins every name that is made here.
const namingAuthority = "iqn.2026-11.io.hawser:"

// maxName is the longest iSCSI name in bytes (RFC 7143, section 4.2.7.1).
const maxName = 223

// ValidName checks the form of an iSCSI name: iqn., eui. or naa. (RFC 7143, section 4.2.7).
func ValidName(name string) error {
	switch {
	case name == "":
		return errors.New("the iSCSI name is empty")
	case len(name) > maxName:
		return fmt.Errorf("the iSCSI name has %d bytes, at most %d are allowed", len(name), maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || r == ',' || r == '/' }):
		return fmt.Errorf("the iSCSI name %q has a character that is not allowed", name)
	}
	for _, prefix := range []string{"iqn.", "eui.", "naa."} {
		if strings.HasPrefix(name, prefix) {
			return nil
		}
	}
	return fmt.Errorf("the iSCSI name %q does not begin with iqn., eui. or naa.", name)
}

// InitiatorName reads the host's name from file, or generates one and keeps it there. The name is what the storage's
// administrator grants access to, so it must not change by itself: a file that cannot be read or is malformed is an error.
func InitiatorName(file string) (string, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return generateName(file)
	}
	if err != nil {
		return "", fmt.Errorf("initiator name: %w", err)
	}
	name := strings.TrimSpace(string(b))
	if err := ValidName(name); err != nil {
		return "", fmt.Errorf("initiator name in %s: %w", file, err)
	}
	return name, nil
}

// generateName writes a new name. Of two that do it at once the first one's name stands: the link refuses the second.
func generateName(file string) (string, error) {
	var random [6]byte
	_, _ = rand.Read(random[:]) // it never fails
	name := namingAuthority + hex.EncodeToString(random[:])
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("initiator name: %w", err)
	}
	tmp, err := os.CreateTemp(dir, ".initiatorname-*")
	if err != nil {
		return "", fmt.Errorf("initiator name: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(name + "\n")
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return "", fmt.Errorf("initiator name: %w", err)
	}
	if err := os.Link(tmp.Name(), file); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return InitiatorName(file)
		}
		return "", fmt.Errorf("initiator name: %w", err)
	}
	return name, nil
}

// ISID is the initiator's part of a session's name (RFC 7143, section 11.12.5).
type ISID [6]byte

// isidRandom is the type field of an ISID whose rest is not assigned by anyone.
const isidRandom = 0x80

// NewISID hashes what makes a session one session. It is the same after a restart, so that logging in again reinstates the
// session, which ends whatever the target still held of the old one; a random ISID would fence nothing.
func NewISID(initiator, target string, portal Portal, owner string, lane int) ISID {
	h := sha256.New()
	for _, s := range []string{initiator, target, portal.Address(), portal.Interface, owner, fmt.Sprint(lane)} {
		fmt.Fprintf(h, "%d:%s,", len(s), s)
	}
	sum := h.Sum(nil)
	var id ISID
	copy(id[1:], sum)
	id[0] = isidRandom
	return id
}

func (id ISID) String() string { return hex.EncodeToString(id[:]) }
