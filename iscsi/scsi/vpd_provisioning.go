package scsi

// ProvisioningType says how the blocks of a unit are backed.
type ProvisioningType uint8

// The provisioning types of SBC-3.
const (
	ProvisioningUnknown  ProvisioningType = 0 // not reported, or fully provisioned
	ProvisioningResource ProvisioningType = 1 // space is set aside for every block
	ProvisioningThin     ProvisioningType = 2
)

// Provisioning is VPD page B2.
type Provisioning struct {
	ThresholdExponent uint8 // thresholds are in units of 2 to this power of blocks; 0: no thresholds
	LBPU              bool  // UNMAP is supported
	LBPWS             bool  // WRITE SAME(16) with UNMAP is supported
	LBPWS10           bool  // WRITE SAME(10) with UNMAP is supported
	LBPRZ             bool  // unmapped blocks read as zeroes
	AncSup            bool  // blocks can be anchored
	Type              ProvisioningType
}

const provisioningLen = 4

// ParseProvisioning decodes VPD page B2; fields beyond the end of a shorter page are zero. The error is a *FormatError.
func ParseProvisioning(b []byte) (Provisioning, error) {
	body, err := vpdBody(b, VPDProvisioning)
	if err != nil {
		return Provisioning{}, err
	}
	var raw [provisioningLen]byte
	copy(raw[:], body)
	return Provisioning{
		ThresholdExponent: raw[0],
		LBPU:              raw[1]&0x80 != 0,
		LBPWS:             raw[1]&0x40 != 0,
		LBPWS10:           raw[1]&0x20 != 0,
		LBPRZ:             raw[1]&0x04 != 0,
		AncSup:            raw[1]&0x02 != 0,
		Type:              ProvisioningType(raw[2] & 7),
	}, nil
}

// Append appends VPD page B2 without a provisioning group, 8 bytes with the header.
func (p *Provisioning) Append(dst []byte) []byte {
	flags := flag(p.LBPU, 0x80) | flag(p.LBPWS, 0x40) | flag(p.LBPWS10, 0x20) | flag(p.LBPRZ, 0x04) | flag(p.AncSup, 0x02)
	return append(appendVPD(dst, VPDProvisioning, provisioningLen), p.ThresholdExponent, flags, byte(p.Type)&7, 0)
}
