package scsi

// NonRotating is the RotationRate of a medium that does not turn.
const NonRotating = 1

// Characteristics is VPD page B1.
type Characteristics struct {
	RotationRate uint16 // 0 not reported, NonRotating, or turns per minute (0401h..FFFEh)
	FormFactor   uint8  // 0 not reported, 1 5.25", 2 3.5", 3 2.5", 4 1.8", 5 smaller
	FUAB         bool   // FUA and SYNCHRONIZE CACHE mean what SBC-3 says, else what SBC-2 says
}

const characteristicsLen = 0x3c

// ParseCharacteristics decodes VPD page B1; fields beyond the end of a shorter page are zero. The error is a *FormatError.
func ParseCharacteristics(b []byte) (Characteristics, error) {
	body, err := vpdBody(b, VPDCharacteristics)
	if err != nil {
		return Characteristics{}, err
	}
	var raw [characteristicsLen]byte
	copy(raw[:], body)
	return Characteristics{
		RotationRate: be.Uint16(raw[0:]),
		FormFactor:   raw[3] & 0x0f,
		FUAB:         raw[4]&0x02 != 0,
	}, nil
}

// Append appends VPD page B1, 64 bytes with the header.
func (c *Characteristics) Append(dst []byte) []byte {
	var raw [characteristicsLen]byte
	be.PutUint16(raw[0:], c.RotationRate)
	raw[3] = c.FormFactor & 0x0f
	raw[4] = flag(c.FUAB, 0x02)
	return append(appendVPD(dst, VPDCharacteristics, len(raw)), raw[:]...)
}
