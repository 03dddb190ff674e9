package login

import (
	"fmt"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// A TargetRecord is one target in an answer to SendTargets. Without addresses
// the target is reached where it was asked for.
type TargetRecord struct {
	Name      string
	Addresses []Address
}

const (
	maxTargets   = 16384 // in one answer
	maxAddresses = 65536 // in one answer, over all targets
)

// AppendSendTargets appends the text that answers SendTargets. RFC 7143,
// appendix C.
func AppendSendTargets(dst []byte, targets []TargetRecord) []byte {
	for _, t := range targets {
		dst = pdu.AppendText(dst, keyTargetName, t.Name)
		for _, a := range t.Addresses {
			dst = pdu.AppendText(dst, keyTargetAddress, a.String())
		}
	}
	return dst
}

// ParseSendTargets reads the text of a whole answer to SendTargets. Keys that
// it does not know are passed over.
func ParseSendTargets(data []byte) ([]TargetRecord, error) {
	var targets []TargetRecord
	addresses := 0
	for p, err := range textPairs(data) {
		if err != nil {
			return nil, fmt.Errorf("login: answer to SendTargets: %w", err)
		}
		if p.Key == keyTargetName {
			targets = append(targets, TargetRecord{Name: p.Value})
			if err := checkRecord(p, len(targets)); err != nil {
				return nil, err
			}
			continue
		}
		if p.Key == keyTargetAddress {
			addresses++
		}
		if err := addToRecord(targets, p, addresses); err != nil {
			return nil, err
		}
	}
	return targets, nil
}

func checkRecord(p Pair, n int) error {
	if n > maxTargets {
		return fmt.Errorf("login: answer to SendTargets has more than %d targets", maxTargets)
	}
	return validName(keyTargetName, p.Value)
}

// addToRecord puts a pair that follows a TargetName into the last record.
func addToRecord(targets []TargetRecord, p Pair, addresses int) error {
	if p.Key != keyTargetAddress {
		return nil
	}
	if len(targets) == 0 {
		return fmt.Errorf("login: answer to SendTargets has a %s before the first TargetName", p.Key)
	}
	last := &targets[len(targets)-1]
	if addresses > maxAddresses {
		return fmt.Errorf("login: answer to SendTargets has more than %d addresses", maxAddresses)
	}
	a, err := ParseAddress(p.Value)
	if err != nil {
		return err
	}
	last.Addresses = append(last.Addresses, a)
	return nil
}
