package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// Store is what outlives the process: the volumes that are attached, and what went wrong with them. A nil Store forgets everything. Each
// change is on the disk when the call returns.
type Store struct{ db *bbolt.DB }

// record is one volume in the store.
type record struct {
	Request api.AttachRequest `json:"request"`
	Boot    string            `json:"boot"` // the kernel's boot_id: when it differs the host was restarted since
	Since   time.Time         `json:"since"`
	Errors  api.Errors        `json:"errors"`
}

var bucket = []byte("volumes")

// openAgain is how often OpenStore looks at ctx.
const openAgain = 100 * time.Millisecond

// OpenStore opens, or makes, the store at path. One process at a time has it; the next one waits until ctx ends.
func OpenStore(ctx context.Context, path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: openAgain})
	for errors.Is(err, bolterrors.ErrTimeout) && ctx.Err() == nil {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: openAgain})
	}
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("store %s: another process has it, such as a daemon that is ending: %w", path, context.Cause(ctx))
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", path, err), db.Close())
	}
	return &Store{db}, nil
}

// Close gives the store up.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.db.Close()
}

func (s *Store) put(name string, r *record) error {
	if s == nil {
		return nil
	}
	b, err := json.Marshal(r)
	if err == nil {
		err = s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put([]byte(name), b) })
	}
	if err != nil {
		return fmt.Errorf("store: volume %s: %w", name, err)
	}
	return nil
}

func (s *Store) remove(name string) error {
	if s == nil {
		return nil
	}
	if err := s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Delete([]byte(name)) }); err != nil {
		return fmt.Errorf("store: volume %s: %w", name, err)
	}
	return nil
}

// all is every volume by name. A record that cannot be read is an error that names it, and the others still count.
func (s *Store) all() (map[string]*record, error) {
	records := map[string]*record{}
	if s == nil {
		return records, nil
	}
	var bad []error
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, v []byte) error {
			r := new(record)
			if err := json.Unmarshal(v, r); err != nil {
				bad = append(bad, fmt.Errorf("store: volume %q cannot be read, and is left out: %w", k, err))
				return nil
			}
			records[string(k)] = r
			return nil
		})
	})
	return records, errors.Join(append(bad, err)...)
}

// bootID tells one run of the kernel from another; "" where it cannot be read.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return string(b[:min(len(b), 36)])
}
