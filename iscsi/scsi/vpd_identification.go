package scsi

import "fmt"

// CodeSet says what the bytes of a Designator are.
type CodeSet uint8

// The code sets of SPC-4.
const (
	CodeSetBinary CodeSet = 1
	CodeSetASCII  CodeSet = 2
	CodeSetUTF8   CodeSet = 3
)

// Association says what a Designator names.
type Association uint8

// The associations of SPC-4.
const (
	AssociationLUN    Association = 0 // the logical unit
	AssociationPort   Association = 1 // the target port that was asked
	AssociationDevice Association = 2 // the target device
)

// DesignatorType says how the bytes of a Designator were assigned.
type DesignatorType uint8

// The designator types of SPC-4 and SPC-5.
const (
	DesignatorVendor           DesignatorType = 0x0
	DesignatorT10              DesignatorType = 0x1 // 8 bytes of T10 vendor name, then anything
	DesignatorEUI64            DesignatorType = 0x2 // 8, 12 or 16 bytes
	DesignatorNAA              DesignatorType = 0x3 // 8 or 16 bytes; the upper four bits of the first are the form
	DesignatorRelativePort     DesignatorType = 0x4
	DesignatorTargetPortGroup  DesignatorType = 0x5
	DesignatorLogicalUnitGroup DesignatorType = 0x6
	DesignatorMD5              DesignatorType = 0x7
	DesignatorName             DesignatorType = 0x8 // SCSI name string: iqn., eui. or naa., zero padded
	DesignatorUUID             DesignatorType = 0xa // 10h, 00h, 16 bytes
)

// ProtocolISCSI is the Protocol of a Designator of an iSCSI port or device.
const ProtocolISCSI = 5

// Designator is one identification descriptor of VPD page 83.
type Designator struct {
	CodeSet       CodeSet
	Association   Association
	Type          DesignatorType
	ProtocolValid bool  // PIV: Protocol has a meaning, and only with AssociationPort or AssociationDevice
	Protocol      uint8 // 0..15
	ID            []byte
}

const designatorHeaderLen = 4

// ParseDesignators decodes VPD page 83. The IDs are copies. A page or designator that is cut off is a *FormatError, with Need
// set if a larger allocation length would help: without the whole list the choice of an identity could differ between paths.
func ParseDesignators(b []byte) ([]Designator, error) {
	body, err := vpdWhole(b, VPDIdentification)
	if err != nil {
		return nil, err
	}
	body = append([]byte(nil), body...)
	var ds []Designator
	for len(body) > 0 {
		n := designatorHeaderLen
		if len(body) >= n {
			n += int(body[3])
		}
		if n > len(body) {
			return nil, badData(VPDIdentification.String(), "a designator is longer than the page")
		}
		ds = append(ds, parseDesignator(body[:n:n]))
		body = body[n:]
	}
	return ds, nil
}

func parseDesignator(b []byte) Designator {
	return Designator{
		CodeSet:       CodeSet(b[0] & 0x0f),
		Association:   Association(b[1] >> 4 & 3),
		Type:          DesignatorType(b[1] & 0x0f),
		ProtocolValid: b[1]&0x80 != 0,
		Protocol:      b[0] >> 4,
		ID:            b[designatorHeaderLen:],
	}
}

// AppendDesignators appends VPD page 83. It panics if an ID has more than 255 bytes or all together do not fit the page.
func AppendDesignators(dst []byte, ds ...Designator) []byte {
	at := len(dst)
	dst = appendVPD(dst, VPDIdentification, 0)
	for i := range ds {
		dst = ds[i].append(dst)
	}
	n := len(dst) - at - vpdHeaderLen
	if n > 65535 {
		panic("scsi: designators do not fit VPD page 83")
	}
	be.PutUint16(dst[at+2:], uint16(n))
	return dst
}

func (d *Designator) append(dst []byte) []byte {
	if len(d.ID) > 255 {
		panic(fmt.Sprintf("scsi: designator of %d bytes, at most 255 fit", len(d.ID)))
	}
	dst = append(dst,
		d.Protocol<<4|byte(d.CodeSet)&0x0f,
		flag(d.ProtocolValid, 0x80)|byte(d.Association&3)<<4|byte(d.Type)&0x0f,
		0, byte(len(d.ID)))
	return append(dst, d.ID...)
}

// TargetPortGroup returns the number of the target port group that the asked port is in.
func TargetPortGroup(ds []Designator) (group uint16, ok bool) {
	return portNumber(ds, DesignatorTargetPortGroup)
}

// RelativeTargetPort returns the relative target port identifier of the asked port.
func RelativeTargetPort(ds []Designator) (port uint16, ok bool) {
	return portNumber(ds, DesignatorRelativePort)
}

func portNumber(ds []Designator, t DesignatorType) (uint16, bool) {
	for _, d := range ds {
		if d.Association == AssociationPort && d.Type == t && d.CodeSet == CodeSetBinary && len(d.ID) == 4 {
			return be.Uint16(d.ID[2:]), true
		}
	}
	return 0, false
}

// PortDesignator returns the Designator by which a target tells its relative port or its target port group.
func PortDesignator(t DesignatorType, n uint16) Designator {
	return Designator{
		CodeSet:     CodeSetBinary,
		Association: AssociationPort,
		Type:        t,
		ID:          []byte{0, 0, byte(n >> 8), byte(n)},
	}
}
