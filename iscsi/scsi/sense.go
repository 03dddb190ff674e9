package scsi

import "fmt"

// SenseKey is the class of a sense report.
type SenseKey uint8

// The sense keys of SPC-4.
const (
	KeyNoSense        SenseKey = 0x0
	KeyRecoveredError SenseKey = 0x1
	KeyNotReady       SenseKey = 0x2
	KeyMediumError    SenseKey = 0x3
	KeyHardwareError  SenseKey = 0x4
	KeyIllegalRequest SenseKey = 0x5
	KeyUnitAttention  SenseKey = 0x6
	KeyDataProtect    SenseKey = 0x7
	KeyBlankCheck     SenseKey = 0x8
	KeyVendorSpecific SenseKey = 0x9
	KeyCopyAborted    SenseKey = 0xa
	KeyAbortedCommand SenseKey = 0xb
	KeyVolumeOverflow SenseKey = 0xd
	KeyMiscompare     SenseKey = 0xe
	KeyCompleted      SenseKey = 0xf
)

var senseKeyNames = [16]string{
	"NO SENSE", "RECOVERED ERROR", "NOT READY", "MEDIUM ERROR", "HARDWARE ERROR", "ILLEGAL REQUEST", "UNIT ATTENTION",
	"DATA PROTECT", "BLANK CHECK", "VENDOR SPECIFIC", "COPY ABORTED", "ABORTED COMMAND", "RESERVED", "VOLUME OVERFLOW",
	"MISCOMPARE", "COMPLETED",
}

// String returns the standard's name of the key.
func (k SenseKey) String() string {
	if int(k) < len(senseKeyNames) {
		return senseKeyNames[k]
	}
	return fmt.Sprintf("sense key %#x", uint8(k))
}

// Sense is what a device tells of a CHECK CONDITION. Values can be compared with ==.
type Sense struct {
	Deferred    bool // it belongs to an earlier command that was answered GOOD
	Key         SenseKey
	ASC         uint8 // additional sense code
	ASCQ        uint8 // additional sense code qualifier
	Information uint64
	InfoValid   bool // Information has a meaning: as a rule the LBA of the first bad block
	// Specific are the sense key specific bytes, valid if the highest bit is set: for ILLEGAL REQUEST see FieldPointer.
	Specific [3]byte
}

// NewSense returns the sense of key and code.
func NewSense(key SenseKey, code Code) Sense {
	return Sense{Key: key, ASC: uint8(code >> 8), ASCQ: uint8(code)}
}

// InvalidFieldInCDB returns the sense for a refused byte of a CDB.
func InvalidFieldInCDB(offset uint8) Sense {
	s := NewSense(KeyIllegalRequest, CodeInvalidFieldInCDB)
	s.Specific = [3]byte{senseValidBit | sksInCDBBit, 0, offset}
	return s
}

// InvalidFieldInParameters returns the sense for a refused byte of a parameter list.
func InvalidFieldInParameters(offset uint16) Sense {
	s := NewSense(KeyIllegalRequest, CodeInvalidFieldInParameterList)
	s.Specific = [3]byte{senseValidBit, byte(offset >> 8), byte(offset)}
	return s
}

// Code returns ASC and ASCQ as one.
func (s Sense) Code() Code { return Code(s.ASC)<<8 | Code(s.ASCQ) }

// FieldPointer returns the offset of the byte that an ILLEGAL REQUEST refuses, in the CDB or in the parameter list.
func (s Sense) FieldPointer() (offset uint16, inCDB, ok bool) {
	if s.Key != KeyIllegalRequest || s.Specific[0]&senseValidBit == 0 {
		return 0, false, false
	}
	return be.Uint16(s.Specific[1:]), s.Specific[0]&sksInCDBBit != 0, true
}

// String writes the sense as "ILLEGAL REQUEST (5/24/00): invalid field in CDB".
func (s Sense) String() string {
	deferred := ""
	if s.Deferred {
		deferred = "deferred "
	}
	head := fmt.Sprintf("%s%v (%x/%02x/%02x)", deferred, s.Key, uint8(s.Key), s.ASC, s.ASCQ)
	if t := s.Code().text(); t != "" {
		return head + ": " + t
	}
	return head
}
