package scsi

import "fmt"

// VPDPage is the code of a vital product data page.
type VPDPage uint8

// The VPD pages of this package.
const (
	VPDSupported       VPDPage = 0x00 // which pages there are
	VPDSerial          VPDPage = 0x80 // unit serial number
	VPDIdentification  VPDPage = 0x83 // device identification
	VPDBlockLimits     VPDPage = 0xb0
	VPDCharacteristics VPDPage = 0xb1 // block device characteristics
	VPDProvisioning    VPDPage = 0xb2 // logical block provisioning
)

// String names the page by its code, as "VPD page 83".
func (p VPDPage) String() string { return fmt.Sprintf("VPD page %02x", uint8(p)) }

const vpdHeaderLen = 4

// vpdBody returns what follows the header of page p: as much as the header declares and b has.
func vpdBody(b []byte, p VPDPage) ([]byte, error) {
	if len(b) < vpdHeaderLen {
		return nil, truncated(p.String(), len(b), vpdHeaderLen)
	}
	if VPDPage(b[1]) != p {
		return nil, badData(p.String(), fmt.Sprintf("the target sent %v instead", VPDPage(b[1])))
	}
	whole := vpdHeaderLen + int(be.Uint16(b[2:]))
	return b[vpdHeaderLen:min(whole, len(b))], nil
}

// vpdWhole is vpdBody for pages of which a part is worse than nothing.
func vpdWhole(b []byte, p VPDPage) ([]byte, error) {
	body, err := vpdBody(b, p)
	if err != nil {
		return nil, err
	}
	if whole := vpdHeaderLen + int(be.Uint16(b[2:])); whole > len(b) {
		return nil, truncated(p.String(), len(b), whole)
	}
	return body, nil
}

// appendVPD appends the header for a page of n bytes, of a disk that is there.
func appendVPD(dst []byte, p VPDPage, n int) []byte {
	dst = append(dst, byte(TypeDisk), byte(p))
	return be.AppendUint16(dst, uint16(n))
}
