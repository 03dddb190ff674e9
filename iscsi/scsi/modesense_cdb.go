package scsi

const dbdBit = 0x08

// PutModeSense6 writes MODE SENSE(6) for the current values without block descriptors. page is 0..3Fh; alloc is in bytes.
func PutModeSense6(c *CDB, page, subpage, alloc uint8) {
	*c = CDB{byte(OpModeSense6), dbdBit, page & 0x3f, subpage, alloc}
}

// PutModeSense10 writes MODE SENSE(10) for the current values without block descriptors. page is 0..3Fh; alloc is in bytes.
func PutModeSense10(c *CDB, page, subpage uint8, alloc uint16) {
	*c = CDB{byte(OpModeSense10), dbdBit, page & 0x3f, subpage}
	be.PutUint16(c[7:], alloc)
}

// PageControl says which values of a mode page are wanted.
type PageControl uint8

// The page control values of MODE SENSE.
const (
	PageCurrent    PageControl = 0
	PageChangeable PageControl = 1 // a mask of what MODE SELECT may change
	PageDefault    PageControl = 2
	PageSaved      PageControl = 3
)

// ModeSense is a MODE SENSE(6) or (10).
type ModeSense struct {
	Ten     bool // MODE SENSE(10): the answer has the 8-byte header
	DBD     bool // no block descriptors are wanted
	Control PageControl
	Page    uint8 // 0..3Fh; ModePageAll for all
	Subpage uint8
	Alloc   uint16
}

// ParseModeSense decodes MODE SENSE(6) and (10). The error is a *CDBError.
func ParseModeSense(c *CDB) (ModeSense, error) {
	m := ModeSense{DBD: c[1]&dbdBit != 0, Control: PageControl(c[2] >> 6), Page: c[2] & 0x3f, Subpage: c[3]}
	switch OpcodeOf(c) {
	case OpModeSense6:
		m.Alloc = uint16(c[4])
	case OpModeSense10:
		m.Ten = true
		m.Alloc = be.Uint16(c[7:])
	default:
		return ModeSense{}, badOpcode(c)
	}
	return m, checkControl(c)
}
