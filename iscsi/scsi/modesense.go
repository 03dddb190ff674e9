package scsi

// The mode pages of this package.
const (
	ModePageCaching = 0x08
	ModePageControl = 0x0a
	ModePageAll     = 0x3f
)

// ModeData is the answer to MODE SENSE: the header and the pages that this package knows.
//
// A reader must take a device without a caching page for one with a volatile cache: only HasCaching with WCE false is a promise.
type ModeData struct {
	WriteProtected bool // WP
	DPOFUA         bool // the DPO and FUA bits of reads and writes are supported
	HasCaching     bool
	Caching        CachingPage
	HasControl     bool
	Control        ControlPage
}

// CachingPage is mode page 08.
type CachingPage struct {
	WCE bool // write cache enabled: GOOD of a WRITE without FUA does not mean that it survives a loss of power
	RCD bool // read cache disabled
}

// ControlPage is mode page 0A.
type ControlPage struct {
	TST    uint8  // task set type: 0 one for all, 1 one per initiator
	DSense bool   // sense data is in descriptor format
	QErr   uint8  // what a CHECK CONDITION does to other tasks: 0 nothing, 1 aborts all, 3 aborts those of the initiator
	SWP    bool   // software write protection
	TAS    bool   // tasks aborted by another initiator end with TASK ABORTED
	Busy   uint16 // busy timeout in units of 100 ms; ffff no limit
}

const (
	mode6HeaderLen  = 4
	mode10HeaderLen = 8
	modeWPBit       = 0x80
	modeDPOFUABit   = 0x10
	modeSPFBit      = 0x40
	cachingPageLen  = 20
	controlPageLen  = 12
)

// ParseMode6 decodes the answer to MODE SENSE(6); see ParseMode10.
func ParseMode6(b []byte) (ModeData, error) {
	if len(b) < mode6HeaderLen {
		return ModeData{}, truncated("MODE SENSE(6) data", len(b), mode6HeaderLen)
	}
	return parseMode(b, 1+int(b[0]), b[2], mode6HeaderLen+int(b[3])), nil
}

// ParseMode10 decodes the answer to MODE SENSE(10). Block descriptors and other pages are skipped; a page that is cut off is
// taken as not there. A *FormatError says that not even the header is whole.
func ParseMode10(b []byte) (ModeData, error) {
	if len(b) < mode10HeaderLen {
		return ModeData{}, truncated("MODE SENSE(10) data", len(b), mode10HeaderLen)
	}
	return parseMode(b, 2+int(be.Uint16(b)), b[3], mode10HeaderLen+int(be.Uint16(b[6:]))), nil
}

// parseMode reads the pages that begin at from in data that claims to be whole bytes long.
func parseMode(b []byte, whole int, param byte, from int) ModeData {
	m := ModeData{WriteProtected: param&modeWPBit != 0, DPOFUA: param&modeDPOFUABit != 0}
	b = b[:min(whole, len(b))]
	if from >= len(b) {
		return m
	}
	for b = b[from:]; len(b) >= 4; {
		n := 2 + int(b[1])
		if b[0]&modeSPFBit != 0 {
			n = 4 + int(be.Uint16(b[2:]))
		}
		if n > len(b) {
			break
		}
		m.setPage(b[:n])
		b = b[n:]
	}
	return m
}

func (m *ModeData) setPage(p []byte) {
	switch code := p[0] &^ 0x80; {
	case code == ModePageCaching && len(p) >= 3:
		m.HasCaching = true
		m.Caching = CachingPage{WCE: p[2]&0x04 != 0, RCD: p[2]&0x01 != 0}
	case code == ModePageControl && len(p) >= 3:
		m.HasControl = true
		m.Control = parseControlPage(p)
	}
}

func parseControlPage(p []byte) ControlPage {
	var raw [controlPageLen]byte
	copy(raw[:], p)
	return ControlPage{
		TST:    raw[2] >> 5,
		DSense: raw[2]&0x04 != 0,
		QErr:   raw[3] >> 1 & 3,
		SWP:    raw[4]&0x08 != 0,
		TAS:    raw[5]&0x40 != 0,
		Busy:   be.Uint16(raw[8:]),
	}
}

// Append6 appends the answer to MODE SENSE(6), without block descriptors.
func (m *ModeData) Append6(dst []byte) []byte {
	at := len(dst)
	dst = m.appendPages(append(dst, 0, 0, m.param(), 0))
	dst[at] = byte(len(dst) - at - 1)
	return dst
}

// Append10 appends the answer to MODE SENSE(10), without block descriptors.
func (m *ModeData) Append10(dst []byte) []byte {
	at := len(dst)
	dst = m.appendPages(append(dst, 0, 0, 0, m.param(), 0, 0, 0, 0))
	be.PutUint16(dst[at:], uint16(len(dst)-at-2))
	return dst
}

func (m *ModeData) param() byte {
	return flag(m.WriteProtected, modeWPBit) | flag(m.DPOFUA, modeDPOFUABit)
}

func (m *ModeData) appendPages(dst []byte) []byte {
	if m.HasCaching {
		p := [cachingPageLen]byte{ModePageCaching, cachingPageLen - 2, flag(m.Caching.WCE, 0x04) | flag(m.Caching.RCD, 0x01)}
		dst = append(dst, p[:]...)
	}
	if m.HasControl {
		dst = m.Control.append(dst)
	}
	return dst
}

func (c *ControlPage) append(dst []byte) []byte {
	p := [controlPageLen]byte{ModePageControl, controlPageLen - 2}
	p[2] = c.TST<<5 | flag(c.DSense, 0x04)
	p[3] = c.QErr & 3 << 1
	p[4] = flag(c.SWP, 0x08)
	p[5] = flag(c.TAS, 0x40)
	be.PutUint16(p[8:], c.Busy)
	return append(dst, p[:]...)
}
