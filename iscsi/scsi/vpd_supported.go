package scsi

// SupportedPages is VPD page 00: the codes of the pages that the unit has.
type SupportedPages [256]bool

// ParseSupportedPages decodes VPD page 00. A truncated page is a *FormatError with Need set.
func ParseSupportedPages(b []byte) (SupportedPages, error) {
	var s SupportedPages
	body, err := vpdWhole(b, VPDSupported)
	if err != nil {
		return s, err
	}
	for _, p := range body {
		s[p] = true
	}
	return s, nil
}

// Has says whether the unit has page p.
func (s *SupportedPages) Has(p VPDPage) bool { return s[p] }

// Append appends VPD page 00, in ascending order of the codes.
func (s *SupportedPages) Append(dst []byte) []byte {
	at := len(dst)
	dst = appendVPD(dst, VPDSupported, 0)
	for p, has := range s {
		if has {
			dst = append(dst, byte(p))
		}
	}
	be.PutUint16(dst[at+2:], uint16(len(dst)-at-vpdHeaderLen))
	return dst
}
