package scsi

// PutInquiry writes INQUIRY: for the standard data (evpd false, page 0), or for a VPD page.
// alloc is the room for the answer in bytes.
func PutInquiry(c *CDB, evpd bool, page uint8, alloc uint16) {
	*c = CDB{byte(OpInquiry), flag(evpd, 1), page}
	be.PutUint16(c[3:], alloc)
}

// Inquiry is an INQUIRY command.
type Inquiry struct {
	EVPD  bool  // a VPD page is wanted, else the standard data
	Page  uint8 // the VPD page
	Alloc uint16
}

// ParseInquiry decodes INQUIRY. A page without EVPD is refused, as is the obsolete CMDDT. The error is a *CDBError.
func ParseInquiry(c *CDB) (Inquiry, error) {
	if err := checkCDB(c, OpInquiry); err != nil {
		return Inquiry{}, err
	}
	if c[1]&0x02 != 0 {
		return Inquiry{}, badField(c, 1, "CMDDT is obsolete")
	}
	q := Inquiry{EVPD: c[1]&1 != 0, Page: c[2], Alloc: be.Uint16(c[3:])}
	if !q.EVPD && q.Page != 0 {
		return Inquiry{}, badField(c, 2, "page code without EVPD")
	}
	return q, nil
}
